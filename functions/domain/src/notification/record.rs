//! What an account has, as text that is short enough to be kept.
//!
//! One share may hold 5,000 pipelines, and an item of DynamoDB 400 KB; so what
//! many lines have in common is written once, and what is too long is cut into
//! parts at the ends of lines.

use std::{collections::BTreeMap, fmt::Write, str::FromStr};

use jiff::Timestamp;

use super::access::{Held, Holdings, Place};
use crate::{id::PipelineArn, policy::Access};

/// The longest part: it leaves room for what else an item holds.
pub const MAX_PART: usize = 300 * 1024;

const NONE: &str = "-";

impl Holdings {
    /// The text, in parts of at most `max` bytes, but for a line that is longer itself; at least one.
    #[must_use]
    pub fn parts(&self, max: usize) -> Vec<String> {
        let mut parts = vec![String::new()];
        let text = self.to_text();
        for line in text.split_inclusive('\n') {
            let is_full = parts
                .last()
                .is_some_and(|part| part.len() + line.len() > max && !part.is_empty());
            if is_full {
                parts.push(String::new());
            }
            if let Some(part) = parts.last_mut() {
                part.push_str(line);
            }
        }
        parts
    }

    fn to_text(&self) -> String {
        let mut text = format!("access {}\n", written(&self.access));
        let mut groups: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (pipeline, held) in &self.pipelines {
            let Place { share, name, .. } = &held.place;
            let group = (share, name, split(pipeline).0);
            groups.entry(group).or_default().push((pipeline, held));
        }
        for ((share, name, prefix), pipelines) in groups {
            let _ = writeln!(text, "share {share} {name} {prefix}");
            for (pipeline, held) in pipelines {
                let _ = writeln!(
                    text,
                    "{} {} {} {}",
                    time(held.place.made),
                    time(Some(held.since)),
                    time(held.missing),
                    split(pipeline).1
                );
            }
        }
        text
    }
}

/// Reads what was written; what makes no sense is left out.
impl From<&str> for Holdings {
    fn from(text: &str) -> Self {
        let mut holdings = Self::default();
        let mut share = None;
        for line in text.lines() {
            let mut words = line.split(' ');
            match words.next() {
                Some("access") => {
                    holdings.access = words.next().and_then(read_access).unwrap_or_default();
                }
                Some("share") => share = read_share(words),
                Some(made) => {
                    let held = share
                        .as_ref()
                        .and_then(|share| read_held(share, made, words));
                    holdings.pipelines.extend(held);
                }
                None => {}
            }
        }
        holdings
    }
}

/// The ARN up to the name, and the name.
fn split(pipeline: &PipelineArn) -> (&str, &str) {
    let arn = pipeline.as_str();
    arn.split_at(arn.len() - pipeline.name().len())
}

fn written(access: &Access) -> &str {
    match access {
        Access::Read => "read",
        Access::Execute => "execute",
        Access::Permission(arn) => arn.as_str(),
    }
}

fn read_access(text: &str) -> Option<Access> {
    match text {
        "read" => Some(Access::Read),
        "execute" => Some(Access::Execute),
        arn => arn.parse().ok().map(Access::Permission),
    }
}

fn time(time: Option<Timestamp>) -> String {
    time.map_or(NONE.to_owned(), |time| time.as_millisecond().to_string())
}

fn read_time(text: &str) -> Option<Timestamp> {
    Timestamp::from_millisecond(i64::from_str(text).ok()?).ok()
}

fn read_share<'a>(mut words: impl Iterator<Item = &'a str>) -> Option<(Place, &'a str)> {
    let place = Place {
        share: words.next()?.parse().ok()?,
        name: words.next()?.into(),
        made: None,
    };
    Some((place, words.next()?))
}

fn read_held<'a>(
    (place, prefix): &(Place, &str),
    made: &str,
    mut words: impl Iterator<Item = &'a str>,
) -> Option<(PipelineArn, Held)> {
    let place = Place {
        made: read_time(made),
        ..place.clone()
    };
    let since = read_time(words.next()?)?;
    let missing = read_time(words.next()?);
    let pipeline = format!("{prefix}{}", words.next()?).parse().ok()?;
    let held = Held {
        place,
        since,
        missing,
    };
    Some((pipeline, held))
}
