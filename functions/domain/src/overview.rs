//! Who has access to which pipeline of an owner account, and who waits for what.
//!
//! What RAM shows says who has access; the policy, the gates and the ceiling
//! say what keeps the others from it. Nothing is decided by this: it is for
//! people to read.

mod shelf;

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::{
    ceiling::{Beyond, Ceiling},
    id::{PermissionArn, PipelineArn, Principal},
    invitation::LIFETIME,
    policy::{Access, Gate, Policy, Rule, RuleName, Until},
    sharing::{Observed, Pipeline},
    time::after,
};
use shelf::{Shelf, shelves};

/// A pipeline, and who has access to it or is to have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PipelineAccess {
    /// The pipeline.
    pub pipeline: Pipeline,
    /// By rule and principal; and last, access that no rule gives.
    pub entries: Vec<AccessEntry>,
}

/// What one principal has of a pipeline, or waits for, by one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessEntry {
    /// The account id, or the ARN.
    pub principal: String,
    /// The rule; none if no rule gives this access.
    pub rule: Option<RuleName>,
    /// What it may do, by the permission of the share if there is one.
    pub level: Level,
    /// How far it is.
    pub state: AccessState,
    /// When the rule ends, if it does.
    pub until: Option<Until>,
}

impl AccessEntry {
    /// Whether the principal can use the pipeline now.
    #[must_use]
    pub fn is_held(&self) -> bool {
        matches!(self.state, AccessState::Held { .. })
    }
}

/// What a principal may do with a pipeline; the greater one is more.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Describe and list.
    Read,
    /// What this customer managed permission says.
    Custom(String),
    /// Also start, stop and retry.
    Execute,
}

impl Level {
    /// The level of a managed permission.
    #[must_use]
    pub fn of(permission: &PermissionArn, partition: &str) -> Self {
        match Access::of(permission, partition) {
            Access::Read => Self::Read,
            Access::Execute => Self::Execute,
            Access::Permission(permission) => {
                let name = permission.as_str().rsplit('/').next();
                Self::Custom(name.unwrap_or_default().to_owned())
            }
        }
    }

    /// The word for it: that of a policy, or the name of the permission.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Read => "read",
            Self::Execute => "execute",
            Self::Custom(name) => name,
        }
    }
}

/// How far somebody's access is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccessState {
    /// RAM shows that the principal has it.
    Held {
        /// Since pipeline and principal were both associated with the share.
        since: Option<Timestamp>,
    },
    /// Invited, and has yet to accept.
    Invited {
        /// When.
        invited: Option<Timestamp>,
    },
    /// The pipeline has not passed the rule's gate, as far as the table knows.
    Gate(Gate),
    /// The ceiling of the owner account does not allow it.
    Ceiling(Beyond),
    /// RAM is at it, or the next reconciliation does it.
    Settling,
    /// RAM has given up.
    Failed {
        /// Why, as RAM says.
        message: Option<String>,
    },
}

impl AccessState {
    /// Until when an invitation can be accepted.
    ///
    /// ASSUMED: the association of the principal is as old as its invitation;
    /// the owner of a share sees no invitations.
    #[must_use]
    pub fn ends(&self) -> Option<Timestamp> {
        match self {
            Self::Invited { invited } => Some(after((*invited)?, LIFETIME)),
            _ => None,
        }
    }

    /// Since when it is held, if it is and RAM says so.
    #[must_use]
    pub fn since(&self) -> Option<Timestamp> {
        match self {
            Self::Held { since } => *since,
            _ => None,
        }
    }

    /// The nearer to access, the greater.
    fn rank(&self) -> u8 {
        match self {
            Self::Held { .. } => 5,
            Self::Invited { .. } => 4,
            Self::Settling => 3,
            Self::Failed { .. } => 2,
            Self::Gate(_) => 1,
            Self::Ceiling(_) => 0,
        }
    }
}

/// The pipelines of an account that a rule covers or that somebody has access to, by name.
///
/// Without a ceiling, nothing is said to be beyond it.
#[must_use]
pub fn of_account(
    policy: &Policy,
    observed: &Observed,
    ceiling: Option<&Ceiling>,
) -> Vec<PipelineAccess> {
    let overview = Overview {
        policy,
        observed,
        ceiling,
        rules: policy.rules_of(&observed.account).collect(),
        shelves: shelves(observed),
    };
    let own = observed.pipelines.iter().filter(|pipeline| {
        *pipeline.arn.region() == observed.region
            && pipeline.arn.owner().account() == Some(&observed.account)
    });
    let mut pipelines: Vec<_> = own
        .map(|pipeline| PipelineAccess {
            entries: overview.entries(pipeline),
            pipeline: pipeline.clone(),
        })
        .filter(|access| !access.entries.is_empty())
        .collect();
    pipelines.sort_by(|one, other| one.pipeline.arn.cmp(&other.pipeline.arn));
    pipelines
}

struct Overview<'a> {
    policy: &'a Policy,
    observed: &'a Observed,
    ceiling: Option<&'a Ceiling>,
    rules: Vec<&'a Rule>,
    shelves: Vec<Shelf<'a>>,
}

impl Overview<'_> {
    fn entries(&self, pipeline: &Pipeline) -> Vec<AccessEntry> {
        let covering = self.rules.iter().filter(|rule| rule.covers(&pipeline.arn));
        let mut entries: Vec<_> = covering
            .flat_map(|rule| rule.with.iter().map(|to| self.entry(rule, to, pipeline)))
            .collect();
        entries.extend(self.unruled(pipeline));
        entries
    }

    /// What a rule gives one of its principals.
    fn entry(&self, rule: &Rule, principal: &Principal, pipeline: &Pipeline) -> AccessEntry {
        let serving = self.shelves.iter().filter(|it| it.serves(&rule.name));
        let must_accept = self.policy.must_accept(principal);
        let joined = serving.filter_map(|shelf| {
            let state = shelf.join(pipeline, principal.as_str(), must_accept)?;
            Some((state, shelf.level.clone()))
        });
        let nearest = joined.max_by_key(|(state, level)| (state.rank(), level.clone()));
        let partition = &self.observed.partition;
        let wanted = || Level::of(&rule.access.permission(partition), partition);
        let (state, level) = match nearest {
            Some((state, level)) => (state, level.unwrap_or_else(wanted)),
            None => (self.obstacle(rule, principal, pipeline), wanted()),
        };
        AccessEntry {
            principal: principal.to_string(),
            rule: Some(rule.name.clone()),
            level,
            state,
            until: rule.until.clone(),
        }
    }

    /// What keeps a principal from a pipeline that is in no share for it.
    fn obstacle(&self, rule: &Rule, principal: &Principal, pipeline: &Pipeline) -> AccessState {
        let partition = &self.observed.partition;
        let beyond = self
            .ceiling
            .and_then(|ceiling| ceiling.allows_by(rule, principal, partition).err());
        match beyond {
            Some(beyond) => AccessState::Ceiling(beyond),
            None if !self.observed.evidence.has_passed(rule, pipeline) => {
                AccessState::Gate(rule.after)
            }
            None => AccessState::Settling,
        }
    }

    /// Access by shares of pipeshare's that no rule gives, or gives no more.
    fn unruled(&self, pipeline: &Pipeline) -> Vec<AccessEntry> {
        let mut seen = BTreeSet::new();
        let mut entries = Vec::new();
        for shelf in &self.shelves {
            for principal in shelf.principals() {
                if self.is_ruled(shelf, &pipeline.arn, principal) {
                    continue;
                }
                let state = shelf.join(pipeline, principal, false);
                let Some(state @ AccessState::Held { .. }) = state else {
                    continue;
                };
                let level = shelf.level.clone().unwrap_or(Level::Read);
                if seen.insert((principal.to_owned(), level.clone())) {
                    entries.push(AccessEntry {
                        principal: principal.to_owned(),
                        rule: None,
                        level,
                        state,
                        until: None,
                    });
                }
            }
        }
        entries
    }

    /// Whether the rule that a share serves gives the principal the pipeline.
    fn is_ruled(&self, share: &Shelf<'_>, pipeline: &PipelineArn, principal: &str) -> bool {
        let mut rules = self.rules.iter();
        rules.any(|rule| {
            share.serves(&rule.name)
                && rule.covers(pipeline)
                && rule.with.iter().any(|it| it.as_str() == principal)
        })
    }
}
