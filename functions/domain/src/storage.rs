//! The keys of the table's items.
//!
//! Every function may reach its own partitions only, so which one an item is in
//! says who has written it.

use jiff::Timestamp;

use crate::{
    id::{AccountId, PipelineArn, PipelineOwner},
    policy::RuleName,
};

/// The key of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The partition key.
    pub pk: String,
    /// The sort key.
    pub sk: String,
}

/// The partition of the gates `hook` that pipelines of an owner have passed.
#[must_use]
pub fn hook_gates(owner: &AccountId) -> String {
    hook_gates_of(owner.as_str())
}

fn hook_gates_of(owner: &str) -> String {
    format!("gate|hook|{owner}")
}

/// The item that says that a pipeline has passed the gate `hook` of a rule.
///
/// A pipeline that was deleted and made again was created at another time.
#[must_use]
pub fn hook_gate(rule: &RuleName, pipeline: &PipelineArn, created: Timestamp) -> Key {
    let owner = match pipeline.owner() {
        PipelineOwner::Account(account) => account.as_str(),
        PipelineOwner::Aws => "aws",
    };
    let arn = pipeline.as_str().to_ascii_lowercase();
    Key {
        pk: hook_gates_of(owner),
        sk: format!("{rule}|{arn}|{}", created.as_millisecond()),
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
