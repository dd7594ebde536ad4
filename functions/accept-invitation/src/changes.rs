//! Tells what has changed in what an account has: observed, compared, noted, sent.

use std::collections::{BTreeMap, BTreeSet};

use aws::{Class, Error};
use domain::{
    id::ShareArn,
    invitation::{Inspection, ReceivedShare, Refusal},
    notification::{
        AccessChange, Capacity, Comparison, Contents, Destination, Grant, Limit, Recorded,
        Sighting, Sightings, Unsent, access_notification, compare, excess_key, excess_notification,
    },
    policy::Access,
    sharing::ShareName,
    storage::{self, Lease},
};
use futures::future::join_all;

use runtime::ports::Hub;

use crate::{
    AcceptInvitation, ReconcileRequest,
    memory::{Announcement, Memory},
    ports::Consumers,
    report::AccountReport,
};

/// What people have to know when changes are told later.
const LAST_CHANGE: &str = "So much of this was told today that what changes from now on is told together, \
                           once an hour.";

/// What people have to know when more is not told.
const LAST_EXCESS: &str = "This is the last message of the day about shares of this owner in this account: \
                           what is still wrong tomorrow is told then, and the log of accept-invitation \
                           has all.";

/// How many pipelines one reconciliation keeps that are not remembered yet, a few
/// hundred bytes each: once these are noted, the next one goes on.
const MOST_NEWS: usize = 50_000;

/// What an account was seen to have.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    sightings: Sightings,
    /// How many pipelines are in them that are not remembered as they are.
    news: usize,
    /// The shares that could be judged: the name and what is wrong with it, if something is.
    judged: BTreeMap<ShareArn, Option<(String, Refusal)>>,
    /// Whether nobody could look, since the account does not let anybody any more.
    unobserved: bool,
}

impl Seen {
    /// Notes that there is nothing that was not seen, so that what is missing is lost.
    pub(crate) fn complete(&mut self) {
        self.sightings.complete = true;
    }

    /// Whether so much is new that it is noted before more is looked at.
    pub(crate) fn is_full(&self) -> bool {
        self.news >= MOST_NEWS
    }

    /// An account that nobody can look into, and that the policy names no more.
    pub(crate) fn unobserved() -> Self {
        let mut seen = Self {
            unobserved: true,
            ..Self::default()
        };
        seen.complete();
        seen
    }

    /// Adds a share.
    pub(crate) fn add(
        &mut self,
        share: &ReceivedShare,
        inspection: Option<&Inspection>,
        contents: Contents,
    ) {
        let name: Option<ShareName> = share.name.parse().ok();
        if let Contents::Trusted(inside) = &contents {
            self.news = self.news.saturating_add(inside.len());
        }
        self.sightings.shares.push(Sighting {
            share: share.arn.clone(),
            name: share.name.as_str().into(),
            grant: name.map(|name| Grant {
                rule: name.rule,
                owner: share.arn.owner().clone(),
            }),
            contents,
        });
        let wrong = match inspection {
            Some(Inspection::Distrusted { refusal }) => Some((share.name.clone(), refusal.clone())),
            Some(_) => None,
            None => return,
        };
        self.judged.insert(share.arn.clone(), wrong);
    }

    /// The shares that were looked into, as far as that was possible.
    pub(crate) fn shares(&self) -> BTreeSet<&ShareArn> {
        self.sightings.shares.iter().map(|it| &it.share).collect()
    }

    /// By what the account has something now.
    fn grants(&self) -> impl Iterator<Item = &Grant> {
        let trusted = |it: &&Sighting| matches!(it.contents, Contents::Trusted(_));
        let shares = self.sightings.shares.iter().filter(trusted);
        shares.filter_map(|sighting| sighting.grant.as_ref())
    }

    /// The shares that were said to be wrong and are not, or are gone.
    fn rehabilitated(&self, memory: &Memory) -> Vec<ShareArn> {
        let visible = self.shares();
        let known = memory.distrusted.iter();
        let known = known.filter(|(_, known)| !known.value.is_empty());
        let over = known.filter(|(share, _)| match self.judged.get(share) {
            Some(wrong) => wrong.is_none(),
            None => self.sightings.complete && !visible.contains(share),
        });
        over.map(|(share, _)| share.clone()).collect()
    }

    /// The shares that are wrong: the name of each, and what is wrong with it.
    ///
    /// What was seldom sent comes first, so that nobody hides one share behind another.
    fn distrusted(&self, memory: &Memory) -> Vec<(&ShareArn, &(String, Refusal))> {
        let judged = self.judged.iter();
        let mut wrong: Vec<_> = judged
            .filter_map(|(share, wrong)| Some((share, wrong.as_ref()?)))
            .collect();
        wrong.sort_by_key(|(share, _)| memory.distrusted.get(share).map_or(0, |it| it.generation));
        wrong
    }
}

impl<H: Hub, C: Consumers> AcceptInvitation<'_, H, C> {
    /// Notes what has changed, and sends that and whatever else is unsent.
    pub(crate) async fn notify_changes(
        &self,
        request: &ReconcileRequest<'_>,
        memory: Result<Memory, Error>,
        seen: Option<&Seen>,
        report: &mut AccountReport,
    ) {
        let mut memory = match memory {
            Ok(_) if request.dry_run => return,
            Ok(memory) => memory,
            Err(error) => return report.fail(error),
        };
        if let Some(seen) = seen {
            let noted = self.note_access(request, &mut memory, seen, report).await;
            noted.unwrap_or_else(|error| report.fail(error));
            let noted = self.note_distrust(request, &mut memory, seen, report).await;
            noted.unwrap_or_else(|error| report.fail(error));
        }
        self.send(request, &mut memory, report).await;
        let forgotten = self.forget_consumer(request, &memory).await;
        forgotten.unwrap_or_else(|error| report.fail(error));
    }

    /// Compares the access that the account was notified of with what it was seen to have.
    async fn note_access(
        &self,
        request: &ReconcileRequest<'_>,
        memory: &mut Memory,
        seen: &Seen,
        report: &mut AccountReport,
    ) -> Result<(), Error> {
        let grants: BTreeSet<_> = memory.held.keys().chain(seen.grants()).cloned().collect();
        for grant in &grants {
            let held = memory.held.get(grant).map(|held| &held.value);
            let access = request.access(grant);
            let sightings = &seen.sightings;
            if held.is_some_and(|held| held.is_settled(grant, access, sightings)) {
                continue;
            }
            let before = held.map(Recorded::holdings).unwrap_or_default();
            let compared = compare(grant, &before, access, sightings, request.lease_owner.now);
            if compared.unsettled {
                report.defer();
            }
            if compared.after != before {
                self.note_change(request, memory, grant, compared, seen.unobserved, report)
                    .await?;
            }
        }
        Ok(())
    }

    /// Remembers what the account has by a rule now, and announces what has changed.
    async fn note_change(
        &self,
        request: &ReconcileRequest<'_>,
        memory: &mut Memory,
        grant: &Grant,
        Comparison { after, delta, .. }: Comparison,
        unobserved: bool,
        report: &mut AccountReport,
    ) -> Result<(), Error> {
        let now = request.lease_owner.now;
        let limit = storage::limit_of_changes(request.account, grant);
        let capacity = memory.capacity(Limit::CHANGES, &limit, now);
        if capacity == Capacity::Closed && !delta.is_empty() {
            // What was sent stays as it was, so the change is sent with what follows.
            report.postpone(&format!("what rule {} changes", grant.rule));
            return Ok(());
        }
        let change = AccessChange {
            consumer: request.account,
            grant,
            delta: &delta,
            now: &after,
            at: now,
            generation: memory.held.get(grant).map_or(0, |held| held.generation) + 1,
            unobserved,
        };
        let announcement = (!delta.is_empty()).then(|| Announcement {
            unsent: Unsent {
                notification: access_notification(request.policy, &change)
                    .ending(capacity, LAST_CHANGE),
                hub_only: unobserved,
            },
            limit,
        });
        let noted = self.remember_held(request, memory, grant, after, announcement);
        if noted.await? {
            report.changed(request.policy, grant, &delta);
        } else {
            // Somebody else has noted something; what it was is compared next time.
            report.defer();
        }
        Ok(())
    }

    /// Compares what was said to be wrong with shares with what is.
    ///
    /// A share cannot be left, so only its owner can fix it; unless
    /// share-pipeline is at it already.
    async fn note_distrust(
        &self,
        request: &ReconcileRequest<'_>,
        memory: &mut Memory,
        seen: &Seen,
        report: &mut AccountReport,
    ) -> Result<(), Error> {
        for share in seen.rehabilitated(memory) {
            // Should it come back, that is news.
            let noted = self.remember_distrusted(request, memory, &share, String::new(), None);
            if !noted.await? {
                report.defer();
            }
        }
        if request.can_wait {
            return Ok(());
        }
        for (share, wrong) in seen.distrusted(memory) {
            self.note_wrong(request, memory, share, wrong, report)
                .await?;
        }
        Ok(())
    }

    /// Remembers what is wrong with a share, and announces it if it is new.
    async fn note_wrong(
        &self,
        request: &ReconcileRequest<'_>,
        memory: &mut Memory,
        share: &ShareArn,
        (name, refusal): &(String, Refusal),
        report: &mut AccountReport,
    ) -> Result<(), Error> {
        let known = memory.distrusted.get(share).cloned().unwrap_or_default();
        let what = excess_key(refusal);
        if known.value == what {
            return Ok(());
        }
        let limit = storage::limit_of_excess(request.account, share.owner());
        let capacity = memory.capacity(Limit::EXCESS, &limit, request.lease_owner.now);
        if capacity == Capacity::Closed {
            // What is still wrong tomorrow is sent then.
            report.postpone(&format!("what is wrong with {share}"));
            return Ok(());
        }
        let (policy, generation) = (request.policy, known.generation + 1);
        let notification =
            excess_notification(policy, (share, name), request.account, refusal, generation);
        let announcement = Some(Announcement {
            unsent: Unsent {
                notification: notification.ending(capacity, LAST_EXCESS),
                hub_only: true,
            },
            limit,
        });
        let noted = self.remember_distrusted(request, memory, share, what, announcement);
        if !noted.await? {
            report.defer();
        }
        Ok(())
    }

    /// Sends everybody what is unsent, in order, and each to all destinations at once.
    ///
    /// One that refuses keeps the others from nothing.
    async fn send(
        &self,
        request: &ReconcileRequest<'_>,
        memory: &mut Memory,
        report: &mut AccountReport,
    ) {
        let mut not_now: Vec<Destination> = Vec::new();
        for (sk, unsent) in memory.unsent_in_order() {
            let everyone = destinations(request, unsent.hub_only).into_iter();
            let (waiting, open): (Vec<_>, Vec<_>) =
                everyone.partition(|destination| not_now.contains(destination));
            let mut everybody = waiting.is_empty();
            let told = open.into_iter().map(async |destination| {
                let (owner, notification) = (request.lease_owner, &unsent.notification);
                let told = self
                    .notifier
                    .publish_leased(owner, &destination, notification);
                let told = told.await;
                (destination, told)
            });
            for (destination, told) in join_all(told).await {
                match told {
                    Ok(Lease::Taken | Lease::Done) => continue,
                    // If that run has died, somebody has to look again.
                    Ok(Lease::HeldByOther) => report.defer(),
                    Err(error) if request.has_left(&destination, &error) => {
                        tracing::warn!(account.id = %request.account, "nobody is left to notify: {error}");
                        continue;
                    }
                    Err(error) => report.fail(error),
                }
                everybody = false;
                not_now.push(destination);
            }
            if everybody && let Err(error) = self.forget_sent(request, memory, &sk).await {
                report.fail(error);
            }
        }
    }
}

impl<'a> ReconcileRequest<'a> {
    /// What the policy gives the account by a rule of that owner now.
    fn access(&self, grant: &Grant) -> Option<&'a Access> {
        let rule = self.policy.rule(grant.rule.as_str(), &grant.owner);
        rule.map(|rule| &rule.access)
    }

    /// Whether the account is one that the policy names no more, and that accepts no notification.
    fn has_left(&self, destination: &Destination, error: &Error) -> bool {
        self.retired.is_some()
            && *destination != Destination::Hub
            && error.class() == Class::Permanent
    }
}

fn destinations(request: &ReconcileRequest<'_>, hub_only: bool) -> Vec<Destination> {
    let account = || request.account.clone();
    let mut destinations = vec![Destination::Hub];
    if !hub_only {
        destinations.extend([Destination::Bus(account()), Destination::Topic(account())]);
    }
    destinations
}
