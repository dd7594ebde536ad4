//! Documents that are not a policy, and what must be said about them.

use domain::policy::Policy;

/// Asserts that a document is refused with exactly these lines.
#[track_caller]
pub(crate) fn refused(document: &str, lines: &[&str]) {
    let said = match Policy::parse(document) {
        Ok(policy) => panic!("accepted: {policy:?}"),
        Err(errors) => errors.to_string(),
    };
    assert_eq!(said, lines.join("\n"), "about:\n{document}");
}

/// A document with one good rule, in which one line (from 1) is replaced.
///
/// A replacement may have several lines, or be empty to leave the line out.
pub(crate) fn with_line(number: usize, replacement: &str) -> String {
    const GOOD: &str = "\
version: 1
organization: { id: o-example1234, ramSharing: true }
accounts:
  dev: \"111111111111\"
  test: \"222222222222\"
rules:
  - name: readers
    owner: test
    pipelines: [\"*\"]
    except: []
    with: [dev]
    access: read
    after: created
    notify: [Failed]
";
    assert!(Policy::parse(GOOD).is_ok(), "the template itself is good");
    let mut lines: Vec<&str> = GOOD.lines().collect();
    lines[number - 1] = replacement;
    lines.retain(|line| !line.is_empty());
    lines.join("\n")
}

/// Asserts what is said when one line of a good document is replaced.
#[track_caller]
pub(crate) fn refused_line(number: usize, replacement: &str, lines: &[&str]) {
    refused(&with_line(number, replacement), lines);
}
