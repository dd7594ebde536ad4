//! Who is notified of what, and whether they have been.

mod access;
mod deliveries;
mod destination;
mod limit;
mod message;
mod outbox;
mod outcome;
mod recipients;
mod record;
mod watermark;

pub use access::{
    Comparison, Contents, Delta, Grant, Held, Holdings, Inside, MISSING_FOR, Moved, Place,
    Sighting, Sightings, compare,
};
pub use deliveries::{Decision, DeliveryRecord, decide, is_confirmed};
pub use destination::Destination;
pub use limit::{Capacity, Limit, Tally};
pub use message::{
    AccessChange, Alert, Attribute, Ending, Expired, Fate, Known, Notice, Notification,
    PolicyAlert, RefusedPolicy, Severity, StrangersOfDay, access_notification, ending_notification,
    endings, excess_key, excess_notification, execution_notification, expired_notification,
    legal_subject, policy_alert_notification, policy_refused_notification, problem_notification,
    refusal_notification, strangers_notification,
};
pub use outbox::Unsent;
pub use outcome::DeliveryOutcome;
pub use recipients::{Recipients, Withheld, name_accounts, recipients};
pub use record::{MAX_PART, Recorded};
pub use watermark::{Interval, Watermark, longest_waiting};

use std::collections::BTreeSet;

use crate::{
    execution::Execution,
    id::AccountId,
    policy::{Policy, Rule},
    status::ExecutionStatus,
};

/// The source of every event that pipeshare sends.
pub const SOURCE: &str = "pipeshare";

/// The detail type of an event about an execution.
pub const EXECUTION_DETAIL_TYPE: &str = "Pipeline Execution Status";

/// The detail type of an event about pipelines that an account can use now, or in another way.
pub const SHARED_DETAIL_TYPE: &str = "Pipelines Shared";

/// The detail type of an event about pipelines that an account has lost, and nothing else.
pub const WITHDRAWN_DETAIL_TYPE: &str = "Pipelines Withdrawn";

/// The detail type of an event about access that ends soon.
pub const ENDING_DETAIL_TYPE: &str = "Access Ending";

/// The detail type of an event about invitations that nobody accepted.
pub const EXPIRED_DETAIL_TYPE: &str = "Invitations Expired";

/// The detail type of an event about a share that is not trusted.
pub const REFUSAL_DETAIL_TYPE: &str = "Share Refused";

/// The detail type of an event about what only people can fix.
pub const PROBLEM_DETAIL_TYPE: &str = "Problem";

/// The rules that want news of this execution, whomever they name.
#[must_use]
pub fn wanting_rules<'a>(policy: &'a Policy, execution: &'a Execution) -> Vec<&'a Rule> {
    if !execution.is_of_own_pipeline() {
        return Vec::new();
    }
    policy
        .rules_of(execution.arn.account())
        .filter(|rule| rule.pipelines.matches(execution.arn.pipeline_name()))
        .filter(|rule| wants(rule, &execution.status))
        .collect()
}

/// The owners of which some rule wants news.
#[must_use]
pub fn watched(policy: &Policy) -> BTreeSet<&AccountId> {
    let watching = policy.rules.iter().filter(|rule| !rule.notify.is_empty());
    watching.map(|rule| &rule.owner).collect()
}

/// A status that AWS added later goes to everyone who wants news at all.
fn wants(rule: &Rule, status: &ExecutionStatus) -> bool {
    match status {
        ExecutionStatus::Other(_) => !rule.notify.is_empty(),
        known => rule.notify.contains(known),
    }
}
