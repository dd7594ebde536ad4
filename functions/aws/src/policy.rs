//! The policy that every function goes by.

use domain::policy::Policy;
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

impl Ssm {
    /// The policy in force; none if no version is, or if that version cannot be read.
    ///
    /// Only a valid version is ever put in force, so one that is not was
    /// labelled by somebody else; it changes nothing, like an absent one.
    pub async fn policy_in_force(&self, name: &str) -> Result<Option<InForce>, Error> {
        let Some(labelled) = self.in_force(name).await? else {
            return Ok(None);
        };
        match Policy::parse(&labelled.text) {
            Ok(policy) => Ok(Some(InForce {
                version: labelled.version,
                written: labelled.written,
                policy,
            })),
            Err(errors) => {
                let version = labelled.version;
                tracing::error!(
                    policy.version = version,
                    "the policy in force is not valid: {errors}"
                );
                Ok(None)
            }
        }
    }
}
