//! The sightings that matter for one rule.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{Contents, Grant, Held, Holdings, Place, Sighting, Sightings};
use crate::id::{PipelineArn, ShareArn};

/// Where a pipeline that an account had is now.
pub(super) enum Found {
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
pub(super) struct View<'a> {
    grant: &'a Grant,
    seen: &'a Sightings,
    /// The shares by which something is held.
    own: BTreeMap<&'a ShareArn, &'a Sighting>,
    /// Where the pipelines are that can be used by the rule.
    pub(super) trusted: BTreeMap<&'a PipelineArn, Place>,
    /// Whether a share of the rule was seen to work.
    pub(super) works: bool,
}

impl<'a> View<'a> {
    pub(super) fn new(grant: &'a Grant, before: &'a Holdings, seen: &'a Sightings) -> Self {
        let mut trusted: BTreeMap<&PipelineArn, Place> = BTreeMap::new();
        let mut works = false;
        let of_rule = seen
            .shares
            .iter()
            .filter(|it| it.grant.as_ref() == Some(grant));
        for sighting in of_rule {
            // What is in a share as it is held is found there, and is not gained.
            works |= sighting.contents == Contents::AsHeld;
            let Contents::Trusted(inside) = &sighting.contents else {
                continue;
            };
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
        let shares: BTreeSet<_> = before
            .pipelines
            .values()
            .map(|it| &it.place.share)
            .collect();
        let own = seen.shares.iter().filter(|it| shares.contains(&it.share));
        Self {
            grant,
            seen,
            own: own.map(|own| (&own.share, own)).collect(),
            trusted,
            works,
        }
    }

    pub(super) fn find(&self, pipeline: &PipelineArn, held: &Held) -> Found {
        let own = self.own.get(&held.place.share);
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
            // What is held by it was found there.
            Contents::AsHeld | Contents::StillHolds => false,
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
            Contents::Unknown | Contents::StillHolds => Some(Found::InPlace),
            Contents::Distrusted(inside) => inside.contains_key(pipeline).then_some(Found::InPlace),
            // A share that was renamed serves another rule.
            Contents::Trusted(_) | Contents::AsHeld if own.grant.as_ref() != Some(self.grant) => {
                None
            }
            Contents::AsHeld => Some(Found::At(own.place(place.made))),
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
