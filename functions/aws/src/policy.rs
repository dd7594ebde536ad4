//! The policy that every function goes by.

use domain::policy::{Place, Policy, PolicyErrors};
use jiff::Timestamp;

use crate::{Error, ssm::Ssm};

/// The policy that carries the label `in-force`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InForce {
    /// The version of the parameter.
    pub version: i64,
    /// When this version was written, if SSM says.
    pub written: Option<Timestamp>,
    /// The policy.
    pub policy: Policy,
}

impl InForce {
    /// What tells this version from all others: a parameter that is deleted and
    /// made again counts its versions from one.
    #[must_use]
    pub fn generation(&self) -> i64 {
        self.written.map_or(self.version, Timestamp::as_millisecond)
    }
}

/// What carries the label `in-force`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Labelled {
    /// Nothing does, or there is no such parameter.
    Nothing,
    /// A policy.
    Policy(InForce),
    /// A version that is no policy here, and why not.
    ///
    /// Only a valid version is ever put in force, so this one was labelled by
    /// somebody else, or by functions that were less strict or in another place.
    Refused {
        /// The version of the parameter.
        version: i64,
        /// What is wrong with it.
        errors: PolicyErrors,
    },
}

impl Labelled {
    /// The version that carries the label.
    #[must_use]
    pub fn version(&self) -> Option<i64> {
        match self {
            Self::Nothing => None,
            Self::Policy(in_force) => Some(in_force.version),
            Self::Refused { version, .. } => Some(*version),
        }
    }

    /// The policy, if there is a valid one.
    #[must_use]
    pub fn policy(self) -> Option<InForce> {
        match self {
            Self::Policy(in_force) => Some(in_force),
            Self::Nothing | Self::Refused { .. } => None,
        }
    }
}

impl Ssm {
    /// The policy in force; none if no version is, or if that version is not valid.
    ///
    /// A version that is not valid changes nothing, like an absent one.
    pub async fn policy_in_force(&self, name: &str) -> Result<Option<InForce>, Error> {
        Ok(self.labelled_policy(name).await?.policy())
    }

    /// What is in force, be it valid or not.
    pub async fn labelled_policy(&self, name: &str) -> Result<Labelled, Error> {
        let Some(labelled) = self.in_force(name).await? else {
            return Ok(Labelled::Nothing);
        };
        let version = labelled.version;
        let written = labelled.written;
        Ok(match Policy::parse_at(&labelled.text, self.place()) {
            Ok(policy) => Labelled::Policy(InForce {
                version,
                written,
                policy,
            }),
            Err(errors) => {
                tracing::error!(
                    policy.version = version,
                    "the policy in force is not valid: {errors}"
                );
                Labelled::Refused { version, errors }
            }
        })
    }

    /// Where the policy is to work.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }
}
