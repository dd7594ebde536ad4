//! Finds the changes that no event told.

use std::collections::BTreeSet;

use aws::{
    Class, Error, dynamodb::Values, lambda::Outcome, notices::Teller, sagemaker::ChangedExecution,
};
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

/// How old a change must be before the sweep tells it: its event may be on its way.
const GRACE: SignedDuration = SignedDuration::from_mins(2);

impl ForwardStatus<'_> {
    /// Tells what changed in all owner accounts since the last sweep and was not told.
    pub(crate) async fn sweep(
        &self,
        policy: &Policy,
        teller: Teller<'_>,
        report: &mut Report,
    ) -> Outcome {
        let owners: BTreeSet<_> = policy
            .rules
            .iter()
            .filter(|rule| !rule.notify.is_empty())
            .map(|rule| &rule.owner)
            .collect();
        let mut worst = None;
        for owner in owners {
            if let Err(error) = self.sweep_account(policy, teller, owner, report).await {
                report.fail(owner, &error);
                if error.class() != Class::Permanent {
                    worst = Some(error);
                }
            }
        }
        worst.map_or(Outcome::Done, Outcome::Failed)
    }

    /// Sweeps one account, and moves its watermark once everything was told.
    async fn sweep_account(
        &self,
        policy: &Policy,
        teller: Teller<'_>,
        owner: &AccountId,
        report: &mut Report,
    ) -> Result<(), Error> {
        let table = &self.table;
        let item = table.get(WATERMARK, owner.as_str()).await?;
        let watermark = item.and_then(|item| item.get("until")?.parse::<Timestamp>().ok());
        if let Some(watermark) = watermark {
            let reader = self.aws.reader(owner).await;
            for changed in reader.executions_changed_since(watermark - OVERLAP).await? {
                if changed.modified > teller.now - GRACE {
                    continue;
                }
                let Some(news) = self.examine(policy, changed).await? else {
                    continue;
                };
                let told = self.tell(policy, teller, &news).await;
                if let Some(error) = told.transient() {
                    return Err(error.clone());
                }
                report.push_swept(told);
            }
        }
        // The first sweep only marks where to begin: what happened before
        // pipeshare came is no news.
        let until = Values::from([("until".to_owned(), teller.now.to_string())]);
        table.put(WATERMARK, owner.as_str(), &until, None).await
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
