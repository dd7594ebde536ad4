//! Applies a plan: remembers, makes its calls, sends its offers, forgets.

use domain::{
    id::AccountId,
    sharing::{Added, Answer, Application, NextCall, Observed, Plan, Reconciliation},
    storage::{Key, Values},
};
use futures::{StreamExt, TryStreamExt, stream};
use runtime::{Error, ports::Table};

use crate::ports::{Offers, Ram};

/// How many items are written at once.
const ITEMS_AT_ONCE: usize = 8;

/// A plan that was applied.
#[derive(Debug)]
pub(crate) struct AppliedPlan {
    application: Application<Error>,
    errors: Vec<Error>,
}

impl AppliedPlan {
    /// What it came to, and which pipelines came into shares.
    pub(crate) fn of(self, observed: &Observed) -> (Reconciliation, Option<Added>) {
        let added = self.application.added(observed);
        let (plan, steps) = self.application.finish();
        let errors = self.errors;
        let reconciled = Reconciliation {
            plan,
            steps,
            errors,
        };
        (reconciled, added)
    }
}

/// Applies a plan of an account; a failure of one part is reported and ends
/// no other, but for what the plan's [`Application`] ends.
pub(crate) async fn apply(
    table: &impl Table,
    accounts: &(impl Offers + Ram),
    plan: Plan,
    renews_offers: bool,
) -> AppliedPlan {
    let account = plan.account.clone();
    let on_record = remember(table, &plan.remember).await;
    let over = plan.forget.clone();
    let mut application = Application::new(plan, on_record.is_ok());
    while let Some(call) = application.next() {
        let outcome = make(accounts, &account, call).await;
        application.record(outcome);
    }
    let offered = accounts.send(&application.offers(renews_offers)).await;
    let forgotten = forget(table, &over).await;

    let ends = [on_record, offered, forgotten].into_iter();
    let errors: Vec<_> = ends.filter_map(Result::err).collect();
    for error in &errors {
        tracing::error!(account.id = %account, "{error}");
    }
    AppliedPlan {
        application,
        errors,
    }
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

async fn remember(table: &impl Table, keys: &[Key]) -> Result<(), Error> {
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
