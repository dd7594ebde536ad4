//! The fenced blocks of every Markdown document of the repository, and what each of them is.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

/// A fenced block.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    /// The document, from the root of the repository.
    pub(crate) file: String,
    /// The heading that it stands under.
    pub(crate) heading: String,
    /// What stands behind the fence.
    pub(crate) language: String,
    /// What it holds, without the indentation of its fence.
    pub(crate) text: String,
}

/// What a block is, which says how it is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// A policy: it is put in force, and nothing of it is refused.
    Policy,
    /// The document of a team: it is right beside the policy before it.
    TeamDocument,
    /// A policy that is wrong: what is said about it is the next block.
    RefusedPolicy,
    /// What is said about the block before it.
    Refusal,
    /// An action of CodePipeline that invokes the hook: it is played.
    Hook,
    /// An event that functions send: it has the members of a real one.
    Event,
    /// A pattern of events: EventBridge takes it.
    Pattern,
    /// A line of a function's log: it has the members of a real one.
    LogLine,
    /// A step of a dry run: it has the members of a real one.
    Step,
    /// A widget of a dashboard: the function answers its parameters with a page.
    Widget,
    /// A notification as people read it: it has the lines of a real one.
    Notification,
    /// A template to copy: it is deployed, and what it watches is there.
    Template,
    /// A query for the functions' logs: its fields are those of real lines.
    Query,
    /// Commands: they are parsed, and those that can be are run.
    Commands,
    /// Rust: each line stands in a test.
    Code,
}

impl Block {
    /// What stands before the text in a message.
    pub(crate) fn place(&self) -> String {
        let first = self.text.lines().next().unwrap_or_default();
        format!("{} under \"{}\": {first}", self.file, self.heading)
    }

    /// The block as JSON, if it is.
    pub(crate) fn json(&self) -> Option<Value> {
        serde_json::from_str(&self.text).ok()
    }
}

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .map(Path::to_path_buf)
        .unwrap_or_default()
}

/// All blocks with their kinds; none is nothing that any trial knows.
pub(crate) fn all() -> Vec<(Block, Option<Kind>)> {
    let root = root();
    let mut all = Vec::new();
    for file in documents(&root) {
        let text = fs::read_to_string(root.join(&file)).unwrap_or_else(|e| panic!("{file}: {e}"));
        let blocks = of_document(&file, &text);
        for (index, block) in blocks.iter().enumerate() {
            let before = index.checked_sub(1).map(|index| &blocks[index]);
            let kind = kind(before, block, blocks.get(index + 1));
            all.push((block.clone(), kind));
        }
    }
    all
}

/// The blocks of one kind; a kind without blocks has nothing to show for its trial.
pub(crate) fn of_kind(wanted: Kind) -> Vec<Block> {
    let all = all().into_iter();
    let found = all.filter(|(_, kind)| *kind == Some(wanted));
    found.map(|(block, _)| block).collect()
}

/// Every Markdown file but those of build folders and hidden ones, in order.
fn documents(root: &Path) -> Vec<String> {
    let mut folders = vec![root.to_path_buf()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
        for path in entries.map(|entry| entry.path()) {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with('.') || ["target", "node_modules"].contains(&name.as_ref()) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if name.ends_with(".md")
                && let Ok(file) = path.strip_prefix(root)
            {
                found.push(file.to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    found
}

fn of_document(file: &str, text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut heading = String::new();
    let mut open: Option<(usize, Block)> = None;
    for line in text.lines() {
        let content = line.trim_start();
        let indent = line.len() - content.len();
        match (&mut open, content.strip_prefix("```")) {
            (None, Some(language)) => {
                let block = Block {
                    file: file.to_owned(),
                    heading: heading.clone(),
                    language: language.trim().to_owned(),
                    text: String::new(),
                };
                open = Some((indent, block));
            }
            (None, None) if line.starts_with('#') => {
                line.trim_start_matches('#').trim().clone_into(&mut heading);
            }
            (None, None) => {}
            (Some(_), Some("")) => blocks.extend(open.take().map(|(_, block)| block)),
            (Some((indent, block)), _) => {
                block.text += line.get(*indent..).unwrap_or_default();
                block.text += "\n";
            }
        }
    }
    assert!(open.is_none(), "{file} ends within a block");
    blocks
}

fn kind(before: Option<&Block>, block: &Block, after: Option<&Block>) -> Option<Kind> {
    let is_policy = |block: &Block| block.language == "yaml" && block.text.starts_with("version:");
    let says_lines = |block: &Block| block.language == "text" && block.text.starts_with("line ");
    match block.language.as_str() {
        "yaml" if is_policy(block) && !block.text.contains("\naccounts:") => {
            Some(Kind::TeamDocument)
        }
        "yaml" if is_policy(block) => Some(match after {
            Some(after) if says_lines(after) => Kind::RefusedPolicy,
            _ => Kind::Policy,
        }),
        "yaml" if block.text.starts_with("Resources:") => Some(Kind::Template),
        "yaml" if block.text.contains("UserParameters:") => Some(Kind::Hook),
        "text" if says_lines(block) && before.is_some_and(is_policy) => Some(Kind::Refusal),
        "text" if block.text.starts_with("Pipeline ") => Some(Kind::Notification),
        "text" if block.text.starts_with("fields @timestamp") => Some(Kind::Query),
        "json" => of_json(&block.json()?),
        "console" | "bash" => Some(Kind::Commands),
        "rust" => Some(Kind::Code),
        _ => None,
    }
}

fn of_json(value: &Value) -> Option<Kind> {
    let is = |members: &[&str]| members.iter().all(|member| value.get(member).is_some());
    if value["source"].is_array() || value["detail-type"].is_array() {
        Some(Kind::Pattern)
    } else if is(&["source", "detail-type", "detail"]) {
        Some(Kind::Event)
    } else if is(&["message", "summary"]) {
        Some(Kind::LogLine)
    } else if is(&["action", "outcome", "reason"]) {
        Some(Kind::Step)
    } else if value["type"] == "custom" {
        Some(Kind::Widget)
    } else {
        None
    }
}
