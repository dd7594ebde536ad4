//! The sessions at hand, and what becomes of one that AWS refuses.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

use aws_config::SdkConfig;
use domain::id::AccountId;

use super::{Role, services::Services};

/// The sessions of one process, by role and account.
#[derive(Default)]
pub(crate) struct Sessions {
    /// Which invocation this is; the first one is zero or one.
    invocation: AtomicU64,
    at_hand: Mutex<BTreeMap<(Role, AccountId), AtHand>>,
}

struct AtHand {
    services: Arc<Services>,
    /// The invocation that made it.
    made: u64,
}

/// The session that a client works with.
///
/// It tells the two reasons apart for which AWS refuses one: a session of an
/// earlier invocation may have died since, and another one lives; one that was
/// made a moment ago is refused for something that only people change.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    account: AccountId,
    is_new: bool,
    sessions: Weak<Sessions>,
}

impl Sessions {
    /// Takes everything at hand for old from now on.
    pub(super) fn begin_invocation(&self) {
        self.invocation.fetch_add(1, Ordering::Relaxed);
    }

    /// The session of a role, if there is one.
    pub(super) fn find(
        self: &Arc<Self>,
        role: Role,
        account: &AccountId,
    ) -> Option<(Arc<Services>, Session)> {
        let at_hand = self.at_hand();
        let found = at_hand.get(&(role, account.clone()))?;
        let session = self.session(account, found.made);
        Some((Arc::clone(&found.services), session))
    }

    /// Keeps a session that was just made, unless another one was faster.
    pub(super) fn keep(
        self: &Arc<Self>,
        role: Role,
        account: &AccountId,
        config: SdkConfig,
    ) -> (Arc<Services>, Session) {
        let made = self.invocation();
        let mut at_hand = self.at_hand();
        let key = (role, account.clone());
        let kept = at_hand.entry(key).or_insert_with(|| AtHand {
            services: Arc::new(Services::new(config, Some(account.clone()))),
            made,
        });
        let session = self.session(account, kept.made);
        (Arc::clone(&kept.services), session)
    }

    fn session(self: &Arc<Self>, account: &AccountId, made: u64) -> Session {
        Session {
            account: account.clone(),
            is_new: made == self.invocation(),
            sessions: Arc::downgrade(self),
        }
    }

    fn invocation(&self) -> u64 {
        self.invocation.load(Ordering::Relaxed)
    }

    fn at_hand(&self) -> MutexGuard<'_, BTreeMap<(Role, AccountId), AtHand>> {
        self.at_hand.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    /// The account of the session's role.
    pub(crate) fn account(&self) -> &AccountId {
        &self.account
    }

    /// Whether this very invocation has made it.
    pub(crate) fn is_new(&self) -> bool {
        self.is_new
    }

    /// Gives up all sessions in the account: the next call there begins with new ones.
    ///
    /// Whatever made one role's session die, a deleted stack for instance, has
    /// likely ended the others, too.
    pub(crate) fn forget(&self) {
        if let Some(sessions) = self.sessions.upgrade() {
            sessions.at_hand().retain(|(_, of), _| *of != self.account);
        }
    }
}

#[cfg(test)]
impl From<AccountId> for Session {
    /// A session that nobody keeps.
    fn from(account: AccountId) -> Self {
        Self {
            account,
            is_new: true,
            sessions: Weak::new(),
        }
    }
}

#[cfg(test)]
impl std::str::FromStr for Session {
    type Err = domain::id::InvalidId;

    fn from_str(account: &str) -> Result<Self, Self::Err> {
        Ok(account.parse::<AccountId>()?.into())
    }
}
