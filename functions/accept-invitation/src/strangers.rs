//! What becomes of what strangers send: one message a day, and rejections if that is the setting.

use domain::invitation::Strangers;
use runtime::lambda::Deadline;

use runtime::ports::Hub;

use crate::{AcceptInvitation, ReconcileRequest, ports::Consumers, report::AccountReport};

impl<H: Hub, C: Consumers> AcceptInvitation<'_, H, C> {
    /// Says that there are strangers; that it could not be said keeps nothing else from being done.
    pub(crate) async fn report_strangers(
        &self,
        request: &ReconcileRequest<'_>,
        strangers: &Strangers,
        report: &mut AccountReport,
    ) {
        if strangers.is_empty() {
            return;
        }
        report.meet(strangers);
        tracing::warn!(
            account.id = %request.account,
            invitations = strangers.invitations,
            shares = strangers.shares,
            senders = strangers.senders(),
            "strangers use names like ours"
        );
        if request.dry_run {
            return;
        }
        let receiver = (request.account, &self.hub.place().region);
        let rejects = self.config.rejects;
        let told = self
            .notifier
            .notify_strangers(
                request.lease_owner,
                request.policy,
                receiver,
                strangers,
                rejects,
            )
            .await;
        if let Err(error) = told {
            report.fail(error);
        }
    }

    /// Rejects some of the invitations of strangers, if that is the setting.
    pub(crate) async fn reject_strangers(
        &self,
        request: &ReconcileRequest<'_>,
        strangers: &Strangers,
        deadline: Deadline,
        report: &mut AccountReport,
    ) {
        if request.dry_run || !self.config.rejects {
            return;
        }
        for invitation in strangers.rejectable() {
            if deadline.is_over() {
                report.cut_short();
                return;
            }
            match self.consumers.reject(request.account, invitation).await {
                Ok(()) => report.strangers_rejected(),
                // What keeps one from being rejected keeps the others, too.
                Err(error) => return report.fail(error),
            }
        }
    }
}
