//! Principals and resources as callers name them.

use super::{
    catalogue::{self, ResourceType},
    input::is_account,
    model::{Key, Share},
};
use crate::{
    organization::Organization,
    world::{ApiError, Caller},
};

/// Whom a share is for.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum Principal {
    /// Everyone in an account.
    Account(String),
    /// A role or user.
    Identity {
        /// Its account.
        account: String,
        /// Its ARN.
        arn: String,
    },
    /// Everyone in an organization, by ARN.
    Organization(String),
    /// Everyone in an organizational unit, by ARN.
    Unit(String),
}

impl Principal {
    /// Whether it is a single role or user.
    pub(super) fn is_identity(&self) -> bool {
        matches!(self, Self::Identity { .. })
    }

    /// Reads an account id or an ARN.
    pub(super) fn parse(text: &str) -> Result<Self, ApiError> {
        Self::recognize(text).ok_or_else(|| {
            ApiError::new(
                "InvalidParameterException",
                format!("Principal ID {text} is malformed. Verify the ID and try again."),
            )
        })
    }

    fn recognize(text: &str) -> Option<Self> {
        if is_account(text) {
            return Some(Self::Account(text.to_owned()));
        }
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let &["arn", "aws", service, "", account, resource] = parts.as_slice() else {
            return None;
        };
        let (kind, name) = resource.split_once('/')?;
        if !is_account(account) || name.is_empty() {
            return None;
        }
        match (service, kind) {
            ("iam", "role" | "user") => Some(Self::Identity {
                account: account.to_owned(),
                arn: text.to_owned(),
            }),
            ("organizations", "organization") => Some(Self::Organization(text.to_owned())),
            ("organizations", "ou") => Some(Self::Unit(text.to_owned())),
            _ => None,
        }
    }

    /// The account id or ARN.
    pub(super) fn id(&self) -> &str {
        match self {
            Self::Account(id) => id,
            Self::Identity { arn, .. } | Self::Organization(arn) | Self::Unit(arn) => arn,
        }
    }

    /// The key of its association.
    pub(super) fn key(&self) -> Key {
        Key::principal(self.id())
    }

    /// The account, unless it is a whole organization or unit.
    pub(super) fn account(&self) -> Option<&str> {
        match self {
            Self::Account(account) | Self::Identity { account, .. } => Some(account),
            Self::Organization(_) | Self::Unit(_) => None,
        }
    }

    /// Whether it is outside what the owner may share with without invitation.
    pub(super) fn is_external(&self, organization: &Organization, owner: &str) -> bool {
        self.account()
            .is_some_and(|account| account != owner && !organization.shares_between(owner, account))
    }

    /// Whether the share may be associated with it.
    pub(super) fn check(&self, organization: &Organization, share: &Share) -> Result<(), ApiError> {
        let last = |arn: &str| arn.rsplit('/').next().unwrap_or_default().to_owned();
        let own = organization.shares_between(&share.owner, &share.owner);
        match self {
            Self::Account(account) | Self::Identity { account, .. } => {
                if !share.allow_external_principals && self.is_external(organization, &share.owner)
                {
                    return Err(outside_organization(account));
                }
            }
            Self::Organization(arn) => {
                if !own || !organization.arn().eq_ignore_ascii_case(arn) {
                    return Err(unknown(&format!("Organization {}", last(arn))));
                }
            }
            Self::Unit(arn) => {
                if !own || organization.unit(arn).is_none() {
                    let unit = last(arn);
                    return Err(unknown(&format!(
                        "OrganizationalUnit {unit} in unknown organization"
                    )));
                }
            }
        }
        if share.retain_sharing && self.account().is_none() {
            return Err(ApiError::new(
                "InvalidParameterException",
                "A resource share that retains sharing when an account leaves the organization \
                 cannot be shared with an organization or an organizational unit.",
            ));
        }
        Ok(())
    }

    /// Whether the account, or somebody in it, is meant.
    pub(super) fn reaches(&self, organization: &Organization, account: &str) -> bool {
        match self {
            Self::Account(own) | Self::Identity { account: own, .. } => own == account,
            Self::Organization(_) => organization.members.contains(account),
            Self::Unit(arn) => organization
                .unit(arn)
                .is_some_and(|accounts| accounts.contains(account)),
        }
    }

    /// Whether this caller of an account that it reaches is meant.
    pub(super) fn is_caller(&self, caller: &Caller) -> bool {
        let Self::Identity { arn, .. } = self else {
            return true;
        };
        match &caller.role {
            // The ARN of a session does not show the path of its role.
            Some(role) => {
                arn.contains(":role/")
                    && arn
                        .rsplit('/')
                        .next()
                        .is_some_and(|name| name.eq_ignore_ascii_case(&role.name))
            }
            None => arn.eq_ignore_ascii_case(&caller.arn()),
        }
    }
}

fn outside_organization(account: &str) -> ApiError {
    ApiError::new(
        "InvalidParameterException",
        format!(
            "Principal {account} is not in your AWS organization. You do not have permission \
             to add external AWS accounts to a resource share."
        ),
    )
}

/// The error for something that is not there, or not for this caller to see.
pub(super) fn unknown(what: &str) -> ApiError {
    ApiError::new(
        "UnknownResourceException",
        format!("{what} could not be found."),
    )
}

/// A resource that somebody wants to share.
#[derive(Debug, Clone)]
pub(super) struct Resource {
    pub(super) arn: String,
    pub(super) region: String,
    pub(super) account: String,
    pub(super) kind: &'static ResourceType,
}

impl Resource {
    /// Reads an ARN and finds out what type of resource it names.
    pub(super) fn parse(arn: &str) -> Result<Self, ApiError> {
        let malformed = |message: String| ApiError::new("MalformedArnException", message);
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let &["arn", "aws", service, region, account, resource] = parts.as_slice() else {
            return Err(malformed(format!(
                "The specified resource ARN {arn} is not valid. Verify the ARN and try again."
            )));
        };
        // The account of pipelines that AWS manages is `aws`: nobody can share them.
        if !is_account(account) {
            return Err(malformed(format!(
                "The specified resource ARN {arn} is not valid. Verify the ARN and try again."
            )));
        }
        let kind = catalogue::type_of(service, resource)
            .ok_or_else(|| malformed("You cannot share the selected resource type.".to_owned()))?;
        Ok(Self {
            arn: arn.to_owned(),
            region: region.to_owned(),
            account: account.to_owned(),
            kind,
        })
    }

    /// The key of its association.
    pub(super) fn key(&self) -> Key {
        Key::resource(&self.arn)
    }
}
