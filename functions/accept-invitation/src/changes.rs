//! Tells what has changed in what an account has: observed, compared, noted, sent.

use std::collections::{BTreeMap, BTreeSet};

use aws::{Class, Error};
use domain::{
    id::ShareArn,
    invitation::{Inspection, ReceivedShare, Refusal},
    notification::{
        AccessChange, Contents, Destination, Grant, Limit, Reconciled, Room, Sighting, Sightings,
        Unsent, access_notice, excess_key, excess_notice, reconcile,
    },
    sharing::ShareName,
    storage::{self, Lease},
};

use runtime::ports::Hub;

use crate::{
    AcceptInvitation, Look,
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

/// What an account was seen to have.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    sightings: Sightings,
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
        self.sightings.shares.push(Sighting {
            share: share.arn.clone(),
            name: share.name.clone(),
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

    /// By what the account has something now.
    fn grants(&self) -> impl Iterator<Item = &Grant> {
        let trusted = |it: &&Sighting| matches!(it.contents, Contents::Trusted(_));
        let shares = self.sightings.shares.iter().filter(trusted);
        shares.filter_map(|sighting| sighting.grant.as_ref())
    }
}

impl<H: Hub, C: Consumers> AcceptInvitation<'_, H, C> {
    /// Notes what has changed, and tells it and whatever else has not been told.
    pub(crate) async fn tell_changes(
        &self,
        look: &Look<'_>,
        memory: Result<Memory, Error>,
        seen: Option<&Seen>,
        report: &mut AccountReport,
    ) {
        let mut memory = match memory {
            Ok(_) if look.dry_run => return,
            Ok(memory) => memory,
            Err(error) => return report.fail(error),
        };
        if let Some(seen) = seen {
            let noted = self.note_access(look, &mut memory, seen, report).await;
            noted.unwrap_or_else(|error| report.fail(error));
            let noted = self.note_distrust(look, &mut memory, seen, report).await;
            noted.unwrap_or_else(|error| report.fail(error));
        }
        self.send(look, &mut memory, report).await;
        let forgotten = self.forget_consumer(look, &memory).await;
        forgotten.unwrap_or_else(|error| report.fail(error));
    }

    /// Compares what the account was told that it has with what it was seen to have.
    async fn note_access(
        &self,
        look: &Look<'_>,
        memory: &mut Memory,
        seen: &Seen,
        report: &mut AccountReport,
    ) -> Result<(), Error> {
        let grants: BTreeSet<_> = memory.held.keys().chain(seen.grants()).cloned().collect();
        for grant in &grants {
            let before = memory.held.get(grant).cloned().unwrap_or_default();
            let rule = look.policy.rule(grant.rule.as_str());
            let rule = rule.filter(|rule| rule.owner == grant.owner);
            let access = rule.map(|rule| &rule.access);
            let now = look.teller.now;
            let reconciled = reconcile(grant, &before.value, access, &seen.sightings, now);
            let Reconciled {
                after,
                delta,
                unsettled,
            } = reconciled;
            if unsettled {
                report.hold_back();
            }
            if after == before.value {
                continue;
            }
            let limit = storage::limit_of_changes(look.account, grant);
            let room = memory.room(Limit::CHANGES, &limit, now);
            if room == Room::Closed && !delta.is_empty() {
                // What was told stays as it was, so the change is told with what follows.
                report.put_off(&format!("what rule {} changes", grant.rule));
                continue;
            }
            let change = AccessChange {
                consumer: look.account,
                grant,
                delta: &delta,
                now: &after,
                at: now,
                generation: before.generation + 1,
                unobserved: seen.unobserved,
            };
            let announcement = (!delta.is_empty()).then(|| Announcement {
                unsent: Unsent {
                    notice: access_notice(look.policy, &change).ending(room, LAST_CHANGE),
                    hub_only: seen.unobserved,
                },
                limit,
            });
            let noted = self.remember_held(look, memory, grant, after, announcement);
            if noted.await? {
                report.changed(grant, &delta);
            } else {
                // Somebody else has noted something; what it was is compared next time.
                report.hold_back();
            }
        }
        Ok(())
    }

    /// Compares what was said to be wrong with shares with what is.
    ///
    /// A share cannot be left, so only its owner can mend it; unless
    /// share-pipeline is at it already.
    async fn note_distrust(
        &self,
        look: &Look<'_>,
        memory: &mut Memory,
        seen: &Seen,
        report: &mut AccountReport,
    ) -> Result<(), Error> {
        let visible: BTreeSet<_> = seen.sightings.shares.iter().map(|it| &it.share).collect();
        let gone: Vec<_> = memory
            .distrusted
            .iter()
            .filter(|(_, known)| !known.value.is_empty())
            .filter(|(share, _)| match seen.judged.get(share) {
                Some(wrong) => wrong.is_none(),
                None => seen.sightings.complete && !visible.contains(share),
            })
            .map(|(share, _)| share.clone())
            .collect();
        for share in &gone {
            // Should it come back, that is news.
            let noted = self.remember_distrusted(look, memory, share, String::new(), None);
            if !noted.await? {
                report.hold_back();
            }
        }
        if look.can_wait {
            return Ok(());
        }
        // What was seldom told comes first, so that nobody hides one share behind another.
        let judged = seen.judged.iter();
        let mut wrong: Vec<_> = judged
            .filter_map(|(share, wrong)| Some((share, wrong.as_ref()?)))
            .map(|(share, wrong)| {
                let known = memory.distrusted.get(share).cloned();
                (known.unwrap_or_default(), share, wrong)
            })
            .collect();
        wrong.sort_by_key(|(known, ..)| known.generation);
        for (known, share, (name, refusal)) in wrong {
            let what = excess_key(refusal);
            if known.value == what {
                continue;
            }
            let limit = storage::limit_of_excess(look.account, share.owner());
            let room = memory.room(Limit::EXCESS, &limit, look.teller.now);
            if room == Room::Closed {
                // What is still wrong tomorrow is told then.
                report.put_off(&format!("what is wrong with {share}"));
                continue;
            }
            let (policy, generation) = (look.policy, known.generation + 1);
            let notice = excess_notice(policy, (share, name), look.account, refusal, generation);
            let announcement = Some(Announcement {
                unsent: Unsent {
                    notice: notice.ending(room, LAST_EXCESS),
                    hub_only: true,
                },
                limit,
            });
            let noted = self.remember_distrusted(look, memory, share, what, announcement);
            if !noted.await? {
                report.hold_back();
            }
        }
        Ok(())
    }

    /// Tells everybody what they have not been told, in order.
    ///
    /// One that refuses keeps the others from nothing.
    async fn send(&self, look: &Look<'_>, memory: &mut Memory, report: &mut AccountReport) {
        let mut not_now: Vec<Destination> = Vec::new();
        for (sk, unsent) in memory.unsent.clone() {
            let mut everybody = true;
            for destination in destinations(look, unsent.hub_only) {
                if not_now.contains(&destination) {
                    everybody = false;
                    continue;
                }
                let told = self
                    .notices
                    .publish_leased(look.teller, &destination, &unsent.notice);
                match told.await {
                    Ok(Lease::Taken | Lease::Done) => continue,
                    // If that run has died, somebody has to look again.
                    Ok(Lease::HeldByOther) => report.hold_back(),
                    Err(error) if look.has_left(&destination, &error) => {
                        tracing::warn!(account.id = %look.account, "nobody is left to tell: {error}");
                        continue;
                    }
                    Err(error) => report.fail(error),
                }
                everybody = false;
                not_now.push(destination);
            }
            if everybody && let Err(error) = self.forget_sent(look, memory, &sk).await {
                report.fail(error);
            }
        }
    }
}

impl Look<'_> {
    /// Whether the account is one that the policy names no more, and that does not let itself be told.
    fn has_left(&self, destination: &Destination, error: &Error) -> bool {
        self.retired.is_some()
            && *destination != Destination::Hub
            && error.class() == Class::Permanent
    }
}

fn destinations(look: &Look<'_>, hub_only: bool) -> Vec<Destination> {
    let account = || look.account.clone();
    let mut destinations = vec![Destination::Hub];
    if !hub_only {
        destinations.extend([Destination::Bus(account()), Destination::Topic(account())]);
    }
    destinations
}
