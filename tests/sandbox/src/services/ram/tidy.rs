//! Letting go of what RAM does not show any more.

use super::State;
use crate::world::World;

/// For how many hours tokens are kept in an estate that is up for days, also
/// where RAM is played to remember them for good.
const TOKENS: i64 = 24 * 7;

/// Forgets shares, associations and invitations that no list shows, and tokens
/// that RAM does not remember: the API does not say how long that is.
pub(crate) fn tidy(world: &mut World) {
    let (now, tokens) = (world.now, world.readings.client_tokens);
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
    answers.retain(|_, answer| answer.is_remembered(tokens, now) && answer.is_within(TOKENS, now));
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
