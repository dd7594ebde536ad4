//! What a subscription to a topic can filter by.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Notification;

/// How many pipelines are named: a message weighs at most 256 KB, its attributes included.
const MOST_PIPELINES: usize = 100;

/// The value of a message attribute of SNS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attribute {
    /// A text, of the type `String`.
    One(&'static str),
    /// Several texts, of the type `String.Array`; a filter is satisfied if one of them is.
    Many(Vec<String>),
}

/// The members that say whose pipelines it is about.
const OWNER: [&str; 4] = [
    "accountId",
    "ownerAccountId",
    "ownerAccountIds",
    "senderAccountId",
];

/// The attributes of a notification, each with something in it.
///
/// They are what machines compare: names of pipelines, statuses and ids, and
/// nothing that people write freely.
pub(super) fn attributes(notification: &Notification) -> Vec<(&'static str, Attribute)> {
    let detail = &notification.detail;
    let lists = [
        ("consumer", texts(detail, &["consumerAccountId"])),
        ("owner", texts(detail, &OWNER)),
        ("pipeline", pipelines(detail)),
        ("rule", texts(detail, &["rule", "rules"])),
        ("status", texts(detail, &["status"])),
    ];
    let lists = lists.into_iter().filter(|(_, list)| !list.is_empty());
    let lists = lists.map(|(name, list)| (name, Attribute::Many(list)));
    let words = [
        ("kind", Attribute::One(notification.detail_type)),
        ("severity", Attribute::One(notification.severity().as_str())),
    ];
    words.into_iter().chain(lists).collect()
}

/// The texts of these members, whether they are one or a list.
fn texts(detail: &Value, members: &[&str]) -> Vec<String> {
    let of_member = |member: &&str| match &detail[*member] {
        Value::String(text) => vec![text.clone()],
        Value::Array(list) => list
            .iter()
            .filter_map(|it| it.as_str().map(str::to_owned))
            .collect(),
        _ => Vec::new(),
    };
    members.iter().flat_map(of_member).collect()
}

/// The names of the pipelines that it is about.
fn pipelines(detail: &Value) -> Vec<String> {
    let moved = ["gained", "lost"].into_iter();
    let moved = moved.flat_map(|list| detail[list].as_array().into_iter().flatten());
    let moved = moved.filter_map(|it| it["pipelineArn"].as_str()?.rsplit('/').next());
    let of_run = detail["pipelineName"].as_str();
    let names: BTreeSet<&str> = of_run.into_iter().chain(moved).collect();
    let names = names.into_iter().take(MOST_PIPELINES);
    names.map(str::to_owned).collect()
}
