//! Labels of versions.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{ResourceKey, announce, invalid, names, not_found, required, version_not_found};
use crate::world::{ApiError, Call, World};

/// `LabelParameterVersion`.
pub(super) fn attach(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let name = required(call, "Name")?;
    let (labels, invalid): (Vec<_>, Vec<_>) = labels_of(call)?
        .into_iter()
        .partition(|label| names::is_label(label));
    let parameter = world.ssm.parameters.get_mut(&ResourceKey::own(call, name));
    let parameter = parameter.ok_or_else(not_found)?;
    let number = call.input["ParameterVersion"].as_u64();
    let number = number.unwrap_or_else(|| parameter.newest().number);
    if parameter.version(number).is_none() {
        return Err(version_not_found(name));
    }
    // ASSUMED: the valid labels are attached even if others are invalid.
    parameter.label(number, &labels)?;
    if !labels.is_empty() {
        announce(world, call, name, "LabelParameterVersion");
    }
    Ok(json!({ "InvalidLabels": invalid, "ParameterVersion": number }))
}

/// One to ten labels, each once.
fn labels_of(call: &Call) -> Result<Vec<String>, ApiError> {
    let labels = call.texts("Labels");
    if labels.is_empty() || labels.len() > 10 {
        return Err(invalid(
            "1 validation error detected: Value at 'labels' failed to satisfy constraint: \
             Member must have between 1 and 10 labels",
        ));
    }
    let mut seen = BTreeSet::new();
    let once = labels.into_iter();
    Ok(once.filter(|label| seen.insert(label.clone())).collect())
}

/// `UnlabelParameterVersion`.
pub(super) fn take_away(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let name = required(call, "Name")?;
    let parameter = world.ssm.parameters.get_mut(&ResourceKey::own(call, name));
    let parameter = parameter.ok_or_else(not_found)?;
    let number = call.input["ParameterVersion"].as_u64().unwrap_or_default();
    let version = parameter.version(number);
    let version = version.ok_or_else(|| version_not_found(name))?;
    let (removed, invalid): (Vec<_>, Vec<_>) = call
        .texts("Labels")
        .into_iter()
        .partition(|label| version.labels.contains(label));
    parameter.unlabel(&removed);
    if !removed.is_empty() {
        announce(world, call, name, "UnlabelParameterVersion");
    }
    Ok(json!({ "RemovedLabels": removed, "InvalidLabels": invalid }))
}
