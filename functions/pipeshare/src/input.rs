//! Which files are which documents, and what they hold.

use std::{
    fmt,
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

/// Far more than a parameter holds, so that a wrong file is not read to its end.
const MOST_BYTES: u64 = 1 << 20;

/// The root in a directory.
const ROOT: &str = "policy.yaml";

/// A document of the policy.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Document {
    /// The file, as it was named.
    pub(crate) file: String,
    /// The team; none for the root.
    pub(crate) team: Option<String>,
    /// What it holds.
    pub(crate) text: String,
}

/// Why nothing was checked, and what to do about it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct InputError(pub(crate) String);

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        visible(&self.0).fmt(f)
    }
}

/// The text with whatever would end a line, or steer a terminal, written out.
pub(crate) fn visible(text: &str) -> String {
    let mut shown = String::new();
    for c in text.chars() {
        if c.is_control() {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Reads the documents that are named, the root first.
pub(crate) fn read(named: &[PathBuf], stdin: &mut impl Read) -> Result<Vec<Document>, InputError> {
    let mut documents: Vec<Document> = Vec::new();
    for path in of_policy(named)? {
        let team = (!documents.is_empty()).then(|| team_of(&path));
        let others = documents.iter().filter(|_| team.is_some());
        if let Some(other) = others.into_iter().find(|other| other.team == team) {
            let (one, two) = (&other.file, path.display());
            let name = team.unwrap_or_default();
            return Err(InputError(format!(
                "{one} and {two} are both the document of team {name}; keep one of them"
            )));
        }
        let text = if is_stdin(&path) {
            text(&path, stdin)
        } else {
            File::open(&path)
                .map_err(|error| unreadable(&path, &error))
                .and_then(|mut file| text(&path, &mut file))
        };
        documents.push(Document {
            file: path.to_string_lossy().into_owned(),
            team,
            text: text?,
        });
    }
    Ok(documents)
}

/// The files that are meant: a directory stands for those in it.
fn of_policy(named: &[PathBuf]) -> Result<Vec<PathBuf>, InputError> {
    let (first, others) = named
        .split_first()
        .ok_or_else(|| InputError("name the root's file".to_owned()))?;
    let mut files = if first.is_dir() {
        of_directory(first)?
    } else {
        vec![first.clone()]
    };
    for other in others {
        let name = other.display();
        if is_stdin(other) {
            let message = "standard input (-) is the root; name it first, and only once";
            return Err(InputError(message.to_owned()));
        }
        if other.is_dir() {
            return Err(InputError(format!(
                "{name} is a directory, which has a root of its own; name it first, or check it by itself"
            )));
        }
        files.push(other.clone());
    }
    Ok(files)
}

/// The root in a directory, and the documents of teams beside it in the order of their names.
fn of_directory(directory: &Path) -> Result<Vec<PathBuf>, InputError> {
    let entries = fs::read_dir(directory).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let entries = entries.map_err(|error| unreadable(directory, &error))?;
    let paths = entries.iter().map(fs::DirEntry::path);
    let mut paths: Vec<_> = paths.filter(|path| is_document(path)).collect();
    let root = directory.join(ROOT);
    if !paths.contains(&root) {
        let name = directory.display();
        return Err(InputError(format!(
            "{name} has no {ROOT}, which is the root; add it, or name the file that is the root first"
        )));
    }
    paths.retain(|path| *path != root);
    paths.sort();
    paths.insert(0, root);
    Ok(paths)
}

/// Whether a file in a directory is a document of the policy, by its name.
fn is_document(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let is_meant = [".yaml", ".yml", ".json"]
        .iter()
        .any(|ending| name.ends_with(ending));
    // Editors look for the schemas beside the documents; a link to nowhere is no directory.
    is_meant && !name.starts_with('.') && !name.ends_with(".schema.json") && !path.is_dir()
}

fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}

fn team_of(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default();
    stem.to_string_lossy().into_owned()
}

fn text(path: &Path, source: &mut impl Read) -> Result<String, InputError> {
    let name = path.display();
    let mut bytes = Vec::new();
    source
        .take(MOST_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(path, &error))?;
    if bytes.len() as u64 > MOST_BYTES {
        let message = format!("{name} is far larger than a policy; name another file");
        return Err(InputError(message));
    }
    String::from_utf8(bytes)
        .map_err(|_| InputError(format!("{name} is not UTF-8; save it as UTF-8")))
}

fn unreadable(path: &Path, error: &io::Error) -> InputError {
    let name = path.display();
    InputError(format!(
        "cannot read {name}: {error}; name files that are there and may be read"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standard_input_is_the_root() {
        let documents = read(&["-".into()], &mut "version: 1".as_bytes());
        let root = Document {
            file: "-".to_owned(),
            team: None,
            text: "version: 1".to_owned(),
        };
        assert_eq!(documents, Ok(vec![root]));
    }

    #[test]
    fn what_is_endless_is_not_read_to_its_end() {
        let error = read(&["-".into()], &mut io::repeat(b'#')).unwrap_err();
        assert_eq!(
            error.to_string(),
            "- is far larger than a policy; name another file"
        );
    }

    #[test]
    fn the_name_of_a_file_breaks_no_line() {
        let error = read(&["no\nsuch\u{1b}[1mfile".into()], &mut io::empty()).unwrap_err();
        let said = error.to_string();
        assert!(
            said.starts_with("cannot read no\\nsuch\\u{1b}[1mfile: "),
            "{said}"
        );
    }

    #[test]
    fn hidden_files_and_schemas_are_no_documents() {
        let is = |name: &str| is_document(Path::new(name));
        assert!(is("churn.yaml") && is("churn.yml") && is("d/churn.json"));
        assert!(!is(".churn.yaml") && !is("team.schema.json") && !is("README.md"));
    }
}
