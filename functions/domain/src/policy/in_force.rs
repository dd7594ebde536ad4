//! Versions of the policy, and the one that the functions go by.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::digest;

use super::{Place, Policy, PolicyErrors, TeamDocument};

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

impl Version {
    /// What tells this text from all others, beside the number.
    #[must_use]
    pub fn digest(&self) -> String {
        digest::hex(&self.text)
    }
}

/// The documents of teams, each in one version.
pub type TeamVersions = BTreeMap<String, Version>;

/// The policy that carries the label `in-force`: the root, and the documents of teams.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InForce {
    /// The version of the root's parameter.
    pub version: i64,
    /// When this version was written, if SSM says.
    pub written: Option<Timestamp>,
    /// The policy.
    pub policy: Policy,
    /// The text of the root.
    pub root: String,
    /// The documents of teams.
    pub teams: TeamVersions,
    /// What of these documents does not hold any more, and grants nothing;
    /// see [`Policy::combine`].
    pub not_granted: PolicyErrors,
    /// When it was read; what has ended by then grants nothing.
    pub at: Option<Timestamp>,
}

impl InForce {
    /// What these documents say together at a time; without a time, nothing has ended.
    pub fn of(
        root: Version,
        teams: TeamVersions,
        place: &Place,
        now: Option<Timestamp>,
    ) -> Result<Self, PolicyErrors> {
        let (policy, not_granted) = Policy::combine(&root.text, &documents(&teams), place)?;
        Ok(Self {
            version: root.version,
            written: root.written,
            policy: match now {
                Some(now) => policy.at(now),
                None => policy,
            },
            root: root.text,
            teams,
            not_granted,
            at: now,
        })
    }

    /// The same root with these documents of teams.
    pub fn with_teams(&self, teams: TeamVersions, place: &Place) -> Result<Self, PolicyErrors> {
        Self::of(self.root_version(), teams, place, self.at)
    }

    /// The root as it was read.
    #[must_use]
    pub fn root_version(&self) -> Version {
        Version {
            version: self.version,
            text: self.root.clone(),
            written: self.written,
        }
    }

    /// What would be wrong with another version of a team's document beside the others.
    #[must_use]
    pub fn judge(&self, team: &str, candidate: &Version, place: &Place) -> PolicyErrors {
        let others = self.teams.iter().filter(|(name, _)| *name != team);
        let others = others.map(|(name, it)| TeamDocument {
            team: name,
            text: &it.text,
        });
        // It comes last, so that a name that is taken is its own mistake.
        let candidate = TeamDocument {
            team,
            text: &candidate.text,
        };
        let all: Vec<_> = others.chain([candidate]).collect();
        match Policy::combine(&self.root, &all, place) {
            Ok((_, errors)) => errors.of_document(Some(team)),
            Err(errors) => errors,
        }
    }

    /// What tells these versions from all others: a parameter that is deleted and
    /// created again counts its versions from one.
    #[must_use]
    pub fn generation(&self) -> i64 {
        let of = |version, written: Option<Timestamp>| {
            written.map_or(version, Timestamp::as_millisecond)
        };
        let teams = self.teams.values().map(|it| of(it.version, it.written));
        teams.fold(of(self.version, self.written), i64::wrapping_add)
    }
}

/// What carries the label `in-force`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Labelled {
    /// Nothing does, or there is no such parameter.
    Nothing,
    /// A policy.
    Policy(Box<InForce>),
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
    /// Reads the version of the root that carries the label, if one does, and
    /// with it the documents of teams.
    #[must_use]
    pub fn read(
        root: Option<Version>,
        teams: TeamVersions,
        place: &Place,
        now: Option<Timestamp>,
    ) -> Self {
        let Some(root) = root else {
            return Self::Nothing;
        };
        let version = root.version;
        match InForce::of(root, teams, place, now) {
            Ok(in_force) => Self::Policy(Box::new(in_force)),
            Err(errors) => Self::Refused { version, errors },
        }
    }

    /// The teams whose documents belong to the policy.
    #[must_use]
    pub fn teams(&self) -> &[String] {
        match self {
            Self::Policy(in_force) => &in_force.policy.teams,
            Self::Nothing | Self::Refused { .. } => &[],
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
            Self::Policy(in_force) => Some(*in_force),
            Self::Nothing | Self::Refused { .. } => None,
        }
    }
}

fn documents(teams: &TeamVersions) -> Vec<TeamDocument<'_>> {
    let documents = teams.iter().map(|(team, it)| TeamDocument {
        team,
        text: &it.text,
    });
    documents.collect()
}
