//! Creates and maintains the RAM shares of pipelines.
//!
//! ```text
//! hints ──▶ accounts to look at ──▶ observe ──▶ plan ──▶ execute ──▶ offers
//! ```
//!
//! A hint only says where to look. Whatever it says, the account is read
//! again, compared with the policy in force, and changed where it differs; so
//! lost, doubled, late and forged hints change nothing but the time it takes.

#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

mod ceiling;
mod config;
mod execute;
mod expired;
mod memory;
mod observe;
mod promote;
mod report;
mod tell;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use aws::{Aws, Class, Error, Hub};
use domain::{
    account::AccountRef,
    hint::{self, Action, Command, Hint, Ignored, Kind},
    id::AccountId,
    policy::{InForce, Policy},
    sharing::{self, Added, Observed, Plan},
};
use futures::{StreamExt, stream};
use runtime::{
    lambda::{self, Deadline, Outcome, Record, Reply},
    metrics::{Metric, Metrics},
    notifier::Notices,
};

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
    hub: &'a Hub<'a>,
    notices: Notices<'a, Hub<'a>>,
}

/// Where a hint says to look.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Scope<A = AccountId> {
    Account(A),
    /// Every account that shares or has shared.
    Everything,
}

/// What an account is looked at for.
#[derive(Debug, Clone, Copy)]
struct Look {
    /// Only to say what would be done.
    dry_run: bool,
    /// To offer again, too, what was offered before and still awaits acceptance.
    offers_again: bool,
}

/// A hint that is worth a look.
#[derive(Debug, Clone)]
struct Task<A = AccountId> {
    scope: Scope<A>,
    /// Whether the policy may have been written.
    promotes: bool,
    dry_run: bool,
}

impl lambda::Function for SharePipeline<'_> {
    async fn handle(&self, batch: &[Record], _: Deadline, metrics: &Metrics) -> Reply {
        let mut report = Report::default();
        let outcomes = self.serve(batch, &mut report).await;
        report.count(metrics);
        metrics.count(Metric::HubFailed, self.notices.take_refused_by_hub());
        report.reply(outcomes)
    }
}

impl<'a> SharePipeline<'a> {
    /// The function in its environment.
    #[must_use]
    pub fn new(aws: &'a Aws, hub: &'a Hub<'a>, config: Config) -> Self {
        Self {
            hub,
            notices: Notices::new(hub, &config.topic),
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
        let tasks: Vec<_> = tasks
            .into_iter()
            .map(|task| task.and_then(|task| task.of(&policy.policy)))
            .collect();

        let owners = match self.owners(&policy, &tasks).await {
            Ok(owners) => owners,
            Err(error) => {
                report.stop(&error);
                return lambda::each(batch, &Outcome::Failed(error));
            }
        };
        let looks = owners
            .iter()
            .map(|(account, look)| self.serve_account(&policy, account, *look));
        report.accounts = stream::iter(looks)
            .buffer_unordered(ACCOUNTS_AT_ONCE)
            .collect()
            .await;
        report.accounts.sort_by(|a, b| a.account.cmp(&b.account));

        self.tell_troubles(&policy.policy, batch, report).await;
        self.tell_expired(&policy.policy, batch, report).await;
        tasks.iter().map(|task| outcome(task, report)).collect()
    }

    /// The accounts to look at, and what for.
    async fn owners(
        &self,
        policy: &InForce,
        tasks: &[Result<Task, Ignored>],
    ) -> Result<BTreeMap<AccountId, Look>, Error> {
        let mut known: BTreeSet<_> = policy.policy.owners().into_iter().cloned().collect();
        let is_enough = |task: &Task| match &task.scope {
            Scope::Account(account) => known.contains(account),
            Scope::Everything => false,
        };
        // Where the policy names nobody any more, shares may have to be withdrawn yet.
        if !tasks.iter().flatten().all(is_enough) {
            known.extend(self.remembered_owners().await?);
        }
        let mut owners = BTreeMap::new();
        for task in tasks.iter().flatten() {
            let scope: Vec<_> = match &task.scope {
                Scope::Account(account) => known.get(account).into_iter().collect(),
                Scope::Everything => known.iter().collect(),
            };
            for account in scope {
                let look = owners.entry(account.clone()).or_insert(Look {
                    dry_run: true,
                    offers_again: false,
                });
                look.dry_run &= task.dry_run;
                look.offers_again |= task.scope == Scope::Everything;
            }
        }
        Ok(owners)
    }

    /// Makes one owner account what the policy says.
    ///
    /// Whoever deletes a pipeline and makes it again between look and
    /// association has another one shared; then everything is looked at once more.
    async fn serve_account(
        &self,
        policy: &InForce,
        account: &AccountId,
        look: Look,
    ) -> AccountReport {
        let (report, added) = Box::pin(self.reconcile(policy, account, look)).await;
        let Some(added) = added else {
            return report;
        };
        match self.is_another(account, &added).await {
            Ok(false) => report,
            Ok(true) => {
                tracing::warn!(account.id = %account, "a pipeline was deleted and created again while it was shared");
                let (again, _) = Box::pin(self.reconcile(policy, account, look)).await;
                again.after(report)
            }
            Err(error) => report.with_error(error),
        }
    }

    /// Observes, plans and executes; also says which pipelines came into shares.
    async fn reconcile(
        &self,
        policy: &InForce,
        account: &AccountId,
        look: Look,
    ) -> (AccountReport, Option<Added>) {
        let (planned, ceiling) =
            futures::join!(self.plan(policy, account), self.foreseen(account, look));
        let (observed, plan) = match planned {
            Ok(planned) => planned,
            Err(error) => {
                let report = AccountReport::unreachable(account, error, look.dry_run);
                return (report, None);
            }
        };
        if let Some(ceiling) = ceiling {
            let partition = self.aws.partition();
            let report = AccountReport::planned(&plan);
            return (report.bounded(&policy.policy, partition, ceiling), None);
        }
        let (report, added) = self.execute(look, &observed, plan).await;
        (self.explain(&policy.policy, report).await, added)
    }

    /// What there is, and what to do about it.
    async fn plan(&self, policy: &InForce, account: &AccountId) -> Result<(Observed, Plan), Error> {
        let generation = policy.generation();
        let policy = &policy.policy;
        let mut observed = self.observe(policy, account).await?;
        let plan = sharing::plan(policy, generation, &observed);
        let created: BTreeSet<_> = plan.created().map(|new| new.name.as_str()).collect();
        if created.is_empty() {
            return Ok((observed, plan));
        }
        let ram = self.aws.owner(account).await;
        observed.lookalikes = ram.lookalikes(&created).await?;
        let plan = sharing::plan(policy, generation, &observed);
        Ok((observed, plan))
    }
}

/// What a record of the batch asks for.
fn read(record: &Record) -> Result<Task<AccountRef>, Ignored> {
    let Hint { kind, .. } = hint::parse(&record.body)?;
    let scope = match kind {
        Kind::Pipeline(change) => Scope::Account(change.account.into()),
        Kind::Execution(change) => Scope::Account(change.account.into()),
        Kind::Step(change) => Scope::Account(change.account.into()),
        Kind::Share(change) => Scope::Account(change.account.into()),
        Kind::Offer(offer) => Scope::Account(offer.owner.into()),
        Kind::Policy(_) | Kind::Sweep => Scope::Everything,
        Kind::Command(command) => return read_command(command),
    };
    Ok(Task {
        promotes: scope == Scope::Everything,
        scope,
        dry_run: false,
    })
}

impl Task<AccountRef> {
    /// The same task for the account that the policy means.
    fn of(self, policy: &Policy) -> Result<Task, Ignored> {
        let Self {
            scope,
            promotes,
            dry_run,
        } = self;
        let scope = match scope {
            Scope::Account(account) => Scope::Account(hint::account_of(&account, policy)?),
            Scope::Everything => Scope::Everything,
        };
        Ok(Task {
            scope,
            promotes,
            dry_run,
        })
    }
}

fn read_command(command: Command) -> Result<Task<AccountRef>, Ignored> {
    let scope = match (command.action, command.account) {
        (Action::Share | Action::Sweep, Some(owner)) => Scope::Account(owner),
        (Action::Share | Action::Sweep, None) => Scope::Everything,
        (action @ Action::Accept, _) => return Err(action.not_for_this_function()),
    };
    Ok(Task {
        promotes: scope == Scope::Everything && !command.dry_run,
        scope,
        dry_run: command.dry_run,
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
    // Of a sweep, only what failed is repeated: the next one comes by itself.
    let is_sweep = task.scope == Scope::Everything;
    let is_transient = |look: &&AccountReport| look.class() == Some(Class::Transient);
    let failed = accounts.iter().copied().find(is_transient);
    if let Some(error) = failed.and_then(AccountReport::worst).filter(|_| !is_sweep) {
        return Outcome::Failed(error.clone());
    }
    let unfinished = accounts
        .iter()
        .filter(|look| look.should_requeue() || is_transient(look));
    let commands = unfinished.map(|look| Command::text(Action::Share, &look.account));
    Outcome::followed(NEXT_LOOK, commands.collect())
}
