//! Answers one invitation.

use aws::Error;
use domain::{
    invitation::{
        self, Accepted, Invitation, InvitationOutcome, Receiver, Refusal, Verdict,
        recognize_invitation,
    },
    notification::{self, Fate, Limit, Room},
    status::InvitationStatus,
    storage,
};
use runtime::notifier;

use runtime::ports::Hub;

use crate::{AcceptInvitation, Look, ports::Consumers, report::AccountReport};

impl<H: Hub, C: Consumers> AcceptInvitation<'_, H, C> {
    /// Accepts a pending invitation if the policy allows all that is inside.
    pub(crate) async fn answer(
        &self,
        look: &Look<'_>,
        invitation: &Invitation,
        report: &mut AccountReport,
    ) {
        if invitation.status != InvitationStatus::Pending {
            return;
        }
        let answer = match self.verdict(look, invitation).await {
            Ok(None) => Ok(InvitationOutcome::Over),
            Ok(Some(Verdict::Accept(rule))) if look.dry_run => Ok(InvitationOutcome::WouldAccept {
                rule: rule.to_string(),
            }),
            Ok(Some(Verdict::Accept(rule))) => {
                self.accept(look, invitation, rule.to_string()).await
            }
            Ok(Some(Verdict::Wait)) => Ok(InvitationOutcome::NothingInside),
            Ok(Some(Verdict::Refuse(refusal))) => self.refuse(look, invitation, refusal).await,
            Err(error) => Err(error),
        };
        report.push(invitation, answer);
    }

    /// Looks inside only if the invitation claims to be ours: what others share is not our business.
    /// There is no verdict on what is not pending any more.
    async fn verdict(
        &self,
        look: &Look<'_>,
        invitation: &Invitation,
    ) -> Result<Option<Verdict>, Error> {
        let receiver = Receiver {
            account: look.account,
            region: &self.hub.place().region,
        };
        let rule = match recognize_invitation(look.policy, receiver, invitation) {
            Ok(rule) => rule,
            Err(refusal) => return Ok(Some(Verdict::Refuse(refusal))),
        };
        let inside = self
            .consumers
            .pending_resources(look.account, &invitation.arn);
        let judge = |inside: Vec<_>| invitation::judge(rule, receiver.region, &inside);
        Ok(inside.await?.map(judge))
    }

    /// Leaves the invitation alone, or rejects it if that is the setting, and says so once.
    async fn refuse(
        &self,
        look: &Look<'_>,
        invitation: &Invitation,
        refusal: Refusal,
    ) -> Result<InvitationOutcome, Error> {
        if !refusal.is_suspicious() {
            return Ok(InvitationOutcome::NotOurs);
        }
        let rejected = self.config.rejects && !look.dry_run;
        if look.dry_run {
            return Ok(InvitationOutcome::Refused { refusal, rejected });
        }
        // Told first: a rejected invitation is not looked at again.
        let region = &self.hub.place().region;
        let notice = |room| {
            let fate = Fate {
                was_rejected: rejected,
                is_last_of_day: room == Room::Last,
            };
            notification::refusal_notice(look.policy, region, invitation, &refusal, fate)
        };
        // The policy names the owner, and still it writes what it likes.
        let day = notifier::day(look.teller.now);
        let key = storage::refusals(look.account, &invitation.sender, &day);
        self.notices
            .tell_limited(look.teller, key, Limit::REFUSALS, notice)
            .await?;
        if rejected {
            self.consumers.reject(look.account, &invitation.arn).await?;
        }
        tracing::warn!(
            account.id = %look.account,
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
        look: &Look<'_>,
        invitation: &Invitation,
        rule: String,
    ) -> Result<InvitationOutcome, Error> {
        let accepted = self.consumers.accept(look.account, &invitation.arn).await?;
        Ok(match accepted {
            Accepted::Now => InvitationOutcome::Accepted { rule },
            Accepted::Already => InvitationOutcome::AlreadyAccepted { rule },
            Accepted::No => InvitationOutcome::Over,
        })
    }
}
