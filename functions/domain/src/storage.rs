//! Where things are in the hub's table: the keys of its items.
//!
//! A partition of gates belongs to one function, which IAM holds to it: no other
//! can write there. Its items name a pipeline by its ARN and by when it was
//! created, so they say nothing of another pipeline that gets the name later.
//!
//! ```
//! use domain::storage;
//!
//! let pipeline = "arn:aws:sagemaker:eu-west-1:222222222222:pipeline/Churn".parse()?;
//! let key = storage::succeeded_gate(&pipeline, "2026-01-05T09:00:00Z".parse()?);
//! assert_eq!(key.pk, "gate|succeeded|222222222222");
//! assert_eq!(
//!     key.sk,
//!     "arn:aws:sagemaker:eu-west-1:222222222222:pipeline/churn|1767603600000"
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod item;

use jiff::Timestamp;

pub use item::{Condition, Delivery, Item, LEASE, Lease, Values, Write};

use crate::{
    id::{AccountId, ExecutionArn, PipelineArn, PipelineOwner, ShareArn},
    notification::Grant,
    policy::RuleName,
};

/// The partition that lists the accounts with a partition of [`shared`].
pub const CONSUMERS: &str = "shared";

/// The partition of the owner accounts in which shares were made.
///
/// Only share-pipeline writes items there.
pub const OWNERS: &str = "owners";

/// The partition of the documents of teams that were put in force, as they were.
///
/// Only share-pipeline writes and reads items there.
pub const DOCUMENTS: &str = "policy";

/// The partition of the times up to which the executions of owner accounts were examined.
///
/// Only forward-status writes items there.
pub const WATERMARK: &str = "watermark";

/// The key of one item.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The partition key.
    pub pk: String,
    /// The sort key.
    pub sk: String,
}

impl Key {
    fn of(pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self {
            pk: pk.into(),
            sk: sk.into(),
        }
    }
}

/// The item which says that shares were made in an owner account.
#[must_use]
pub fn owner_account(account: &AccountId) -> Key {
    Key::of(OWNERS, account.to_string())
}

/// The partition of the gates that the deployment hook has opened in an owner account.
///
/// Only codepipeline-hook writes items there.
#[must_use]
pub fn hook_gates(owner: &AccountId) -> String {
    hook_partition(owner.as_str())
}

/// The item which says that the deployment hook let this pipeline join the rule.
#[must_use]
pub fn hook_gate(rule: &RuleName, pipeline: &PipelineArn, created: Timestamp) -> Key {
    Key::of(
        hook_partition(owner(pipeline)),
        format!("{rule}|{}", identity(pipeline, created)),
    )
}

/// The partition of the pipelines of an owner account that `SageMaker` said have succeeded.
///
/// Only share-pipeline writes items there.
#[must_use]
pub fn succeeded_gates(owner: &AccountId) -> String {
    succeeded_partition(owner.as_str())
}

/// The item which says that an execution of this pipeline has succeeded.
#[must_use]
pub fn succeeded_gate(pipeline: &PipelineArn, created: Timestamp) -> Key {
    Key::of(
        succeeded_partition(owner(pipeline)),
        identity(pipeline, created),
    )
}

/// Which pipeline the sort key of a hook's item is about, as the sort key of
/// its item among those that have succeeded.
#[must_use]
pub fn pipeline_of_hook_gate(sk: &str) -> &str {
    // The name of a rule has no such mark.
    sk.split_once('|').map_or(sk, |(_, pipeline)| pipeline)
}

fn hook_partition(owner: &str) -> String {
    format!("gate|hook|{owner}")
}

fn succeeded_partition(owner: &str) -> String {
    format!("gate|succeeded|{owner}")
}

/// `SageMaker` tells times to the millisecond, and ARNs in any case.
fn identity(pipeline: &PipelineArn, created: Timestamp) -> String {
    let arn = pipeline.as_str().to_ascii_lowercase();
    format!("{arn}|{}", created.as_millisecond())
}

fn owner(pipeline: &PipelineArn) -> &str {
    match pipeline.owner() {
        PipelineOwner::Account(account) => account.as_str(),
        PipelineOwner::Aws => "aws",
    }
}

/// The partition of the runs of one deployment, by the deployment's key.
#[must_use]
pub fn runs(deployment: &str) -> String {
    format!("run|{deployment}")
}

/// The partition of what one attempt at a deployment has come to, by the attempt's key.
#[must_use]
pub fn attempt(attempt: &str) -> String {
    format!("run|attempt|{attempt}")
}

/// That something is remembered about a consumer account.
#[must_use]
pub fn consumer(account: &AccountId) -> Key {
    Key::of(CONSUMERS, account.to_string())
}

/// The partition with what a consumer account has, and with what is to be said about it.
#[must_use]
pub fn shared(consumer: &AccountId) -> String {
    format!("shared|{consumer}")
}

/// What a consumer has by a rule, as it was last announced; what is too long for one item is in parts.
#[must_use]
pub fn held(consumer: &AccountId, grant: &Grant, part: usize) -> Key {
    Key::of(
        shared(consumer),
        format!("held|{}|{}|{part:04}", grant.rule, grant.owner),
    )
}

/// What is wrong with a share that a consumer can see, as it was last reported.
#[must_use]
pub fn distrusted(consumer: &AccountId, share: &ShareArn) -> Key {
    Key::of(shared(consumer), format!("distrusted|{share}"))
}

/// A notification about a consumer that has yet to reach somebody. Those about
/// one thing are in the order in which it changed.
#[must_use]
pub fn unsent(consumer: &AccountId, notification: &str, generation: u64) -> Key {
    Key::of(
        shared(consumer),
        format!("unsent|{notification}|{generation:020}"),
    )
}

/// The partition of what a destination was notified of.
#[must_use]
pub fn told(destination: &str) -> String {
    format!("told|{destination}")
}

/// The partition of what a destination was notified of about an execution.
#[must_use]
pub fn told_of(destination: &str, execution: &ExecutionArn) -> String {
    told(&format!("{destination}|{execution}"))
}

/// What strangers sent to an account on a day such as `2026-01-05`.
#[must_use]
pub fn strangers(receiver: &AccountId, day: &str) -> Key {
    Key::of(told(&format!("strangers|{receiver}")), day)
}

/// How many refusals of what an owner sent to an account were sent on a day.
#[must_use]
pub fn refusals(receiver: &AccountId, owner: &AccountId, day: &str) -> Key {
    Key::of(
        told(&format!("refusals|{receiver}")),
        format!("{owner}|{day}"),
    )
}

/// How many problems of an account were sent on a day.
#[must_use]
pub fn alerts(account: &AccountId, day: &str) -> Key {
    Key::of(told(&format!("troubles|{account}")), day)
}

/// How often people were notified on a day that invitations of an owner were not accepted.
#[must_use]
pub fn expired(owner: &AccountId, day: &str) -> Key {
    Key::of(told(&format!("expired|{owner}")), day)
}

/// How many changes of an owner's executions, which `SageMaker` did not confirm,
/// a destination was notified of on a day.
#[must_use]
pub fn unconfirmed(owner: &AccountId, destination: &str, day: &str) -> Key {
    Key::of(
        told(&format!("unconfirmed|{owner}")),
        format!("{destination}|{day}"),
    )
}

/// How many changes of what a consumer has by a rule were sent lately.
#[must_use]
pub fn limit_of_changes(consumer: &AccountId, grant: &Grant) -> Key {
    Key::of(
        shared(consumer),
        format!("limit|held|{}|{}", grant.rule, grant.owner),
    )
}

/// How often it was sent lately what is wrong with shares of an owner that a consumer can see.
#[must_use]
pub fn limit_of_excess(consumer: &AccountId, owner: &AccountId) -> Key {
    Key::of(shared(consumer), format!("limit|distrusted|{owner}"))
}

/// What an item of the partition [`shared`] is, by its sort key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SharedItem {
    /// See [`held`].
    Held(Grant, usize),
    /// See [`distrusted`].
    Distrusted(ShareArn),
    /// See [`unsent`].
    Unsent,
    /// See [`limit_of_changes`] and [`limit_of_excess`].
    Limit,
}

impl SharedItem {
    /// Reads a sort key; none if it is not one of ours.
    #[must_use]
    pub fn parse(sk: &str) -> Option<Self> {
        let (kind, rest) = sk.split_once('|')?;
        match kind {
            "held" => {
                let mut parts = rest.split('|');
                let rule = parts.next()?.parse().ok()?;
                let owner = parts.next()?.parse().ok()?;
                let part = parts.next()?.parse().ok()?;
                Some(Self::Held(Grant { rule, owner }, part))
            }
            "distrusted" => Some(Self::Distrusted(rest.parse().ok()?)),
            "unsent" => Some(Self::Unsent),
            "limit" => Some(Self::Limit),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CREATED: Timestamp = Timestamp::UNIX_EPOCH;

    fn arn(name: &str) -> PipelineArn {
        let arn = format!("arn:aws:sagemaker:us-east-1:222222222222:pipeline/{name}");
        arn.parse().unwrap()
    }

    #[test]
    fn an_item_names_owner_rule_pipeline_and_creation() {
        let rule = "readers".parse().unwrap();
        let key = hook_gate(&rule, &arn("Churn"), CREATED);
        assert_eq!(key.pk, "gate|hook|222222222222");
        assert_eq!(
            key.sk,
            "readers|arn:aws:sagemaker:us-east-1:222222222222:pipeline/churn|0"
        );
        let key = succeeded_gate(&arn("Churn"), CREATED);
        assert_eq!(key.pk, "gate|succeeded|222222222222");
        assert_eq!(
            key.sk,
            "arn:aws:sagemaker:us-east-1:222222222222:pipeline/churn|0"
        );
    }

    #[test]
    fn the_items_of_an_account_lie_in_its_partitions() {
        let owner = "222222222222".parse().unwrap();
        let rule = "readers".parse().unwrap();
        let pipeline = arn("churn");
        assert_eq!(hook_gates(&owner), hook_gate(&rule, &pipeline, CREATED).pk);
        assert_eq!(
            succeeded_gates(&owner),
            succeeded_gate(&pipeline, CREATED).pk
        );
    }

    #[test]
    fn both_kinds_of_items_name_a_pipeline_the_same_way() {
        let rule = "a-b".parse().unwrap();
        let hook = hook_gate(&rule, &arn("X"), CREATED);
        assert_eq!(
            pipeline_of_hook_gate(&hook.sk),
            succeeded_gate(&arn("x"), CREATED).sk
        );
    }

    #[test]
    fn a_sort_key_says_what_its_item_is() {
        let consumer: AccountId = "111111111111".parse().unwrap();
        let grant = Grant {
            rule: "readers".parse().unwrap(),
            owner: "222222222222".parse().unwrap(),
        };
        for limit in [
            limit_of_changes(&consumer, &grant),
            limit_of_excess(&consumer, &grant.owner),
        ] {
            assert_eq!(limit.pk, shared(&consumer));
            assert_eq!(SharedItem::parse(&limit.sk), Some(SharedItem::Limit));
        }
        let key = held(&consumer, &grant, 12);
        assert_eq!(key.pk, "shared|111111111111");
        assert_eq!(key.sk, "held|readers|222222222222|0012");
        let read = SharedItem::parse(&key.sk);
        assert_eq!(read, Some(SharedItem::Held(grant, 12)));
        let share: ShareArn = "arn:aws:ram:eu-west-1:222222222222:resource-share/s"
            .parse()
            .unwrap();
        let read = SharedItem::parse(&distrusted(&consumer, &share).sk);
        assert_eq!(read, Some(SharedItem::Distrusted(share)));
        assert!(unsent(&consumer, "n", 9).sk < unsent(&consumer, "n", 10).sk);
        for odd in [
            "",
            "held",
            "held|readers",
            "held|a b|222222222222|0",
            "else|x",
        ] {
            assert_eq!(SharedItem::parse(odd), None, "{odd}");
        }
    }
}
