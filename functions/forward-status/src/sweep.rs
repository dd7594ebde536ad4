//! Finds the changes that no event told.

use std::collections::BTreeSet;

use aws::{Error, dynamodb::Values, lambda::Outcome, notices::Teller, sagemaker::ChangedExecution};
use domain::{
    id::AccountId,
    notification::{Change, Seen},
    policy::Policy,
};
use jiff::{SignedDuration, Timestamp};

use crate::{ExecutionNews, ForwardStatus, report::Report};

/// The partition key of the times up to which executions were looked at.
const WATERMARK: &str = "watermark";

/// How far behind the watermark a sweep looks again. What SageMaker's search
/// shows lags behind the truth by an undocumented while (ASSUMED: less than this).
const OVERLAP: SignedDuration = SignedDuration::from_mins(30);

/// How far back a sweep looks at the most, after the sweeps have stood still:
/// what is older is no news.
const HORIZON: SignedDuration = SignedDuration::from_hours(24);

/// After how many executions the watermark moves.
const MARK_EVERY: usize = 20;

/// How old a change must be before the sweep tells it: its event may be on its way.
const GRACE: SignedDuration = SignedDuration::from_mins(2);

impl ForwardStatus<'_> {
    /// Tells what changed in the owner accounts since the last sweep and was not told.
    ///
    /// A failure is never repeated for itself: the next sweep begins where this one ended.
    pub(crate) async fn sweep(
        &self,
        policy: &Policy,
        teller: Teller<'_>,
        only: Option<AccountId>,
        report: &mut Report,
    ) -> Outcome {
        let owners: BTreeSet<_> = policy
            .rules
            .iter()
            .filter(|rule| !rule.notify.is_empty())
            .map(|rule| &rule.owner)
            .filter(|owner| only.as_ref().is_none_or(|only| only == *owner))
            .collect();
        for owner in owners {
            if let Err(error) = self.sweep_account(policy, teller, owner, report).await {
                report.fail(owner, &error);
                let troubles: Vec<_> = error.trouble().into_iter().collect();
                self.notices
                    .tell_troubles(teller, policy, owner, &troubles)
                    .await;
            }
        }
        Outcome::Done
    }

    /// Sweeps one account, oldest change first, and moves its watermark on the
    /// way, so that a run that is cut short is not done again from the start.
    async fn sweep_account(
        &self,
        policy: &Policy,
        teller: Teller<'_>,
        owner: &AccountId,
        report: &mut Report,
    ) -> Result<(), Error> {
        let item = self.table.get(WATERMARK, owner.as_str()).await?;
        let watermark = item.and_then(|item| item.get("until")?.parse::<Timestamp>().ok());
        let Some(mut watermark) = watermark else {
            // The first sweep only marks where to begin: what happened before
            // pipeshare came is no news.
            return self.mark(owner, teller.now).await;
        };
        let reader = self.aws.reader(owner).await;
        let since = watermark.max(teller.now - HORIZON) - OVERLAP;
        let changes = reader.executions_changed_since(since).await?;
        for (count, changed) in changes.into_iter().enumerate() {
            let modified = changed.modified;
            if modified > teller.now - GRACE {
                continue;
            }
            if let Some(news) = self.examine(policy, changed).await? {
                let told = self.tell(policy, teller, &news).await;
                if let Some(error) = told.transient() {
                    return Err(error.clone());
                }
                report.push_swept(told);
            }
            if count % MARK_EVERY == MARK_EVERY - 1 && modified > watermark {
                watermark = modified;
                self.mark(owner, watermark).await?;
            }
        }
        self.mark(owner, teller.now).await
    }

    /// Notes up to when an account was swept.
    async fn mark(&self, owner: &AccountId, until: Timestamp) -> Result<(), Error> {
        let until = Values::from([("until".to_owned(), until.to_string())]);
        self.table
            .put(WATERMARK, owner.as_str(), &until, None)
            .await
    }

    /// Finds out when the execution took its present status, if anybody wants to know.
    async fn examine(
        &self,
        policy: &Policy,
        changed: ChangedExecution,
    ) -> Result<Option<ExecutionNews>, Error> {
        let rules = domain::notification::wanting_rules(policy, &changed.arn, &changed.status);
        if rules.is_empty() {
            return Ok(None);
        }
        let at = if changed.status.is_terminal() {
            let reader = self.aws.reader(changed.arn.account()).await;
            let last_step = reader.last_step_end(&changed.arn).await?;
            last_step.unwrap_or(changed.modified)
        } else {
            changed.modified
        };
        Ok(Some(ExecutionNews {
            execution: changed.arn,
            pipeline: changed.pipeline,
            change: Change {
                status: changed.status,
                previous: None,
                at,
                seen: Seen::ByLooking,
            },
            display_name: changed.display_name,
            started: changed.started,
        }))
    }
}
