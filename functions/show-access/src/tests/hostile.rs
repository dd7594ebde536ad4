//! What others write is text, wherever it is shown.

use std::collections::BTreeSet;

use domain::status::AssociationStatus;
use roxmltree::Document;
use serde_json::json;

use super::*;

/// Ends whatever it may stand in, and begins what must not be there.
const MARKUP: &str =
    "\"'></title></pre></cwdb-action><script>alert(1)</script><img src=x onerror=alert(1)>\u{202e}";

/// What the page is made of.
const ELEMENTS: [&str; 28] = [
    "page",
    "style",
    "div",
    "p",
    "a",
    "b",
    "code",
    "cwdb-action",
    "form",
    "g",
    "h3",
    "input",
    "label",
    "li",
    "path",
    "pre",
    "rect",
    "span",
    "svg",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "title",
    "tr",
    "ul",
    "br",
];
const ATTRIBUTES: [&str; 31] = [
    "action",
    "aria-hidden",
    "aria-label",
    "class",
    "d",
    "display",
    "endpoint",
    "fill",
    "height",
    "maxlength",
    "name",
    "role",
    "scope",
    "stroke",
    "stroke-dasharray",
    "stroke-width",
    "title",
    "type",
    "value",
    "viewBox",
    "width",
    "x",
    "y",
    "style",
    "id",
    "href",
    "rel",
    "target",
    "for",
    "colspan",
    "rowspan",
];

/// A scene in which everybody who has a say says this.
fn hostile(text: &str) -> Scene {
    let policy = POLICY
        .replace("data scientists watch what is tested", &yaml(text))
        .replace("ml-platform@example.com", &yaml(text));
    let names = ["churn-train", "fraud"].map(str::to_owned);
    let scene = Scene::with(&policy, &names);
    let details = Details {
        display_name: Some(text.into()),
        started: Some(minutes_ago(60)),
        modified: Some(minutes_ago(30)),
        failure_reason: Some(text.into()),
        failed_steps: vec![FailedStep {
            name: text.into(),
            reason: Some(text.into()),
        }],
        ..Details::of(ExecutionStatus::Failed)
    };
    scene.accounts.run("churn-train", 1, details.clone());
    let status = ExecutionStatus::Other(text.to_owned());
    let odd = Details { status, ..details };
    scene.accounts.run("churn-train", 2, odd);
    let mut account = scene.accounts.account.borrow_mut();
    for share in &mut account.shares {
        if share.rule.as_deref() == Some("operators") || share.name.contains("operators") {
            share.resources[0].status = AssociationStatus::Failed;
            share.resources[0].message = Some(text.to_owned());
        }
    }
    let readers = account.share("pipeshare-readers").cloned();
    let mut renamed = readers.unwrap();
    text.clone_into(&mut renamed.name);
    renamed.arn = "arn:aws:ram:us-east-1:222222222222:resource-share/renamed"
        .parse()
        .unwrap();
    renamed.principals[0].entity = text.to_owned();
    renamed.principals[0].status = AssociationStatus::Associated;
    account.shares.push(renamed);
    drop(account);
    scene
}

/// A text as a scalar of YAML in one line.
fn yaml(text: &str) -> String {
    json!(text.replace('\u{202e}', "")).to_string()
}

/// The elements and the attributes of a page, all of which are well formed.
fn parts(html: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    // The one element of the page that HTML leaves open.
    let mut rest = html;
    let mut closed = String::new();
    while let Some(at) = rest.find("<input ") {
        let end = at + rest[at..].find('>').unwrap();
        closed.push_str(&rest[..end]);
        closed.push('/');
        rest = &rest[end..];
    }
    let page = format!("<page>{closed}{rest}</page>");
    let document = Document::parse(&page).unwrap_or_else(|error| panic!("{error}: {page}"));
    let (mut elements, mut attributes) = (BTreeSet::new(), BTreeSet::new());
    for node in document.descendants().filter(roxmltree::Node::is_element) {
        elements.insert(node.tag_name().name().to_owned());
        attributes.extend(node.attributes().map(|it| it.name().to_owned()));
    }
    (elements, attributes)
}

/// Every view at every width in both themes.
async fn pages(scene: &Scene) -> Vec<String> {
    let pipeline = "arn:aws:sagemaker:us-east-1:222222222222:pipeline/churn-train";
    let mut pages = Vec::new();
    for view in ["pipelines", "access", "now", "pipeline"] {
        for (width, theme) in [(400, "dark"), (1_200, "light")] {
            let forms = json!({ "all": { "filter": "" } });
            let context = json!({ "width": width, "theme": theme, "forms": forms });
            let go = json!({ "view": view, "pipeline": pipeline });
            pages.push(
                scene
                    .html(json!({ "go": go, "widgetContext": context }))
                    .await,
            );
        }
    }
    pages
}

#[tokio::test]
async fn no_page_has_more_than_its_own_elements_whatever_others_write() {
    let hidden = "&lt;script&gt;alert(1)&lt;/script&gt;";
    let mut shown = 0;
    for scene in [hostile(MARKUP), Scene::new()] {
        for html in pages(&scene).await {
            let (elements, attributes) = parts(&html);
            let mut elements = elements.iter();
            assert!(elements.all(|it| ELEMENTS.contains(&it.as_str())), "{html}");
            let mut attributes = attributes.iter();
            assert!(attributes.all(|it| ATTRIBUTES.contains(&it.as_str())));
            assert!(!html.contains('\u{202e}'), "{html}");
            shown += html.matches(hidden).count();
        }
    }
    assert!(shown > 30, "the texts are shown: {shown}");
}

#[tokio::test]
async fn each_text_of_others_is_shown_as_it_was_written() {
    let scene = hostile("SAID");
    let page = pages(&scene).await.concat();
    for said in [
        "step SAID: SAID",
        "“SAID”",
        "Why: SAID",
        "Contact: SAID",
        "1 SAID",
        "pending: failed: SAID",
        "\"SAID\" has pipeshare's tags"
            .replace('"', "&quot;")
            .as_str(),
        "SAID: read by no rule",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
}

#[tokio::test]
async fn what_was_typed_and_what_fails_is_escaped() {
    let scene = Scene::new();
    let typed = json!({ "all": { "filter": MARKUP } });
    let context = json!({ "forms": typed });
    let go = json!({ "form": true });
    let html = scene
        .html(json!({ "go": go, "widgetContext": context }))
        .await;
    assert!(parts(&html).0.len() < ELEMENTS.len());
    assert!(html.contains("value=\"&quot;'&gt;&lt;/title"), "{html}");
    let broken = format!("version: 1\n{}: 1\n", yaml(MARKUP));
    let version = scene.hub.write_policy(&broken);
    scene.hub.labelled.set(Some(version));
    let html = scene.html(json!({})).await;
    assert!(html.contains("unknown key"), "{html}");
    parts(&html);
}

#[tokio::test]
async fn no_cell_of_csv_is_a_formula() {
    for first in ["=", "+", "-", "@", "＝"] {
        let text = format!("{first}HYPERLINK(\"http://evil.example\";\"x\"),\"2\"");
        let scene = hostile(&text);
        for view in ["pipelines", "access", "now"] {
            let csv = scene.ask(json!({ "view": view, "format": "csv" })).await;
            for field in fields(csv.as_str().unwrap()) {
                let begins = field.starts_with(['=', '+', '-', '@', '\t', '\r', '＝']);
                assert!(!begins, "{view}: {field}");
            }
        }
    }
    let row = ["=1", "\tx", "\rx", "\nx", "a\"b", "", "plain", "-"];
    let csv = export::csv_of(&[row.map(str::to_owned).to_vec()]);
    assert_eq!(
        csv,
        "\"'=1\",\"'\tx\",\"'\rx\",\"'\nx\",\"a\"\"b\",\"\",\"plain\",\"'-\"\r\n"
    );
}

/// The fields of CSV as RFC 4180 has them.
fn fields(csv: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut characters = csv.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                fields.last_mut().unwrap().push('"');
            }
            '"' => quoted = !quoted,
            ',' | '\r' | '\n' if !quoted => fields.push(String::new()),
            other => fields.last_mut().unwrap().push(other),
        }
    }
    fields
}

#[tokio::test]
async fn markdown_has_no_markup_but_its_table() {
    let text = "| [x](http://evil.example) <b> `c` *d* _e_ # - ~~f~~ &amp; \\ www.evil.example";
    let scene = hostile(text);
    for view in ["pipelines", "access", "now"] {
        let payload = json!({ "view": view, "format": "markdown" });
        let answer = scene.ask(payload).await;
        let markdown = answer["markdown"].as_str().unwrap();
        assert!(!markdown.contains("http://") && !markdown.contains("www\\.evil"));
        let mut lines = markdown.lines();
        let columns = |line: &str| {
            line.replace("\\\\", "")
                .replace("\\|", "")
                .matches('|')
                .count()
        };
        let expected = columns(lines.next().unwrap());
        for line in lines.skip(1).take_while(|line| !line.is_empty()) {
            assert_eq!(columns(line), expected, "{line}");
            let unescaped = line.replace("\\\\", "");
            for mark in ['[', '<', '`', '*', '_', '#', '~', '&'] {
                let bare = unescaped.matches(mark).count();
                let escaped = unescaped.matches(&format!("\\{mark}")).count();
                assert_eq!(bare, escaped, "{mark}: {line}");
            }
        }
    }
}
