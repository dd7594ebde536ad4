//! What an account has by a rule, and how that differs from what it was notified of.
//!
//! People hear of changes, so what an account was last notified to have is
//! remembered, and compared with what it is seen to have. Only what was seen
//! counts: where nobody could look, nothing is lost. And RAM, which answers
//! from several places, may not show at one moment what it shows at the next,
//! so a loss must be seen twice.

mod view;

use std::{collections::BTreeMap, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::record::Recorded;
use crate::{
    id::{AccountId, PipelineArn, ShareArn},
    policy::{Access, RuleName},
};
use view::{Found, View};

/// How long a pipeline must have been missing before it counts as lost.
///
/// ASSUMED: AWS documents no bound for how long its answers may disagree.
pub const MISSING_FOR: SignedDuration = SignedDuration::from_secs(30);

/// By what an account has access: a rule, and whose pipelines it is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Grant {
    /// The rule.
    pub rule: RuleName,
    /// The account that owns the pipelines.
    pub owner: AccountId,
}

/// What an account has by one rule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holdings {
    /// What it may do.
    pub access: Access,
    /// With which pipelines.
    pub pipelines: BTreeMap<PipelineArn, Held>,
}

/// How an account has a pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Where it is.
    pub place: Place,
    /// Since when, as it was notified.
    pub since: Timestamp,
    /// Since when it is not to be seen any more.
    pub missing: Option<Timestamp>,
}

/// Where a pipeline is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The share that it is in.
    pub share: ShareArn,
    /// The name of the share.
    pub name: Arc<str>,
    /// When it was put in, if RAM says.
    ///
    /// ASSUMED: the time that `ListResources` tells does not change while the
    /// resource stays, and does when it is taken out and put in again.
    pub made: Option<Timestamp>,
}

/// A share that an account can see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// The share.
    pub share: ShareArn,
    /// Its name.
    pub name: Arc<str>,
    /// What it claims to serve, if its name says so.
    pub grant: Option<Grant>,
    /// What is inside.
    pub contents: Contents,
}

/// The pipelines in a share, each with the time at which it was put in.
pub type Inside = BTreeMap<PipelineArn, Option<Timestamp>>;

/// What is known of what is in a share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contents {
    /// Nothing: nobody read it, or reading failed.
    Unknown,
    /// What is inside, but the share is not what it should be; so nothing is gained by it.
    Distrusted(Inside),
    /// What is inside, and it can be used.
    Trusted(Inside),
    /// Just what is held by it, by the grant that it serves; and it can be used.
    AsHeld,
    /// All that is held by it, by whatever grant, and nothing else that is held by the
    /// grant that it serves; but the share is not what it should be.
    StillHolds,
}

impl Contents {
    /// The same without what is remembered anyway, so that what has not changed takes
    /// no room; `owned` is what is held of the share's owner, by grant.
    ///
    /// Comparing it comes to the same, as long as nothing else is held meanwhile.
    #[must_use]
    pub fn beside(
        self,
        share: &ShareArn,
        grant: &Grant,
        owned: &BTreeMap<&Grant, &Recorded>,
    ) -> Self {
        match self {
            Self::Trusted(inside) => match owned.get(grant) {
                Some(held) if held.is_just(share, &inside) => Self::AsHeld,
                _ => Self::Trusted(inside),
            },
            Self::Distrusted(inside) => {
                let owned = owned.iter().map(|(by, held)| (*by, held.holdings()));
                Self::still_holds(inside, share, grant, &owned.collect())
            }
            other => other,
        }
    }

    fn still_holds(
        mut inside: Inside,
        share: &ShareArn,
        grant: &Grant,
        owned: &BTreeMap<&Grant, Holdings>,
    ) -> Self {
        let is_kept = |(by, held): (&&Grant, &Holdings)| {
            let mut pipelines = held.pipelines.iter();
            pipelines.all(|(pipeline, held)| {
                let is_of_share = held.place.share == *share;
                let is_relevant = is_of_share || *by == grant;
                !is_relevant || inside.contains_key(pipeline) == is_of_share
            })
        };
        if owned.iter().all(is_kept) {
            return Self::StillHolds;
        }
        // Nobody asks for others: by what is not trusted nothing is gained.
        inside.retain(|pipeline, _| {
            let mut owned = owned.values();
            owned.any(|held| held.pipelines.contains_key(pipeline))
        });
        Self::Distrusted(inside)
    }
}

/// The shares that an account can see.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sightings {
    /// The shares.
    pub shares: Vec<Sighting>,
    /// Whether these are all; if not, that one is not among them proves nothing.
    pub complete: bool,
}

/// A pipeline that was gained or lost.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Moved {
    /// The pipeline.
    pub pipeline_arn: PipelineArn,
    /// Since when the account has it, or had it.
    pub since: Timestamp,
}

/// How what an account has by a rule has changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delta {
    /// What it can use now.
    pub gained: Vec<Moved>,
    /// What it cannot use any more. What was taken away and given back is in both.
    pub lost: Vec<Moved>,
    /// What it could do before with what it has kept, if that is something else now.
    pub access_before: Option<Access>,
}

impl Delta {
    /// Whether there is nothing to send.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What is held of a pipeline from now on; none if it is lost for good.
    fn keep(
        &mut self,
        pipeline: &PipelineArn,
        held: &Held,
        found: Found,
        now: Timestamp,
    ) -> Option<Held> {
        match found {
            Found::InPlace => Some(held.at(held.place.clone())),
            Found::At(place) => Some(held.at(place)),
            Found::Anew(place) => {
                self.lost.push(moved(pipeline, held.since));
                let held = Held::new(place.clone(), place.made, now);
                self.gained.push(moved(pipeline, held.since));
                Some(held)
            }
            Found::Nowhere => {
                let missing = held.missing.filter(|since| *since <= now).unwrap_or(now);
                if now.duration_since(missing) >= MISSING_FOR {
                    self.lost.push(moved(pipeline, held.since));
                    return None;
                }
                Some(Held {
                    missing: Some(missing),
                    ..held.clone()
                })
            }
        }
    }
}

/// What came of comparing what was notified with what is seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// What to remember.
    pub after: Holdings,
    /// What to send.
    pub delta: Delta,
    /// Whether a loss has yet to be seen once more.
    pub unsettled: bool,
}

/// Compares what an account was notified to have by a rule with what it is seen to have.
///
/// `access` is what the rule gives, as long as there is such a rule.
#[must_use]
pub fn compare(
    grant: &Grant,
    before: &Holdings,
    access: Option<&Access>,
    seen: &Sightings,
    now: Timestamp,
) -> Comparison {
    let view = View::new(grant, before, seen);
    let mut delta = Delta::default();
    let mut pipelines = BTreeMap::new();
    for (pipeline, held) in &before.pipelines {
        let kept = delta.keep(pipeline, held, view.find(pipeline, held), now);
        pipelines.extend(kept.map(|held| (pipeline.clone(), held)));
    }
    let unsettled = pipelines.values().any(|held| held.missing.is_some());
    // Until a share of the rule was seen to work, nothing says what can be done by it.
    let access = access.filter(|_| view.works).unwrap_or(&before.access);
    if !pipelines.is_empty() && *access != before.access {
        delta.access_before = Some(before.access.clone());
    }
    for (pipeline, place) in view.trusted {
        if !before.pipelines.contains_key(pipeline) {
            let known = before.holds_by(&place.share);
            let held = Held::new(place.clone(), place.made.filter(|_| known), now);
            delta.gained.push(moved(pipeline, held.since));
            pipelines.insert(pipeline.clone(), held);
        }
    }
    Comparison {
        after: Holdings {
            access: access.clone(),
            pipelines,
        },
        delta,
        unsettled,
    }
}

fn moved(pipeline: &PipelineArn, since: Timestamp) -> Moved {
    Moved {
        pipeline_arn: pipeline.clone(),
        since,
    }
}

impl Holdings {
    fn holds_by(&self, share: &ShareArn) -> bool {
        let mut held = self.pipelines.values();
        held.any(|held| held.place.share == *share)
    }
}

impl Held {
    /// It is had since the time at which it was put in, if that is known to be when access began.
    fn new(place: Place, began: Option<Timestamp>, now: Timestamp) -> Self {
        Self {
            place,
            since: began.map_or(now, |began| began.min(now)),
            missing: None,
        }
    }

    fn at(&self, place: Place) -> Self {
        Self {
            place,
            since: self.since,
            missing: None,
        }
    }
}
