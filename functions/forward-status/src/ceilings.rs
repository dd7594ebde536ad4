//! The ceilings of the owners that an invocation is about, each read once.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use aws::{Aws, Error, clients::Role};
use domain::{ceiling::Ceiling, id::AccountId};

/// What each owner answered, until the next invocation.
#[derive(Debug, Default)]
pub(crate) struct Ceilings(Mutex<BTreeMap<AccountId, Result<Ceiling, Error>>>);

impl Ceilings {
    /// Forgets what an earlier invocation read: a template may have been deployed since.
    pub(crate) fn forget(&self) {
        self.known().clear();
    }

    /// What an owner allows at most.
    pub(crate) async fn of(&self, aws: &Aws, owner: &AccountId) -> Result<Ceiling, Error> {
        let known = self.known().get(owner).cloned();
        if let Some(known) = known {
            return known;
        }
        let read = aws.ceiling(owner, Role::Watcher).await;
        self.known().insert(owner.clone(), read.clone());
        read
    }

    /// Nothing that is done under the lock leaves the map half changed.
    fn known(&self) -> MutexGuard<'_, BTreeMap<AccountId, Result<Ceiling, Error>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
