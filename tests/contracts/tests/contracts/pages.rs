//! What the pages say of the code is so.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

use domain::policy::Policy;
use regex_lite::Regex;

use contracts::{codes, fenced, files, headings, root, section, table, tables};

use crate::{set, templates::HUB, text};

const ARCHITECTURE: &str = include_str!("../../../../functions/README.md");
const HOOK: &str = include_str!("../../../../functions/hook.md");
const NOTIFICATIONS: &str = include_str!("../../../../functions/notifications.md");
const POLICY: &str = include_str!("../../../../functions/policy.md");

/// The sources of a folder of `functions` as one text, without the files of tests.
fn sources(folder: &str) -> String {
    let files = files(&format!("functions/{folder}"), ".rs").into_iter();
    let is_test = |file: &PathBuf| file.iter().any(|it| it == "tests" || it == "tests.rs");
    let files = files.filter(|file| !is_test(&file.strip_prefix(root()).unwrap().to_path_buf()));
    files.map(|it| fs::read_to_string(it).unwrap()).collect()
}

/// The constant lists of strings of this name in a text.
fn lists(source: &str, name: &str) -> Vec<BTreeSet<String>> {
    let list = format!(r"(?s)const {name}: [^=]*= &?\[(.*?)\];");
    let string = Regex::new("\"([^\"]*)\"").unwrap();
    let found = Regex::new(&list).unwrap();
    let found = found.captures_iter(source);
    found
        .map(|it| set(string.captures_iter(&it[1]).map(|it| it[1].to_owned())))
        .collect()
}

#[test]
fn the_reference_of_the_policy_has_the_keys_that_the_parser_knows() {
    let source = sources("domain/src/policy");
    let keys_of = |file: &str| {
        let path = root().join("functions/domain/src/policy").join(file);
        lists(&fs::read_to_string(path).unwrap(), "KEYS").remove(0)
    };
    let call = Regex::new(r#"fields\(\w+, "(?:an? )?([a-z]+)", &\[([^\]]*)\]\)"#).unwrap();
    let string = Regex::new("\"([^\"]*)\"").unwrap();
    let inline: BTreeMap<String, BTreeSet<String>> = call
        .captures_iter(&source)
        .map(|it| {
            let keys = string.captures_iter(&it[2]).map(|it| it[1].to_owned());
            (it[1].to_owned(), set(keys))
        })
        .collect();
    let of_rule = keys_of("rule.rs");
    let mut known = keys_of("documents.rs");
    for (what, prefix) in [
        ("organization", "organization"),
        ("account", "accounts.NAME"),
    ] {
        let keys = inline[what].iter().map(|key| format!("{prefix}.{key}"));
        known.extend(keys);
    }
    known.extend(inline["limits"].iter().map(|key| format!("limits.{key}")));
    for mapping in ["accounts", "groups", "teams"] {
        known.insert(format!("{mapping}.NAME"));
    }
    let [top, rule] = &tables(POLICY, "Reference")[..] else {
        panic!("the reference has a table for the top level and one for a rule");
    };
    let keys = |rows: &[contracts::Row]| set(rows.iter().flat_map(|row| codes(&row[0])));
    assert_eq!(keys(top), known);
    assert_eq!(keys(rule), of_rule);
}

#[test]
fn the_reference_of_the_policy_says_which_keys_are_required() {
    let mut rows = tables(POLICY, "Reference").remove(1);
    // It stands in place of `owner`.
    rows.retain(|row| codes(&row[0]) != ["owners"]);
    // The first rule of the first example has every key.
    let example = fenced(&section(POLICY, "The sharing policy")).remove(0);
    let (head, rules) = example.split_once("rules:\n").unwrap();
    let rule = rules.split("  - ").nth(1).unwrap().lines();
    let rule: Vec<_> = rule.map(str::trim).collect();
    assert_eq!(rule.len(), rows.len(), "{rule:#?}");
    for row in &rows {
        let left_out = format!("{}:", codes(&row[0])[0]);
        let kept: Vec<_> = rule
            .iter()
            .filter(|it| !it.starts_with(&left_out))
            .collect();
        assert_eq!(kept.len() + 1, rule.len(), "the example has {left_out}");
        let mut document = format!("{head}rules:\n  -\n");
        document.extend(kept.into_iter().map(|line| format!("    {line}\n")));
        let is_required = row[2].starts_with("required");
        let refused = Policy::parse(&document).err();
        assert_eq!(refused.is_some(), is_required, "{left_out} {refused:?}");
    }
}

#[test]
fn the_page_about_the_hook_has_its_parameters_and_its_failures() {
    let request = lists(&sources("domain/src/hook"), "KEYS").remove(0);
    let rows = table(HOOK, "Request parameters");
    assert_eq!(set(rows.iter().flat_map(|row| codes(&row[0]))), request);
    let failures = root().join("functions/domain/src/hook/failure.rs");
    let source = fs::read_to_string(failures).unwrap();
    let kind = Regex::new(r#"Self::\w+ => "([A-Z]\w+)","#).unwrap();
    let kinds = set(kind.captures_iter(&source).map(|it| it[1].to_owned()));
    let rows = table(HOOK, "Results and failure types");
    assert_eq!(set(rows.iter().flat_map(|row| codes(&row[0]))), kinds);
}

#[test]
fn the_page_about_notifications_has_their_detail_types() {
    let source = fs::read_to_string(root().join("functions/domain/src/notification.rs")).unwrap();
    let name = Regex::new(r#"const \w+_DETAIL_TYPE: &str = "([^"]+)""#).unwrap();
    let types = set(name.captures_iter(&source).map(|it| it[1].to_owned()));
    let rows = tables(NOTIFICATIONS, "Notifications").remove(0);
    assert_eq!(set(rows.iter().flat_map(|row| codes(&row[0]))), types);
}

#[test]
fn the_table_of_variables_is_what_the_template_sets_and_the_functions_read() {
    let functions = HUB.of_kind("AWS::Lambda::Function");
    let mut given: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut all = BTreeSet::new();
    for function in &functions {
        let name = text(&function["FunctionName"], "FunctionName");
        let name = name.trim_start_matches("pipeshare-").to_owned();
        let variables = function["Environment"]["Variables"].as_object().unwrap();
        for variable in variables.keys() {
            given
                .entry(variable.clone())
                .or_default()
                .insert(name.clone());
        }
        all.insert(name);
    }
    let mut documented = BTreeMap::new();
    for row in table(ARCHITECTURE, "Environment") {
        let of = row[1].split(';').next().unwrap_or_default();
        let of = match of {
            "all" => all.clone(),
            names => set(names.split(", ").map(str::to_owned)),
        };
        let ours = codes(&row[0]).into_iter();
        let ours = ours.filter(|name| name.starts_with("PIPESHARE_"));
        documented.extend(ours.map(|name| (name, of.clone())));
    }
    assert_eq!(documented, given);
    let name = Regex::new(r"PIPESHARE_[A-Z_]+").unwrap();
    let read = set(name
        .find_iter(&sources(""))
        .map(|it| it.as_str().to_owned()));
    assert_eq!(set(documented.into_keys()), read);
}

#[test]
fn the_page_about_architecture_names_every_function() {
    let functions = HUB.of_kind("AWS::Lambda::Function");
    let names = functions.iter().map(|function| {
        let name = text(&function["FunctionName"], "FunctionName");
        name.trim_start_matches("pipeshare-").to_owned()
    });
    let rows = tables(ARCHITECTURE, "Architecture").remove(1);
    let documented = rows.iter().map(|row| {
        let name = row[0].split(']').next().unwrap_or_default();
        name.trim_start_matches('[').to_owned()
    });
    assert_eq!(set(documented), set(names));
}

#[test]
fn the_code_map_has_the_public_modules_of_the_libraries() {
    let map = section(ARCHITECTURE, "Code map");
    let bold = Regex::new(r"(?m)^\*\*`([a-z]+)`\*\*").unwrap();
    let libraries: Vec<String> = bold
        .captures_iter(&map)
        .map(|it| it[1].to_owned())
        .collect();
    let tables = tables(ARCHITECTURE, "Code map");
    assert_eq!(libraries.len(), tables.len(), "a table for each library");
    let public = Regex::new(r"(?m)^pub mod ([a-z_]+);").unwrap();
    for (library, rows) in libraries.iter().zip(tables) {
        let folder = root().join("functions").join(library).join("src");
        let listed = set(rows.iter().flat_map(|row| codes(&row[0])));
        for module in &listed {
            let exists = folder.join(format!("{module}.rs")).exists();
            assert!(exists, "{library}: {module}");
        }
        let source = fs::read_to_string(folder.join("lib.rs")).unwrap();
        let modules = public.captures_iter(&source).map(|it| it[1].to_owned());
        for module in modules {
            assert!(listed.contains(&module), "{library}: {module} is missing");
        }
    }
}

/// The names that the sources define, or call AWS by.
struct Names {
    /// What follows a keyword of a definition.
    defined: BTreeSet<String>,
    /// What a line begins with, as a variant or a field does.
    first: BTreeSet<String>,
    /// All words, as the methods of clients are, and the names of errors.
    words: BTreeSet<String>,
}

impl Names {
    fn of(source: &str) -> Self {
        const KEYWORDS: [&str; 8] = [
            "fn", "struct", "enum", "trait", "mod", "type", "const", "static",
        ];
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        let words = |line: &str| {
            let words = line.split(|c| !is_part(c)).filter(|it| !it.is_empty());
            words.map(str::to_owned).collect::<Vec<_>>()
        };
        let (mut defined, mut first, mut all) =
            <(BTreeSet<_>, BTreeSet<_>, BTreeSet<_>)>::default();
        for line in source.lines().filter(|it| !it.trim().starts_with("//")) {
            let words = words(line);
            let pairs = words.iter().zip(words.iter().skip(1));
            let pairs = pairs.filter(|(keyword, _)| KEYWORDS.contains(&keyword.as_str()));
            defined.extend(pairs.map(|(_, name)| name.clone()));
            first.extend(words.first().cloned());
            all.extend(words);
        }
        Self {
            defined,
            first,
            words: all,
        }
    }

    fn has(&self, name: &str) -> bool {
        // An operation of AWS is a method of its client.
        let capital = Regex::new("([a-z])([A-Z])").unwrap();
        let method = capital.replace_all(name, "${1}_$2").to_lowercase();
        let is_type = name.starts_with(char::is_uppercase);
        self.defined.contains(name)
            || is_type && (self.first.contains(name) || self.words.contains(&method))
    }
}

#[test]
fn every_name_in_the_walks_is_in_the_code() {
    let name = Regex::new(r"^[A-Za-z_][A-Za-z0-9_]*(::[A-Za-z_][A-Za-z0-9_]*)*$").unwrap();
    let crates = ["domain", "runtime", "aws"];
    let known = Names::of(&sources(""));
    let walks = headings(ARCHITECTURE, 2);
    let walks: Vec<_> = walks
        .iter()
        .filter(|it| it.starts_with("The walk of"))
        .collect();
    assert_eq!(walks.len(), 4);
    let mut missing = Vec::new();
    for walk in walks {
        let names = codes(&section(ARCHITECTURE, walk)).into_iter();
        let names: Vec<_> = names.filter(|code| name.is_match(code)).collect();
        assert!(names.len() >= 10, "{walk} follows the code");
        let parts = names.iter().flat_map(|path| path.split("::"));
        let unknown = parts.filter(|it| !crates.contains(it) && !known.has(it));
        missing.extend(unknown.map(|it| format!("{walk}: {it}")));
    }
    assert!(missing.is_empty(), "{missing:#?}");
}
