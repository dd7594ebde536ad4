//! Text that others wrote, made fit to stand beside our own words.
//!
//! The name of a stranger's share, the reason that a training job gives, what
//! an administrator of another account typed: each of them may hold line
//! breaks that begin a line of their own, characters that nobody sees or that
//! turn the order of others round, and links that a mail program makes
//! clickable. Here such a text becomes one short line, and in a message it
//! stands in quotation marks.

use std::fmt;

use serde::{Serialize, Serializer};

/// How many characters of a text are shown if its place says nothing else.
pub const LONGEST: usize = 1_000;

/// How many marks may stand on one letter; more of them paint over other lines.
const MOST_MARKS: usize = 4;

/// What stands where something was that does not show.
const HIDDEN: char = '\u{fffd}';

/// What stands where a text was cut.
pub(crate) const CUT: char = '…';

/// A text that somebody outside wrote.
///
/// It can be displayed only [`quoted`] and serialized only [`flat`], so that
/// nobody who builds a message has to remember to make it so.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Untrusted(String);

impl Untrusted {
    /// The text as it was written, for whoever compares it or hands it back to AWS.
    #[must_use]
    pub fn raw(&self) -> &str {
        &self.0
    }
}

impl From<String> for Untrusted {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Untrusted {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Display for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&quoted(&self.0, LONGEST))
    }
}

impl Serialize for Untrusted {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&flat(&self.0, LONGEST))
    }
}

/// The text as one line of visible characters, at most so many of them.
///
/// Line breaks, control characters and all kinds of space become single
/// spaces. What joins or varies its neighbours unseen, as in emoji, is left
/// out; anything else that does not show, such as the controls of writing
/// direction, becomes U+FFFD. A text that is cut ends with an ellipsis, and not
/// between a letter and its marks.
#[must_use]
pub fn flat(text: &str, max_chars: usize) -> String {
    let mut line = Line::default();
    for character in text.chars() {
        if !line.push(character, max_chars) {
            return line.cut(max_chars);
        }
    }
    line.text
}

/// The text as one line that is no link anywhere, for what AWS says in its own
/// words about the names and values of others.
#[must_use]
pub fn without_links(text: &str, max_chars: usize) -> String {
    flat(&unlinked(&flat(text, max_chars)), max_chars)
}

/// The text as one line in quotation marks, at most so many characters between them.
///
/// It holds no quotation mark of its own, so where it ends is plain, and no link
/// that begins with `scheme://`, `www.` or `mailto:`. The URIs of S3 stay as they
/// are: no mail program follows them, and people copy them.
///
/// ```
/// use domain::text::quoted;
///
/// let name = "churn\nYour session has expired: \u{202e}https://evil.example";
/// assert_eq!(
///     quoted(name, 100),
///     "\"churn Your session has expired: \u{fffd}https[:]//evil.example\""
/// );
/// ```
#[must_use]
pub fn quoted(text: &str, max_chars: usize) -> String {
    in_quotes(&without_links(text, max_chars))
}

/// The same for a text of somebody whom nobody knows: not even a host's bare
/// name is left, which some mail programs make a link of.
#[must_use]
pub fn quoted_of_stranger(text: &str, max_chars: usize) -> String {
    let text = without_links(text, max_chars).replace("s3://", "s3[:]//");
    in_quotes(&flat(&without_hosts(&text), max_chars))
}

/// The text as it is where it is a plain name, or else in quotation marks.
#[must_use]
pub fn name(text: &str, max_chars: usize) -> String {
    if is_name(text, max_chars) {
        text.to_owned()
    } else {
        quoted(text, max_chars)
    }
}

/// Whether the text is a plain name: letters, digits, `-` and `_`.
#[must_use]
pub fn is_name(text: &str, max_chars: usize) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=max_chars).contains(&text.len()) && text.bytes().all(plain)
}

fn in_quotes(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "'"))
}

/// A line as it grows.
#[derive(Default)]
struct Line {
    text: String,
    length: usize,
    /// Whether a space is due before the next character.
    space: bool,
    /// How many marks stand on the last letter.
    marks: usize,
}

impl Line {
    /// Adds what is to be seen of a character; false if there is no room for it.
    fn push(&mut self, character: char, max_chars: usize) -> bool {
        let shown = match look(character) {
            Look::Joins => return true,
            Look::Separates => {
                self.space = !self.text.is_empty();
                return true;
            }
            Look::Marks if self.text.is_empty() || self.space || self.marks == MOST_MARKS => {
                return true;
            }
            Look::Marks => {
                self.marks += 1;
                character
            }
            Look::Hides if self.text.ends_with(HIDDEN) && !self.space => return true,
            Look::Hides => {
                self.marks = 0;
                HIDDEN
            }
            Look::Shows => {
                self.marks = 0;
                character
            }
        };
        if self.length + usize::from(self.space) >= max_chars {
            return false;
        }
        if self.space {
            self.text.push(' ');
            self.length += 1;
            self.space = false;
        }
        self.text.push(shown);
        self.length += 1;
        true
    }

    /// The line without its end, and a sign that there was one.
    fn cut(mut self, max_chars: usize) -> String {
        if max_chars == 0 {
            return String::new();
        }
        // The next character may have been a mark of the last letter, so room
        // is made by whole letters; what is lost of a full line is one of them.
        while self.length >= max_chars || self.text.ends_with(' ') || self.marks > 0 {
            let Some(last) = self.text.pop() else {
                break;
            };
            self.length -= 1;
            self.marks = usize::from(look(last) == Look::Marks);
        }
        self.text.push(CUT);
        self.text
    }
}

/// What a character does to a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    /// It is seen.
    Shows,
    /// It is seen on the one before it.
    Marks,
    /// It separates words, or lines.
    Separates,
    /// It changes how its neighbours look, as within an emoji, and is not missed.
    Joins,
    /// It is not seen, or not known.
    Hides,
}

fn look(character: char) -> Look {
    match character {
        '!'..='~' => Look::Shows,
        // Letters and symbols by category, but blank.
        '\u{115f}' | '\u{1160}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}' => Look::Separates,
        _ if character.is_whitespace() || character.is_control() => Look::Separates,
        '\u{ad}'
        | '\u{34f}'
        | '\u{17b4}'
        | '\u{17b5}'
        | '\u{180b}'..='\u{180d}'
        | '\u{180f}'
        | '\u{200c}'
        | '\u{200d}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{e0100}'..='\u{e01ef}' => Look::Joins,
        HIDDEN => Look::Hides,
        // The tables of the standard library know what can be printed.
        _ if character.escape_debug().eq([character]) => Look::Shows,
        _ if is_mark(character) => Look::Marks,
        _ => Look::Hides,
    }
}

/// Whether the character is printed on the one before it: the standard library
/// escapes such a one only where there is none.
fn is_mark(character: char) -> bool {
    let on_a_letter = String::from_iter(['a', character]);
    on_a_letter.escape_debug().eq(on_a_letter.chars())
}

/// Breaks up what mail programs take for links.
fn unlinked(line: &str) -> String {
    let mut unlinked = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(next) = rest.chars().next() {
        let follows_name = unlinked.ends_with(char::is_alphanumeric);
        let (taken, written) = if rest.starts_with("://") && !ends_with_s3(&unlinked) {
            (3, "[:]//")
        } else if !follows_name && starts_with(rest, "www.") {
            unlinked.push_str(&rest[..3]);
            (4, "[.]")
        } else if !follows_name && starts_with(rest, "mailto:") {
            unlinked.push_str(&rest[..6]);
            (7, "[:]")
        } else {
            let length = next.len_utf8();
            (length, &rest[..length])
        };
        unlinked.push_str(written);
        rest = &rest[taken..];
    }
    unlinked
}

fn starts_with(text: &str, beginning: &str) -> bool {
    let start = text.as_bytes().get(..beginning.len());
    start.is_some_and(|start| start.eq_ignore_ascii_case(beginning.as_bytes()))
}

fn ends_with_s3(text: &str) -> bool {
    let before = text.strip_suffix("s3");
    before
        .is_some_and(|before| !before.ends_with(|c: char| c.is_alphanumeric() || "+-.".contains(c)))
}

/// Breaks up every dot that a letter follows, as in the name of a host.
fn without_hosts(line: &str) -> String {
    let mut broken = String::with_capacity(line.len());
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        let joins = broken.ends_with(char::is_alphanumeric)
            && characters.peek().is_some_and(|next| next.is_alphabetic());
        if character == '.' && joins {
            broken.push_str("[.]");
        } else {
            broken.push(character);
        }
    }
    broken
}
