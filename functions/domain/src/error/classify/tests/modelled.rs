//! The errors of the service models, as the sources of the SDK have them.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use super::*;

/// What cargo says.
fn cargo(arguments: &[&str]) -> String {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo starts");
    String::from_utf8(output.stdout).expect("cargo speaks UTF-8")
}

/// The sources of the SDK crates that the adapters depend on, by their names at AWS.
fn sdks() -> BTreeMap<String, PathBuf> {
    // Of other platforms than this one, not everything was downloaded.
    let version = cargo(&["-vV"]);
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    let platform = format!("--filter-platform={}", host.expect("cargo names its host"));
    let metadata = cargo(&["metadata", "--format-version=1", "--offline", &platform]);
    let metadata: Value = serde_json::from_str(&metadata).expect("cargo speaks JSON");
    let packages = metadata["packages"].as_array().expect("there are packages");
    let sdks = packages.iter().filter_map(|package| {
        let name = package["name"].as_str()?.strip_prefix("aws-sdk-")?;
        let manifest = Path::new(package["manifest_path"].as_str()?);
        let name = if name == "eventbridge" {
            "events"
        } else {
            name
        };
        Some((name.to_owned(), manifest.parent()?.join("src")))
    });
    sdks.collect()
}

/// The name of an operation in a file's name.
fn snake_case(operation: &str) -> String {
    let mut name = String::new();
    for character in operation.chars() {
        if character.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(character.to_ascii_lowercase());
    }
    name
}

fn camel_case(file: &str) -> String {
    let words = file.split('_');
    words
        .map(|word| word[..1].to_ascii_uppercase() + &word[1..])
        .collect()
}

/// The Rust sources of the adapters, one by one, without those of tests.
fn own_sources(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("it can be read").path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "classify") {
            own_sources(&path, found);
        } else if path.extension().is_some_and(|it| it == "rs") {
            let source = fs::read_to_string(&path).expect("it is a text");
            let source = source.split("#[cfg(test)]\nmod").next();
            found.push(source.unwrap_or_default().to_owned());
        }
    }
}

/// The operations that the adapters call: their names stand where the SDK is named.
fn called(service: &str, sdk: &Path, sources: &[String]) -> BTreeSet<String> {
    let service = if service == "events" {
        "eventbridge"
    } else {
        service
    };
    let name = format!("aws_sdk_{service}");
    let sources = sources.iter().filter(|source| source.contains(&name));
    let sources: Vec<_> = sources.collect();
    let files = fs::read_dir(sdk.join("operation")).expect("an SDK has operations");
    let names = files.filter_map(|entry| {
        let path = entry.expect("it can be read").path();
        let is_one = path.extension().is_some_and(|it| it == "rs");
        is_one.then(|| camel_case(&path.file_stem().unwrap_or_default().to_string_lossy()))
    });
    names
        .filter(|name| {
            let name = format!("\"{name}\"");
            sources.iter().any(|source| source.contains(&name))
        })
        .collect()
}

/// The codes that the SDK knows for an operation.
fn codes(sdk: &Path, operation: &str) -> BTreeSet<String> {
    let file = snake_case(operation);
    let enumeration = fs::read_to_string(sdk.join(format!("operation/{file}.rs")))
        .expect("an operation has a file");
    let by_protocol = fs::read_to_string(sdk.join(format!("protocol_serde/shape_{file}.rs")));
    let reading = by_protocol.unwrap_or_else(|_| enumeration.clone());
    // Behind the errors, it reads answers.
    let errors = reading.split("_http_response(").next().unwrap_or_default();
    let arms = errors.lines().filter_map(|line| {
        let (code, rest) = line.trim().strip_prefix('"')?.split_once('"')?;
        let is_arm = rest.starts_with(" =>") && code.starts_with(char::is_uppercase);
        is_arm.then(|| code.to_owned())
    });
    let codes: BTreeSet<_> = arms.collect();
    let body = enumeration.split_once(&format!("pub enum {operation}Error {{"));
    let (body, _) = body
        .and_then(|(_, rest)| rest.split_once("\n}"))
        .expect("an operation has errors");
    let variants = body.lines().filter(|line| line.trim_end().ends_with("),"));
    assert_eq!(codes.len(), variants.count() - 1, "{operation}: {codes:?}");
    codes
}

#[test]
fn every_error_of_every_operation_that_the_functions_call_has_a_row() {
    let mut sources = Vec::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../aws/src");
    own_sources(&folder, &mut sources);
    let (mut operations, mut errors) = (0, 0);
    for (service, sdk) in sdks() {
        for operation in called(&service, &sdk, &sources) {
            operations += 1;
            for code in codes(&sdk, &operation) {
                errors += 1;
                let failed = Failed {
                    service: &service,
                    operation: &operation,
                    code: Some(&code),
                    status: None,
                    message: "",
                    new_session: true,
                };
                assert!(failed.row().is_some(), "{service}:{operation} {code}");
            }
        }
    }
    assert!(operations > 30, "{operations} operations");
    assert!(errors > 180, "{errors} errors");
}
