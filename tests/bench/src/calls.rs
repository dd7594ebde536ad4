//! The calls of an invocation: how many, and how many one after the other.

use std::{collections::BTreeMap, time::Instant};

use sandbox::world::RecordedCall;
use serde_json::{Value, json};

/// A call, as the endpoints see it.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) operation: String,
    pub(crate) began: Instant,
    pub(crate) ended: Instant,
}

/// The length of the longest chain of calls, each of which began when the one
/// before had ended. Of calls that begin in their order.
pub(crate) fn in_sequence(calls: &[Seen]) -> usize {
    let mut depths: Vec<usize> = Vec::with_capacity(calls.len());
    for call in calls {
        let before = calls.iter().zip(&depths);
        let before = before.filter(|(other, _)| other.ended <= call.began);
        let depth = before.map(|(_, depth)| *depth).max().unwrap_or_default() + 1;
        depths.push(depth);
    }
    depths.into_iter().max().unwrap_or_default()
}

/// How often each operation was called.
pub(crate) fn by_operation<'o>(
    operations: impl IntoIterator<Item = &'o str>,
) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for operation in operations {
        *counts.entry(operation.to_owned()).or_default() += 1;
    }
    counts
}

/// What peers are told to call: the same calls by the same roles, those at once
/// which the function made at once.
pub(crate) fn plan(recorded: &[RecordedCall], seen: &[Seen], function: &str) -> Value {
    let mut recorded: Vec<&RecordedCall> = recorded.iter().collect();
    let mut groups: Vec<Vec<Value>> = Vec::new();
    let mut end: Option<Instant> = None;
    for call in seen {
        let is_it = |it: &&RecordedCall| it.operation.eq_ignore_ascii_case(&call.operation);
        let Some(at) = recorded.iter().position(is_it) else {
            continue;
        };
        let described = described(recorded.remove(at), function);
        match groups.last_mut() {
            Some(group) if end.is_some_and(|end| call.began < end) => {
                group.push(described);
                end = end.map(|end| end.min(call.ended));
            }
            _ => {
                groups.push(vec![described]);
                end = Some(call.ended);
            }
        }
    }
    json!({ "groups": groups })
}

fn described(call: &RecordedCall, function: &str) -> Value {
    let account = &call.caller.account;
    let role = call.caller.role.as_ref();
    let role = role.filter(|role| !role.name.starts_with(&format!("pipeshare-{function}-")));
    let role = role.map(|role| format!("arn:aws:iam::{account}:role/{}", role.name));
    let mut input = call.input.clone();
    if let Some(members) = input.as_object_mut() {
        // What the sandbox only looked for, and the version of STS's API, are no members.
        members
            .retain(|name, value| !(value.is_null() || call.service == "sts" && name == "Version"));
    }
    json!({
        "service": call.service,
        "operation": call.operation,
        "input": input,
        "role": role,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn seen(times: &[(u64, u64)]) -> Vec<Seen> {
        let zero = Instant::now();
        let at = |millis| zero + Duration::from_millis(millis);
        let call = |&(began, ended)| Seen {
            operation: "GetParameter".to_owned(),
            began: at(began),
            ended: at(ended),
        };
        times.iter().map(call).collect()
    }

    #[test]
    fn calls_at_once_count_as_one_in_a_sequence() {
        assert_eq!(in_sequence(&[]), 0);
        assert_eq!(in_sequence(&seen(&[(0, 10), (1, 11), (12, 20)])), 2);
        assert_eq!(in_sequence(&seen(&[(0, 10), (10, 20), (20, 30)])), 3);
    }

    #[test]
    fn a_long_call_beside_two_short_ones_is_no_step_of_their_chain() {
        assert_eq!(in_sequence(&seen(&[(0, 100), (1, 10), (11, 20)])), 2);
    }
}
