//! Counters, written in CloudWatch's embedded metric format.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    sync::{Mutex, PoisonError},
};

use serde_json::{Map, Value, json};

use crate::clock;

macro_rules! metrics {
    ($($name:ident => $meaning:literal,)*) => {
        /// Everything that a function counts; dashboard, alarms and documents are checked against it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Metric {
            $(#[doc = $meaning] $name,)*
        }

        impl Metric {
            /// All metrics, in the order of the documents.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The name in CloudWatch.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }

            /// What is counted.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Self::$name => $meaning,)*
                }
            }
        }
    };
}

metrics! {
    EventsIgnored => "messages that trigger nothing",
    RecordsRequeued => "records requeued with backoff, because something was not ready yet",
    RecordsAbandoned => "records abandoned after eight attempts and left to the scheduled reconciliation",
    RecordsFailed => "records that failed permanently",
    RecordsRetried => "records that failed and are retried by SQS",
    AccountFailed => "accounts that cannot be served until a person changes something there",
    HubFailed => "permanent failures of a resource of the hub",
    PolicyRefused => "versions of the policy that were not put in force, or are in force and not valid",
    AssociationsFailed => "pipelines and principals that RAM could not associate, or takes too long with",
    PipelinesWaiting => "pipelines that have not passed the gate of a rule yet",
    SharesCreated => "shares created",
    SharesUpdated => "shares opened or closed for principals outside the organization",
    SharesDeleted => "shares deleted",
    PermissionsReplaced => "shares whose permission was replaced",
    PipelinesAdded => "pipelines added to shares",
    ResourcesRemoved => "resources removed from shares",
    PrincipalsAdded => "principals added to shares",
    PrincipalsRemoved => "principals removed from shares",
    InvitationsAccepted => "invitations accepted",
    InvitationsAcceptable => "invitations that a dry run would accept",
    InvitationsAlreadyAccepted => "invitations that somebody else had accepted",
    InvitationsEmpty => "invitations with nothing inside yet",
    InvitationsOver => "invitations that were rejected, expired or gone",
    InvitationsNotOurs => "invitations without a pipeshare name",
    InvitationsRefused => "invitations that the policy does not allow",
    AccountsCutShort => "accounts for which the time of an invocation was used up; the rest follows",
    SharesProven => "accepted shares whose pipelines are as the policy says",
    SharesEmpty => "accepted shares with nothing inside",
    SharesWithoutAccess => "accepted shares whose pipelines cannot be described",
    SharesDistrusted => "visible shares under a pipeshare name that hold more than the policy allows, or that no rule names",
    NotificationsSent => "notifications sent",
    NotificationsDeduplicated => "notifications not sent, as duplicates or because another invocation is sending them",
    NotificationsFailed => "notifications that could not be sent",
    NotificationsWithheld => "accounts that were not notified by a rule, because the ceiling of the owner does not allow it or is unknown",
    NotificationsUnconfirmed => "notifications of unconfirmed changes that were not sent, because the day's limit was reached",
    HooksSucceeded => "deployments that succeeded",
    HooksFailed => "deployments that failed",
    HooksWaiting => "invocations after which the deployment goes on",
    RequestsRefused => "invocations that failed because of the caller: a mistyped request, a failed run, or a run that goes on for a condition that cannot wait",
}

/// The namespace of all metrics.
const NAMESPACE: &str = "pipeshare";

/// What was counted during one invocation.
///
/// Lambda makes CloudWatch metrics of the line that it becomes, without a call.
#[derive(Debug, Default)]
pub struct Metrics {
    counts: Mutex<BTreeMap<Metric, u64>>,
}

impl Metrics {
    /// Adds to a counter.
    pub fn count(&self, metric: Metric, by: u64) {
        // A panic elsewhere leaves counters as valid as they were.
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(metric).or_default() += by;
    }

    /// How often something was counted.
    #[must_use]
    pub fn counted(&self, metric: Metric) -> u64 {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.get(&metric).copied().unwrap_or_default()
    }

    /// Writes one line with all counters, or nothing if nothing was counted.
    pub(crate) fn flush(&self, function: &str, out: &mut impl Write) -> io::Result<()> {
        let line = self.line(function, clock::milliseconds());
        line.map_or(Ok(()), |line| writeln!(out, "{line}"))
    }

    fn line(&self, function: &str, time: u64) -> Option<Value> {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.is_empty() {
            return None;
        }
        let definitions: Vec<_> = counts
            .keys()
            .map(|metric| json!({ "Name": metric.name(), "Unit": "Count" }))
            .collect();
        let mut line = Map::new();
        let directive = json!({
            "Timestamp": time,
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE,
                "Dimensions": [["Function"]],
                "Metrics": definitions,
            }],
        });
        line.insert("_aws".to_owned(), directive);
        line.insert("Function".to_owned(), function.into());
        line.extend(
            counts
                .iter()
                .map(|(metric, count)| (metric.name().to_owned(), (*count).into())),
        );
        Some(Value::Object(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_become_one_line_that_cloudwatch_reads() {
        let metrics = Metrics::default();
        metrics.count(Metric::SharesCreated, 1);
        metrics.count(Metric::SharesCreated, 2);
        metrics.count(Metric::SharesDeleted, 0);
        let line = metrics.line("share-pipeline", 1_800_000_000_000).unwrap();
        let expected = json!({
            "_aws": {
                "Timestamp": 1_800_000_000_000_u64,
                "CloudWatchMetrics": [{
                    "Namespace": "pipeshare",
                    "Dimensions": [["Function"]],
                    "Metrics": [
                        { "Name": "SharesCreated", "Unit": "Count" },
                        { "Name": "SharesDeleted", "Unit": "Count" },
                    ],
                }],
            },
            "Function": "share-pipeline",
            "SharesCreated": 3,
            "SharesDeleted": 0,
        });
        assert_eq!(line, expected);
    }

    #[test]
    fn nothing_counted_is_nothing_written() {
        let mut out = Vec::new();
        Metrics::default()
            .flush("share-pipeline", &mut out)
            .unwrap();
        assert!(out.is_empty());
    }

    #[test]
    fn a_line_of_metrics_ends_with_its_only_line_break() {
        let metrics = Metrics::default();
        metrics.count(Metric::SharesCreated, 1);
        let mut out = Vec::new();
        metrics.flush("share-pipeline", &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.find('\n'), Some(text.len() - 1));
    }
}
