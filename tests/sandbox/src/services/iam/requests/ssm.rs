//! What calls of Parameter Store need.

use super::{Wanted, action, own};
use crate::{
    readings::Labels,
    services::ssm,
    world::{Call, World},
};

/// Whoever has a secret decrypted must be allowed to use its key, through SSM and for that secret.
///
/// The version or label of a parameter is not part of its ARN.
///
/// Source: Systems Manager user guide, "AWS KMS encryption for AWS Systems
/// Manager Parameter Store `SecureString` parameters".
pub(super) fn requests(world: &World, call: &Call) -> Vec<Wanted> {
    if call.operation == "DescribeParameters" {
        return vec![Wanted::new(action(call), "*")];
    }
    let mut names = call.texts("Names");
    let single = ["Name", "Path", "ResourceId"];
    names.extend(
        single
            .iter()
            .find_map(|member| call.text(member))
            .map(str::to_owned),
    );
    let arn = |name: &String| {
        // Only the last of an ARN's colons is before a version or label.
        let parts = if name.starts_with("arn:") { 6 } else { 1 };
        let parts = match world.readings.labels {
            Labels::Without => parts,
            Labels::With => parts + 1,
        };
        let name: Vec<&str> = name.split(':').take(parts).collect();
        let name = name.join(":");
        own(call, "ssm", "parameter/", name.trim_start_matches('/'))
    };
    let mut wanted: Vec<Wanted> = names
        .iter()
        .map(|name| Wanted::new(action(call), arn(name)))
        .collect();
    let through = format!("ssm.{}.amazonaws.com", call.region);
    for (parameter, key) in ssm::keys::needed(world, call) {
        let decrypt = Wanted::new("kms:Decrypt", key)
            .with("kms:ViaService", through.clone())
            .with("kms:EncryptionContext:PARAMETER_ARN", parameter);
        wanted.push(decrypt);
    }
    wanted
}
