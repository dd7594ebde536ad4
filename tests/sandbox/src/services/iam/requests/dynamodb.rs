//! What calls of DynamoDB need.

use super::{Wanted, own};
use crate::{
    services::dynamodb,
    world::{Call, World},
};

/// Tables by their ARN, with the partition keys of the items that are asked for.
pub(super) fn requests(world: &World, call: &Call) -> Vec<Wanted> {
    let accesses = dynamodb::accesses(world, call);
    let wanted = accesses.into_iter().map(|access| {
        let action = format!("dynamodb:{}", access.action);
        let table = own(call, "dynamodb", "table/", &access.table);
        let wanted = Wanted::new(action, table);
        let keys = access.leading_keys.into_iter();
        keys.fold(wanted, |wanted, key| {
            wanted.with("dynamodb:LeadingKeys", key)
        })
    });
    wanted.collect()
}
