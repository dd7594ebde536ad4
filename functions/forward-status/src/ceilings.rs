//! The ceilings of the owners that an invocation is about, each read once.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use aws::Error;
use domain::{ceiling::Ceiling, id::AccountId};
use tokio::sync::OnceCell;

use crate::ports::Ceilings;

/// What each owner answered, in one invocation: a template may be deployed before the next one.
#[derive(Debug, Default)]
pub(crate) struct KnownCeilings(Mutex<BTreeMap<AccountId, Answer>>);

/// What an owner answers, for all who wait for it.
type Answer = Arc<OnceCell<Result<Ceiling, Error>>>;

impl KnownCeilings {
    /// What an owner allows at most.
    pub(crate) async fn of(
        &self,
        accounts: &impl Ceilings,
        owner: &AccountId,
    ) -> Result<Ceiling, Error> {
        let answer = self.answer_of(owner);
        let read = answer.get_or_init(|| accounts.ceiling(owner));
        read.await.clone()
    }

    /// Nothing that is done under the lock leaves the map half changed.
    fn answer_of(&self, owner: &AccountId) -> Answer {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(owner.clone()).or_default().clone()
    }
}
