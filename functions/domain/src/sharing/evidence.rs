//! What was proved about pipelines, and what has to be found out yet.
//!
//! Evidence is an item that only the function wrote which saw what it says.
//! What RAM holds proves nothing: whoever administers the account can put a
//! pipeline into a share, and tag and rename shares.

use std::{collections::BTreeSet, fmt};

use serde::Serialize;

use super::{Observed, Pipeline};
use crate::{
    id::{AccountId, PermissionArn},
    policy::{Access, Gate, Policy, Rule, RuleName},
    storage::{self, Key},
};

/// Which pipelines have passed which gates: the sort keys of the items that say so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Evidence {
    succeeded: BTreeSet<String>,
    hooked: BTreeSet<String>,
}

impl Evidence {
    /// What the items of an owner account's partitions say, given their sort keys.
    pub fn remembered(
        succeeded: impl IntoIterator<Item = String>,
        hooked: impl IntoIterator<Item = String>,
    ) -> Self {
        Self {
            succeeded: succeeded.into_iter().collect(),
            hooked: hooked.into_iter().collect(),
        }
    }

    /// Notes that `SageMaker` reports an execution of the pipeline as succeeded.
    pub fn note_success(&mut self, pipeline: &Pipeline) {
        let key = storage::succeeded_gate(&pipeline.arn, pipeline.created);
        self.succeeded.insert(key.sk);
    }

    /// Notes that the deployment hook let the pipeline join the rule.
    pub fn note_hook(&mut self, rule: &RuleName, pipeline: &Pipeline) {
        let key = storage::hook_gate(rule, &pipeline.arn, pipeline.created);
        self.hooked.insert(key.sk);
    }

    /// Whether the pipeline, and not one of the same name before it, has passed the rule's gate.
    #[must_use]
    pub fn has_passed(&self, rule: &Rule, pipeline: &Pipeline) -> bool {
        let Pipeline { arn, created, .. } = pipeline;
        match rule.after {
            Gate::Created => true,
            Gate::Succeeded => {
                let key = storage::succeeded_gate(arn, *created);
                self.succeeded.contains(&key.sk)
            }
            Gate::Hook => {
                let key = storage::hook_gate(&rule.name, arn, *created);
                self.hooked.contains(&key.sk)
            }
        }
    }

    /// The items about pipelines that are no more, if these are all that there are.
    ///
    /// The list must have been made after the items were read
    /// ([`Observed::evidence_first`]): an item is
    /// written about a pipeline that exists, so one that was there before and
    /// whose pipeline is not in the list is about one that was deleted since.
    #[must_use]
    pub fn of_gone(&self, owner: &AccountId, pipelines: &[Pipeline]) -> Vec<Key> {
        let alive = |pipeline: &Pipeline| {
            let key = storage::succeeded_gate(&pipeline.arn, pipeline.created);
            key.sk
        };
        let alive: BTreeSet<String> = pipelines.iter().map(alive).collect();
        let key = |pk: &str, sk: &str| Key {
            pk: pk.to_owned(),
            sk: sk.to_owned(),
        };
        let (hook, success) = (storage::hook_gates(owner), storage::succeeded_gates(owner));
        let hooked = self.hooked.iter();
        let hooked = hooked.filter(|sk| !alive.contains(storage::pipeline_of_hook_gate(sk)));
        let succeeded = self.succeeded.iter().filter(|sk| !alive.contains(*sk));
        hooked
            .map(|sk| key(&hook, sk))
            .chain(succeeded.map(|sk| key(&success, sk)))
            .collect()
    }
}

/// The gates of this account's rules whose items have to be read.
#[must_use]
pub fn gates(policy: &Policy, owner: &AccountId) -> BTreeSet<Gate> {
    let gates = policy.rules_of(owner).map(|rule| rule.after);
    gates.filter(|gate| *gate != Gate::Created).collect()
}

/// What has to be asked before a plan can be complete.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Questions {
    /// Has one of the pipeline's executions succeeded since its creation?
    pub succeeded: Vec<Pipeline>,
    /// Is there such a permission, and can shares of pipelines have it?
    pub permissions: BTreeSet<PermissionArn>,
}

/// What has to be asked of `SageMaker` and RAM before planning.
///
/// About a pipeline that an item speaks for, nobody is asked again.
#[must_use]
pub fn questions(policy: &Policy, observed: &Observed) -> Questions {
    let mut questions = Questions::default();
    let mut asked = BTreeSet::new();
    for rule in policy.rules_of(&observed.account) {
        if let Access::Permission(permission) = &rule.access {
            questions.permissions.insert(permission.clone());
        }
        if rule.after != Gate::Succeeded {
            continue;
        }
        let waiting = observed
            .matching(rule)
            .filter(|pipeline| !observed.evidence.has_passed(rule, pipeline));
        for pipeline in waiting {
            if asked.insert(&pipeline.arn) {
                questions.succeeded.push(pipeline.clone());
            }
        }
    }
    questions
}

/// Why no share can have a permission that a rule wants to give.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(
    tag = "flaw",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub enum Flaw {
    /// RAM knows no such permission.
    Missing,
    /// It is one for resources of another type.
    OtherType {
        /// The type.
        resource_type: String,
    },
    /// It cannot be given to shares.
    NotAttachable {
        /// What RAM says that it is.
        status: String,
    },
    /// It cannot be read.
    Unreadable {
        /// Why.
        message: String,
    },
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => write!(f, "does not exist there"),
            Self::OtherType { resource_type } => {
                write!(f, "is for {resource_type} and not for pipelines")
            }
            Self::NotAttachable { status } => {
                write!(f, "is {status} and cannot be given to shares")
            }
            Self::Unreadable { message } => write!(f, "cannot be read: {message}"),
        }
    }
}
