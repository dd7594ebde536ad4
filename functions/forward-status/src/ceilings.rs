//! The ceilings of the owners that an invocation is about, each read once.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use aws::Error;
use domain::{ceiling::Ceiling, id::AccountId};

use crate::ports::Ceilings;

/// What each owner answered, in one invocation: a template may be deployed before the next one.
#[derive(Debug, Default)]
pub(crate) struct KnownCeilings(Mutex<BTreeMap<AccountId, Result<Ceiling, Error>>>);

impl KnownCeilings {
    /// What an owner allows at most.
    pub(crate) async fn of(
        &self,
        accounts: &impl Ceilings,
        owner: &AccountId,
    ) -> Result<Ceiling, Error> {
        let known = self.known().get(owner).cloned();
        if let Some(known) = known {
            return known;
        }
        let read = accounts.ceiling(owner).await;
        self.known().insert(owner.clone(), read.clone());
        read
    }

    /// Nothing that is done under the lock leaves the map half changed.
    fn known(&self) -> MutexGuard<'_, BTreeMap<AccountId, Result<Ceiling, Error>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
