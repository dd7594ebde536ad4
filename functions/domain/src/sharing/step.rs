//! What a plan is made of.

use std::fmt;

use serde::Serialize;

use crate::{
    id::{PermissionArn, PipelineArn, Principal, ShareArn},
    policy::{Gate, RuleName},
};

/// One call to RAM, or one call per hundred pipelines, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// The name of the share.
    pub share: String,
    /// Its ARN; none while it has yet to be created.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arn: Option<ShareArn>,
    /// What to do.
    #[serde(flatten)]
    pub call: Call,
    /// Why.
    pub reason: Reason,
}

/// What a step does: it creates a share, or acts on one that exists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Call {
    /// Create the share, empty.
    Create(NewShare),
    /// Change the share, or delete it.
    Change(Action),
}

/// A share to create. It is filled by association, later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "action", rename = "create", rename_all = "camelCase")]
pub struct NewShare {
    /// The name; RAM does not mind two shares of one name.
    #[serde(skip)]
    pub name: String,
    /// The rule that the share serves, for the tag.
    pub rule: RuleName,
    /// The managed permission: what its principals may do.
    pub permission: PermissionArn,
    /// Whether principals outside the organization may join.
    pub allow_external: bool,
    /// Makes two runs that see the same thing ask for the same share.
    pub client_token: String,
}

/// What to do with a share that exists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(
    tag = "action",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub enum Action {
    /// Put another permission in the place of the present one.
    ReplacePermission {
        /// The managed permission.
        permission: PermissionArn,
    },
    /// Allow or forbid principals outside the organization.
    AllowExternal {
        /// Whether they may join.
        allow: bool,
    },
    /// Share these pipelines.
    AddPipelines {
        /// Their ARNs.
        pipelines: Vec<PipelineArn>,
    },
    /// Share these resources no longer.
    RemoveResources {
        /// Their ARNs.
        resources: Vec<String>,
    },
    /// Share with these principals.
    AddPrincipals {
        /// The principals.
        principals: Vec<Principal>,
    },
    /// Share with these principals no longer.
    RemovePrincipals {
        /// The principals, as RAM lists them.
        principals: Vec<String>,
    },
    /// Delete it, and with it all access that it gave.
    Delete,
}

/// Why a step is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// A rule has its first pipeline for this audience, or a share is full.
    FirstPipeline,
    /// The rule wants the pipeline as soon as it exists.
    PipelineCreated,
    /// An execution of the pipeline succeeded.
    ExecutionSucceeded,
    /// The deployment hook let the pipeline join.
    HookPassed,
    /// RAM had failed to make the association.
    AssociationFailed,
    /// The rule names the principal.
    PrincipalNamed,
    /// The principal declined or did not accept in time, and RAM let it go.
    InvitationExpired,
    /// The rule's `access` is not what the share grants.
    AccessChanged,
    /// The permission has another default version than when it was given.
    PermissionOutdated,
    /// Somebody changed whether outsiders may join.
    ExternalFlagChanged,
    /// The pipeline does not exist any more.
    PipelineGone,
    /// The pipeline was deleted and created again since it was shared.
    PipelineRecreated,
    /// The pipeline has not passed the rule's gate.
    GateNotPassed,
    /// The rule does not name the resource.
    NotInRule,
    /// The rule does not name the principal.
    PrincipalNotNamed,
    /// No rule of this name is in force for this account.
    RuleGone,
    /// The rule of this name has ended.
    RuleEnded,
    /// The rule does not name this account any more.
    ConsumerGone,
    /// It serves no part of its rule, and holds what the rule does not allow.
    GrantsTooMuch,
    /// The principals are served by another share of the rule.
    Moved,
    /// Other parts of the rule have had room for what was in it.
    Merged,
    /// Nothing has been in it for a month, or nobody either for an hour.
    Unused,
    /// An older share has the same name.
    Duplicate,
    /// Somebody renamed the share.
    Renamed,
    /// Something must leave, and RAM removes nothing while an invitation, or
    /// another association, is pending.
    PendingInvitation,
}

impl Step {
    /// Whether there is less access after it than before, whatever else fails.
    #[must_use]
    pub fn only_takes_away(&self) -> bool {
        match &self.call {
            Call::Change(Action::RemoveResources { .. } | Action::RemovePrincipals { .. }) => true,
            Call::Change(Action::Delete) => !self.reason.hands_over(),
            _ => false,
        }
    }
}

impl Reason {
    /// Whether another share of the same rule is to give what this one gave.
    #[must_use]
    pub fn hands_over(self) -> bool {
        matches!(
            self,
            Self::Moved | Self::Merged | Self::Renamed | Self::Duplicate
        )
    }

    /// Why a pipeline may join a rule with this gate.
    pub(super) fn passed(gate: Gate) -> Self {
        match gate {
            Gate::Created => Self::PipelineCreated,
            Gate::Succeeded => Self::ExecutionSucceeded,
            Gate::Hook => Self::HookPassed,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FirstPipeline => "the rule has a pipeline to share",
            Self::PipelineCreated => "the pipeline exists",
            Self::ExecutionSucceeded => "an execution succeeded",
            Self::HookPassed => "the deployment hook passed",
            Self::AssociationFailed => "the association had failed",
            Self::PrincipalNamed => "the rule names the principal",
            Self::InvitationExpired => "the invitation expired or was declined",
            Self::AccessChanged => "the rule's access changed",
            Self::PermissionOutdated => "the permission has a newer version",
            Self::ExternalFlagChanged => "outsiders were allowed or forbidden by somebody else",
            Self::PipelineGone => "the pipeline is gone",
            Self::PipelineRecreated => "the pipeline was deleted and created again",
            Self::GateNotPassed => "the pipeline has not passed the rule's gate",
            Self::NotInRule => "the rule does not name it",
            Self::PrincipalNotNamed => "the rule does not name the principal",
            Self::RuleGone => "no such rule is in force",
            Self::RuleEnded => "the rule has ended",
            Self::ConsumerGone => "the rule does not name the account any more",
            Self::GrantsTooMuch => "it grants what the rule does not allow",
            Self::Moved => "another share of the rule serves the principals",
            Self::Merged => "other shares of the rule have room for what is in it",
            Self::Unused => "nothing has been in it for long",
            Self::Duplicate => "an older share has the same name",
            Self::Renamed => "somebody renamed the share",
            Self::PendingInvitation => "something must leave, and RAM lets nothing out while an invitation or an association is pending",
        })
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let share = &self.share;
        match &self.call {
            Call::Create(new) => write!(f, "create share {share} with {}", name(&new.permission)),
            Call::Change(action) => action.describe(share, f),
        }?;
        write!(f, ": {}", self.reason)
    }
}

impl Action {
    fn describe(&self, share: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReplacePermission { permission } => {
                write!(f, "change share {share} to {}", name(permission))
            }
            Self::AllowExternal { allow } => {
                let verb = if *allow { "allow" } else { "forbid" };
                write!(f, "{verb} outsiders in share {share}")
            }
            Self::AddPipelines { pipelines } => {
                let names: Vec<_> = pipelines.iter().map(PipelineArn::name).collect();
                write!(f, "add {} to share {share}", names.join(", "))
            }
            Self::RemoveResources { resources } => {
                let names = resources.iter().map(|arn| arn.rsplit('/').next());
                let names: Vec<_> = names.flatten().collect();
                write!(f, "remove {} from share {share}", names.join(", "))
            }
            Self::AddPrincipals { principals } => {
                let names: Vec<_> = principals.iter().map(Principal::as_str).collect();
                write!(f, "share {share} with {}", names.join(", "))
            }
            Self::RemovePrincipals { principals } => {
                write!(f, "stop sharing {share} with {}", principals.join(", "))
            }
            Self::Delete => write!(f, "delete share {share}"),
        }
    }
}

/// The name of a permission, which is the last part of its ARN.
fn name(permission: &PermissionArn) -> &str {
    permission.as_str().rsplit('/').next().unwrap_or_default()
}
