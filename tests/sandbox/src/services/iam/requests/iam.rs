//! What calls of IAM need.

use super::{Wanted, action};
use crate::world::{Call, World};

/// Roles by their ARNs, with the path that they have or are to have.
pub(super) fn requests(world: &World, call: &Call) -> Vec<Wanted> {
    let account = &call.caller.account;
    let name = call.text("RoleName").unwrap_or_default();
    let path = call.text("PathPrefix").or(call.text("Path")).unwrap_or("/");
    let resource = world.iam.role(account, name).map_or_else(
        || format!("arn:aws:iam::{account}:role{path}{name}"),
        |role| role.arn.clone(),
    );
    let mut wanted = Wanted::new(action(call), resource);
    for tag in call.input["Tags"].as_array().into_iter().flatten() {
        if let (Some(key), Some(value)) = (tag["Key"].as_str(), tag["Value"].as_str()) {
            wanted = wanted
                .with(&format!("aws:RequestTag/{key}"), value)
                .with("aws:TagKeys", key);
        }
    }
    vec![wanted]
}
