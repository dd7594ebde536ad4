//! The keys of secrets, and who needs which.

use super::{
    history::Version,
    invalid_key, look_up_version,
    names::{self, Reference},
    own,
};
use crate::{
    services::kms,
    world::{ApiError, Call, World},
};

/// The key of AWS, which lets everybody in the account decrypt through SSM.
///
/// Source: Systems Manager user guide, "Restricting decryption of `SecureString`
/// parameter values".
const OF_AWS: &str = "alias/aws/ssm";

/// The key that a call names for its secret; none for that of AWS.
pub(super) fn of_new(world: &World, call: &Call, kind: &str) -> Result<Option<String>, ApiError> {
    let Some(id) = call.text("KeyId").filter(|_| kind == "SecureString") else {
        return Ok(None);
    };
    let prefix = format!("arn:aws:kms:{}:{}:", call.region, call.caller.account);
    let short = id.strip_prefix(&prefix).unwrap_or(id);
    if short == OF_AWS {
        return Ok(None);
    }
    // The sandbox knows no aliases but that of AWS.
    let id = short.strip_prefix("key/").unwrap_or(short);
    let arn = format!("{prefix}key/{id}");
    if kms::exists(world, &arn) {
        Ok(Some(arn))
    } else {
        Err(invalid_key(id))
    }
}

/// The secrets that a call would have decrypted: the ARN of each parameter, and its key.
pub(crate) fn needed(world: &World, call: &Call) -> Vec<(String, String)> {
    if call.input["WithDecryption"] != true {
        return Vec::new();
    }
    let of_version = |name: &str, version: &Version| {
        let key = version.key.clone()?;
        Some((super::arn(call, name), key))
    };
    match call.operation.as_str() {
        "GetParameter" | "GetParameters" => {
            let mut texts = call.texts("Names");
            texts.extend(call.text("Name").map(str::to_owned));
            let found = texts.iter().filter_map(|text| {
                let reference = Reference::parse(text).ok()?;
                let (name, version) = look_up_version(world, call, &reference).ok()?;
                of_version(name, version)
            });
            found.collect()
        }
        "GetParameterHistory" => {
            let wanted = call.text("Name").unwrap_or_default();
            let found = own(world, call).filter(|(name, _)| *name == wanted);
            let versions = found.flat_map(|(name, parameter)| {
                parameter.versions().map(move |version| (name, version))
            });
            versions
                .filter_map(|(name, version)| of_version(name, version))
                .collect()
        }
        "GetParametersByPath" => own(world, call)
            .filter(|(name, _)| names::is_below(call, name))
            .filter_map(|(name, parameter)| of_version(name, parameter.newest()))
            .collect(),
        _ => Vec::new(),
    }
}
