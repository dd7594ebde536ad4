//! Log groups: their lines, and how long these are kept.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{group_of, invalid, nothing};
use crate::{
    services::{key::ResourceKey, pages},
    world::{ApiError, Call, World},
};

/// How many groups a page has at most, and as a rule.
const PAGE: usize = 50;

/// The numbers of days that a group may be kept for.
///
/// Source: CloudWatch Logs API reference, `PutRetentionPolicy`.
const DAYS: [i64; 22] = [
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
    3288, 3653,
];

/// The stream that rules write into. Its name at AWS is not documented.
pub(super) const STREAM: &str = "events";

/// A log group.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Group {
    pub(super) created: Timestamp,
    days: Option<i64>,
    lines: Vec<Line>,
}

/// A line of a log.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Line {
    pub(super) id: u64,
    /// When it happened.
    pub(super) at: Timestamp,
    /// When it came.
    pub(super) ingested: Timestamp,
    pub(super) message: String,
}

impl Group {
    /// How many lines it has.
    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    /// The lines that are not too old, in the order in which they came.
    pub(super) fn kept(&self, now: Timestamp) -> impl Iterator<Item = &Line> {
        let days = self.days.and_then(|days| u64::try_from(days).ok());
        let since = days.map(|days| now - Duration::from_hours(24 * days));
        let lines = self.lines.iter();
        lines.filter(move |line| since.is_none_or(|since| line.at >= since))
    }
}

pub(super) fn missing(name: &str) -> ApiError {
    let message = format!("The specified log group does not exist: {name}");
    ApiError::new("ResourceNotFoundException", message)
}

/// Makes a group unless there is one.
pub(super) fn add(world: &mut World, key: ResourceKey, days: Option<i64>) -> Result<(), ApiError> {
    if world.logs.groups.contains_key(&key) {
        let message = "The specified log group already exists";
        return Err(ApiError::new("ResourceAlreadyExistsException", message));
    }
    let group = Group {
        created: world.now,
        days: days.map(check_days).transpose()?,
        lines: Vec::new(),
    };
    world.logs.groups.insert(key, group);
    Ok(())
}

pub(super) fn write(world: &mut World, key: &ResourceKey, at: Option<Timestamp>, message: String) {
    let now = world.now;
    world.logs.lines = world.logs.lines.saturating_add(1);
    let id = world.logs.lines;
    if let Some(group) = world.logs.groups.get_mut(key) {
        group.lines.push(Line {
            id,
            at: at.unwrap_or(now),
            ingested: now,
            message,
        });
    }
}

/// Forgets all lines of a group but the newest, and those that are too old.
pub(super) fn cut(world: &mut World, key: &ResourceKey, most: usize) {
    let now = world.now;
    if let Some(group) = world.logs.groups.get_mut(key) {
        let days = group.days.and_then(|days| u64::try_from(days).ok());
        if let Some(days) = days {
            let since = now - Duration::from_hours(24 * days);
            group.lines.retain(|line| line.at >= since);
        }
        let excess = group.lines.len().saturating_sub(most);
        group.lines.drain(..excess);
    }
}

pub(super) fn create(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let key = ResourceKey::own(call, name(call)?);
    add(world, key, None)?;
    Ok(nothing())
}

pub(super) fn delete(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let (key, _) = group_of(world, call)?;
    world.logs.groups.remove(&key);
    Ok(nothing())
}

pub(super) fn retain(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let (key, _) = group_of(world, call)?;
    let days = call.input["retentionInDays"].as_i64();
    let days = check_days(days.ok_or_else(|| invalid("retentionInDays is required."))?)?;
    if let Some(group) = world.logs.groups.get_mut(&key) {
        group.days = Some(days);
    }
    Ok(nothing())
}

pub(super) fn describe(world: &World, call: &Call) -> Result<Value, ApiError> {
    let prefix = call.text("logGroupNamePrefix").unwrap_or_default();
    let own = world.logs.groups.iter();
    let own = own.filter(|(key, _)| key.is_own(call) && key.name.starts_with(prefix));
    let groups = own.map(|(key, group)| {
        let arn = arn(key);
        let mut described = json!({
            "logGroupName": key.name,
            "creationTime": group.created.as_millisecond(),
            "metricFilterCount": 0,
            "arn": format!("{arn}:*"),
            "logGroupArn": arn,
            "logGroupClass": "STANDARD",
            "storedBytes": group.lines.iter().map(|line| line.message.len()).sum::<usize>(),
        });
        if let Some(days) = group.days {
            described["retentionInDays"] = json!(days);
        }
        described
    });
    let token = call.text("nextToken");
    let start = pages::position(token, || invalid("The specified nextToken is invalid."))?;
    let (groups, next) = pages::cut(groups, start, PAGE);
    let mut answer = json!({ "logGroups": groups });
    if let Some(next) = next {
        answer["nextToken"] = json!(next.to_string());
    }
    Ok(answer)
}

/// The ARN of a group, without the star that some answers have at its end.
pub(super) fn arn(key: &ResourceKey) -> String {
    let ResourceKey {
        account,
        region,
        name,
    } = key;
    format!("arn:aws:logs:{region}:{account}:log-group:{name}")
}

fn check_days(days: i64) -> Result<i64, ApiError> {
    if DAYS.contains(&days) {
        return Ok(days);
    }
    Err(invalid(format!(
        "{days} is no number of days that a log group can be kept for."
    )))
}

fn name(call: &Call) -> Result<&str, ApiError> {
    let is_legal = |name: &&str| {
        let known = |c: char| c.is_ascii_alphanumeric() || ".-_/#".contains(c);
        (1..=512).contains(&name.len()) && name.chars().all(known)
    };
    let name = call.text("logGroupName").filter(is_legal);
    name.ok_or_else(|| invalid("logGroupName must have 1 to 512 letters, digits and .-_/#"))
}
