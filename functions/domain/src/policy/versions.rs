//! How many versions of the policy can still be written.

/// How many versions of a parameter Parameter Store keeps.
///
/// It lets the oldest go for a new one, but not if the oldest carries a label:
/// then it takes no new version at all.
pub const KEPT_VERSIONS: i64 = 100;

/// How few versions are left when people are to hear of it.
const FEW: i64 = 20;

/// How many more versions can be written while this one is in force, if they are few.
#[must_use]
pub fn versions_left(in_force: i64, newest: i64) -> Option<i64> {
    let beyond = newest.saturating_sub(in_force);
    let left = (KEPT_VERSIONS - 1).saturating_sub(beyond).max(0);
    (left < FEW).then_some(left)
}
