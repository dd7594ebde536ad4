//! What was done and why: the answer to a command, the log line and the metrics.

mod found;

use std::collections::BTreeSet;

use aws::{Class, Error};
use domain::{
    id::AccountId,
    invitation::{Inspection, Invitation, InvitationOutcome, OfferState, ReceivedShare, Strangers},
    notification::{Alert, Delta, Grant},
    policy::Policy,
    reconcile::{AccountOutcome, worst},
    sharing::ShareName,
    trigger::{Command, CommandAction, Ignored, Offer},
};
use runtime::{
    lambda::{Record, RecordOutcome, Reply},
    metrics::{Metric, Metrics},
    reconcile::Stopped,
};
use serde::Serialize;

use crate::ReconcileRequest;
use found::{AnsweredInvitation, FollowedOffer, InspectedShare, Met, NotedChange};

/// One run of the function.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    /// The version of the policy that the run went by.
    pub(crate) policy_version: Option<i64>,
    /// The accounts reconciled.
    pub(crate) accounts: Vec<AccountReport>,
    /// Accounts that a trigger named and that the policy shares nothing with.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) not_a_consumer: BTreeSet<AccountId>,
    /// How many events were sent before a reconciliation that has seen what they are about.
    pub(crate) covered: usize,
    /// Records that were no triggers, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ignored: Vec<Ignored>,
    /// Why nothing was reconciled.
    #[serde(skip_serializing_if = "Option::is_none")]
    stopped: Option<String>,
}

impl Report {
    /// Notes a record that is not a trigger.
    pub(crate) fn ignore(&mut self, ignored: &Ignored) {
        self.ignored.push(ignored.clone());
    }

    /// Notes why nothing was reconciled; that the functions then change nothing is what makes it safe.
    pub(crate) fn stop(&mut self, why: &Stopped, batch: &[Record]) -> Vec<RecordOutcome> {
        self.stopped = Some(why.to_string());
        why.outcomes(batch)
    }

    /// The report as the answer to a command and as the log line.
    pub(crate) fn reply(&self, outcomes: Vec<RecordOutcome>) -> Reply {
        Reply {
            outcomes,
            summary: serde_json::to_value(self).unwrap_or_default(),
        }
    }

    /// Counts what was done.
    pub(crate) fn count(&self, metrics: &Metrics) {
        metrics.count(Metric::EventsIgnored, self.ignored.len() as u64);
        for account in &self.accounts {
            // A dry run notifies nobody, and so it raises no alarm.
            let permanent = (account.class() == Some(Class::Permanent)
                || !account.denials.is_empty())
                && !account.dry_run;
            metrics.count(Metric::AccountFailed, u64::from(permanent));
            metrics.count(Metric::AccountsCutShort, u64::from(account.is_cut_short));
            metrics.count(Metric::InvitationsNotOurs, account.not_ours as u64);
            if let Some(strangers) = &account.strangers {
                metrics.count(Metric::InvitationsRefused, strangers.invitations as u64);
                metrics.count(Metric::SharesDistrusted, strangers.shares as u64);
            }
            let answers = account.invitations.iter().filter_map(|a| a.answer.as_ref());
            for answer in answers {
                metrics.count(found::of_answer(answer), 1);
            }
            let inspections = account.shares.iter().filter_map(|s| s.inspection.as_ref());
            for inspection in inspections {
                metrics.count(found::of_inspection(inspection), 1);
            }
        }
    }
}

/// What was done in one account.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AccountReport {
    pub(crate) account: AccountId,
    dry_run: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    invitations: Vec<AnsweredInvitation>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    shares: Vec<InspectedShare>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    offers: Vec<FollowedOffer>,
    /// What came under our names from those whom no rule names.
    #[serde(skip_serializing_if = "Option::is_none")]
    strangers: Option<Met>,
    /// How many invitations do not claim to be ours.
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) not_ours: usize,
    /// Whether the time was not enough; the rest follows as a command.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    is_cut_short: bool,
    /// What it began with, unless it began with everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<Grant>,
    /// What comes next, where the time was not enough for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    left_at: Option<Grant>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    changes: Vec<NotedChange>,
    /// What is not sent now, since so much was.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    postponed: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip)]
    failures: Vec<Error>,
    /// What the account cannot use although it was shared with it.
    #[serde(skip)]
    denials: Vec<Alert>,
    /// Whether a notification waits, since its reason may be over at the next reconciliation.
    #[serde(skip)]
    holds_back: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl AccountReport {
    pub(crate) fn new(account: &AccountId, dry_run: bool) -> Self {
        Self {
            account: account.clone(),
            dry_run,
            invitations: Vec::new(),
            shares: Vec::new(),
            offers: Vec::new(),
            strangers: None,
            not_ours: 0,
            is_cut_short: false,
            from: None,
            left_at: None,
            changes: Vec::new(),
            postponed: Vec::new(),
            error: None,
            failures: Vec::new(),
            denials: Vec::new(),
            holds_back: false,
        }
    }

    /// Notes that the account could not be reconciled.
    pub(crate) fn fail(&mut self, error: Error) {
        tracing::error!(account.id = %self.account, "{error}");
        self.error = Some(error.to_string());
        self.failures.push(error);
    }

    /// Notes that the time was not enough.
    pub(crate) fn cut_short(&mut self) {
        self.is_cut_short = true;
    }

    /// Notes what a reconciliation begins with that is about the rest of an account.
    pub(crate) fn begin_with(&mut self, from: Option<Grant>) {
        self.from = from;
    }

    /// Whether it was about the rest of what the account has.
    pub(crate) fn is_of_rest(&self) -> bool {
        self.from.is_some()
    }

    /// Notes that what was read may not have been noted, so that nothing is gone on with.
    pub(crate) fn stay(&mut self) {
        self.left_at = None;
    }

    /// Notes what comes next, where the time was not enough for all.
    pub(crate) fn left_at(&mut self, next: Grant) {
        self.left_at = Some(next);
    }

    /// Whether the time was not enough.
    pub(crate) fn is_cut_short(&self) -> bool {
        self.is_cut_short
    }

    /// Whether everything was read and answered.
    pub(crate) fn is_complete(&self) -> bool {
        !self.is_cut_short && !self.dry_run && self.failures.is_empty()
    }

    /// Notes what strangers sent.
    pub(crate) fn meet(&mut self, strangers: &Strangers) {
        self.strangers = Some(Met {
            invitations: strangers.invitations,
            shares: strangers.shares,
            senders: strangers.senders(),
            rejected: 0,
            samples: strangers.samples().cloned().collect(),
        });
    }

    /// Notes that an invitation of a stranger was rejected.
    pub(crate) fn strangers_rejected(&mut self) {
        if let Some(strangers) = &mut self.strangers {
            strangers.rejected += 1;
        }
    }

    /// Notes that nobody can look into the account; as the policy does not
    /// name it any more, nobody has to fix that.
    pub(crate) fn left(&mut self, error: &Error) {
        tracing::info!(account.id = %self.account, "the account lets nobody in any more: {error}");
        self.error = Some(error.to_string());
    }

    /// Has another reconciliation follow, since a notification waits.
    pub(crate) fn defer(&mut self) {
        self.holds_back = true;
    }

    /// Notes what is not sent now, since so much was.
    pub(crate) fn postpone(&mut self, what: &str) {
        tracing::warn!(account.id = %self.account, "notification postponed, the limit is reached: {what}");
        self.postponed.push(what.to_owned());
    }

    /// Notes what the account has gained and lost.
    pub(crate) fn changed(&mut self, policy: &Policy, grant: &Grant, delta: &Delta) {
        if !delta.is_empty() {
            self.changes.push(NotedChange {
                grant: grant.clone(),
                about: policy.about(&grant.rule),
                gained: delta.gained.len(),
                lost: delta.lost.len(),
            });
        }
    }

    /// Adds the answer to an invitation.
    pub(crate) fn push(
        &mut self,
        invitation: &Invitation,
        answer: Result<InvitationOutcome, Error>,
    ) {
        let (answer, error) = self.split(answer);
        self.invitations.push(AnsweredInvitation {
            invitation: invitation.arn.clone(),
            share: invitation.share.clone(),
            share_name: invitation.share_name.clone(),
            sender: invitation.sender.clone(),
            answer,
            error,
        });
    }

    /// Adds what was found in a share.
    pub(crate) fn inspected(
        &mut self,
        request: &ReconcileRequest<'_>,
        share: &ReceivedShare,
        inspection: Result<Inspection, Error>,
    ) {
        match &inspection {
            Ok(inspection) if inspection.is_wrong() && request.can_wait => {
                self.holds_back = true;
            }
            Ok(Inspection::NoAccess { error }) => {
                let (name, owner) = (&share.name, &share.owner);
                self.denials.push(Alert {
                    kind: format!("no access {name} {owner}"),
                    text: format!("share {name} of {owner} cannot be used: {error}"),
                    rule: name.parse().ok().map(|name: ShareName| name.rule),
                });
            }
            _ => {}
        }
        let (inspection, error) = self.split(inspection);
        self.shares.push(InspectedShare {
            share: share.arn.clone(),
            share_name: share.name.clone(),
            inspection,
            error,
        });
    }

    fn split<T>(&mut self, result: Result<T, Error>) -> (Option<T>, Option<String>) {
        match result {
            Ok(value) => (Some(value), None),
            Err(error) => {
                let text = error.to_string();
                tracing::error!(account.id = %self.account, "{text}");
                self.failures.push(error);
                (None, Some(text))
            }
        }
    }

    /// Notes where an offer stands.
    pub(crate) fn follow_offer(
        &mut self,
        policy: &Policy,
        offer: &Offer,
        invitations: &[Invitation],
        shares: &[ReceivedShare],
    ) {
        let state = OfferState::of(policy, offer, invitations, shares);
        self.offers.push(FollowedOffer {
            share: offer.share.clone(),
            state,
        });
    }

    /// Whether the offer's invitation or share, or what is inside, has yet to
    /// become visible, so that the offer is to be followed once more.
    pub(crate) fn awaits(&self, offer: &Offer) -> bool {
        let mut invitations = self.invitations.iter();
        let is_unanswered = invitations.any(|invitation| {
            invitation.share == offer.share
                && invitation
                    .answer
                    .as_ref()
                    .is_some_and(InvitationOutcome::is_settling)
        });
        let mut offers = self.offers.iter();
        offers.any(|followed| {
            let awaits = match followed.state {
                OfferState::NotVisibleYet => true,
                OfferState::Invited => is_unanswered,
                _ => false,
            };
            followed.share == offer.share && awaits
        })
    }

    /// The class of the failure that decides what becomes of the trigger.
    fn class(&self) -> Option<Class> {
        self.worst().map(Error::class)
    }

    /// The failure that [`AccountReport::class`] speaks of.
    pub(crate) fn worst(&self) -> Option<&Error> {
        worst(&self.failures)
    }

    /// What only people can fix; a dry run notifies nobody.
    pub(crate) fn alerts(&self) -> Vec<Alert> {
        if self.dry_run {
            return Vec::new();
        }
        let failures = self.failures.iter().filter_map(Error::alert);
        failures.chain(self.denials.iter().cloned()).collect()
    }

    /// Whether the account changes by itself or because of this run, so that a
    /// reconciliation in a few seconds can see what became of it.
    ///
    /// A scheduled reconciliation comes again by itself, so it only follows what it has begun.
    fn should_look_again(&self, is_scheduled: bool) -> bool {
        let answers = || self.invitations.iter().filter_map(|it| it.answer.as_ref());
        let mut inspections = self.shares.iter().filter_map(|it| it.inspection.as_ref());
        let mut offers = self.offers.iter();
        let settles = answers().any(InvitationOutcome::is_settling)
            || inspections.any(Inspection::is_settling)
            || offers.any(|offer| offer.state == OfferState::Accepted)
            || self.class() == Some(Class::Pending);
        let has_begun = answers().any(InvitationOutcome::is_accepted);
        let is_unfinished = has_begun || self.holds_back;
        !self.dry_run && (is_unfinished || settles && !is_scheduled)
    }

    /// The command to go on with what comes next.
    pub(crate) fn next(&self, action: CommandAction) -> Option<String> {
        let next = self.left_at.as_ref()?;
        Some(Command::text_from(action, &self.account, next))
    }

    /// The command to look at all of it again, unless only what comes next is left.
    pub(crate) fn again(&self, action: CommandAction, is_scheduled: bool) -> Option<String> {
        let may_pass = self.class() == Some(Class::Transient);
        let is_wanted = self.left_at.is_none() || may_pass || self.should_look_again(is_scheduled);
        is_wanted.then(|| Command::text(action, &self.account))
    }

    /// What came of the account, as far as it decides on records.
    pub(crate) fn reconciled(&self, is_scheduled: bool) -> AccountOutcome<'_> {
        AccountOutcome {
            account: &self.account,
            failure: self.worst(),
            should_requeue: !self.dry_run && self.is_cut_short
                || self.should_look_again(is_scheduled),
        }
    }
}
