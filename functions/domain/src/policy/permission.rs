//! Reads what a rule lets its principals do.

use super::{
    Access,
    checker::{Checker, quoted, unknown},
    document::Node,
    place::Place,
};
use crate::id::{AccountId, ArnParts, PermissionArn, Region};

/// As many changed characters are a slip of the hand, and more are another name.
const SLIP: usize = 4;

/// Reads `access`; the owners are the rule's, as far as they could be read.
pub(super) fn read_access(
    checker: &mut Checker,
    node: &Node,
    owners: Option<&[AccountId]>,
    place: Option<&Place>,
) -> Option<Access> {
    const EXPECTED: &str = "read, execute or the ARN of a managed permission";
    match checker.text(node, EXPECTED)? {
        "read" => Some(Access::Read),
        "execute" => Some(Access::Execute),
        arn if arn.starts_with("arn:") => {
            match check_permission(arn, owners.unwrap_or_default(), place) {
                Ok(permission) => Some(Access::Permission(permission)),
                Err(problem) => {
                    checker.report(node, format!("{}: {problem}", quoted(arn)));
                    None
                }
            }
        }
        other => {
            let otherwise = format!("write {EXPECTED}");
            let message = unknown("access", other, ["read", "execute"], &otherwise);
            checker.report(node, message);
            None
        }
    }
}

/// Takes an ARN for a managed permission that the owner's shares can carry.
fn check_permission(
    text: &str,
    owners: &[AccountId],
    place: Option<&Place>,
) -> Result<PermissionArn, String> {
    let malformed = || {
        "the ARN of a customer managed permission is arn:aws:ram:REGION:ACCOUNT:permission/NAME"
            .to_owned()
    };
    let arn: PermissionArn = text.parse().map_err(|_| malformed())?;
    let parts = ArnParts::split(text).ok_or_else(malformed)?;
    let name = parts
        .resource
        .strip_prefix("permission/")
        .ok_or_else(malformed)?;
    if let Some(place) = place {
        place.check_partition(&parts)?;
    }
    if parts.account == "aws" {
        return check_aws_permission(&parts, name).map(|()| arn);
    }
    if parts.region.parse::<Region>().is_err() {
        return Err(malformed());
    }
    if let Some(place) = place {
        place.check_region(&parts)?;
    }
    // ASSUMED: RAM attaches a customer managed permission only to shares of
    // the account that made it; no page says that one can be lent.
    if let Some(owner) = owners.iter().find(|owner| owner.as_str() != parts.account) {
        return Err(format!("the permission has to be of the owner, {owner}"));
    }
    if !is_permission_name(name) {
        return Err(
            "the name of a permission has 1 to 36 letters, digits, '_', '.' and '-'".to_owned(),
        );
    }
    Ok(arn)
}

/// Takes one of the permissions that AWS made for pipelines; any other is for something else.
fn check_aws_permission(arn: &ArnParts, name: &str) -> Result<(), String> {
    const KNOWN: [&str; 2] = [PermissionArn::READ, PermissionArn::EXECUTE];
    if !arn.region.is_empty() {
        return Err("AWS's own permissions have no Region in their ARN".to_owned());
    }
    if KNOWN.contains(&name) {
        return Ok(());
    }
    let distance = |known: &str| {
        let known = known.to_ascii_lowercase();
        strsim::damerau_levenshtein(&name.to_ascii_lowercase(), &known)
    };
    match KNOWN.iter().find(|known| distance(known) <= SLIP) {
        Some(meant) => Err(format!("AWS has no such permission; did you mean {meant}?")),
        None => Err(format!(
            "this is none of AWS's permissions for pipelines, which are {} (\"read\") and {} (\"execute\")",
            PermissionArn::READ,
            PermissionArn::EXECUTE
        )),
    }
}

/// Whether RAM lets a customer call a permission so.
fn is_permission_name(name: &str) -> bool {
    let known = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    (1..=36).contains(&name.len()) && name.chars().all(known)
}
