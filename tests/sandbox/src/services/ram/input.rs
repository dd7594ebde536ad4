//! Reading the members of an input.

use serde_json::Value;

use super::{
    entities::unknown,
    model::{FeatureSet, Share, ShareStatus},
};
use crate::world::{ApiError, Call, World};

/// The error for a value that makes no sense.
pub(super) fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidParameterException", message)
}

/// Whether the text is an account id.
pub(super) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A text that the operation cannot do without.
pub(super) fn required<'a>(call: &'a Call, member: &str) -> Result<&'a str, ApiError> {
    call.text(member)
        .filter(|text| !text.is_empty())
        .ok_or_else(|| {
            let message = format!("Missing required parameter {member}.");
            ApiError::new(missing_error(&call.operation), message)
        })
}

/// The error that an operation has for a parameter that is missing.
///
/// ASSUMED: where the model has none of that name, it is the one for bad values.
fn missing_error(operation: &str) -> &'static str {
    match operation {
        "ListPendingInvitationResources"
        | "PromotePermissionCreatedFromPolicy"
        | "PromoteResourceShareCreatedFromPolicy"
        | "UpdateResourceShare" => "MissingRequiredParameterException",
        "AcceptResourceShareInvitation" | "DeletePermission" | "RejectResourceShareInvitation" => {
            "MalformedArnException"
        }
        _ => "InvalidParameterException",
    }
}

/// A yes or no.
pub(super) fn flag(call: &Call, member: &str) -> Option<bool> {
    call.input.get(member).and_then(Value::as_bool)
}

/// Whether the member holds anything.
pub(super) fn is_given(call: &Call, member: &str) -> bool {
    match call.input.get(member) {
        None | Some(Value::Null) => false,
        Some(Value::Array(items)) => !items.is_empty(),
        Some(_) => true,
    }
}

/// A word that must be one of a few.
pub(super) fn word<'a>(
    call: &'a Call,
    member: &str,
    words: &[&str],
) -> Result<Option<&'a str>, ApiError> {
    match call.text(member) {
        Some(text) if !words.contains(&text) => Err(invalid(format!(
            "{text} is not a valid value for {member}. Specify one of {} and try again.",
            words.join(", ")
        ))),
        word => Ok(word),
    }
}

/// Whose shares are meant: true for the caller's own, false for those of others.
pub(super) fn is_about_own(call: &Call) -> Result<bool, ApiError> {
    required(call, "resourceOwner")?;
    let owner = word(call, "resourceOwner", &["SELF", "OTHER-ACCOUNTS"])?;
    Ok(owner == Some("SELF"))
}

/// Whether resources of one Region are wanted, the only ones that the sandbox has.
pub(super) fn wants_regional(call: &Call) -> Result<bool, ApiError> {
    let scope = word(call, "resourceRegionScope", &["ALL", "REGIONAL", "GLOBAL"])?;
    Ok(scope != Some("GLOBAL"))
}

/// Checks that a text is the ARN of a share or of an invitation.
pub(super) fn check_arn(arn: &str, resource: &str) -> Result<(), ApiError> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    if let ["arn", "aws", "ram", region, account, rest] = parts.as_slice()
        && !region.is_empty()
        && is_account(account)
        && rest
            .split_once('/')
            .is_some_and(|(kind, id)| kind == resource && !id.is_empty())
    {
        return Ok(());
    }
    Err(ApiError::new(
        "MalformedArnException",
        format!("The specified ARN {arn} is not valid. Verify the ARN and try again."),
    ))
}

/// The ARNs of shares that a list is limited to.
pub(super) fn share_arns(call: &Call) -> Result<Vec<String>, ApiError> {
    let arns = call.texts("resourceShareArns");
    for arn in &arns {
        check_arn(arn, "resource-share")?;
    }
    Ok(arns)
}

/// The error for a share that the caller cannot see.
pub(super) fn unknown_share(arn: &str) -> ApiError {
    unknown(&format!("ResourceShare {arn}"))
}

/// The share that the caller's account owns and wants to change.
///
/// ASSUMED: which error it is that a share which mirrors a policy cannot be changed.
pub(super) fn own_share<'a>(world: &'a World, call: &Call) -> Result<&'a Share, ApiError> {
    let share = any_own_share(world, call)?;
    if share.feature_set == FeatureSet::Standard {
        return Ok(share);
    }
    Err(ApiError::new(
        "OperationNotPermittedException",
        "A resource share that was created from a policy must be promoted before it can be changed.",
    ))
}

/// The share that the caller's account owns, also if it mirrors a policy.
pub(super) fn any_own_share<'a>(world: &'a World, call: &Call) -> Result<&'a Share, ApiError> {
    let arn = required(call, "resourceShareArn")?;
    check_arn(arn, "resource-share")?;
    let share = world
        .ram
        .share(arn)
        .filter(|share| share.region == call.region)
        .ok_or_else(|| unknown_share(arn))?;
    if share.owner != call.caller.account {
        let is_told = share.is_visible_to(world, &call.caller) && !is_about_tags(call);
        return Err(if is_told {
            ApiError::new(
                "OperationNotPermittedException",
                "The requested operation is permitted only for the owner of the resource share.",
            )
        } else {
            unknown_share(arn)
        });
    }
    match share.status {
        ShareStatus::Active => Ok(share),
        ShareStatus::Deleting if minds_transitions(call) => Err(ApiError::new(
            "InvalidStateTransitionException",
            format!("ResourceShare {arn} is in DELETING status."),
        )),
        ShareStatus::Deleting | ShareStatus::Deleted => Err(unknown_share(arn)),
    }
}

/// The operations on tags have no error for shares that others own.
fn is_about_tags(call: &Call) -> bool {
    matches!(call.operation.as_str(), "TagResource" | "UntagResource")
}

/// Whether the operation has an error for what is passing from one state to another.
fn minds_transitions(call: &Call) -> bool {
    let other = ["AssociateResourceSharePermission", "UpdateResourceShare"];
    !is_about_tags(call) && !other.contains(&call.operation.as_str())
}
