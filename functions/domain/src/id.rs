//! Identifiers of AWS things, parsed once at the edge.
//!
//! SageMaker has lower-cased names in ARNs for some resources and keeps their
//! case for others, so ARNs compare without regard to case, and no ARN of a
//! pipeline is ever built from its name.
//!
//! An account may have tens of thousands of pipelines in several lists, so copies
//! of their ARNs, and of those of shares, have one text.

use std::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    str::FromStr,
    sync::Arc,
};

use serde::{Deserialize, Serialize};

/// A text that is not the identifier it was taken for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{value:?} is not {kind}: expected {expected}")]
pub struct InvalidId {
    kind: &'static str,
    value: String,
    expected: &'static str,
}

impl InvalidId {
    fn new(kind: &'static str, value: &str, expected: &'static str) -> Self {
        // An identifier never needs more than this to be recognized, and the
        // text may be anything that somebody sent.
        let value = value.chars().take(256).collect();
        Self {
            kind,
            value,
            expected,
        }
    }
}

/// Implements the conversions of an identifier that has a `text` form.
macro_rules! text_conversions {
    ($type:ident) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl TryFrom<String> for $type {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, InvalidId> {
                text.parse()
            }
        }

        impl From<$type> for String {
            fn from(id: $type) -> Self {
                id.as_str().to_owned()
            }
        }
    };
}

/// Implements equality and order of an ARN, which ignore case.
macro_rules! caseless_order {
    ($type:ident) => {
        impl PartialEq for $type {
            fn eq(&self, other: &Self) -> bool {
                self.as_str().eq_ignore_ascii_case(other.as_str())
            }
        }

        impl Eq for $type {}

        impl Ord for $type {
            fn cmp(&self, other: &Self) -> Ordering {
                compare_caseless(self.as_str().as_bytes(), other.as_str().as_bytes())
            }
        }

        impl PartialOrd for $type {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }

        impl Hash for $type {
            fn hash<H: Hasher>(&self, state: &mut H) {
                self.as_str().to_ascii_lowercase().hash(state);
            }
        }
    };
}

/// Compares without regard to case. ARNs mostly begin alike, and that is passed over in
/// large steps.
fn compare_caseless(mut left: &[u8], mut right: &[u8]) -> Ordering {
    while let (Some((a, after_a)), Some((b, after_b))) = (
        left.split_first_chunk::<16>(),
        right.split_first_chunk::<16>(),
    ) && a == b
    {
        (left, right) = (after_a, after_b);
    }
    let left = left.iter().map(u8::to_ascii_lowercase);
    left.cmp(right.iter().map(u8::to_ascii_lowercase))
}

/// The twelve digits of an AWS account.
///
/// ```
/// use domain::id::AccountId;
///
/// let account: AccountId = "222222222222".parse()?;
/// assert_eq!(account.as_str(), "222222222222");
/// assert!("22222222222".parse::<AccountId>().is_err());
/// # Ok::<(), domain::id::InvalidId>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccountId([u8; 12]);

impl AccountId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for AccountId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let digits = <[u8; 12]>::try_from(text.as_bytes()).ok();
        let digits = digits.filter(|digits| digits.iter().all(u8::is_ascii_digit));
        let invalid = || InvalidId::new("an account id", text, "twelve digits");
        digits.map(Self).ok_or_else(invalid)
    }
}

text_conversions!(AccountId);

/// An AWS Region, for instance `eu-west-1`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Region(Arc<str>);

impl Region {
    /// The Region as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Region {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let is_part = |part: &str| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        };
        if text.split('-').count() >= 3 && text.split('-').all(is_part) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidId::new("a Region", text, "a name like eu-west-1"))
        }
    }
}

text_conversions!(Region);

/// The longest ARN that is taken for one. Those of roles come near 700
/// characters; and one of these must fit into a key of the table.
const LONGEST_ARN: usize = 800;

/// The colon-separated parts that all ARNs share.
pub(crate) struct ArnParts<'a> {
    pub(crate) partition: &'a str,
    pub(crate) service: &'a str,
    pub(crate) region: &'a str,
    pub(crate) account: &'a str,
    pub(crate) resource: &'a str,
}

impl<'a> ArnParts<'a> {
    pub(crate) fn split(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        if parts.next()? != "arn" {
            return None;
        }
        let parts = Self {
            partition: parts.next()?,
            service: parts.next()?,
            region: parts.next()?,
            account: parts.next()?,
            resource: parts.next()?,
        };
        if text.len() > LONGEST_ARN {
            return None;
        }
        let is_partition = parts.partition == "aws" || parts.partition.starts_with("aws-");
        // Nearly all are ASCII, which is seen at once.
        let has_blanks = if text.is_ascii() {
            text.bytes().any(|byte| char::from(byte).is_whitespace())
        } else {
            text.contains(char::is_whitespace)
        };
        (is_partition && !has_blanks).then_some(parts)
    }
}

/// Who a pipeline belongs to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PipelineOwner {
    /// An account, which may share the pipeline.
    Account(AccountId),
    /// AWS itself, written `aws` in the ARN; such a pipeline is nobody's to share.
    Aws,
}

impl PipelineOwner {
    /// The account; none for AWS itself.
    #[must_use]
    pub fn account(&self) -> Option<&AccountId> {
        match self {
            Self::Account(account) => Some(account),
            Self::Aws => None,
        }
    }
}

/// The ARN of a pipeline: `arn:aws:sagemaker:REGION:ACCOUNT:pipeline/NAME`.
///
/// ```
/// use domain::id::PipelineArn;
///
/// let arn: PipelineArn = "arn:aws:sagemaker:eu-west-1:222222222222:pipeline/Churn".parse()?;
/// assert_eq!(arn.name(), "Churn");
/// assert_eq!(arn.region().as_str(), "eu-west-1");
///
/// // SageMaker tells names in any case.
/// let same = "arn:aws:sagemaker:eu-west-1:222222222222:pipeline/churn".parse()?;
/// assert_eq!(arn, same);
/// # Ok::<(), domain::id::InvalidId>(())
/// ```
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PipelineArn {
    text: Arc<str>,
    region: Region,
    owner: PipelineOwner,
    name_start: usize,
}

impl PipelineArn {
    /// The ARN as AWS wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The Region of the pipeline.
    #[must_use]
    pub fn region(&self) -> &Region {
        &self.region
    }

    /// Who owns the pipeline.
    #[must_use]
    pub fn owner(&self) -> &PipelineOwner {
        &self.owner
    }

    /// The name, in whatever case the ARN has it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.text[self.name_start..]
    }
}

impl FromStr for PipelineArn {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let invalid = || {
            InvalidId::new(
                "a pipeline ARN",
                text,
                "arn:aws:sagemaker:REGION:ACCOUNT:pipeline/NAME",
            )
        };
        let parts = ArnParts::split(text).ok_or_else(invalid)?;
        let name = parts
            .resource
            .strip_prefix("pipeline/")
            .ok_or_else(invalid)?;
        if parts.service != "sagemaker" || !is_pipeline_name(name) {
            return Err(invalid());
        }
        let owner = match parts.account {
            "aws" => PipelineOwner::Aws,
            account => PipelineOwner::Account(account.parse().map_err(|_| invalid())?),
        };
        Ok(Self {
            region: parts.region.parse().map_err(|_| invalid())?,
            owner,
            name_start: text.len() - name.len(),
            text: text.into(),
        })
    }
}

text_conversions!(PipelineArn);
caseless_order!(PipelineArn);

/// Whether SageMaker would accept this as the name of a pipeline.
#[must_use]
pub fn is_pipeline_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric();
    (1..=256).contains(&name.len())
        && name.bytes().all(|byte| plain(byte) || byte == b'-')
        && name.bytes().next().is_some_and(plain)
        && name.bytes().last().is_some_and(plain)
}

/// The ARN of one run of a pipeline: the pipeline's ARN and `/execution/ID`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ExecutionArn {
    text: String,
    region: Region,
    account: AccountId,
    name: String,
}

impl ExecutionArn {
    /// The ARN as AWS wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The Region that the execution runs in.
    #[must_use]
    pub fn region(&self) -> &Region {
        &self.region
    }

    /// The account that the execution runs in and is billed to.
    #[must_use]
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// The name of the pipeline, in whatever case the ARN has it.
    #[must_use]
    pub fn pipeline_name(&self) -> &str {
        &self.name
    }
}

impl FromStr for ExecutionArn {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let invalid = || {
            InvalidId::new(
                "a pipeline execution ARN",
                text,
                "arn:aws:sagemaker:REGION:ACCOUNT:pipeline/NAME/execution/ID",
            )
        };
        let parts = ArnParts::split(text).ok_or_else(invalid)?;
        let (name, id) = parts
            .resource
            .strip_prefix("pipeline/")
            .and_then(|rest| rest.split_once("/execution/"))
            .ok_or_else(invalid)?;
        let is_id = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if parts.service != "sagemaker" || !is_pipeline_name(name) || !is_id {
            return Err(invalid());
        }
        Ok(Self {
            region: parts.region.parse().map_err(|_| invalid())?,
            account: parts.account.parse().map_err(|_| invalid())?,
            name: name.to_owned(),
            text: text.to_owned(),
        })
    }
}

text_conversions!(ExecutionArn);
caseless_order!(ExecutionArn);

/// Defines an ARN of RAM that carries the Region and the account of the share's owner.
macro_rules! ram_arn {
    ($(#[$doc:meta])* $type:ident, $kind:literal, $prefix:literal, $expected:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $type {
            text: Arc<str>,
            region: Region,
            owner: AccountId,
        }

        impl $type {
            /// The ARN as AWS wrote it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.text
            }

            /// The Region of the share.
            #[must_use]
            pub fn region(&self) -> &Region {
                &self.region
            }

            /// The account that owns the share.
            #[must_use]
            pub fn owner(&self) -> &AccountId {
                &self.owner
            }
        }

        impl FromStr for $type {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let invalid = || InvalidId::new($kind, text, $expected);
                let parts = ArnParts::split(text).ok_or_else(invalid)?;
                let id = parts.resource.strip_prefix($prefix).ok_or_else(invalid)?;
                if parts.service != "ram" || id.is_empty() {
                    return Err(invalid());
                }
                Ok(Self {
                    region: parts.region.parse().map_err(|_| invalid())?,
                    owner: parts.account.parse().map_err(|_| invalid())?,
                    text: text.into(),
                })
            }
        }

        text_conversions!($type);
        caseless_order!($type);
    };
}

ram_arn!(
    /// The ARN of a resource share.
    ShareArn,
    "a resource share ARN",
    "resource-share/",
    "arn:aws:ram:REGION:OWNER:resource-share/ID"
);

ram_arn!(
    /// The ARN of an invitation to a resource share; it carries the sender's account.
    InvitationArn,
    "a resource share invitation ARN",
    "resource-share-invitation/",
    "arn:aws:ram:REGION:SENDER:resource-share-invitation/ID"
);

/// The ARN of a RAM managed permission, AWS's own or a customer's.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PermissionArn(String);

impl PermissionArn {
    /// The name of [`PermissionArn::read`].
    pub(crate) const READ: &'static str = "AWSRAMDefaultPermissionSageMakerPipeline";
    /// The name of [`PermissionArn::execute`].
    pub(crate) const EXECUTE: &'static str = "AWSRAMPermissionSageMakerPipelineAllowExecution";

    /// The ARN as AWS wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The read-only permission that AWS made for pipelines.
    ///
    /// Describe and list, but neither start nor stop; what exactly stands in
    /// the SageMaker developer guide, "Set up cross-account support for Pipelines".
    #[must_use]
    pub fn read(partition: &str) -> Self {
        Self::of_aws(partition, Self::READ)
    }

    /// The permission of AWS that adds start, stop and retry to [`PermissionArn::read`].
    #[must_use]
    pub fn execute(partition: &str) -> Self {
        Self::of_aws(partition, Self::EXECUTE)
    }

    fn of_aws(partition: &str, name: &str) -> Self {
        Self(format!("arn:{partition}:ram::aws:permission/{name}"))
    }
}

impl FromStr for PermissionArn {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let is_permission = ArnParts::split(text).is_some_and(|parts| {
            parts.service == "ram"
                && parts
                    .resource
                    .strip_prefix("permission/")
                    .is_some_and(|name| !name.is_empty())
                && (parts.account == "aws" || parts.account.parse::<AccountId>().is_ok())
        });
        if is_permission {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidId::new(
                "a RAM permission ARN",
                text,
                "arn:aws:ram:REGION:ACCOUNT:permission/NAME",
            ))
        }
    }
}

text_conversions!(PermissionArn);
caseless_order!(PermissionArn);

/// Whom a share is for, as RAM takes it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Principal {
    /// A whole account.
    Account(AccountId),
    /// One IAM role or user; the second field is the whole ARN.
    Identity(AccountId, String),
    /// An organizational unit, by its ARN.
    OrganizationalUnit(String),
    /// A whole organization, by its ARN.
    Organization(String),
}

impl Principal {
    /// Whether whoever this allows includes the other: an account includes its roles and users.
    #[must_use]
    pub fn includes(&self, other: &Self) -> bool {
        self == other || matches!(self, Self::Account(account) if other.account() == Some(account))
    }

    /// The account that the principal is or lives in; none for units and organizations.
    #[must_use]
    pub fn account(&self) -> Option<&AccountId> {
        match self {
            Self::Account(account) | Self::Identity(account, _) => Some(account),
            Self::OrganizationalUnit(_) | Self::Organization(_) => None,
        }
    }

    /// The account id or ARN.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Account(account) => account.as_str(),
            Self::Identity(_, arn) | Self::OrganizationalUnit(arn) | Self::Organization(arn) => arn,
        }
    }
}

impl FromStr for Principal {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let invalid = || {
            InvalidId::new(
                "a principal",
                text,
                "an account id, or the ARN of an IAM role or user, an organizational unit or an organization",
            )
        };
        if let Ok(account) = text.parse() {
            return Ok(Self::Account(account));
        }
        let parts = ArnParts::split(text).ok_or_else(invalid)?;
        let account = || parts.account.parse::<AccountId>().map_err(|_| invalid());
        let (kind, name) = parts.resource.split_once('/').ok_or_else(invalid)?;
        if name.is_empty() {
            return Err(invalid());
        }
        match (parts.service, kind) {
            ("iam", "role" | "user") => Ok(Self::Identity(account()?, text.to_owned())),
            ("organizations", "ou") => {
                account()?;
                Ok(Self::OrganizationalUnit(text.to_owned()))
            }
            ("organizations", "organization") => {
                account()?;
                Ok(Self::Organization(text.to_owned()))
            }
            _ => Err(invalid()),
        }
    }
}

text_conversions!(Principal);
