//! Letting go of what RAM does not show any more.

use std::time::Duration;

use super::State;
use crate::world::World;

/// How long tokens stay; the API says of none how long it is remembered.
const TOKENS: Duration = Duration::from_hours(24);

/// Forgets shares, associations and invitations that no list shows, and old tokens.
pub(crate) fn tidy(world: &mut World) {
    let now = world.now;
    let State {
        shares,
        invitations,
        answers,
        ..
    } = &mut world.ram;
    shares.retain(|_, share| share.is_shown(now));
    for share in shares.values_mut() {
        share
            .associations
            .retain(|_, association| association.is_shown(now));
    }
    invitations.retain(|_, invitation| invitation.is_shown(now));
    answers.retain(|_, answer| now < answer.at() + TOKENS);
}

/// How many things there are that time alone makes more.
pub(crate) fn held(world: &World) -> [(&'static str, usize); 4] {
    let ram = &world.ram;
    let associations = ram.shares.values().map(|share| share.associations.len());
    [
        ("associations", associations.sum()),
        ("invitations", ram.invitations.len()),
        ("shares", ram.shares.len()),
        ("tokens of shares", ram.answers.len()),
    ]
}
