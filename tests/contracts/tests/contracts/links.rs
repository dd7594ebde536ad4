//! What the documents link to is there.

use std::{collections::BTreeMap, fs, path::PathBuf};

use regex_lite::Regex;

use contracts::{anchor, files, headings, prose, root};

/// The anchors of a document, as GitHub makes them.
fn anchors(document: &str) -> Vec<String> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut found = Vec::new();
    for heading in (1..=6).flat_map(|depth| headings(document, depth)) {
        let name = anchor(&heading);
        let count = seen.entry(name.clone()).or_default();
        found.push(match *count {
            0 => name,
            count => format!("{name}-{count}"),
        });
        *count += 1;
    }
    found
}

/// The targets of the links of a document, but for those to other sites.
fn links(document: &str) -> Vec<String> {
    let link = Regex::new(r"\]\(([^)\s]+)\)").unwrap();
    let code = Regex::new("`[^`]*`").unwrap();
    let text = prose(document).join("\n");
    // A link whose text is code is a link all the same; one within code is none.
    let text = code.replace_all(&text, "code");
    let targets = link.captures_iter(&text).map(|it| it[1].to_owned());
    targets.filter(|it| !it.starts_with("http")).collect()
}

#[test]
fn every_link_between_documents_leads_somewhere() {
    let (mut followed, mut broken) = (0, Vec::new());
    for path in files("", ".md") {
        let document = fs::read_to_string(&path).unwrap();
        for target in links(&document) {
            let (file, heading) = target.split_once('#').unwrap_or((&target, ""));
            let linked = match file {
                "" => path.clone(),
                file => path.with_file_name("").join(file),
            };
            let leads = linked.exists()
                && (heading.is_empty()
                    || fs::read_to_string(&linked)
                        .is_ok_and(|text| anchors(&text).iter().any(|it| it == heading)));
            if !leads {
                broken.push(format!("{}: {target}", path.display()));
            }
            followed += 1;
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
    assert!(followed > 100, "{followed} links");
}

#[test]
fn the_readme_is_short_and_leads_to_every_page() {
    let text = fs::read_to_string(root().join("README.md")).unwrap();
    let lines = text.lines().count();
    assert!(lines <= 200, "{lines} lines");
    let linked: Vec<PathBuf> = links(&text)
        .iter()
        .map(|it| root().join(it.split('#').next().unwrap_or_default()))
        .collect();
    let readers = contracts::table(&text, "Who reads what");
    assert!(readers.len() >= 10);
    for page in files("", ".md") {
        let is_linked = linked.contains(&page);
        // A page that an index beside it leads to need not be in the README, too.
        let index = page.with_file_name("README.md");
        let name = page.file_name().unwrap_or_default().to_string_lossy();
        let is_below = index != page
            && linked.contains(&index)
            && fs::read_to_string(&index).is_ok_and(|text| links(&text).iter().any(|l| *l == name));
        let is_root = page == root().join("README.md");
        assert!(is_linked || is_below || is_root, "{}", page.display());
    }
}

#[test]
fn the_files_that_a_contribution_touches_are_there() {
    let text = fs::read_to_string(root().join("CONTRIBUTING.md")).unwrap();
    let is_path = |code: &str| {
        let is_of_any = code.starts_with("src/") || code.contains("NAME");
        code.contains('/') && !code.contains(' ') && !is_of_any
    };
    let paths = contracts::codes(&text).into_iter();
    let paths: Vec<_> = paths.filter(|code| is_path(code)).collect();
    assert!(paths.len() > 20, "{paths:?}");
    let missing = paths.iter().filter(|path| !root().join(path).exists());
    let missing: Vec<_> = missing.collect();
    assert!(missing.is_empty(), "{missing:#?}");
}
