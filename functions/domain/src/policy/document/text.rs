//! The characters of a document: how its lines end, and what no YAML has.
//!
//! YAML 1.2 ends lines with LF, CR or both. Older YAML, and many editors, also
//! take NEL, LS and PS for the end of a line, where YAML 1.2 goes on: what then
//! looks like a rule is the rest of a comment. Such a text is refused, since
//! nobody who reads it sees what it says.

use std::borrow::Cow;

use super::Position;

/// The text with LF as the end of each line, and without a byte order mark.
///
/// The mark would shift the columns of the first line by one.
pub(super) fn normalized(text: &str) -> Cow<'_, str> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.contains('\r') {
        Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        Cow::Borrowed(text)
    }
}

/// The first character that makes the text something else than it seems, and why.
pub(super) fn forbidden(text: &str) -> Option<(Position, String)> {
    text.lines().zip(1..).find_map(|(content, line)| {
        let (found, column) = content.chars().zip(1..).find(|(c, _)| !is_allowed(*c))?;
        Some((Position { line, column }, message(text, found)))
    })
}

/// Whether YAML has this character, and everybody takes it for the same.
fn is_allowed(c: char) -> bool {
    match c {
        '\t' | '\n' => true,
        '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => false,
        c => !c.is_control(),
    }
}

fn message(text: &str, found: char) -> String {
    let code = format!("U+{:04X}", u32::from(found));
    match found {
        // Of UTF-16, every other byte of plain text is zero.
        '\0' if text.chars().filter(|c| *c == '\0').count() * 3 >= text.chars().count() => {
            format!(
                "every other character is {code}, so this is UTF-16; save the policy as UTF-8 without it"
            )
        }
        '\u{85}' | '\u{2028}' | '\u{2029}' => {
            format!("{code} ends no line in YAML, although editors show it so; end lines with LF")
        }
        '\u{feff}' => {
            format!("a byte order mark ({code}) stands here, in the middle of the text; remove it")
        }
        _ => format!("YAML has no character {code}; remove it"),
    }
}
