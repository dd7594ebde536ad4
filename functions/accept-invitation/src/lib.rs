//! Inspects and accepts invitations in consumer accounts, and proves the access.
//!
//! ```text
//! hints ──▶ accounts to look at ──▶ invitations ──▶ judge ──▶ accept
//!                              └──▶ accepted shares ──▶ inspect, prove
//! ```
//!
//! An invitation is judged by what is inside, and an accepted share is
//! inspected again and again, because its owner can add resources to it
//! without asking.

mod answer;
mod config;
mod inspect;
mod report;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use aws::{
    Aws, Class,
    clients::Consumer,
    lambda::{self, Outcome, Record, Reply},
    notices::{Notices, Teller},
    policy::InForce,
    telemetry::Metrics,
};
use domain::{
    hint::{self, Action, Command, Hint, Ignored, Kind, Offer},
    id::AccountId,
    policy::Policy,
};
use futures::{StreamExt, stream};

pub use config::Config;
use report::{AccountReport, Report};

/// How many accounts are looked at at once.
const ACCOUNTS_AT_ONCE: usize = 8;

/// When an account is looked at again where an invitation or a share has yet
/// to become visible, which takes seconds as a rule.
const NEXT_LOOK: Duration = Duration::from_secs(5);

/// How many more looks what seems wrong with a share is given before people are
/// told, two and a half minutes in all: share-pipeline may be at it just now,
/// and RAM may not have finished.
const PATIENCE: u32 = 5;

/// What the function works with.
#[derive(Debug)]
pub struct AcceptInvitation<'a> {
    aws: &'a Aws,
    config: Config,
    notices: Notices<'a>,
}

/// A hint that is worth a look.
#[derive(Debug, Clone)]
struct Task {
    scope: Scope,
    dry_run: bool,
}

/// Where a hint says to look.
#[derive(Debug, Clone)]
enum Scope {
    /// A share was offered to an account.
    Offer(Offer),
    /// Something may have changed in an account.
    Account(AccountId),
    /// Every account that the policy shares with.
    Everything,
}

/// One look at one account.
#[derive(Debug)]
struct Look<'a> {
    policy: &'a Policy,
    account: &'a AccountId,
    /// The offers that led here.
    offers: Vec<Offer>,
    /// Whether only to say what would be done.
    dry_run: bool,
    /// Whether there is another look to come before people have to be told.
    can_wait: bool,
    teller: Teller<'a>,
}

impl lambda::Function for AcceptInvitation<'_> {
    async fn handle(&self, batch: &[Record], metrics: &Metrics) -> Reply {
        let mut report = Report::default();
        let outcomes = self.serve(batch, &mut report).await;
        report.count(metrics);
        metrics.count("HubFailed", self.notices.take_refused_by_hub());
        report.reply(outcomes)
    }
}

impl<'a> AcceptInvitation<'a> {
    /// The function in its environment.
    #[must_use]
    pub fn new(aws: &'a Aws, config: Config) -> Self {
        Self {
            notices: Notices::new(aws, &config.settings),
            aws,
            config,
        }
    }

    /// Serves a batch of hints.
    async fn serve(&self, batch: &[Record], report: &mut Report) -> Vec<Outcome> {
        let tasks: Vec<_> = batch.iter().map(read).collect();
        let ssm = self.aws.ssm();
        let policy = match ssm.policy_in_force(&self.config.settings.policy).await {
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

        let looks = looks(&policy, &tasks, batch, self.config.can_wait);
        let looks = looks.iter().map(|look| self.serve_account(look));
        report.accounts = stream::iter(looks)
            .buffer_unordered(ACCOUNTS_AT_ONCE)
            .collect()
            .await;
        report.accounts.sort_by(|a, b| a.account.cmp(&b.account));
        if let Some(teller) = batch.first().map(Record::teller) {
            for look in &report.accounts {
                let (account, troubles) = (&look.account, look.troubles());
                self.notices
                    .tell_troubles(teller, &policy.policy, account, &troubles)
                    .await;
            }
        }
        tasks.iter().map(|task| outcome(task, report)).collect()
    }

    /// Answers what is pending in one account and inspects what it has accepted.
    async fn serve_account(&self, look: &Look<'_>) -> AccountReport {
        let mut report = AccountReport::new(look.account, look.dry_run);
        let consumer = self.aws.consumer(look.account).await;
        let Consumer { ram, .. } = &consumer;
        let (invitations, shares) = match futures::try_join!(ram.invitations(), ram.shares()) {
            Ok(seen) => seen,
            Err(error) => {
                report.fail(error);
                return report;
            }
        };
        for invitation in &invitations {
            self.answer(look, ram, invitation, &mut report).await;
        }
        for share in &shares {
            self.inspect(look, &consumer, share, &mut report).await;
        }
        for offer in &look.offers {
            report.follow_offer(look.policy, offer, &invitations, &shares);
        }
        report
    }
}

/// What a record of the batch asks for.
fn read(record: &Record) -> Result<Task, Ignored> {
    let Hint { kind, .. } = hint::parse(&record.body)?;
    let scope = match kind {
        Kind::Offer(offer) => Scope::Offer(offer),
        Kind::Share(change) => Scope::Account(change.account),
        Kind::Command(command) => return read_command(command),
        // Whatever happened to a pipeline or to the policy, it may concern everyone.
        Kind::Sweep | Kind::Policy(_) | Kind::Pipeline(_) | Kind::Execution(_) | Kind::Step(_) => {
            Scope::Everything
        }
    };
    Ok(Task {
        scope,
        dry_run: false,
    })
}

fn read_command(command: Command) -> Result<Task, Ignored> {
    let scope = match (command.action, command.account) {
        (Action::Accept | Action::Sweep, Some(account)) => Scope::Account(account),
        (Action::Accept | Action::Sweep, None) => Scope::Everything,
        (action @ Action::Share, _) => return Err(action.not_for_this_function()),
    };
    Ok(Task {
        scope,
        dry_run: command.dry_run,
    })
}

/// The accounts to look at: those that the policy shares with, as far as a hint names them.
fn looks<'a>(
    policy: &'a InForce,
    tasks: &[Result<Task, Ignored>],
    batch: &'a [Record],
    can_wait: bool,
) -> Vec<Look<'a>> {
    let consumers: BTreeSet<_> = policy.policy.consumers();
    let mut looks: BTreeMap<&AccountId, Look<'a>> = BTreeMap::new();
    for (task, record) in tasks.iter().zip(batch) {
        let Ok(Task { scope, dry_run }) = task else {
            continue;
        };
        let accounts: Vec<_> = match scope {
            // Anybody in the organization can send an offer; only one that the
            // policy could have made is followed.
            Scope::Offer(offer) if !is_plausible(&policy.policy, offer) => continue,
            Scope::Offer(Offer { consumer, .. }) | Scope::Account(consumer) => {
                consumers.get(consumer).copied().into_iter().collect()
            }
            Scope::Everything => consumers.iter().copied().collect(),
        };
        for account in accounts {
            let look = looks.entry(account).or_insert_with(|| Look {
                policy: &policy.policy,
                account,
                offers: Vec::new(),
                dry_run: true,
                can_wait,
                teller: record.teller(),
            });
            look.dry_run &= dry_run;
            // A direct invocation has no other look to come.
            look.can_wait &= record.id.is_some() && record.attempts < PATIENCE;
            if let Scope::Offer(offer) = scope {
                look.offers.push(offer.clone());
            }
        }
    }
    looks.into_values().collect()
}

fn is_plausible(policy: &Policy, offer: &Offer) -> bool {
    let rule = policy.rule(&offer.rule);
    rule.is_some_and(|rule| rule.owner == offer.owner && rule.names(&offer.consumer))
}

/// What becomes of a record, given what was found in the accounts it pointed at.
fn outcome(task: &Result<Task, Ignored>, report: &mut Report) -> Outcome {
    let (scope, account) = match task {
        Err(ignored) => {
            report.ignore(ignored);
            return Outcome::Done;
        }
        Ok(Task { scope, .. }) => match scope {
            Scope::Offer(Offer { consumer, .. }) | Scope::Account(consumer) => {
                (scope, Some(consumer))
            }
            Scope::Everything => (scope, None),
        },
    };
    let is_meant = |look: &&AccountReport| account.is_none_or(|account| *account == look.account);
    let accounts: Vec<_> = report.accounts.iter().filter(is_meant).collect();
    if let Some(account) = account
        && accounts.is_empty()
    {
        report.not_a_consumer.insert(account.clone());
        return Outcome::Done;
    }
    // Of a sweep, only what failed is repeated: the next one comes by itself.
    let is_sweep = account.is_none();
    let is_transient = |look: &&AccountReport| look.class() == Some(Class::Transient);
    let failed = accounts.iter().copied().find(is_transient);
    if let Some(error) = failed.and_then(AccountReport::worst).filter(|_| !is_sweep) {
        return Outcome::Failed(error.clone());
    }
    if let Scope::Offer(offer) = scope
        && accounts.iter().any(|look| look.awaits(offer))
    {
        return Outcome::followed(NEXT_LOOK, vec![offer.event().to_string()]);
    }
    let unfinished = accounts
        .iter()
        .filter(|look| look.wants_another_look(is_sweep) || is_transient(look));
    let commands = unfinished.map(|look| Command::text(Action::Accept, &look.account));
    Outcome::followed(NEXT_LOOK, commands.collect())
}
