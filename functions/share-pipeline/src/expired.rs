//! Tells that invitations ended without being accepted: until the next one is, somebody waits.

use domain::{
    notification::{Limit, expired_notice},
    policy::Policy,
    storage,
};
use runtime::{lambda::Record, notifier};

use crate::{SharePipeline, report::Report, tell::teller};

/// What people have to know when others of the day are not told.
const LAST: &str = "This is the last message of the day about invitations of this account that were \
                    not accepted; the log of share-pipeline has the others.";

impl SharePipeline<'_> {
    /// Says once for each invitation that it was not accepted.
    pub(crate) async fn tell_expired(&self, policy: &Policy, batch: &[Record], report: &Report) {
        let Some(teller) = teller(batch) else { return };
        for look in report.accounts.iter().filter(|it| !it.expired.is_empty()) {
            let notice = |room| {
                let notice = expired_notice(policy, &look.account, &look.expired, teller.now);
                notice.ending(room, LAST)
            };
            // Several that decline by turns make another message each time.
            let key = storage::expired(&look.account, &notifier::day(teller.now));
            let told = self
                .notices
                .tell_limited(teller, key, Limit::EXPIRED, notice);
            if let Err(error) = told.await {
                tracing::error!(account.id = %look.account, "nobody could be told of expiry: {error}");
            }
        }
    }
}
