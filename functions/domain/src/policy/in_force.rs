//! Versions of the policy, and the one that the functions go by.

use jiff::Timestamp;

use super::{Place, Policy, PolicyErrors};

/// One version of the parameter with the policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Its number, from one.
    pub version: i64,
    /// Its value.
    pub text: String,
    /// When it was written, if SSM says.
    pub written: Option<Timestamp>,
}

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
    /// created again counts its versions from one.
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
    /// Reads the version that carries the label, if one does.
    #[must_use]
    pub fn read(version: Option<Version>, place: &Place) -> Self {
        let Some(Version {
            version,
            text,
            written,
        }) = version
        else {
            return Self::Nothing;
        };
        match Policy::parse_at(&text, place) {
            Ok(policy) => Self::Policy(InForce {
                version,
                written,
                policy,
            }),
            Err(errors) => Self::Refused { version, errors },
        }
    }

    /// The version that carries the label.
    #[must_use]
    pub fn version(&self) -> Option<i64> {
        match self {
            Self::Nothing => None,
            Self::Policy(in_force) => Some(in_force.version),
            Self::Refused { version, .. } => Some(*version),
        }
    }

    /// The policy, if there is a valid one; a version that is not valid
    /// changes nothing, like an absent one.
    #[must_use]
    pub fn policy(self) -> Option<InForce> {
        match self {
            Self::Policy(in_force) => Some(in_force),
            Self::Nothing | Self::Refused { .. } => None,
        }
    }
}
