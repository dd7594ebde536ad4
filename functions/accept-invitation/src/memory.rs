//! What a consumer account was last notified of, and what is unsent.
//!
//! Each part of it counts its changes, and is written on condition that nobody
//! has changed it meanwhile; the notification of a change is written together
//! with it. So a change is sent once, by whichever run, and is never lost.

use std::collections::BTreeMap;

use aws::Error;
use domain::{
    id::{AccountId, ShareArn},
    notification::{
        Capacity, Contents, Grant, Holdings, Limit, MAX_PART, Notification, Recorded, Tally, Unsent,
    },
    policy::Policy,
    storage::{self, Condition, Item, Key, SharedItem, Values, Write},
    time,
    trigger::Ignored,
};
use jiff::{SignedDuration, Timestamp};

use runtime::ports::Hub;

use crate::{AcceptInvitation, ReconcileRequest, Scope, Task, ports::Consumers};

/// How long it is tried to reach somebody who cannot be notified.
const KEEP_UNSENT: SignedDuration = SignedDuration::from_hours(24 * 14);

/// How long the count of what is empty is kept: longer than it is remembered
/// that a notification was sent, whose id has the count in it.
const KEEP_EMPTY: SignedDuration = SignedDuration::from_hours(24 * 180);

const GENERATION: &str = "generation";
const PARTS: &str = "parts";
const TEXT: &str = "text";
const LAST: &str = "last";

/// Something that counts its changes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Remembered<T> {
    pub(crate) value: T,
    /// How often it has changed; 0 if nothing is remembered.
    pub(crate) generation: u64,
    /// How many items it takes.
    parts: usize,
}

impl<T> Remembered<T> {
    fn of_parts(value: T, generation: u64, parts: usize) -> Self {
        Self {
            value,
            generation,
            parts,
        }
    }
}

/// What is to be said of a change.
#[derive(Debug)]
pub(crate) struct Announcement {
    pub(crate) unsent: Unsent,
    /// Where is counted how many of its kind there are.
    pub(crate) limit: Key,
}

/// What is remembered about one account.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// What it was last notified to have.
    pub(crate) held: BTreeMap<Grant, Remembered<Recorded>>,
    /// What was last reported of shares that it can see: what is wrong with
    /// them, or nothing if nothing is any more.
    pub(crate) distrusted: BTreeMap<ShareArn, Remembered<String>>,
    /// What has not reached everybody, by sort key.
    pub(crate) unsent: BTreeMap<String, Unsent>,
    /// How much was sent lately of what others can cause, by sort key.
    limits: BTreeMap<String, Tally>,
    /// The last write of the account, as the list of accounts has it.
    last: Option<String>,
}

impl Memory {
    fn read(items: Vec<Item>) -> Self {
        let mut memory = Self::default();
        let mut texts: BTreeMap<Grant, Vec<String>> = BTreeMap::new();
        for mut item in items {
            let number = |name: &str| item.values.get(name).and_then(|text| text.parse().ok());
            let generation = number(GENERATION).unwrap_or_default();
            let parts = number(PARTS).unwrap_or(1);
            let text = item.values.remove(TEXT).unwrap_or_default();
            match SharedItem::parse(&item.sk) {
                Some(SharedItem::Held(grant, part)) => {
                    if part == 0 {
                        let parts = usize::try_from(parts).unwrap_or(1);
                        let held = Remembered::of_parts(Recorded::default(), generation, parts);
                        memory.held.insert(grant.clone(), held);
                    }
                    texts.entry(grant).or_default().push(text);
                }
                Some(SharedItem::Distrusted(share)) => {
                    let distrusted = Remembered {
                        value: text,
                        generation,
                        parts: 1,
                    };
                    memory.distrusted.insert(share, distrusted);
                }
                Some(SharedItem::Limit) => {
                    let tally = Tally::from_values(&item.values);
                    memory.limits.insert(item.sk, tally);
                }
                Some(SharedItem::Unsent) => {
                    let unsent = Unsent::from_values(&item.values);
                    memory.unsent.extend(unsent.map(|unsent| (item.sk, unsent)));
                }
                None => tracing::warn!(item.sk, "the table holds something odd"),
            }
        }
        for (grant, held) in &mut memory.held {
            let texts = texts.remove(grant).unwrap_or_default();
            held.value = texts.concat().into();
        }
        memory
    }

    /// What is in a share, without what is remembered anyway.
    pub(crate) fn beside(&self, grant: &Grant, share: &ShareArn, contents: Contents) -> Contents {
        let held = self.held.iter();
        let owned = held.filter(|(held, _)| held.owner == grant.owner);
        let owned = owned.map(|(grant, held)| (grant, &held.value)).collect();
        contents.beside(share, grant, &owned)
    }

    /// How many pipelines it was notified to have, by share.
    pub(crate) fn sizes(&self) -> BTreeMap<ShareArn, usize> {
        let held = self.held.values();
        held.flat_map(|held| held.value.shares()).collect()
    }

    /// What is unsent, in the order in which it happened, as far as it is about one thing.
    ///
    /// Ids say the generation without leading zeros, so that by their keys the tenth would
    /// come before the second.
    pub(crate) fn unsent_in_order(&self) -> Vec<(String, Unsent)> {
        let mut unsent: Vec<_> = self.unsent.clone().into_iter().collect();
        unsent.sort_by(|(a, _), (b, _)| a.rsplit('|').next().cmp(&b.rsplit('|').next()));
        unsent
    }

    /// Whether another message of this kind can be sent.
    pub(crate) fn capacity(&self, limit: Limit, key: &Key, now: Timestamp) -> Capacity {
        let tally = self.limits.get(&key.sk).cloned().unwrap_or_default();
        limit.capacity(&tally, now)
    }

    /// Whether there is nothing left to send about the account, now or later.
    fn is_empty(&self) -> bool {
        let mut held = self.held.values();
        let mut distrusted = self.distrusted.values();
        self.unsent.is_empty()
            && held.all(|held| held.value.holdings().pipelines.is_empty())
            && distrusted.all(|distrusted| distrusted.value.is_empty())
    }
}

/// The accounts that something is remembered about, each with its last write.
pub(crate) type Known = BTreeMap<AccountId, String>;

impl<H: Hub, C: Consumers> AcceptInvitation<'_, H, C> {
    /// The accounts that something is remembered about and that the policy names
    /// no more, if a task may be about one of them.
    ///
    /// That they cannot be read keeps nothing else from being done: the next scheduled reconciliation reads them.
    pub(crate) async fn retired(&self, policy: &Policy, tasks: &[Result<Task, Ignored>]) -> Known {
        let consumers = policy.consumers();
        let is_enough = |task: &Task| match &task.scope {
            Scope::Account(account) | Scope::Rest(account, _) | Scope::RamEvent(account) => {
                consumers.contains(account)
            }
            Scope::Offer(_) | Scope::Covered => true,
            Scope::Everything => false,
        };
        if tasks.iter().flatten().all(is_enough) {
            return Known::new();
        }
        let items = match self.hub.list(storage::CONSUMERS).await {
            Ok(items) => items,
            Err(error) => {
                tracing::error!("accounts that no rule names any more are left out: {error}");
                return Known::new();
            }
        };
        let known = items.into_iter().filter_map(|mut item| {
            let account: AccountId = item.sk.parse().ok()?;
            let last = item.values.remove(LAST).unwrap_or_default();
            (!consumers.contains(&account)).then_some((account, last))
        });
        known.collect()
    }

    /// What is remembered about the account.
    pub(crate) async fn recall(&self, request: &ReconcileRequest<'_>) -> Result<Memory, Error> {
        let items = self.hub.list(&storage::shared(request.account)).await?;
        Ok(Memory {
            last: request.retired.clone(),
            ..Memory::read(items)
        })
    }

    /// Remembers what an account has by a rule, and what to say about it;
    /// whether that is so now, and not because of somebody else.
    pub(crate) async fn remember_held(
        &self,
        request: &ReconcileRequest<'_>,
        memory: &mut Memory,
        grant: &Grant,
        after: Holdings,
        notification: Option<Announcement>,
    ) -> Result<bool, Error> {
        let before = memory.held.get(grant);
        let (known, known_parts) = before.map_or((0, 0), |held| (held.generation, held.parts));
        let generation = known + 1;
        let (value, expires) = (
            Recorded::from(&after),
            request.expiry(after.pipelines.is_empty()),
        );
        let texts = value.parts(MAX_PART);
        let parts = texts.len();
        let key = |part| storage::held(request.account, grant, part);
        let superfluous = (parts..known_parts).map(|part| Write::Delete {
            key: key(part),
            condition: Condition::Any,
        });
        let puts = texts.into_iter().enumerate().map(|(part, text)| {
            let mut values = values([(TEXT, text)]);
            let mut condition = Condition::Any;
            if part == 0 {
                values.extend(counts(generation, parts));
                condition = unchanged(known);
            }
            Write::Put {
                key: key(part),
                values,
                expires,
                condition,
            }
        });
        let writes = superfluous.chain(puts).collect();
        let write = self.write(request, memory, writes, notification, generation);
        let is_ours = write.await?;
        if is_ours {
            let held = Remembered::of_parts(value, generation, parts);
            memory.held.insert(grant.clone(), held);
        }
        Ok(is_ours)
    }

    /// Remembers what is wrong with a share, and what to say about it; whether that is so now.
    pub(crate) async fn remember_distrusted(
        &self,
        request: &ReconcileRequest<'_>,
        memory: &mut Memory,
        share: &ShareArn,
        what: String,
        notification: Option<Announcement>,
    ) -> Result<bool, Error> {
        let before = memory.distrusted.get(share).cloned().unwrap_or_default();
        let generation = before.generation + 1;
        let put = Write::Put {
            key: storage::distrusted(request.account, share),
            values: values([(TEXT, what.clone()), (GENERATION, generation.to_string())]),
            expires: request.expiry(what.is_empty()),
            condition: unchanged(before.generation),
        };
        let is_ours = self
            .write(request, memory, vec![put], notification, generation)
            .await?;
        if is_ours {
            let distrusted = Remembered {
                value: what,
                generation,
                parts: 1,
            };
            memory.distrusted.insert(share.clone(), distrusted);
        }
        Ok(is_ours)
    }

    /// Writes all of it, what is to be said and that the account is one of those
    /// that something is remembered about; or nothing, if somebody else was first.
    async fn write(
        &self,
        request: &ReconcileRequest<'_>,
        memory: &mut Memory,
        mut writes: Vec<Write>,
        announcement: Option<Announcement>,
        generation: u64,
    ) -> Result<bool, Error> {
        let last = format!(
            "{} {generation} {}",
            request.lease_owner.holder, request.lease_owner.now
        );
        writes.push(Write::Put {
            key: storage::consumer(request.account),
            values: values([(LAST, last.clone())]),
            expires: None,
            condition: Condition::Any,
        });
        let Some(Announcement { unsent, limit }) = announcement else {
            let is_ours = self.hub.write_all(writes).await?;
            if is_ours {
                memory.last = Some(last);
            }
            return Ok(is_ours);
        };
        let put = |key: &Key, values, keep| Write::Put {
            key: key.clone(),
            values,
            expires: Some(time::after(request.lease_owner.now, keep)),
            condition: Condition::Any,
        };
        let Notification { id, .. } = &unsent.notification;
        let key = storage::unsent(request.account, id, generation);
        writes.push(put(&key, unsent.to_values(), KEEP_UNSENT));
        let tally = memory.limits.get(&limit.sk).cloned().unwrap_or_default();
        let tally = tally.counted(request.lease_owner.now);
        writes.push(put(&limit, tally.to_values(), Tally::KEPT));
        let is_ours = self.hub.write_all(writes).await?;
        if is_ours {
            memory.last = Some(last);
            memory.unsent.insert(key.sk, unsent);
            memory.limits.insert(limit.sk, tally);
        }
        Ok(is_ours)
    }

    /// Forgets what has reached everybody.
    pub(crate) async fn forget_sent(
        &self,
        request: &ReconcileRequest<'_>,
        memory: &mut Memory,
        sk: &str,
    ) -> Result<(), Error> {
        let pk = storage::shared(request.account);
        self.hub.delete(&pk, sk).await?;
        memory.unsent.remove(sk);
        Ok(())
    }

    /// Forgets an account that the policy does not name, once everything about
    /// it has been sent; unless somebody has written about it meanwhile.
    pub(crate) async fn forget_consumer(
        &self,
        request: &ReconcileRequest<'_>,
        memory: &Memory,
    ) -> Result<(), Error> {
        let Some(last) = memory.last.as_ref().filter(|_| request.retired.is_some()) else {
            return Ok(());
        };
        if memory.is_empty() {
            let delete = Write::Delete {
                key: storage::consumer(request.account),
                condition: Condition::Is(LAST, last.clone()),
            };
            self.hub.write_all(vec![delete]).await?;
        }
        Ok(())
    }
}

impl ReconcileRequest<'_> {
    /// When something is forgotten: in a while if it says that there is nothing.
    fn expiry(&self, is_empty: bool) -> Option<Timestamp> {
        is_empty.then(|| time::after(self.lease_owner.now, KEEP_EMPTY))
    }
}

/// What the first part of something says of the whole.
fn counts(generation: u64, parts: usize) -> Values {
    values([
        (GENERATION, generation.to_string()),
        (PARTS, parts.to_string()),
    ])
}

fn unchanged(generation: u64) -> Condition {
    match generation {
        0 => Condition::Absent,
        known => Condition::Is(GENERATION, known.to_string()),
    }
}

fn values<const N: usize>(values: [(&str, String); N]) -> Values {
    values.map(|(name, text)| (name.to_owned(), text)).into()
}
