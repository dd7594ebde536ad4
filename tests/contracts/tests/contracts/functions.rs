//! The functions of the hub's template are the list of functions.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use serde_json::Value;

use crate::{set, templates::HUB, text};

/// The names of the binaries; deployed they are `pipeshare-NAME`.
pub(crate) fn functions() -> BTreeSet<String> {
    set(names("AWS::Lambda::Function", "FunctionName"))
}

/// Those that read a queue of their own.
pub(crate) fn queued() -> BTreeSet<String> {
    let queues = set(names("AWS::SQS::Queue", "QueueName"));
    functions().intersection(&queues).cloned().collect()
}

/// The names of resources of the hub, without their prefix.
fn names(kind: &str, property: &str) -> Vec<String> {
    let resources = HUB.of_kind(kind).into_iter();
    let name = |it: Value| text(&it[property], property).replace("pipeshare-", "");
    resources.map(name).collect()
}

/// Whether a crate is a program that Lambda runs; people run the others.
fn is_function(folder: &Path) -> bool {
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
    let runs = |line: &str| line.starts_with("runtime.workspace");
    folder.join("src/main.rs").exists() && manifest.lines().any(runs)
}

#[test]
fn every_function_is_a_crate_with_a_binary_and_the_other_way_round() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../functions");
    let crates = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| is_function(&entry.path()))
        .map(|entry| entry.file_name().into_string().unwrap());
    assert_eq!(set(crates), functions());
}

#[test]
fn every_function_has_a_role_and_an_archive_of_its_own_name() {
    let roles = set(names("AWS::IAM::Role", "RoleName"));
    for function in HUB.of_kind("AWS::Lambda::Function") {
        let name = text(&function["FunctionName"], "FunctionName").replace("pipeshare-", "");
        let archive = format!("../../target/lambda/{name}/bootstrap.zip");
        assert_eq!(function["Code"], archive.as_str());
        assert!(roles.contains(&format!("{name}-eu-west-1")), "{name}");
    }
}

/// What looks for messages that nobody reads looks at these.
#[test]
fn every_queue_is_a_function_s_or_its_dead_letters_or_for_what_eventbridge_cannot_deliver() {
    let expected = queued()
        .into_iter()
        .flat_map(|name| [format!("{name}-dead-letters"), name])
        .chain(["undelivered".to_owned()]);
    assert_eq!(set(names("AWS::SQS::Queue", "QueueName")), set(expected));
}

/// CloudFormation repeats a block for each function; only its name may differ,
/// and what is said of functions that are invoked directly, without a queue.
#[test]
fn the_alarms_of_all_functions_are_equal_but_for_the_name() {
    let queued = queued();
    let mut blocks: BTreeMap<(String, bool, bool), BTreeMap<String, String>> = BTreeMap::new();
    for alarm in HUB.of_kind("AWS::CloudWatch::Alarm") {
        let name = text(&alarm["AlarmName"], "AlarmName").replace("pipeshare-", "");
        let of = |function: &&String| name.starts_with(&format!("{function}-"));
        let functions = functions();
        let Some(function) = functions.iter().find(of) else {
            continue;
        };
        let kind = name[function.len() + 1..].to_owned();
        let block = format!("{alarm:#}").replace(function.as_str(), "FUNCTION");
        // Those of functions whose callers' mistakes are errors subtract these.
        let computes = alarm["Metrics"].is_array();
        let of_kind = (kind, queued.contains(function), computes);
        let of_kind = blocks.entry(of_kind).or_default();
        of_kind.insert(function.clone(), block);
    }
    for ((kind, ..), blocks) in blocks {
        let (first, expected) = blocks.first_key_value().unwrap();
        for (function, block) in &blocks {
            assert_eq!(block, expected, "{kind} of {function} and of {first}");
        }
    }
}
