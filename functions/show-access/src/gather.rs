//! Reads what a page shows, with a bounded number of calls.
//!
//! An account that cannot be read is a problem that the page shows, and hides
//! no other account. Runs are read for the pipelines of the page alone.

mod accounts;
mod now;
mod runs;

use std::{collections::BTreeSet, time::Duration};

use domain::{
    id::{AccountId, PipelineOwner},
    overview::PipelineAccess,
    policy::{InForce, Labelled, Policy},
    text::flat,
};
use futures::{StreamExt, stream};
use runtime::{
    Error,
    metrics::{Metric, Metrics},
    ports::{PolicyStore, Table},
};
use tokio::time::timeout;

use crate::{
    ports::Owners,
    request::{Request, View},
    snapshot::{Problem, Row, Snapshot},
};
use accounts::Account;

/// How many owner accounts one page reads at most.
const MOST_ACCOUNTS: usize = 60;

/// How many of these are read at once.
const ACCOUNTS_AT_ONCE: usize = 12;

/// The longest text of a failure, in characters.
const LONGEST: usize = 500;

/// Why there is nothing to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unavailable(pub(crate) String);

/// Reads what a page shows.
pub(crate) struct Gatherer<'g, H, A> {
    pub(crate) hub: &'g H,
    pub(crate) accounts: &'g A,
    pub(crate) metrics: &'g Metrics,
    /// How long it may take.
    pub(crate) time: Duration,
}

impl<H: PolicyStore + Table, A: Owners> Gatherer<'_, H, A> {
    /// Reads it all.
    pub(crate) async fn gather(&self, request: &Request) -> Result<Snapshot, Unavailable> {
        let in_force = self.policy().await?;
        let (owners, left_out) = owners(&in_force.policy, &request.view);
        let asking = async {
            let reading = owners.iter().map(|owner| self.account(&in_force, owner));
            let read = stream::iter(reading).buffered(ACCOUNTS_AT_ONCE);
            read.collect::<Vec<_>>().await
        };
        let (read, known) = futures::join!(asking, self.known(request, &in_force));
        let (mut problems, documents, accounts) = known;
        let rows = self.rows(read, &mut problems);
        if left_out > 0 {
            problems.push(Problem {
                account: None,
                what: format!("{left_out} owner accounts are not shown, since a page reads {MOST_ACCOUNTS}; filter by a pipeline's ARN to see one of theirs"),
            });
        }
        let mut snapshot = Snapshot {
            now: self.hub.time(),
            policy: in_force.policy,
            rows: Vec::new(),
            total: 0,
            page: 1,
            pages: 1,
            problems,
            invitations: now::invitations(&rows),
            documents,
            accounts,
        };
        select(&mut snapshot, rows, request);
        self.read_runs(&mut snapshot, request).await;
        Ok(snapshot)
    }

    async fn policy(&self) -> Result<InForce, Unavailable> {
        let labelled = timeout(self.time, self.hub.labelled()).await;
        match labelled {
            Ok(Ok(Labelled::Policy(in_force))) => Ok(*in_force),
            Ok(Ok(Labelled::Nothing)) => Err(Unavailable(
                "No policy is in force, so nothing is shared.".to_owned(),
            )),
            Ok(Ok(Labelled::Refused { version, errors })) => Err(Unavailable(format!(
                "Version {version} of the policy is in force and not valid, so the functions do nothing: {errors}"
            ))),
            Ok(Err(error)) => Err(Unavailable(format!("The policy cannot be read: {error}"))),
            Err(_) => Err(Unavailable("The policy was not read in time.".to_owned())),
        }
    }

    /// The pipelines of all accounts, and what is wrong with those that have none.
    fn rows(
        &self,
        read: Vec<(AccountId, Option<Result<Account, Error>>)>,
        problems: &mut Vec<Problem>,
    ) -> Vec<Row> {
        let mut rows = Vec::new();
        for (owner, account) in read {
            match account {
                Some(Ok(account)) => {
                    let row = |access: PipelineAccess| Row {
                        owner: owner.clone(),
                        access,
                        runs: None,
                        failure: None,
                    };
                    rows.extend(account.pipelines.into_iter().map(row));
                    problems.extend(account.problems);
                }
                Some(Err(error)) => problems.push(self.unreadable(&owner, &error)),
                None => problems.push(Problem {
                    what: "The account was not read in time.".to_owned(),
                    account: Some(owner),
                }),
            }
        }
        rows
    }

    fn unreadable(&self, owner: &AccountId, error: &Error) -> Problem {
        tracing::warn!(account.id = %owner, "{error}");
        if error.class() == runtime::Class::Permanent {
            self.metrics.count(Metric::AccountFailed, 1);
        }
        Problem {
            account: Some(owner.clone()),
            what: flat(&format!("The account cannot be read: {error}"), LONGEST),
        }
    }
}

/// The owner accounts that a page is about, and how many it leaves out.
fn owners(policy: &Policy, view: &View) -> (Vec<AccountId>, usize) {
    let ended = policy.ended.iter().map(|rule| &rule.owner);
    let known: BTreeSet<_> = policy.owners().into_iter().chain(ended).collect();
    if let View::Pipeline(arn) = view {
        let PipelineOwner::Account(owner) = arn.owner() else {
            return (Vec::new(), 0);
        };
        let owner = known.into_iter().filter(|it| *it == owner);
        return (owner.cloned().collect(), 0);
    }
    let mut owners: Vec<_> = known.into_iter().cloned().collect();
    let left_out = owners.len().saturating_sub(MOST_ACCOUNTS);
    owners.truncate(MOST_ACCOUNTS);
    (owners, left_out)
}

/// Keeps the rows of the page that is asked for.
fn select(snapshot: &mut Snapshot, rows: Vec<Row>, request: &Request) {
    let wanted = request.filter.to_lowercase();
    let mut rows: Vec<_> = rows
        .into_iter()
        .filter(|row| match &request.view {
            View::Pipeline(arn) => row.arn() == arn,
            _ => is_found(snapshot, row, &wanted),
        })
        .collect();
    let name = |row: &Row| snapshot.policy.display_name(&row.owner).to_owned();
    rows.sort_by_cached_key(|row| (name(row), row.arn().clone()));
    snapshot.total = rows.len();
    snapshot.pages = rows.len().div_ceil(request.rows).max(1);
    snapshot.page = request.page.min(snapshot.pages);
    let before = (snapshot.page - 1) * request.rows;
    snapshot.rows = rows.into_iter().skip(before).take(request.rows).collect();
}

/// Whether a row has what the filter asks for: in its ARN, or in the name of an account.
fn is_found(snapshot: &Snapshot, row: &Row, wanted: &str) -> bool {
    let has = |text: &str| text.to_lowercase().contains(wanted);
    let mut entries = row.access.entries.iter();
    has(row.arn().as_str())
        || has(&snapshot.account(&row.owner))
        || entries.any(|it| has(&it.principal) || has(&snapshot.principal(&it.principal)))
}
