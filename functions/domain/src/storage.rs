//! The keys of the items of the hub's table that say which gates were passed.
//!
//! A partition belongs to one function, which IAM holds to it: no other can
//! write there. An item names a pipeline by its ARN and by when it was created,
//! so it says nothing of another pipeline that gets the name later.

use jiff::Timestamp;

use crate::{
    id::{AccountId, PipelineArn, PipelineOwner},
    policy::RuleName,
};

/// The key of an item.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The partition key.
    pub pk: String,
    /// The sort key.
    pub sk: String,
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
    Key {
        pk: hook_partition(owner(pipeline)),
        sk: format!("{rule}|{}", identity(pipeline, created)),
    }
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
    Key {
        pk: succeeded_partition(owner(pipeline)),
        sk: identity(pipeline, created),
    }
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
}
