//! Announces access that ends soon, to the account that has it and to the hub.

use domain::notification::{Destination, ending_notification, endings};
use runtime::ports::Hub;

use crate::{
    AcceptInvitation, ReconcileRequest, extent::Extent, ports::Consumers, report::AccountReport,
};

impl<H: Hub, C: Consumers> AcceptInvitation<'_, H, C> {
    /// Sends each destination what it was not sent yet; one that refuses keeps the others from nothing.
    pub(crate) async fn announce_endings(
        &self,
        request: &ReconcileRequest<'_>,
        report: &mut AccountReport,
    ) {
        if request.dry_run || request.extent == Extent::Offers {
            return;
        }
        let account = request.account;
        for ending in endings(request.policy, account, request.lease_owner.now) {
            let notification = ending_notification(request.policy, account, &ending);
            for destination in [
                Destination::Hub,
                Destination::Bus(account.clone()),
                Destination::Topic(account.clone()),
            ] {
                let owner = request.lease_owner;
                let sent = self
                    .notifier
                    .publish_once(owner, &destination, &notification);
                if let Err(error) = sent.await {
                    report.fail(error);
                }
            }
        }
    }
}
