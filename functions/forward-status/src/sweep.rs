//! Finds the changes that no event told.

use std::collections::{BTreeMap, BTreeSet};

use aws::{Error, sagemaker::ChangedExecution};
use domain::{
    id::AccountId,
    notification::{Change, Seen},
    policy::Policy,
    storage::{Values, WATERMARK},
    time::{after, before},
};
use jiff::{SignedDuration, Timestamp};
use runtime::ports::Table as _;
use runtime::{
    lambda::{self, Deadline, Outcome},
    notifier::Teller,
};

use crate::{ExecutionNews, ForwardStatus, report::Report};

/// How far behind the watermark a sweep looks again. What SageMaker's search
/// shows lags behind the truth by an undocumented while (ASSUMED: less than this).
const OVERLAP: SignedDuration = SignedDuration::from_mins(30);

/// How far back a sweep looks at the most, after the sweeps have stood still:
/// what is older is no news.
const HORIZON: SignedDuration = SignedDuration::from_hours(24);

/// After how many executions is marked how far a sweep is.
const MARK_EVERY: usize = 20;

/// How many changes of an account a sweep looks at: whoever may start runs
/// there may start thousands. SageMaker runs far fewer at once.
const MOST_CHANGES: usize = 2000;

/// How old a change must be before the sweep tells it: its event may be on its way.
const GRACE: SignedDuration = SignedDuration::from_mins(2);

/// How far the executions of an account were looked at.
#[derive(Debug, Clone, Copy)]
struct Mark {
    /// When the last sweep was done: it had seen all that SageMaker showed then.
    until: Timestamp,
    /// What a sweep that was cut short has examined since, oldest first.
    examined: Option<Timestamp>,
}

impl ForwardStatus<'_> {
    /// Tells what changed in the owner accounts since the last sweep and was not told.
    ///
    /// A failure is never repeated for itself, and what the time is not enough
    /// for is not put back: the next sweep begins where this one ended, and
    /// with who waits for the longest.
    pub(crate) async fn sweep(
        &self,
        policy: &Policy,
        teller: Teller<'_>,
        only: Option<AccountId>,
        deadline: Deadline,
        report: &mut Report,
    ) -> Outcome {
        let watched = policy.rules.iter().filter(|rule| !rule.notify.is_empty());
        let watched: BTreeSet<_> = watched.map(|rule| &rule.owner).collect();
        let marks = match self.marks(&watched, only.is_none()).await {
            Ok(marks) => marks,
            Err(error) => return Outcome::Failed(error),
        };
        let mut owners: Vec<_> = watched
            .into_iter()
            .filter(|owner| only.as_ref().is_none_or(|only| only == *owner))
            .collect();
        // Who waits for the longest comes first, should the time not be enough for all.
        owners.sort_by_key(|owner| marks.get(owner).map(|mark| mark.until));
        let count = owners.len();
        for (index, owner) in owners.into_iter().enumerate() {
            // Whatever others run there, each account has its share of the time.
            let time = lambda::share_of(deadline.time_left(), count - index, 1);
            let end = deadline.within(time);
            let mark = marks.get(owner).copied();
            let swept = self.sweep_account(policy, teller, owner, mark, end, report);
            let Some(swept) = deadline.bound(Box::pin(swept)).await else {
                tracing::warn!(
                    left = count - index,
                    "the time was not enough for all accounts"
                );
                break;
            };
            if let Err(error) = swept {
                report.fail(owner, &error);
                let troubles: Vec<_> = error.trouble().into_iter().collect();
                self.notices
                    .tell_troubles(teller, policy, owner, &troubles)
                    .await;
            }
        }
        Outcome::Done
    }

    /// The marks of the accounts that are watched; a sweep of all forgets those of others.
    ///
    /// Nobody wanted to know what happens in them, and should somebody want to
    /// again, what happened meanwhile is no news.
    async fn marks(
        &self,
        watched: &BTreeSet<&AccountId>,
        all: bool,
    ) -> Result<BTreeMap<AccountId, Mark>, Error> {
        let mut marks = BTreeMap::new();
        for item in self.hub.list(WATERMARK).await? {
            let time = |name: &str| item.values.get(name)?.parse().ok();
            let account: Option<AccountId> = item.sk.parse().ok();
            match (
                account.filter(|account| watched.contains(account)),
                time("until"),
            ) {
                (Some(account), Some(until)) => {
                    let examined = time("examined");
                    marks.insert(account, Mark { until, examined });
                }
                _ if all => self.hub.delete(WATERMARK, &item.sk).await?,
                _ => {}
            }
        }
        Ok(marks)
    }

    /// Sweeps one account, oldest change first, and marks how far it is on the
    /// way, so that a run that is cut short is not done again from the start.
    ///
    /// Behind a change that the hub could not be told, nothing is marked: what
    /// people are to hear waits until the topic takes it.
    async fn sweep_account(
        &self,
        policy: &Policy,
        teller: Teller<'_>,
        owner: &AccountId,
        mark: Option<Mark>,
        end: Deadline,
        report: &mut Report,
    ) -> Result<(), Error> {
        let now = teller.now;
        let Some(Mark { until, examined }) = mark else {
            // The first sweep only marks where to begin: what happened before
            // pipeshare came is no news.
            return self.mark(owner, now, None).await;
        };
        // A mark of a time to come would keep every sweep from looking until then.
        let until = if until > after(now, HORIZON) {
            now
        } else {
            until
        };
        let watcher = self.aws.watcher(owner).await;
        let since = examined.filter(|since| *since <= after(now, HORIZON));
        let since = since.unwrap_or(before(until, OVERLAP));
        let since = since.max(before(before(now, HORIZON), OVERLAP));
        let (changes, is_all) = watcher
            .executions_changed_since(since, MOST_CHANGES)
            .await?;
        let mut done = examined;
        let mut heard = true;
        for (count, changed) in changes.into_iter().enumerate() {
            if end.is_over() {
                tracing::info!(account.id = %owner, "the rest is left to the next sweep");
                return self.mark(owner, until, done).await;
            }
            let modified = changed.modified;
            if modified > before(now, GRACE) {
                continue;
            }
            if let Some(news) = self.examine(policy, changed).await? {
                let told = self.tell(policy, teller, &news).await;
                if let Some(error) = told.transient() {
                    return Err(error.clone());
                }
                heard &= !told.is_unheard();
                report.push_swept(told);
            }
            if heard {
                done = Some(modified);
            }
            if heard && count % MARK_EVERY == MARK_EVERY - 1 {
                self.mark(owner, until, done).await?;
            }
        }
        if !heard {
            return Ok(());
        }
        if !is_all {
            return self.mark(owner, until, done).await;
        }
        self.mark(owner, now.max(until), None).await
    }

    /// Notes how far an account was swept.
    async fn mark(
        &self,
        owner: &AccountId,
        until: Timestamp,
        examined: Option<Timestamp>,
    ) -> Result<(), Error> {
        let examined = examined.map(|time| ("examined".to_owned(), time.to_string()));
        let values = [("until".to_owned(), until.to_string())];
        let values: Values = values.into_iter().chain(examined).collect();
        self.hub.put(WATERMARK, owner.as_str(), &values, None).await
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
            let watcher = self.aws.watcher(changed.arn.account()).await;
            let last_step = watcher.last_step_end(&changed.arn).await?;
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
