//! The sharing policy: who may see or run whose pipelines.
//!
//! A policy is one small YAML document, written by people. It is read whole or
//! not at all: whatever is unknown, doubled, contradictory or misspelled is an
//! error with its line and column, because a typo that was skipped over could
//! widen or withdraw access unseen.

mod about;
mod account;
mod bounds;
mod checker;
mod document;
mod documents;
mod error;
mod group;
mod guard;
mod in_force;
mod pattern;
mod permission;
mod place;
mod principal;
mod rule;
mod until;
mod versions;
mod warnings;

use std::{collections::BTreeSet, fmt, str::FromStr};

use jiff::Timestamp;
use serde::Serialize;

pub use about::About;
pub use bounds::Never;
pub(crate) use checker::{nearest, quoted, unknown};
pub use documents::TeamDocument;
pub use error::{PolicyError, PolicyErrors};
pub use guard::Withdrawal;
pub use in_force::{InForce, Labelled, TeamVersions, Version};
pub use pattern::{InvalidPattern, NamePatterns, Pattern};
pub use place::Place;
pub use rule::Rule;
pub use until::{InvalidUntil, Until};
pub use versions::{KEPT_VERSIONS, versions_left};
pub use warnings::CheckedPolicy;

use crate::id::{AccountId, PermissionArn, Principal};
use documents::{ReadDocuments, read_documents};

/// What an administrator allows; the empty policy shares nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policy {
    /// The organization that the accounts belong to, if they share one.
    pub organization: Option<Organization>,
    /// The accounts that have a name, in the order of their names.
    pub accounts: Vec<Account>,
    /// The rules, in the order of the document.
    pub rules: Vec<Rule>,
    /// The rules that have ended; see [`Policy::at`].
    pub ended: Vec<Rule>,
    /// The teams that may have documents of their own.
    pub teams: Vec<String>,
    /// What no rule may grant; no rule of [`Policy::rules`] does.
    pub never: Vec<Never>,
    /// How much may change at once.
    pub limits: Limits,
}

/// An AWS organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// The id, for instance `o-example1234`.
    pub id: String,
    /// Whether RAM shares inside the organization without invitations.
    pub ram_sharing: bool,
}

/// How much a new version may change before somebody has to confirm it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How many of all grants it may withdraw, in percent.
    pub withdraw: u8,
}

impl Default for Limits {
    fn default() -> Self {
        Self { withdraw: 25 }
    }
}

/// An account that the policy gives a name for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The name, unique within the policy.
    pub name: String,
    /// The account itself.
    pub id: AccountId,
    /// Whether it lies outside the organization.
    pub external: bool,
}

/// What a rule lets its principals do with a pipeline.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// Describe and list.
    #[default]
    Read,
    /// Also start, stop and retry.
    Execute,
    /// What this managed permission says.
    Permission(PermissionArn),
}

impl Access {
    /// The word for it in a policy.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Read => "read",
            Self::Execute => "execute",
            Self::Permission(arn) => arn.as_str(),
        }
    }

    /// Whether it gives everything that the other gives, as far as their names say.
    #[must_use]
    pub fn includes(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Execute, Self::Read | Self::Execute) => true,
            (own, other) => own == other,
        }
    }

    /// What a managed permission gives in a partition; AWS's own have their words.
    #[must_use]
    pub fn of(permission: &PermissionArn, partition: &str) -> Self {
        if *permission == PermissionArn::read(partition) {
            Self::Read
        } else if *permission == PermissionArn::execute(partition) {
            Self::Execute
        } else {
            Self::Permission(permission.clone())
        }
    }

    /// The managed permission that a share of this access carries.
    #[must_use]
    pub fn permission(&self, partition: &str) -> PermissionArn {
        match self {
            Self::Read => PermissionArn::read(partition),
            Self::Execute => PermissionArn::execute(partition),
            Self::Permission(arn) => arn.clone(),
        }
    }
}

/// What must have happened before a pipeline joins a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gate {
    /// The pipeline exists.
    Created,
    /// An execution of it succeeded.
    #[default]
    Succeeded,
    /// The deployment hook said so.
    Hook,
}

/// The name of a rule, which becomes part of the name of its RAM shares.
///
/// Letters, digits and inner hyphens, at most [`RuleName::MAX_LENGTH`] of them.
/// A dot would be ambiguous: it separates the rule from the account and the
/// number in the name of a share.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct RuleName(String);

impl RuleName {
    /// The longest name: with prefix, account and number it stays far below the 255 of RAM.
    pub const MAX_LENGTH: usize = 100;

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RuleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that cannot name a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a rule name is 1 to {max} letters, digits and '-', and starts and ends with a letter or a digit",
    max = RuleName::MAX_LENGTH
)]
pub struct InvalidRuleName;

impl FromStr for RuleName {
    type Err = InvalidRuleName;

    fn from_str(text: &str) -> Result<Self, InvalidRuleName> {
        let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let trimmed = text.trim_matches('-').len() == text.len();
        if plain && trimmed && (1..=Self::MAX_LENGTH).contains(&text.len()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidRuleName)
        }
    }
}

/// Whether nobody has written a policy yet: the text holds nothing but comments.
///
/// Such a text is no policy, and neither is it a mistake. The template begins
/// with one, so that a reset of the parameter withdraws nothing. A text whose
/// lines end with what YAML takes for part of a comment is not one: whoever
/// wrote it meant more, and [`Policy::parse`] says what is wrong with it.
#[must_use]
pub fn is_unwritten(text: &str) -> bool {
    document::is_comment(text)
}

impl Policy {
    /// Reads a policy for wherever it may work, or says everything that is wrong with it.
    ///
    /// Whoever is to go by the policy knows where that is, and reads it with
    /// [`Policy::parse_at`].
    ///
    /// ```
    /// use domain::policy::Policy;
    ///
    /// let text = r#"
    /// version: 1
    /// accounts: { dev: "111111111111", test: "222222222222" }
    /// rules:
    ///   - { name: readers, owner: test, pipelines: ["churn-*"], with: [dev] }
    /// "#;
    /// let policy = Policy::parse(text)?;
    /// assert_eq!(policy.rules[0].owner.as_str(), "222222222222");
    ///
    /// let errors = Policy::parse(&text.replace("[dev]", "[dve]")).unwrap_err();
    /// assert_eq!(
    ///     errors.to_string(),
    ///     "line 5, column 66: unknown account \"dve\"; did you mean \"dev\"?"
    /// );
    /// # Ok::<(), domain::policy::PolicyErrors>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, PolicyErrors> {
        Self::parse_for(text, None)
    }

    /// Reads a policy that is to work here, or says everything that is wrong with it.
    pub fn parse_at(text: &str, place: &Place) -> Result<Self, PolicyErrors> {
        Self::parse_for(text, Some(place))
    }

    fn parse_for(text: &str, place: Option<&Place>) -> Result<Self, PolicyErrors> {
        Self::parse_all(text, &[], place)
    }

    /// Reads the root and the documents of teams, or says everything that is
    /// wrong with any of them.
    ///
    /// ```
    /// use domain::policy::{Policy, TeamDocument};
    ///
    /// let root = r#"
    /// version: 1
    /// accounts: { dev: "111111111111", test: "222222222222" }
    /// teams:
    ///   churn: { owners: [test], pipelines: ["churn-*"], with: [dev], access: read }
    /// "#;
    /// let text = r#"
    /// version: 1
    /// rules:
    ///   - { name: churn-readers, owner: test, pipelines: ["churn-*"], with: [dev], access: execute }
    /// "#;
    /// let churn = TeamDocument { team: "churn", text };
    /// assert_eq!(
    ///     Policy::parse_all(root, &[churn], None).unwrap_err().to_string(),
    ///     "document churn, line 4, column 5: access execute is beyond the team's bounds, \
    ///      whose access is read (line 5 of the root)"
    /// );
    /// ```
    pub fn parse_all(
        root: &str,
        teams: &[TeamDocument<'_>],
        place: Option<&Place>,
    ) -> Result<Self, PolicyErrors> {
        Self::check_all(root, teams, place, None).map(|checked| checked.policy)
    }

    /// The same, with what is right and probably not meant; of a rule that has
    /// ended, at a time.
    pub fn check_all(
        root: &str,
        teams: &[TeamDocument<'_>],
        place: Option<&Place>,
        now: Option<Timestamp>,
    ) -> Result<CheckedPolicy, PolicyErrors> {
        let read = read_documents(root, teams, place);
        let ReadDocuments {
            policy: Some(policy),
            errors,
            remarks,
        } = read
        else {
            return Err(read.errors);
        };
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(CheckedPolicy {
            policy,
            warnings: remarks.at(now),
        })
    }

    /// Reads what is in force, of which each document was right when it was put in force.
    ///
    /// The root may have changed since, or two documents at once. So what of a
    /// team's document does not hold any more, because of the root or of a
    /// document before it, grants nothing and is among the errors; everything
    /// else is granted.
    pub fn combine(
        root: &str,
        teams: &[TeamDocument<'_>],
        place: &Place,
    ) -> Result<(Self, PolicyErrors), PolicyErrors> {
        match read_documents(root, teams, Some(place)) {
            ReadDocuments {
                policy: Some(policy),
                errors,
                ..
            } => Ok((policy, errors)),
            ReadDocuments { errors, .. } => Err(errors),
        }
    }

    /// The policy at this time: a rule that has ended grants nothing.
    #[must_use]
    pub fn at(mut self, now: Timestamp) -> Self {
        let is_over = |rule: &Rule| rule.until.as_ref().is_some_and(|it| it.is_over(now));
        let (ended, rules) = self.rules.into_iter().partition(is_over);
        self.rules = rules;
        self.ended.extend::<Vec<_>>(ended);
        self
    }

    /// The listed account of this id.
    #[must_use]
    pub fn account(&self, id: &AccountId) -> Option<&Account> {
        self.accounts.iter().find(|account| account.id == *id)
    }

    /// The policy's name for an account, or else its id.
    #[must_use]
    pub fn display_name<'a>(&'a self, id: &'a AccountId) -> &'a str {
        self.account(id)
            .map_or(id.as_str(), |account| account.name.as_str())
    }

    /// What the policy calls a principal of RAM, if it is an account with a name.
    #[must_use]
    pub fn name_of_principal(&self, principal: &str) -> Option<&str> {
        let account = self.account(&principal.parse().ok()?)?;
        Some(&account.name)
    }

    /// The accounts whose pipelines some rule shares.
    #[must_use]
    pub fn owners(&self) -> BTreeSet<&AccountId> {
        self.rules.iter().map(|rule| &rule.owner).collect()
    }

    /// The accounts that rules name as principals, or that their named roles and users live in.
    #[must_use]
    pub fn consumers(&self) -> BTreeSet<&AccountId> {
        let principals = self.rules.iter().flat_map(|rule| &rule.with);
        principals.filter_map(Principal::account).collect()
    }

    /// The rules about pipelines of this owner, in the order of the document.
    pub fn rules_of<'a>(&'a self, owner: &AccountId) -> impl Iterator<Item = &'a Rule> {
        self.rules.iter().filter(move |rule| rule.owner == *owner)
    }

    /// The rules of this name: one for each of its owners.
    pub fn rules_named<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a Rule> {
        self.rules
            .iter()
            .filter(move |rule| rule.name.as_str() == name)
    }

    /// The rule of this name about pipelines of this owner.
    #[must_use]
    pub fn rule(&self, name: &str, owner: &AccountId) -> Option<&Rule> {
        let mut rules = self.rules.iter();
        rules.find(|rule| rule.name.as_str() == name && rule.owner == *owner)
    }

    /// Whether the principal must accept an invitation before it has access.
    ///
    /// It need not where RAM sharing is on in the organization and the
    /// principal is part of it. An account that the policy does not list
    /// counts as outside: to wait for an invitation that never comes is
    /// reported, whereas one that nobody looks for expires unseen.
    #[must_use]
    pub fn must_accept(&self, principal: &Principal) -> bool {
        let ram_sharing = self.organization.as_ref().is_some_and(|o| o.ram_sharing);
        let inside = match principal.account() {
            None => true,
            Some(id) => self.account(id).is_some_and(|account| !account.external),
        };
        !(ram_sharing && inside)
    }
}
