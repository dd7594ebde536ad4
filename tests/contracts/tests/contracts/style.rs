//! What holds of the text of the functions: short, and said once.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// The longest function of production code, in lines, signature and braces included.
const LONGEST: usize = 45;

/// So many equal lines in two places say the same thing twice.
const EQUAL: usize = 6;

/// The text of each production module, without its tests.
fn modules() -> Vec<(PathBuf, String)> {
    let functions = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../functions");
    let mut folders: Vec<_> = fs::read_dir(functions)
        .unwrap()
        .map(|entry| entry.unwrap().path().join("src"))
        .filter(|folder| folder.is_dir())
        .collect();
    let mut modules = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let is_test = path.ends_with("tests.rs") || path.ends_with("tests");
            if path.is_dir() && !is_test {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "rs") && !is_test {
                let text = fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]\nmod tests {").next();
                modules.push((path, code.unwrap_or_default().to_owned()));
            }
        }
    }
    modules
}

/// The name of the function that begins on a line.
fn function(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace().skip_while(|word| {
        word.starts_with("pub") || ["async", "const", "in", "self)"].contains(word)
    });
    (words.next()? == "fn").then(|| words.next())?
}

#[test]
fn no_function_is_longer_than_a_screen() {
    let modules = modules();
    assert!(modules.len() > 100, "the functions have modules");
    let mut long = Vec::new();
    for (path, text) in &modules {
        let lines: Vec<_> = text.lines().collect();
        for (first, line) in lines.iter().enumerate() {
            let Some(name) = function(line) else {
                continue;
            };
            let indent = line.len() - line.trim_start().len();
            let rest = &lines[first..];
            let is_end = |it: &&str| it.len() == indent + 1 && it.ends_with('}');
            let is_declaration = |it: &&str| {
                it.len() > indent && !it[indent..].starts_with(' ') && it.ends_with(';')
            };
            let end = rest.iter().position(|it| is_end(it) || is_declaration(it));
            let length = end.map_or(0, |end| end + 1);
            if length > LONGEST {
                long.push(format!("{}: {name} has {length} lines", path.display()));
            }
        }
    }
    assert!(long.is_empty(), "{long:#?}");
}

/// Whether a line does something; a signature has to be repeated where a port is implemented.
fn says_something(line: &str) -> bool {
    let is_parameter = line.ends_with(',')
        && line.split_once(": ").is_some_and(|(name, rest)| {
            !rest.contains(';') && name.chars().all(|c| c.is_ascii_lowercase() || c == '_')
        });
    let is_signature = function(line).is_some()
        || line.starts_with(") -> ")
        || ["&self,", "&mut self,"].contains(&line);
    let letters = line.chars().filter(char::is_ascii_lowercase).count();
    letters > 1
        && !is_parameter
        && !is_signature
        && !["//", "use ", "#["].iter().any(|it| line.starts_with(it))
}

#[test]
fn nothing_is_said_twice() {
    let mut seen: BTreeMap<Vec<String>, String> = BTreeMap::new();
    let mut twice = Vec::new();
    for (path, text) in modules() {
        let lines: Vec<_> = text
            .lines()
            .enumerate()
            .map(|(number, line)| (number + 1, line.trim()))
            .filter(|(_, line)| says_something(line))
            .collect();
        for window in lines.windows(EQUAL) {
            let place = format!("{}:{}", path.display(), window[0].0);
            let words = window.iter().map(|(_, line)| (*line).to_owned()).collect();
            if let Some(other) = seen.insert(words, place.clone()) {
                twice.push(format!("{place} and {other}"));
            }
        }
    }
    assert!(twice.is_empty(), "{twice:#?}");
}
