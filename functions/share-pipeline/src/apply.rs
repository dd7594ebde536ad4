//! Applies a plan: puts it on record, makes its calls, sends its offers and its trail, forgets.

use domain::{
    id::AccountId,
    sharing::{Added, Answer, Application, Applied, NextCall, Observed, Plan, Reconciliation},
    storage::{Key, Values},
    trail::TrailEvent,
};
use futures::{StreamExt, TryStreamExt, future::join_all, stream};
use runtime::{Class, Error, lambda::Deadline, ports::Table};

use crate::{
    ports::{Bus, Ram},
    trail,
};

/// How many items are written at once.
const ITEMS_AT_ONCE: usize = 8;

/// A plan whose calls were made.
#[derive(Debug)]
pub(crate) struct AppliedPlan {
    account: AccountId,
    application: Application<Error>,
    /// The items to delete in the end.
    over: Vec<Key>,
    errors: Vec<Error>,
}

/// Makes the calls of a plan until the deadline; a failure of one part is
/// reported and ends no other, but for what the plan's [`Application`] ends.
pub(crate) async fn apply(
    ram: &impl Ram,
    plan: Plan,
    on_record: Result<(), Error>,
    deadline: Deadline,
) -> AppliedPlan {
    let account = plan.account.clone();
    let over = plan.forget.clone();
    let mut application = Application::new(plan, on_record.is_ok());
    let mut errors: Vec<_> = on_record.err().into_iter().collect();
    loop {
        let calls = application.next();
        if calls.is_empty() {
            break;
        }
        if deadline.is_over() {
            errors.push(out_of_time(&account));
            break;
        }
        let calls = calls.into_iter().map(|call| make(ram, &account, call));
        let outcomes = join_all(calls).await;
        application.record(outcomes);
    }
    AppliedPlan {
        account,
        application,
        over,
        errors,
    }
}

impl AppliedPlan {
    /// What became of the steps so far.
    pub(crate) fn steps(&self) -> &[Applied<Error>] {
        self.application.applied()
    }

    /// Sends the offers and the events of the trail, and forgets what is over.
    pub(crate) async fn conclude(
        &mut self,
        table: &impl Table,
        bus: &impl Bus,
        renews_offers: bool,
        trail: &[TrailEvent],
    ) {
        let offers = self.application.offers(renews_offers);
        let sent = bus.put(&offers, trail).await;
        if sent.is_err() {
            trail::log(trail);
        }
        let forgotten = forget(table, &self.over).await;
        let ends = [sent, forgotten].into_iter();
        self.errors.extend(ends.filter_map(Result::err));
        for error in &self.errors {
            tracing::error!(account.id = %self.account, "{error}");
        }
    }

    /// Which pipelines came into shares.
    pub(crate) fn added(&self, observed: &Observed) -> Option<Added> {
        self.application.added(observed)
    }

    /// What it came to, and whether one of the pipelines is another one by now.
    pub(crate) fn finish(mut self, is_another: Result<bool, Error>) -> (Reconciliation, bool) {
        let is_another = is_another.unwrap_or_else(|error| {
            tracing::error!(account.id = %self.account, "{error}");
            self.errors.push(error);
            false
        });
        let (plan, steps) = self.application.finish();
        let errors = self.errors;
        let reconciled = Reconciliation {
            plan,
            steps,
            errors,
        };
        (reconciled, is_another)
    }
}

/// What has the account reconciled again, soon.
fn out_of_time(account: &AccountId) -> Error {
    let called = ("pipeshare", "Reconcile");
    let why = "the time of the invocation was used up before the last step";
    Error::new(Class::Pending, called, Some(account.clone()), None, why)
}

async fn make(ram: &impl Ram, account: &AccountId, call: NextCall<'_>) -> Result<Answer, Error> {
    match call {
        NextCall::Create(new) => {
            let created = ram.create_share(account, new).await;
            created.map(Answer::Created)
        }
        NextCall::Change(share, action) => {
            let changed = ram.change_share(account, share, action).await;
            changed.map(Answer::Changed)
        }
    }
}

/// Puts on record what is given, and for what, before it is.
pub(crate) async fn remember(table: &impl Table, keys: &[Key]) -> Result<(), Error> {
    stream::iter(keys)
        .map(async |key| table.put(&key.pk, &key.sk, &Values::new(), None).await)
        .buffer_unordered(ITEMS_AT_ONCE)
        .try_collect()
        .await
}

async fn forget(table: &impl Table, keys: &[Key]) -> Result<(), Error> {
    stream::iter(keys)
        .map(async |key| table.delete(&key.pk, &key.sk).await)
        .buffer_unordered(ITEMS_AT_ONCE)
        .try_collect()
        .await
}
