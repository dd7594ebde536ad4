//! Which invitations and shares are read first, and which are only counted.
//!
//! Anybody can invite anybody, so the list of invitations is as long as
//! strangers like. It is sorted while it is read, by what the policy says of
//! name and sender, and without a call: what a rule names is answered one by
//! one, and of the rest only counts, a few samples and a bounded number of
//! invitations to reject are kept.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;

use super::{Invitation, Receiver, Refusal, is_stranger, recognize_invitation, recognize_visible};
use crate::{
    id::{AccountId, InvitationArn, ShareArn},
    policy::Policy,
    sharing::PREFIX,
    status::InvitationStatus,
};

/// How many invitations, and how many shares, of an owner that are not what a
/// rule says are taken one by one; what is beyond is counted like those of strangers.
const MOST_OF_OWNER: usize = 10;

/// How many samples of what strangers send are shown.
const SAMPLES: usize = 10;

/// How many senders are counted one by one.
const MOST_SENDERS: usize = 1000;

/// Sorts what an account has received.
#[derive(Debug)]
pub struct Triage<'a> {
    policy: &'a Policy,
    receiver: Receiver<'a>,
    /// How many invitations of strangers may be rejected.
    most_rejected: usize,
    recognized: BTreeMap<(AccountId, String), Vec<Invitation>>,
    doubtful: BTreeMap<AccountId, Vec<Invitation>>,
    doubtful_shares: BTreeMap<AccountId, usize>,
    strangers: Strangers,
    not_ours: usize,
}

/// What came under our names from those whom no rule names, and what is beyond
/// the first few of an owner that a rule names.
#[derive(Debug, Clone, Default)]
pub struct Strangers {
    /// How many invitations.
    pub invitations: usize,
    /// How many shares that the account can see already.
    pub shares: usize,
    /// Who sent how many; of very many senders only some.
    senders: BTreeMap<AccountId, usize>,
    /// The first ones in order.
    samples: BTreeSet<Sample>,
    /// When the invitations were sent.
    sent: Vec<Timestamp>,
    /// The first invitations in order, as many as may be rejected.
    rejectable: BTreeSet<InvitationArn>,
}

/// One of many that are not what a rule says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sample {
    /// Who sent it.
    pub sender: AccountId,
    /// The name that the sender gave to the share.
    pub share_name: String,
    /// The ARN of the invitation, or of the share that needed none.
    pub arn: String,
    /// Why it is not trusted.
    #[serde(flatten)]
    pub refusal: Refusal,
}

impl<'a> Triage<'a> {
    /// Begins to sort what this account has received.
    #[must_use]
    pub fn new(policy: &'a Policy, receiver: Receiver<'a>, most_rejected: usize) -> Self {
        Self {
            policy,
            receiver,
            most_rejected,
            recognized: BTreeMap::new(),
            doubtful: BTreeMap::new(),
            doubtful_shares: BTreeMap::new(),
            strangers: Strangers::default(),
            not_ours: 0,
        }
    }

    /// Sorts an invitation; one that is not pending needs no answer.
    pub fn add(&mut self, invitation: Invitation) {
        if invitation.status != InvitationStatus::Pending {
            return;
        }
        if !invitation.share_name.starts_with(PREFIX) {
            self.not_ours += 1;
            return;
        }
        let recognized = recognize_invitation(self.policy, self.receiver, &invitation);
        let Err(refusal) = recognized else {
            let group = (invitation.sender.clone(), invitation.share_name.clone());
            self.recognized.entry(group).or_default().push(invitation);
            return;
        };
        let account = self.receiver.account;
        let is_consistent =
            invitation.sender == *invitation.share.owner() && invitation.receiver == *account;
        if !is_consistent || is_stranger(self.policy, &invitation.sender, account) {
            return self.strangers.add(invitation, refusal, self.most_rejected);
        }
        let group = self.doubtful.entry(invitation.sender.clone()).or_default();
        // The first in order, however RAM sorts its list.
        group.push(invitation);
        group.sort_by(|a, b| a.arn.cmp(&b.arn));
        if group.len() > MOST_OF_OWNER
            && let Some(beyond) = group.pop()
        {
            self.strangers.add(beyond, refusal, self.most_rejected);
        }
    }

    /// Whether a share that the account can see is to be inspected by itself;
    /// others are counted if they bear our name.
    pub fn is_worth_inspecting(&mut self, share: &ShareArn, name: &str) -> bool {
        let (owner, receiver) = (share.owner(), self.receiver.account);
        let refusal = match recognize_visible(self.policy, name, owner, receiver) {
            Ok(_) => return true,
            Err(refusal) if !refusal.is_suspicious() => return false,
            Err(refusal) => refusal,
        };
        if !is_stranger(self.policy, owner, receiver) {
            let seen = self.doubtful_shares.entry(owner.clone()).or_default();
            *seen += 1;
            if *seen <= MOST_OF_OWNER {
                return true;
            }
        }
        self.strangers.shares += 1;
        self.strangers.count(owner);
        self.strangers.show(Sample {
            sender: owner.clone(),
            share_name: name.to_owned(),
            arn: share.to_string(),
            refusal,
        });
        false
    }

    /// The invitations to answer one by one: first those that a rule could
    /// have made, in turns, so that no share, and no sender who makes many
    /// under one name, keeps another waiting.
    #[must_use]
    pub fn named(&self) -> Vec<&Invitation> {
        let longest = self.recognized.values().map(Vec::len).max();
        let turns = 0..longest.unwrap_or_default();
        let recognized = turns.flat_map(|turn| {
            let groups = self.recognized.values();
            groups.filter_map(move |group| group.get(turn))
        });
        recognized.chain(self.doubtful.values().flatten()).collect()
    }

    /// What is only counted.
    #[must_use]
    pub fn strangers(&self) -> &Strangers {
        &self.strangers
    }

    /// How many invitations do not claim to be ours.
    #[must_use]
    pub fn not_ours(&self) -> usize {
        self.not_ours
    }
}

impl Strangers {
    fn add(&mut self, invitation: Invitation, refusal: Refusal, most_rejected: usize) {
        self.invitations += 1;
        self.sent.extend(invitation.sent);
        self.count(&invitation.sender);
        self.show(Sample {
            sender: invitation.sender,
            share_name: invitation.share_name,
            arn: invitation.arn.to_string(),
            refusal,
        });
        self.rejectable.insert(invitation.arn);
        if self.rejectable.len() > most_rejected {
            self.rejectable.pop_last();
        }
    }

    fn count(&mut self, sender: &AccountId) {
        if let Some(count) = self.senders.get_mut(sender) {
            *count += 1;
        } else if self.senders.len() < MOST_SENDERS {
            self.senders.insert(sender.clone(), 1);
        }
    }

    fn show(&mut self, sample: Sample) {
        self.samples.insert(sample);
        if self.samples.len() > SAMPLES {
            self.samples.pop_last();
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.invitations == 0 && self.shares == 0
    }

    /// How many accounts sent them; a thousand stands for as many or more.
    #[must_use]
    pub fn senders(&self) -> usize {
        self.senders.len()
    }

    /// The first ones in order.
    pub fn samples(&self) -> impl Iterator<Item = &Sample> {
        self.samples.iter()
    }

    /// The invitations to reject, as many as are allowed.
    pub fn rejectable(&self) -> impl Iterator<Item = &InvitationArn> {
        self.rejectable.iter()
    }

    /// How many invitations were sent after this time, and when the last one was.
    #[must_use]
    pub fn sent_after(&self, mark: Option<Timestamp>) -> (usize, Option<Timestamp>) {
        let is_newer = |sent: &&Timestamp| mark.is_none_or(|mark| **sent > mark);
        let newer = self.sent.iter().filter(is_newer);
        (newer.clone().count(), newer.max().copied())
    }
}

/// Where to begin with a list of which only a part may be done, so that what
/// one look does not reach another does. A list that every look does as a
/// whole begins at its beginning.
#[must_use]
pub fn beginning(length: usize, now: Timestamp) -> usize {
    const SURE: usize = 32;
    if length <= SURE {
        return 0;
    }
    usize::try_from(spread(now.as_second())).unwrap_or_default() % length
}

/// Numbers at regular distances as ones without any order (SplitMix64): looks
/// come at regular times.
pub(super) fn spread(number: i64) -> u64 {
    let mut bits = number.cast_unsigned().wrapping_add(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}
