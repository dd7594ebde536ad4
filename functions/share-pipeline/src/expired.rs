//! Tells that invitations ended without being accepted: until the next one is, somebody waits.

use domain::{
    notification::{Expired, Limit, expired_notice},
    policy::Policy,
    sharing::{Action, Audience, Observed, Plan, Reason, ShareName},
    storage,
};
use runtime::{lambda::Record, notifier};

use crate::{SharePipeline, report::Report, tell::teller};

/// What people have to know when others of the day are not told.
const LAST: &str = "This is the last message of the day about invitations of this account that were \
                    not accepted; the log of share-pipeline has the others.";

/// The invitations that ended, as far as the plan makes new ones.
///
/// Whoever needs no invitation had none.
pub(crate) fn expired(observed: &Observed, plan: &Plan) -> Vec<Expired> {
    let mut expired = Vec::new();
    for step in &plan.steps {
        let (Reason::InvitationExpired, Action::AddPrincipals { principals }) =
            (step.reason, &step.action)
        else {
            continue;
        };
        let Ok(ShareName {
            rule,
            audience: Audience::Account(_),
            ..
        }) = step.share.parse()
        else {
            continue;
        };
        let mut shares = observed.shares.iter();
        let share = shares.find(|share| Some(&share.arn) == step.arn.as_ref());
        expired.extend(principals.iter().map(|principal| {
            let invitations = share.into_iter().flat_map(|share| &share.principals);
            let invitations = invitations.filter(|it| it.entity == principal.as_str());
            Expired {
                rule: rule.clone(),
                consumer: principal.to_string(),
                invited: invitations.filter_map(|it| it.created).max(),
            }
        }));
    }
    expired
}

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
