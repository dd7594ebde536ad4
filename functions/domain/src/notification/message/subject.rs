//! The one line that people see in a list of messages.
//!
//! SNS takes less than a hundred characters. A name may have hundreds, and
//! whatever stands behind it must not fall off: so names are shortened, and
//! everything else is kept.

use crate::text::flat;

/// The longest subject, in the units that SNS may count in: a character beyond
/// the first 65,536 counts as two.
pub(super) const LONGEST: usize = 99;

/// What stands in a name where something was left out: the older of AWS's
/// descriptions of a subject allows ASCII only.
const LEFT_OUT: &str = "...";

/// A part of a subject.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part<'a> {
    /// Words of ours, and what must be read whatever else is not.
    Kept(&'a str),
    /// A name, of which beginning and end may do.
    Name(&'a str),
}

/// Puts a subject together, with names as long as there is room for.
pub(super) fn subject(parts: &[Part<'_>]) -> String {
    let kept = parts.iter().map(|part| match part {
        Part::Kept(text) => width(text),
        Part::Name(_) => 0,
    });
    let room = LONGEST.saturating_sub(kept.sum());
    let names = || {
        parts.iter().filter_map(|part| match part {
            Part::Kept(_) => None,
            Part::Name(name) => Some(width(name)),
        })
    };
    // Short names stay whole, and the long ones share what is left.
    let fits = |limit: &usize| names().map(|width| width.min(*limit)).sum::<usize>() <= room;
    let limit = (0..=LONGEST).rev().find(fits).unwrap_or_default();
    let texts = parts.iter().map(|part| match part {
        Part::Kept(text) => (*text).to_owned(),
        Part::Name(name) => shortened(name, limit),
    });
    legal(&texts.collect::<String>())
}

/// A line that SNS takes as a subject: UTF-8 without line breaks or control
/// characters, which begins with more than a space. Nothing may be left of it.
///
/// Whether SNS counts characters or the units of UTF-16 is not said; the
/// latter are never fewer.
#[must_use]
pub fn legal(line: &str) -> String {
    beginning(&flat(line, LONGEST), LONGEST).to_owned()
}

/// The beginning and the end of a name.
fn shortened(name: &str, limit: usize) -> String {
    if width(name) <= limit {
        return name.to_owned();
    }
    let Some(room) = limit.checked_sub(LEFT_OUT.len()) else {
        return beginning(name, limit).to_owned();
    };
    let end = ending(name, room / 3);
    let begin = beginning(name, room - width(end));
    format!("{begin}{LEFT_OUT}{end}")
}

fn width(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// As much of a text from its beginning as there is room for.
fn beginning(text: &str, room: usize) -> &str {
    let mut taken = 0;
    let end = text.char_indices().find(|(_, character)| {
        taken += character.len_utf16();
        taken > room
    });
    end.map_or(text, |(end, _)| &text[..end])
}

/// As much of a text up to its end as there is room for.
fn ending(text: &str, room: usize) -> &str {
    let mut taken = 0;
    let start = text.char_indices().rev().find(|(_, character)| {
        taken += character.len_utf16();
        taken > room
    });
    start.map_or(text, |(start, before)| &text[start + before.len_utf8()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shortened_in_their_middle_and_short_ones_stay_whole() {
        let long = format!("begin-{}-end", "x".repeat(247));
        let parts = [
            Part::Name(&long),
            Part::Kept(" in "),
            Part::Name("test"),
            Part::Kept(": Failed"),
        ];
        let subject = subject(&parts);
        assert_eq!(width(&subject), LONGEST);
        assert!(subject.starts_with("begin-xxx"), "{subject}");
        assert!(subject.ends_with("xxx-end in test: Failed"), "{subject}");
    }

    #[test]
    fn two_long_names_share_the_room() {
        let (pipeline, account) = ("p".repeat(256), "a".repeat(300));
        let parts = [
            Part::Name(&pipeline),
            Part::Kept(" in "),
            Part::Name(&account),
            Part::Kept(": Failed"),
        ];
        let subject = subject(&parts);
        assert!(width(&subject) <= LONGEST, "{subject}");
        assert!(subject.matches('p').count() >= 38, "{subject}");
        assert!(subject.matches('a').count() >= 38, "{subject}");
        assert!(subject.ends_with(": Failed"), "{subject}");
    }

    #[test]
    fn what_counts_twice_is_counted_twice() {
        assert_eq!(width(&legal(&"🚀".repeat(99))), 98);
        assert_eq!(legal(&"é".repeat(500)), format!("{}…", "é".repeat(98)));
    }

    #[test]
    fn a_subject_is_one_line_and_keeps_its_letters() {
        assert_eq!(legal("one\ntwo"), "one two");
        assert_eq!(legal("Größe: Failed"), "Größe: Failed");
        assert_eq!(legal("a\u{7}b\r\nc\u{2028}d"), "a b c d");
        assert_eq!(legal(" \t\n "), "");
    }
}
