//! What an owner account allows at most, whatever the policy says.
//!
//! The template of owner accounts makes conditions of IAM from its parameters,
//! and writes the same parameters where the functions can read them. IAM alone
//! judges what is shared; what is read here says beforehand what IAM will
//! refuse, explains it afterwards, and bounds what IAM never sees: who is told
//! of the account's runs.
//!
//! Everything is compared letter by letter, as IAM does it: an account is not
//! allowed because its organization is, and a role not because its account is.

use std::{collections::BTreeSet, fmt, str::FromStr};

use serde::Deserialize;

use crate::{
    id::{PermissionArn, Principal},
    policy::Rule,
    sharing::{Action, Audience, Call, PREFIX, ShareName, Step},
};

/// The longest beginning of names that the template takes.
const LONGEST_PREFIX: usize = 128;

/// What an owner account allows at most.
///
/// ```
/// use domain::{ceiling::Ceiling, policy::Policy};
///
/// let ceiling: Ceiling = r#"{
///     "allowedPrincipals": ["111111111111"],
///     "allowedAccess": "read",
///     "allowedPermissions": [],
///     "shareNamePrefix": "pipeshare-"
/// }"#
/// .parse()?;
/// let policy = Policy::parse(
///     r#"
/// version: 1
/// rules:
///   - { name: operators, owner: "222222222222", pipelines: ["*"], with: ["111111111111"], access: execute }
/// "#,
/// )?;
/// let rule = &policy.rules[0];
/// let beyond = ceiling.allows_by(rule, &rule.with[0], "aws").unwrap_err();
/// assert_eq!(
///     beyond.to_string(),
///     "access execute is more than AllowedAccess, which is read"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ceiling {
    allowed_principals: BTreeSet<String>,
    allowed_access: AllowedAccess,
    allowed_permissions: BTreeSet<String>,
    share_name_prefix: String,
}

/// The most that AWS's own permissions may give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum AllowedAccess {
    Read,
    Execute,
}

impl fmt::Display for AllowedAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Execute => "execute",
        })
    }
}

/// A text that no template of ours wrote.
///
/// It does not say what was found: whoever may write the parameter would
/// choose what people read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCeiling {
    /// It is not the JSON that is expected.
    #[error("it is not what the owner template writes, from line {line}, column {column} on")]
    Odd {
        /// Counted from 1; 0 if that is not known.
        line: usize,
        /// Counted from 1; 0 if that is not known.
        column: usize,
    },
    /// The names of shares would have to begin with what none of ours does.
    #[error("its shareNamePrefix is none that the owner template takes")]
    Prefix,
}

impl FromStr for Ceiling {
    type Err = InvalidCeiling;

    fn from_str(text: &str) -> Result<Self, InvalidCeiling> {
        let ceiling: Self = serde_json::from_str(text).map_err(|error| InvalidCeiling::Odd {
            line: error.line(),
            column: error.column(),
        })?;
        let prefix = &ceiling.share_name_prefix;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let is_ours = prefix.len() <= LONGEST_PREFIX
            && prefix.starts_with(PREFIX)
            && prefix.bytes().all(is_plain);
        is_ours.then_some(ceiling).ok_or(InvalidCeiling::Prefix)
    }
}

/// Why something is beyond a ceiling, and by which parameter of the template.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Beyond {
    /// The account shares with others only.
    #[error("principal {} is not among AllowedPrincipals", .0.as_str())]
    Principal(Principal),
    /// The account gives less access.
    #[error("access execute is more than AllowedAccess, which is read")]
    Access,
    /// The account gives other permissions only.
    #[error("permission {0} is not among AllowedPermissions")]
    Permission(PermissionArn),
    /// The names of shares begin otherwise.
    #[error("the name {name} does not begin with ShareNamePrefix, which is {prefix}")]
    Name {
        /// The name of the share.
        name: String,
        /// What names begin with there.
        prefix: String,
    },
}

impl Beyond {
    /// The parameter of the template owner-account that would have to be wider.
    #[must_use]
    pub fn parameter(&self) -> &'static str {
        match self {
            Self::Principal(_) => "AllowedPrincipals",
            Self::Access => "AllowedAccess",
            Self::Permission(_) => "AllowedPermissions",
            Self::Name { .. } => "ShareNamePrefix",
        }
    }
}

/// What of a rule is beyond a ceiling.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BeyondRule {
    /// Whether nothing is left of the rule.
    pub wholly: bool,
    /// Everything that is in the way.
    pub reasons: Vec<Beyond>,
}

impl Ceiling {
    /// Whether a principal may have this permission by a share of this name.
    pub fn allows(
        &self,
        principal: &Principal,
        permission: &PermissionArn,
        share: &str,
    ) -> Result<(), Beyond> {
        self.allows_name(share)?;
        self.allows_permission(permission)?;
        self.allows_principal(principal)
    }

    /// Whether a rule may share with one of its principals.
    pub fn allows_by(
        &self,
        rule: &Rule,
        principal: &Principal,
        partition: &str,
    ) -> Result<(), Beyond> {
        let permission = rule.access.permission(partition);
        self.allows(principal, &permission, &first_name(rule))
    }

    /// What of a rule, and of its principals, is not allowed.
    #[must_use]
    pub fn beyond(&self, rule: &Rule, partition: &str) -> BeyondRule {
        let of_shares = [
            self.allows_name(&first_name(rule)).err(),
            self.allows_permission(&rule.access.permission(partition))
                .err(),
        ];
        let of_shares: Vec<_> = of_shares.into_iter().flatten().collect();
        let principals = rule.with.iter();
        let of_principals: Vec<_> = principals
            .filter_map(|principal| self.allows_principal(principal).err())
            .collect();
        BeyondRule {
            wholly: !of_shares.is_empty() || of_principals.len() == rule.with.len(),
            reasons: of_shares.into_iter().chain(of_principals).collect(),
        }
    }

    /// Why IAM will refuse a step, if it will.
    ///
    /// Nothing is said against taking access away. And a share that is being
    /// created has no name yet for IAM; what is to come into it is refused then.
    #[must_use]
    pub fn refuses(&self, step: &Step) -> Option<Beyond> {
        let action = match &step.call {
            Call::Create(new) => return self.allows_permission(&new.permission).err(),
            Call::Change(action) => action,
        };
        match action {
            Action::ReplacePermission { permission } => self
                .allows_name(&step.share)
                .and_then(|()| self.allows_permission(permission)),
            Action::AllowExternal { .. } | Action::AddPipelines { .. } => {
                self.allows_name(&step.share)
            }
            Action::AddPrincipals { principals } => self.allows_name(&step.share).and_then(|()| {
                let mut principals = principals.iter();
                principals.try_for_each(|principal| self.allows_principal(principal))
            }),
            Action::RemoveResources { .. } | Action::RemovePrincipals { .. } | Action::Delete => {
                Ok(())
            }
        }
        .err()
    }

    fn allows_principal(&self, principal: &Principal) -> Result<(), Beyond> {
        if self.allowed_principals.contains(principal.as_str()) {
            return Ok(());
        }
        Err(Beyond::Principal(principal.clone()))
    }

    fn allows_permission(&self, permission: &PermissionArn) -> Result<(), Beyond> {
        let arn = permission.as_str();
        let partition = arn.split(':').nth(1).unwrap_or_default();
        let is_execute = arn == PermissionArn::execute(partition).as_str();
        if arn == PermissionArn::read(partition).as_str()
            || is_execute && self.allowed_access == AllowedAccess::Execute
            || self.allowed_permissions.contains(arn)
        {
            return Ok(());
        }
        Err(if is_execute {
            Beyond::Access
        } else {
            Beyond::Permission(permission.clone())
        })
    }

    fn allows_name(&self, share: &str) -> Result<(), Beyond> {
        if share.starts_with(&self.share_name_prefix) {
            return Ok(());
        }
        Err(Beyond::Name {
            name: share.to_owned(),
            prefix: self.share_name_prefix.clone(),
        })
    }
}

/// The name of a rule's first share, whose beginning all of them have in
/// common: what follows the rule in a name begins with a dot, and no prefix
/// contains one.
fn first_name(rule: &Rule) -> String {
    let name = ShareName {
        rule: rule.name.clone(),
        audience: Audience::Members,
        part: 1,
    };
    name.to_string()
}
