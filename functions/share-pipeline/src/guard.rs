//! Holds a version back that withdraws more than the policy in force allows at once.

use domain::{
    notification::PolicyAlert,
    policy::{InForce, Version, Withdrawal},
    trigger::Confirmation,
};

/// Why a version waits for a confirmation.
pub(crate) struct Held {
    pub(crate) why: String,
    pub(crate) alert: PolicyAlert,
}

/// Whether a version is held back; nothing if it may be put in force.
///
/// The limit is that of the policy in force, and not of the one that is judged.
/// A confirmation is of one version of one document by its number and its text.
pub(crate) fn guard(
    before: &InForce,
    after: &InForce,
    team: Option<&str>,
    version: &Version,
    confirmation: Option<&Confirmation>,
) -> Option<Held> {
    let withdrawal = Withdrawal::between(&before.policy, &after.policy);
    if !withdrawal.is_beyond(before.policy.limits) {
        return None;
    }
    if confirmation.is_some_and(|it| it.confirms(team, version)) {
        tracing::warn!(
            policy.version = version.version,
            policy.team = team,
            "a confirmed version withdraws {} of {} grants",
            withdrawal.withdrawn.len(),
            withdrawal.all
        );
        return None;
    }
    let other = match confirmation {
        Some(_) => "; the confirmation is of another version",
        None => "",
    };
    let why = format!(
        "it withdraws {} of {} grants, more than {}%, and waits for a confirmation{other}",
        withdrawal.withdrawn.len(),
        withdrawal.all,
        before.policy.limits.withdraw
    );
    let number = version.version;
    let alert = PolicyAlert::Held {
        version: number,
        command: Confirmation::text(team, number, &version.digest()),
        withdrawal,
    };
    Some(Held { why, alert })
}
