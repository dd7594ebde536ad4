//! What an account has, as text that is short enough to be kept.
//!
//! One share may hold 5,000 pipelines, and an item of DynamoDB 400 KB; so what
//! many lines have in common is written once, and what is too long is cut into
//! parts at the ends of lines.

use std::{collections::BTreeMap, fmt::Write, str::FromStr};

use jiff::Timestamp;

use super::access::{Contents, Grant, Held, Holdings, Inside, Place, Sightings};
use crate::{
    id::{PipelineArn, ShareArn},
    policy::Access,
};

/// The longest part: it leaves room for what else an item holds.
pub const MAX_PART: usize = 300 * 1024;

const NONE: &str = "-";

impl Holdings {
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
        let mut pipelines = Vec::new();
        let mut share = None;
        for line in text.lines() {
            let mut words = line.split(' ');
            match words.next() {
                Some("access") => {
                    holdings.access = words.next().and_then(read_access).unwrap_or_default();
                }
                Some("share") => share = read_share(words),
                Some(made) => {
                    let share = share.as_ref();
                    pipelines.extend(share.and_then(|share| read_held(share, made, words)));
                }
                None => {}
            }
        }
        // All at once, since what is nearly in order is a map at once.
        holdings.pipelines = pipelines.into_iter().collect();
        holdings
    }
}

/// What an account has by one rule as it is kept, which takes a tenth of the memory:
/// of many rules, one is read at a time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recorded(String);

impl From<String> for Recorded {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&Holdings> for Recorded {
    fn from(holdings: &Holdings) -> Self {
        Self(holdings.to_text())
    }
}

impl Recorded {
    /// It in parts of at most `max` bytes, but for a line that is longer itself; at least one.
    #[must_use]
    pub fn parts(&self, max: usize) -> Vec<String> {
        let mut parts = vec![String::new()];
        for line in self.0.split_inclusive('\n') {
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

    /// All of it.
    #[must_use]
    pub fn holdings(&self) -> Holdings {
        Holdings::from(&*self.0)
    }

    /// Whether a share that gives this access has inside just what is held by it,
    /// each put in at the time that is known.
    #[must_use]
    pub fn is_as_seen(&self, share: &ShareArn, access: &Access, inside: &Inside) -> bool {
        self.access() == *access && self.is_just(share, inside)
    }

    /// Whether what is held by a share is something, and just this.
    #[must_use]
    pub fn is_just(&self, share: &ShareArn, inside: &Inside) -> bool {
        let mut inside = inside.iter();
        let mut is_any = false;
        // Both are in order, but for pipelines whose ARNs begin differently.
        let mut of_share = self.groups().filter(|group| group.place.share == *share);
        let is_same = of_share.all(|group| {
            is_any = true;
            let mut lines = group.lines.lines();
            lines.all(|line| {
                let next = inside.next();
                next.is_some_and(|(pipeline, made)| group.has(line, pipeline, *made))
            })
        });
        is_any && is_same && inside.next().is_none()
    }

    /// The shares by which something is held, and how much it is at the most.
    #[must_use]
    pub fn shares(&self) -> BTreeMap<ShareArn, usize> {
        let mut shares = BTreeMap::new();
        for group in self.groups() {
            *shares.entry(group.place.share).or_default() += group.lines.lines().count();
        }
        shares
    }

    /// Whether comparing it with what is seen comes to nothing: each of its shares is
    /// seen as it is held and under its name, and nothing new is in another one.
    #[must_use]
    pub fn is_settled(&self, grant: &Grant, access: Option<&Access>, seen: &Sightings) -> bool {
        let of_rule = || {
            let shares = seen.shares.iter();
            shares.filter(|it| it.grant.as_ref() == Some(grant))
        };
        let mut places = self.groups().map(|group| group.place).peekable();
        let is_same = access.is_none_or(|access| self.access() == *access);
        let may_gain = of_rule().any(|it| matches!(it.contents, Contents::Trusted(_)));
        let is_as_held = |place: Place| {
            of_rule().any(|it| {
                it.share == place.share && it.name == place.name && it.contents == Contents::AsHeld
            })
        };
        is_same && !may_gain && places.peek().is_some() && places.all(is_as_held)
    }

    fn access(&self) -> Access {
        let first = self.0.split_inclusive('\n').next().unwrap_or_default();
        Holdings::from(first).access
    }

    fn groups(&self) -> impl Iterator<Item = Group<'_>> {
        let groups = self.0.split("\nshare ").skip(1);
        groups.filter_map(|group| {
            let (head, lines) = group.split_once('\n').unwrap_or((group, ""));
            let (place, prefix) = read_share(head.split(' '))?;
            Some(Group {
                place,
                prefix,
                lines,
            })
        })
    }
}

/// The lines of one share.
struct Group<'a> {
    place: Place,
    /// What the ARNs of its pipelines have before the name.
    prefix: &'a str,
    lines: &'a str,
}

impl Group<'_> {
    /// Whether a line is about this pipeline, which was put in then and is not missing.
    fn has(&self, line: &str, pipeline: &PipelineArn, made: Option<Timestamp>) -> bool {
        let mut words = line.split(' ');
        let mut time = || words.next().and_then(read_time);
        let (made_then, since, missing) = (time(), time(), time());
        let (prefix, name) = split(pipeline);
        let is_it = |word: &str| word.eq_ignore_ascii_case(name);
        made_then == made
            && since.is_some()
            && missing.is_none()
            && self.prefix.eq_ignore_ascii_case(prefix)
            && words.next().is_some_and(is_it)
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
