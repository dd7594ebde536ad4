//! Whether an invitation may be accepted.
//!
//! The policy is the trust list: what no rule names is not accepted. A share
//! is judged by what is inside, not by its name, since anybody may give any
//! name; and it is judged again after it was accepted, since its owner can add
//! resources without asking.

mod offer;
mod outcome;
mod proof;
mod triage;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use jiff::{SignedDuration, Timestamp};
use serde::{Serialize, Serializer};

pub use offer::OfferState;
pub use outcome::{Accepted, Inspection, InvitationOutcome};
pub use proof::{is_proof_due, sample};
pub use triage::{Sample, Strangers, Triage, beginning};

use crate::{
    id::{AccountId, InvitationArn, PipelineArn, Region, ShareArn},
    policy::{Policy, Rule, RuleName},
    sharing::{Audience, PREFIX, ShareName},
    status::InvitationStatus,
    text::quoted_of_stranger,
};

/// How long an invitation to a share of pipelines can be accepted.
pub const LIFETIME: SignedDuration = SignedDuration::from_hours(12);

/// How much is shown of an ARN that anybody may have made.
const LONGEST_ARN: usize = 300;

/// An invitation that an account received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Its ARN.
    pub arn: InvitationArn,
    /// The share that it invites to.
    pub share: ShareArn,
    /// The name of the share.
    pub share_name: String,
    /// The account that owns the share.
    pub sender: AccountId,
    /// The account that is invited.
    pub receiver: AccountId,
    /// Whether it was answered.
    pub status: InvitationStatus,
    /// When it was sent.
    pub sent: Option<Timestamp>,
}

/// A share that a consumer account can see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedShare {
    /// The share.
    pub arn: ShareArn,
    /// Its name, which its owner may change at any time.
    pub name: String,
    /// The account that owns it.
    pub owner: AccountId,
}

/// How many resources a refusal names; how many there are, it says as well.
const MOST_NAMED: usize = 10;

/// A resource in a share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// Its ARN.
    pub arn: String,
    /// Its type as RAM writes it, for instance `sagemaker:Pipeline`.
    pub kind: String,
    /// When it was put into the share, if RAM says.
    pub associated: Option<Timestamp>,
}

/// Where and for whom a share is judged.
#[derive(Debug, Clone, Copy)]
pub struct Receiver<'a> {
    /// The account that is given access.
    pub account: &'a AccountId,
    /// The Region of the share.
    pub region: &'a Region,
}

/// What to do about an invitation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Accept it; the rule allows all that is inside.
    Accept(RuleName),
    /// Nothing is inside yet, so there is nothing to judge.
    Wait,
    /// Do not accept it.
    Refuse(Refusal),
}

/// Why a share is not trusted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(
    tag = "reason",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub enum Refusal {
    /// Its name is not one that pipeshare gives: it is somebody else's business.
    NotOurs,
    /// No rule of this name is in force.
    UnknownRule,
    /// The rule names another owner.
    WrongOwner {
        /// Who sent it.
        sender: AccountId,
    },
    /// The rule does not name the account that was invited, or the share is meant for another.
    WrongConsumer {
        /// Who was invited.
        receiver: AccountId,
    },
    /// Something is inside that the rule does not name.
    TooMuch {
        /// The ARNs of all that is too much, in order; only ten of them are written down.
        #[serde(serialize_with = "first_resources")]
        resources: Vec<String>,
    },
}

/// A share holds thousands of resources, and a report should be legible.
fn first_resources<S: Serializer>(resources: &[String], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(resources.iter().take(MOST_NAMED))
}

impl Refusal {
    /// Whether people should hear of it: it looks like ours, and is not.
    #[must_use]
    pub fn is_suspicious(&self) -> bool {
        *self != Self::NotOurs
    }

    /// A stable name for metrics and ledgers.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotOurs => "not-ours",
            Self::UnknownRule => "unknown-rule",
            Self::WrongOwner { .. } => "wrong-owner",
            Self::WrongConsumer { .. } => "wrong-consumer",
            Self::TooMuch { .. } => "too-much",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOurs => write!(f, "the share's name is not one that pipeshare gives"),
            Self::UnknownRule => write!(f, "no rule of the policy in force has this name"),
            Self::WrongOwner { sender } => {
                write!(f, "account {sender} is not the owner that the rule names")
            }
            Self::WrongConsumer { receiver } => {
                write!(f, "the rule does not share with account {receiver}")
            }
            Self::TooMuch { resources } => {
                let named: Vec<_> = resources
                    .iter()
                    .take(MOST_NAMED)
                    .map(|arn| shown(arn))
                    .collect();
                write!(
                    f,
                    "it holds what the rule does not name: {}",
                    named.join(", ")
                )?;
                match resources.len() - named.len() {
                    0 => Ok(()),
                    more => write!(f, " and {more} more"),
                }
            }
        }
    }
}

/// Whether no rule lets this account share anything with the receiver.
///
/// Such a sender is one of millions of accounts; the owners of rules are a few
/// that somebody has named.
#[must_use]
pub fn is_stranger(policy: &Policy, sender: &AccountId, receiver: &AccountId) -> bool {
    let names_receiver = |rule: &Rule| {
        rule.names(receiver)
            || rule
                .with
                .iter()
                .any(|principal| principal.account().is_none())
    };
    !policy.rules_of(sender).any(names_receiver)
}

/// The ARN of a pipeline as it is, and whatever else there may be in quotation marks.
fn shown(arn: &str) -> String {
    let is_plain = arn.bytes().all(|byte| byte.is_ascii_graphic());
    if is_plain && arn.parse::<PipelineArn>().is_ok() {
        arn.to_owned()
    } else {
        quoted_of_stranger(arn, LONGEST_ARN)
    }
}

/// The rule that a share claims to serve, if owner and receiver are those that the rule names.
///
/// What is inside has not been read yet.
pub fn recognize<'a>(
    policy: &'a Policy,
    share_name: &str,
    sender: &AccountId,
    receiver: &AccountId,
) -> Result<&'a Rule, Refusal> {
    let (rule, audience) = claimed(policy, share_name, sender)?;
    let is_for_receiver = match audience {
        Audience::Account(account) => account == *receiver,
        Audience::Members => true,
    };
    if is_for_receiver && rule.names(receiver) {
        Ok(rule)
    } else {
        let receiver = receiver.clone();
        Err(Refusal::WrongConsumer { receiver })
    }
}

/// The same for a share that the receiver can see already.
///
/// Such a one may also come by way of the receiver's organization, or a unit of
/// it, which the rule names. Whether the receiver belongs there RAM has seen to:
/// outside, it would see the share only after it accepted an invitation.
pub fn recognize_visible<'a>(
    policy: &'a Policy,
    share_name: &str,
    sender: &AccountId,
    receiver: &AccountId,
) -> Result<&'a Rule, Refusal> {
    match claimed(policy, share_name, sender)? {
        (rule, Audience::Members) if rule.with.iter().any(|it| it.account().is_none()) => Ok(rule),
        _ => recognize(policy, share_name, sender, receiver),
    }
}

/// The rule that a share of this owner claims to serve, and for whom.
fn claimed<'a>(
    policy: &'a Policy,
    share_name: &str,
    sender: &AccountId,
) -> Result<(&'a Rule, Audience), Refusal> {
    if !share_name.starts_with(PREFIX) {
        return Err(Refusal::NotOurs);
    }
    let name: ShareName = share_name.parse().map_err(|_| Refusal::UnknownRule)?;
    if let Some(rule) = policy.rule(name.rule.as_str(), sender) {
        return Ok((rule, name.audience));
    }
    Err(match policy.rules_named(name.rule.as_str()).next() {
        None => Refusal::UnknownRule,
        Some(_) => Refusal::WrongOwner {
            sender: sender.clone(),
        },
    })
}

/// The ARNs of the resources that the rule does not name, in order.
///
/// ```
/// use domain::{invitation::{Resource, excess}, policy::Policy};
///
/// let policy = Policy::parse(
///     r#"
/// version: 1
/// rules:
///   - { name: readers, owner: "222222222222", pipelines: ["churn"], with: ["111111111111"] }
/// "#,
/// )?;
/// let inside = ["churn", "secret"].map(|name| Resource {
///     arn: format!("arn:aws:sagemaker:eu-west-1:222222222222:pipeline/{name}"),
///     kind: "sagemaker:Pipeline".to_owned(),
///     associated: None,
/// });
/// assert_eq!(
///     excess(&policy.rules[0], &"eu-west-1".parse()?, &inside),
///     ["arn:aws:sagemaker:eu-west-1:222222222222:pipeline/secret"]
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn excess(rule: &Rule, region: &Region, resources: &[Resource]) -> Vec<String> {
    sorted(rule, region, resources).1
}

/// The pipelines among the resources, each with the time at which it was put in, and
/// what the rule does not name of all.
#[must_use]
pub fn sorted(
    rule: &Rule,
    region: &Region,
    resources: &[Resource],
) -> (BTreeMap<PipelineArn, Option<Timestamp>>, Vec<String>) {
    let mut excess = BTreeSet::new();
    let mut read = |resource: &Resource| {
        let is_pipeline = resource.kind.eq_ignore_ascii_case("sagemaker:Pipeline");
        let arn: Option<PipelineArn> = resource.arn.parse().ok();
        let is_covered = |arn: &PipelineArn| arn.region() == region && rule.covers(arn);
        if !is_pipeline || !arn.as_ref().is_some_and(is_covered) {
            excess.insert(resource.arn.clone());
        }
        Some((arn?, resource.associated))
    };
    let pipelines = resources.iter().filter_map(&mut read).collect();
    (pipelines, excess.into_iter().collect())
}

/// The rule that an invitation claims to serve, before anything is read of what is inside.
pub fn recognize_invitation<'a>(
    policy: &'a Policy,
    receiver: Receiver<'_>,
    invitation: &Invitation,
) -> Result<&'a Rule, Refusal> {
    if invitation.receiver != *receiver.account {
        let receiver = invitation.receiver.clone();
        return Err(Refusal::WrongConsumer { receiver });
    }
    // The sender is said twice; a share that contradicts itself is not trusted.
    let owner = invitation.share.owner();
    if invitation.sender != *owner {
        let sender = owner.clone();
        return Err(Refusal::WrongOwner { sender });
    }
    let Invitation {
        share_name, sender, ..
    } = invitation;
    recognize(policy, share_name, sender, receiver.account)
}

/// Judges an invitation that claims to serve a rule by what is inside.
///
/// ```
/// use domain::{
///     invitation::{Refusal, Resource, Verdict, judge},
///     policy::Policy,
/// };
///
/// let policy = Policy::parse(
///     r#"
/// version: 1
/// rules:
///   - { name: readers, owner: "222222222222", pipelines: ["churn"], with: ["111111111111"] }
/// "#,
/// )?;
/// let (rule, region) = (&policy.rules[0], "eu-west-1".parse()?);
/// let pipeline = |name| Resource {
///     arn: format!("arn:aws:sagemaker:eu-west-1:222222222222:pipeline/{name}"),
///     kind: "sagemaker:Pipeline".to_owned(),
///     associated: None,
/// };
/// let verdict = judge(rule, &region, &[pipeline("churn")]);
/// assert_eq!(verdict, Verdict::Accept("readers".parse()?));
///
/// // Whoever invites may put in anything.
/// let inside = [pipeline("churn"), pipeline("secret")];
/// let resources = vec![inside[1].arn.clone()];
/// assert_eq!(
///     judge(rule, &region, &inside),
///     Verdict::Refuse(Refusal::TooMuch { resources })
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn judge(rule: &Rule, region: &Region, resources: &[Resource]) -> Verdict {
    if resources.is_empty() {
        return Verdict::Wait;
    }
    let resources = excess(rule, region, resources);
    if resources.is_empty() {
        Verdict::Accept(rule.name.clone())
    } else {
        Verdict::Refuse(Refusal::TooMuch { resources })
    }
}
