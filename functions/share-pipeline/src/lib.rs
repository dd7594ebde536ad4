//! Creates and maintains the RAM shares of pipelines.
//!
//! ```text
//! hints ──▶ accounts to look at ──▶ observe ──▶ plan ──▶ execute ──▶ offers
//! ```
//!
//! A hint only says where to look. Whatever it says, the account is read
//! again, compared with the policy in force, and changed where it differs; so
//! lost, doubled, late and forged hints change nothing but the time it takes.

mod config;
mod execute;
mod memory;
mod observe;
mod promote;
mod report;
mod tell;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use aws::{
    Aws, Class, Error,
    dynamodb::Table,
    lambda::{self, Outcome, Record, Reply},
    notices::Notices,
    policy::InForce,
    telemetry::Metrics,
};
use domain::{
    hint::{self, Action, Command, Hint, Ignored, Kind},
    id::AccountId,
    sharing,
};
use futures::{StreamExt, stream};

pub use config::Config;
use report::{AccountReport, Report};

/// How many accounts are looked at at once.
const ACCOUNTS_AT_ONCE: usize = 8;

/// When an account is looked at again whose shares are still settling: RAM
/// takes seconds as a rule, and "a few minutes" by its own word.
const NEXT_LOOK: Duration = Duration::from_secs(5);

/// What the function works with.
#[derive(Debug)]
pub struct SharePipeline<'a> {
    aws: &'a Aws,
    config: Config,
    table: Table,
    notices: Notices<'a>,
}

/// Where a hint says to look.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Scope {
    Account(AccountId),
    /// Every account that shares or has shared.
    Everything,
}

/// A hint that is worth a look.
#[derive(Debug, Clone)]
struct Task {
    scope: Scope,
    /// Whether the policy may have been written.
    promotes: bool,
    dry_run: bool,
}

impl lambda::Function for SharePipeline<'_> {
    async fn handle(&self, batch: &[Record], metrics: &Metrics) -> Reply {
        let mut report = Report::default();
        let outcomes = self.serve(batch, &mut report).await;
        report.count(metrics);
        report.reply(outcomes)
    }
}

impl<'a> SharePipeline<'a> {
    /// The function in its environment.
    #[must_use]
    pub fn new(aws: &'a Aws, config: Config) -> Self {
        Self {
            table: aws.table(&config.settings.table),
            notices: Notices::new(aws, &config.settings),
            aws,
            config,
        }
    }

    /// Serves a batch of hints.
    async fn serve(&self, batch: &[Record], report: &mut Report) -> Vec<Outcome> {
        let tasks: Vec<_> = batch.iter().map(read).collect();
        let policy = match self.policy(&tasks, batch, report).await {
            Ok(Some(policy)) => policy,
            Ok(None) => {
                report.stop(&"no policy is in force");
                return lambda::each(batch, &Outcome::Done);
            }
            Err(error) => {
                report.stop(&error);
                return lambda::each(batch, &Outcome::Failed(error));
            }
        };
        report.policy_version = Some(policy.version);

        let owners = match self.owners(&policy, &tasks).await {
            Ok(owners) => owners,
            Err(error) => {
                report.stop(&error);
                return lambda::each(batch, &Outcome::Failed(error));
            }
        };
        let looks = owners
            .iter()
            .map(|(account, dry_run)| self.serve_account(&policy, account, *dry_run));
        report.accounts = stream::iter(looks)
            .buffer_unordered(ACCOUNTS_AT_ONCE)
            .collect()
            .await;
        report.accounts.sort_by(|a, b| a.account.cmp(&b.account));

        if let Err(error) = self.tell_problems(&policy.policy, batch, report).await {
            tracing::error!("people could not be told of the problems: {error}");
        }
        tasks.iter().map(|task| outcome(task, report)).collect()
    }

    /// The policy in force, after a newer one was put in force if there is one.
    async fn policy(
        &self,
        tasks: &[Result<Task, Ignored>],
        batch: &[Record],
        report: &mut Report,
    ) -> Result<Option<InForce>, Error> {
        let ssm = self.aws.ssm();
        let in_force = ssm.policy_in_force(&self.config.settings.policy).await?;
        let may_be_new = tasks.iter().flatten().any(|task| task.promotes);
        if in_force.is_some() && !may_be_new {
            return Ok(in_force);
        }
        self.promote(in_force, batch, report).await
    }

    /// The accounts to look at, and whether only to look.
    async fn owners(
        &self,
        policy: &InForce,
        tasks: &[Result<Task, Ignored>],
    ) -> Result<BTreeMap<AccountId, bool>, Error> {
        let named: BTreeSet<_> = policy.policy.owners().into_iter().cloned().collect();
        let sweeps = tasks.iter().flatten().any(|t| t.scope == Scope::Everything);
        let remembered = if sweeps {
            self.remembered_owners().await?
        } else {
            BTreeSet::new()
        };
        let mut owners = BTreeMap::new();
        for task in tasks.iter().flatten() {
            let scope: Vec<_> = match &task.scope {
                Scope::Account(account) => named.get(account).into_iter().collect(),
                Scope::Everything => named.union(&remembered).collect(),
            };
            for account in scope {
                let only_looks = owners.entry(account.clone()).or_insert(task.dry_run);
                *only_looks &= task.dry_run;
            }
        }
        Ok(owners)
    }

    /// Makes one owner account what the policy says.
    async fn serve_account(
        &self,
        policy: &InForce,
        account: &AccountId,
        dry_run: bool,
    ) -> AccountReport {
        let observed = match self.observe(&policy.policy, account).await {
            Ok(observed) => observed,
            Err(error) => return AccountReport::unreachable(account, error),
        };
        let plan = sharing::plan(&policy.policy, policy.version, &observed);
        if dry_run {
            return AccountReport::planned(&plan);
        }
        self.execute(&observed, plan).await
    }
}

/// What a record of the batch asks for.
fn read(record: &Record) -> Result<Task, Ignored> {
    let Hint { kind, .. } = hint::parse(&record.body)?;
    let account = |account| Task {
        scope: Scope::Account(account),
        promotes: false,
        dry_run: false,
    };
    let everything = Task {
        scope: Scope::Everything,
        promotes: true,
        dry_run: false,
    };
    Ok(match kind {
        Kind::Pipeline(change) => account(change.account),
        Kind::Execution(change) => account(change.account),
        Kind::Step(change) => account(change.account),
        Kind::Share(change) => account(change.account),
        Kind::Offer(offer) => account(offer.owner),
        Kind::Policy(_) | Kind::Sweep => everything,
        Kind::Command(command) => Task {
            dry_run: command.dry_run,
            ..match (command.action, command.account) {
                (Action::Share, Some(owner)) => account(owner),
                (Action::Share | Action::Sweep | Action::Accept, _) => everything,
            }
        },
    })
}

/// What becomes of a record, given what was found in the accounts it pointed at.
fn outcome(task: &Result<Task, Ignored>, report: &mut Report) -> Outcome {
    let task = match task {
        Ok(task) => task,
        Err(ignored) => {
            report.ignore(ignored);
            return Outcome::Done;
        }
    };
    let accounts: Vec<_> = report
        .accounts
        .iter()
        .filter(|look| match &task.scope {
            Scope::Account(account) => *account == look.account,
            Scope::Everything => true,
        })
        .collect();
    if let Scope::Account(account) = &task.scope
        && accounts.is_empty()
    {
        report.not_an_owner.insert(account.clone());
        return Outcome::Done;
    }
    let transient = accounts
        .iter()
        .filter_map(|look| look.worst())
        .find(|error| error.class() == Class::Transient);
    if let Some(error) = transient {
        return Outcome::Failed(error.clone());
    }
    let unfinished = accounts.iter().filter(|look| look.wants_another_look());
    let commands = unfinished.map(|look| Command::text(Action::Share, &look.account));
    Outcome::followed(NEXT_LOOK, commands.collect())
}
