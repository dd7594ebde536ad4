//! What calls of STS need.

use super::{Wanted, action};
use crate::world::Call;

pub(super) fn requests(call: &Call) -> Vec<Wanted> {
    // STS tells everybody who they are.
    if call.operation == "GetCallerIdentity" {
        return Vec::new();
    }
    let mut wanted = Wanted::new(action(call), call.text("RoleArn").unwrap_or("*"));
    for (key, member) in [
        ("sts:ExternalId", "ExternalId"),
        ("sts:RoleSessionName", "RoleSessionName"),
    ] {
        if let Some(value) = call.text(member) {
            wanted = wanted.with(key, value);
        }
    }
    vec![wanted]
}
