//! Answers invitations.

use aws::Error;
use domain::{
    invitation::{
        self, Accepted, Invitation, InvitationOutcome, Receiver, Refusal, Verdict,
        recognize_invitation,
    },
    notification::{self, Capacity, Fate, Limit},
    status::InvitationStatus,
    storage,
};
use futures::{StreamExt, stream};
use runtime::{lambda::Deadline, notifier};

use runtime::ports::Hub;

use crate::{AcceptInvitation, ReconcileRequest, ports::Consumers, report::AccountReport};

/// How many invitations are looked into and accepted at once.
const ANSWERS_AT_ONCE: usize = 4;

/// What is decided about an invitation.
enum Decision {
    Done(InvitationOutcome),
    /// It has yet to be reported, or rejected.
    Refuse(Refusal),
}

impl<H: Hub, C: Consumers> AcceptInvitation<'_, H, C> {
    /// Answers invitations, a few at once; whether the time was enough.
    pub(crate) async fn answer_all(
        &self,
        request: &ReconcileRequest<'_>,
        invitations: &[&Invitation],
        deadline: Deadline,
        report: &mut AccountReport,
    ) -> bool {
        let pending = invitations.iter().copied();
        let pending = pending.filter(|it| it.status == InvitationStatus::Pending);
        let mut decisions = stream::iter(pending)
            .map(async |invitation| {
                if deadline.is_over() {
                    return (invitation, None);
                }
                (invitation, Some(self.decide(request, invitation).await))
            })
            .buffered(ANSWERS_AT_ONCE);
        while let Some((invitation, decision)) = decisions.next().await {
            let answer = match decision {
                None => {
                    report.cut_short();
                    return false;
                }
                // One after the other, since they are counted.
                Some(Ok(Decision::Refuse(refusal))) => {
                    self.refuse(request, invitation, refusal).await
                }
                Some(Ok(Decision::Done(outcome))) => Ok(outcome),
                Some(Err(error)) => Err(error),
            };
            report.push(invitation, answer);
        }
        true
    }

    /// Accepts a pending invitation if the policy allows all that is inside.
    async fn decide(
        &self,
        request: &ReconcileRequest<'_>,
        invitation: &Invitation,
    ) -> Result<Decision, Error> {
        let outcome = match self.verdict(request, invitation).await? {
            None => InvitationOutcome::Over,
            Some(Verdict::Accept(rule)) if request.dry_run => InvitationOutcome::WouldAccept {
                rule: rule.to_string(),
            },
            Some(Verdict::Accept(rule)) => {
                self.accept(request, invitation, rule.to_string()).await?
            }
            Some(Verdict::Wait) => InvitationOutcome::NothingInside,
            Some(Verdict::Refuse(refusal)) => return Ok(Decision::Refuse(refusal)),
        };
        Ok(Decision::Done(outcome))
    }

    /// Looks inside only if the invitation claims to be ours: what others share is not our business.
    /// There is no verdict on what is not pending any more.
    async fn verdict(
        &self,
        request: &ReconcileRequest<'_>,
        invitation: &Invitation,
    ) -> Result<Option<Verdict>, Error> {
        let receiver = Receiver {
            account: request.account,
            region: &self.hub.place().region,
        };
        let rule = match recognize_invitation(request.policy, receiver, invitation) {
            Ok(rule) => rule,
            Err(refusal) => return Ok(Some(Verdict::Refuse(refusal))),
        };
        let inside = self
            .consumers
            .pending_resources(request.account, &invitation.arn);
        let judge = |inside: Vec<_>| invitation::judge(rule, receiver.region, &inside);
        Ok(inside.await?.map(judge))
    }

    /// Leaves the invitation alone, or rejects it if that is the setting, and says so once.
    async fn refuse(
        &self,
        request: &ReconcileRequest<'_>,
        invitation: &Invitation,
        refusal: Refusal,
    ) -> Result<InvitationOutcome, Error> {
        if !refusal.is_suspicious() {
            return Ok(InvitationOutcome::NotOurs);
        }
        let rejected = self.config.rejects && !request.dry_run;
        if request.dry_run {
            return Ok(InvitationOutcome::Refused { refusal, rejected });
        }
        // Notified first: a rejected invitation is not seen again.
        let region = &self.hub.place().region;
        let notification = |capacity| {
            let fate = Fate {
                was_rejected: rejected,
                is_last_of_day: capacity == Capacity::Last,
            };
            notification::refusal_notification(request.policy, region, invitation, &refusal, fate)
        };
        // The policy names the owner, and still it writes what it likes.
        let day = notifier::day(request.lease_owner.now);
        let key = storage::refusals(request.account, &invitation.sender, &day);
        self.notifier
            .notify_limited(request.lease_owner, key, Limit::REFUSALS, notification)
            .await?;
        if rejected {
            self.consumers
                .reject(request.account, &invitation.arn)
                .await?;
        }
        tracing::warn!(
            account.id = %request.account,
            invitation.arn = %invitation.arn,
            sender.id = %invitation.sender,
            share.name = invitation.share_name,
            reason = refusal.code(),
            "invitation not accepted: {refusal}"
        );
        Ok(InvitationOutcome::Refused { refusal, rejected })
    }

    async fn accept(
        &self,
        request: &ReconcileRequest<'_>,
        invitation: &Invitation,
        rule: String,
    ) -> Result<InvitationOutcome, Error> {
        let accepted = self
            .consumers
            .accept(request.account, &invitation.arn)
            .await?;
        Ok(match accepted {
            Accepted::Now => InvitationOutcome::Accepted { rule },
            Accepted::Already => InvitationOutcome::AlreadyAccepted { rule },
            Accepted::No => InvitationOutcome::Over,
        })
    }
}
