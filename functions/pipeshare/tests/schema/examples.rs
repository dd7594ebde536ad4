//! The documents and the keys that people read about.

use std::{collections::BTreeSet, fs, path::Path};

use domain::policy::Policy;
use saphyr::{LoadableYamlNode, Yaml};
use serde_json::{Value, json};

use crate::{POLICY, TEAM, of_root, of_team, parsed};

/// A document as editors read it, which is not as the parser does: numbers are numbers.
fn of_yaml(text: &str) -> Value {
    fn value(yaml: &Yaml) -> Value {
        if let Some(entries) = yaml.as_mapping() {
            let member = |(key, it): (&Yaml, &Yaml)| (key.as_str().unwrap().to_owned(), value(it));
            entries.iter().map(member).collect()
        } else if let Some(items) = yaml.as_sequence() {
            items.iter().map(value).collect()
        } else if let Some(number) = yaml.as_integer() {
            json!(number)
        } else if let Some(flag) = yaml.as_bool() {
            json!(flag)
        } else {
            json!(yaml.as_str())
        }
    }
    value(&Yaml::load_from_str(text).unwrap()[0])
}

#[test]
fn every_valid_policy_of_the_reference_is_valid_for_editors() {
    let page = include_str!("../../../policy.md");
    let blocks = page.split("```yaml\n").skip(1);
    let blocks = blocks.filter_map(|block| block.split("```").next());
    let valid = blocks.filter(|block| Policy::parse(block).is_ok());
    let mut checked = 0;
    for block in valid {
        assert_eq!(of_root(&of_yaml(block)), Ok(()), "{block}");
        checked += 1;
    }
    assert!(checked >= 1);
}

#[test]
fn every_valid_document_of_the_program_s_tests_is_valid_for_editors() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/documents");
    let document = |name: &str| of_yaml(&fs::read_to_string(folder.join(name)).unwrap());
    for root in ["valid.yaml", "valid.json", "valid-teams/policy.yaml"] {
        assert_eq!(of_root(&document(root)), Ok(()), "{root}");
    }
    let team = document("valid-teams/churn.yaml");
    assert_eq!(of_team(&team), Ok(()));
}

/// The keys that a mapping may have, in the words of the parser about one that it does not know.
fn known_to_the_parser(root: &Value, teams: &[(String, Value)]) -> BTreeSet<String> {
    let errors = parsed(root, teams).unwrap_err();
    let mut lists = errors
        .iter()
        .filter_map(|it| it.message.split_once(" has only "));
    let (_, keys) = lists.next().unwrap();
    keys.split(", ").map(str::to_owned).collect()
}

fn keys(schema: &Value, pointer: &str) -> BTreeSet<String> {
    let properties = schema.pointer(pointer).and_then(Value::as_object);
    properties.unwrap().keys().cloned().collect()
}

#[test]
fn the_schemas_have_the_keys_that_the_parser_knows() {
    let policy: Value = serde_json::from_str(POLICY).unwrap();
    let unknown = json!({ "☃": 1 });
    for (document, pointer) in [
        (json!({ "☃": 1 }), "/properties"),
        (
            json!({ "organization": unknown }),
            "/definitions/organization/properties",
        ),
        (
            json!({ "accounts": { "a": unknown } }),
            "/definitions/account/then/properties",
        ),
        (
            json!({ "teams": { "a": unknown } }),
            "/definitions/team/properties",
        ),
        (
            json!({ "never": [unknown] }),
            "/definitions/never/items/properties",
        ),
        (
            json!({ "limits": unknown }),
            "/definitions/limits/properties",
        ),
        (
            json!({ "rules": [unknown] }),
            "/definitions/rule/properties",
        ),
    ] {
        let known = known_to_the_parser(&document, &[]);
        assert_eq!(keys(&policy, pointer), known, "{pointer}");
    }
    let team: Value = serde_json::from_str(TEAM).unwrap();
    let root = json!({ "version": 1, "teams": { "a": { "owner": "222222222222", "with": [] } } });
    let known = known_to_the_parser(&root, &[("a".to_owned(), unknown)]);
    assert_eq!(keys(&team, "/properties"), known);
}

#[test]
fn every_key_and_every_word_of_the_schemas_is_described() {
    fn undescribed(at: &str, schema: &Value, found: &mut Vec<String>) {
        let is_described = |it: &Value| it["description"].is_string() || it["$ref"].is_string();
        for (key, member) in schema.as_object().into_iter().flatten() {
            let at = format!("{at}/{key}");
            if ["properties", "definitions"].contains(&key.as_str()) {
                let members = member.as_object().into_iter().flatten();
                let silent = members.filter(|(name, it)| !is_described(it) && *name != "oneOwner");
                found.extend(silent.map(|(name, _)| format!("{at}/{name}")));
            }
            undescribed(&at, member, found);
        }
        for (number, item) in schema.as_array().into_iter().flatten().enumerate() {
            if item.get("const").is_some() && !is_described(item) {
                found.push(format!("{at}/{number}"));
            }
            undescribed(&format!("{at}/{number}"), item, found);
        }
    }
    for text in [POLICY, TEAM] {
        let mut found = Vec::new();
        undescribed("", &serde_json::from_str(text).unwrap(), &mut found);
        assert!(found.is_empty(), "{found:#?}");
    }
}
