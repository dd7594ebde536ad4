//! What an account has by a rule, and how that differs from what it was notified of.
//!
//! People hear of changes, so what an account was last notified to have is
//! remembered, and compared with what it is seen to have. Only what was seen
//! counts: where nobody could look, nothing is lost. And RAM, which answers
//! from several places, may not show at one moment what it shows at the next,
//! so a loss must be seen twice.

use std::{collections::BTreeMap, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::{
    id::{AccountId, PipelineArn, ShareArn},
    policy::{Access, RuleName},
};

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
    let view = View::new(grant, seen);
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
    /// Whether a share that gives this access has inside just what is held by it,
    /// each put in at the time that is known.
    #[must_use]
    pub fn is_as_seen(&self, share: &ShareArn, access: &Access, inside: &Inside) -> bool {
        let held = self.pipelines.iter();
        let mut held = held.filter(|(_, held)| held.place.share == *share);
        let is_inside = |(pipeline, held): (&PipelineArn, &Held)| {
            held.missing.is_none() && inside.get(pipeline) == Some(&held.place.made)
        };
        self.access == *access && held.clone().count() == inside.len() && held.all(is_inside)
    }

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

/// Where a pipeline that an account had is now.
enum Found {
    /// Where it was; at least, nobody has seen that it is not.
    InPlace,
    /// There; the access was never interrupted.
    At(Place),
    /// There, after it had been taken out.
    Anew(Place),
    /// In no share that the account can see.
    Nowhere,
}

/// The sightings that matter for one rule.
struct View<'a> {
    grant: &'a Grant,
    seen: &'a Sightings,
    /// Where the pipelines are that can be used by the rule.
    trusted: BTreeMap<&'a PipelineArn, Place>,
    /// Whether a share of the rule was seen to work.
    works: bool,
}

impl<'a> View<'a> {
    fn new(grant: &'a Grant, seen: &'a Sightings) -> Self {
        let mut trusted: BTreeMap<&PipelineArn, Place> = BTreeMap::new();
        let mut works = false;
        for sighting in &seen.shares {
            let Contents::Trusted(inside) = &sighting.contents else {
                continue;
            };
            if sighting.grant.as_ref() != Some(grant) {
                continue;
            }
            works |= !inside.is_empty();
            for (pipeline, made) in inside {
                let place = sighting.place(*made);
                // Where two shares overlap, the pipeline is had since it was put into the first.
                let known = trusted.entry(pipeline).or_insert_with(|| place.clone());
                if (place.made, &place.share) < (known.made, &known.share) {
                    *known = place;
                }
            }
        }
        Self {
            grant,
            seen,
            trusted,
            works,
        }
    }

    fn find(&self, pipeline: &PipelineArn, held: &Held) -> Found {
        let mut shares = self.seen.shares.iter();
        let own = shares.find(|it| it.share == held.place.share);
        if let Some(found) = own.and_then(|own| self.in_own_share(own, pipeline, &held.place)) {
            return found;
        }
        if let Some(place) = self.trusted.get(pipeline) {
            // Two shares of one name do not follow each other without a gap,
            // whereas a pipeline is put into another share of its rule before
            // it leaves the first.
            let follows = place.name == held.place.name && place.made > held.place.made;
            return if follows {
                Found::Anew(place.clone())
            } else {
                Found::At(place.clone())
            };
        }
        let may_hold = |sighting: &Sighting| match &sighting.contents {
            Contents::Unknown => true,
            Contents::Distrusted(inside) | Contents::Trusted(inside) => {
                inside.contains_key(pipeline)
            }
        };
        let mut of_rule = self
            .seen
            .shares
            .iter()
            .filter(|it| it.grant.as_ref() == Some(self.grant));
        if !self.seen.complete || of_rule.any(may_hold) {
            Found::InPlace
        } else {
            Found::Nowhere
        }
    }

    /// Whether the pipeline is still in the share that it was in; nothing if it is not.
    fn in_own_share(&self, own: &Sighting, pipeline: &PipelineArn, place: &Place) -> Option<Found> {
        match &own.contents {
            Contents::Unknown => Some(Found::InPlace),
            Contents::Distrusted(inside) => inside.contains_key(pipeline).then_some(Found::InPlace),
            // A share that was renamed serves another rule.
            Contents::Trusted(_) if own.grant.as_ref() != Some(self.grant) => None,
            Contents::Trusted(inside) => inside.get(pipeline).map(|made| {
                let is_another = made.zip(place.made).is_some_and(|(now, then)| now != then);
                let place = own.place(made.or(place.made));
                if is_another {
                    Found::Anew(place)
                } else {
                    Found::At(place)
                }
            }),
        }
    }
}

impl Sighting {
    fn place(&self, made: Option<Timestamp>) -> Place {
        Place {
            share: self.share.clone(),
            name: self.name.clone(),
            made,
        }
    }
}
