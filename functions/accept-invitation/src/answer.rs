//! Answers one invitation.

use aws::{
    Error,
    ram::{Accepted, Consumer},
};
use domain::{
    invitation::{self, Invitation, Receiver, Refusal, Verdict},
    notification::{self, Fate, Limit, Room},
    status::InvitationStatus,
    storage,
};
use runtime::notifier;

use crate::{
    AcceptInvitation, Look,
    report::{AccountReport, Answer},
};

impl AcceptInvitation<'_> {
    /// Accepts a pending invitation if the policy allows all that is inside.
    pub(crate) async fn answer(
        &self,
        look: &Look<'_>,
        consumer: &Consumer,
        invitation: &Invitation,
        report: &mut AccountReport,
    ) {
        if invitation.status != InvitationStatus::Pending {
            return;
        }
        let answer = match self.verdict(look, consumer, invitation).await {
            Ok(None) => Ok(Answer::Over),
            Ok(Some(Verdict::Accept(rule))) if look.dry_run => Ok(Answer::WouldAccept {
                rule: rule.to_string(),
            }),
            Ok(Some(Verdict::Accept(rule))) => accept(consumer, invitation, rule.to_string()).await,
            Ok(Some(Verdict::Wait)) => Ok(Answer::NothingInside),
            Ok(Some(Verdict::Refuse(refusal))) => {
                self.refuse(look, consumer, invitation, refusal).await
            }
            Err(error) => Err(error),
        };
        report.push(invitation, answer);
    }

    /// Looks inside only if the invitation claims to be ours: what others share is not our business.
    /// There is no verdict on what is not pending any more.
    async fn verdict(
        &self,
        look: &Look<'_>,
        consumer: &Consumer,
        invitation: &Invitation,
    ) -> Result<Option<Verdict>, Error> {
        let receiver = Receiver {
            account: look.account,
            region: self.aws.region(),
        };
        let unseen = invitation::judge(look.policy, receiver, invitation, &[]);
        if matches!(unseen, Verdict::Refuse(_)) {
            return Ok(Some(unseen));
        }
        let resources = consumer.pending_resources(&invitation.arn).await?;
        Ok(resources
            .map(|resources| invitation::judge(look.policy, receiver, invitation, &resources)))
    }

    /// Leaves the invitation alone, or rejects it if that is the setting, and says so once.
    async fn refuse(
        &self,
        look: &Look<'_>,
        consumer: &Consumer,
        invitation: &Invitation,
        refusal: Refusal,
    ) -> Result<Answer, Error> {
        if !refusal.is_suspicious() {
            return Ok(Answer::NotOurs);
        }
        let rejected = self.config.rejects && !look.dry_run;
        if look.dry_run {
            return Ok(Answer::Refused { refusal, rejected });
        }
        // Told first: a rejected invitation is not looked at again.
        let region = self.aws.region();
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
            consumer.reject(&invitation.arn).await?;
        }
        tracing::warn!(
            account.id = %look.account,
            invitation.arn = %invitation.arn,
            sender.id = %invitation.sender,
            share.name = invitation.share_name,
            reason = refusal.code(),
            "invitation not accepted: {refusal}"
        );
        Ok(Answer::Refused { refusal, rejected })
    }
}

async fn accept(
    consumer: &Consumer,
    invitation: &Invitation,
    rule: String,
) -> Result<Answer, Error> {
    Ok(match consumer.accept(&invitation.arn).await? {
        Accepted::Now => Answer::Accepted { rule },
        Accepted::Already => Answer::AlreadyAccepted { rule },
        Accepted::No => Answer::Over,
    })
}
