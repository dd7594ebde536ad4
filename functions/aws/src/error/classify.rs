//! The one table of what an error code means.
//!
//! Codes are those of the service models; RAM's meanings are from its user
//! guide and from what Terraform and the landing zone accelerator had to learn.

use super::Class;

/// Classifies a refusal by operation, code, HTTP status and, where nothing
/// else tells two cases apart, message.
pub(super) fn class(
    operation: &str,
    code: Option<&str>,
    status: Option<u16>,
    message: &str,
) -> Class {
    let Some(code) = code else {
        return of_status(status);
    };
    match (operation, code) {
        (_, code) if is_throttling(code) || is_fault(code) || is_dead_session(code) => {
            Class::Transient
        }
        // Something in the share is ASSOCIATING, or the share is not ACTIVE yet.
        (
            _,
            "InvalidStateTransitionException"
            // Somebody else was faster, or twelve hours were over: another
            // look shows what became of the invitation.
            | "ResourceShareInvitationArnNotFoundException"
            | "ResourceShareInvitationExpiredException"
            | "ResourceShareInvitationAlreadyRejectedException",
        )
        // Of the limits of an association, pending invitations are the one
        // that is reached first, and those drain as accounts accept. No other
        // call runs into a limit that goes away by itself.
        | ("AssociateResourceShare", "ResourceShareLimitExceededException")
        // Somebody changes the pipeline or its run, or too much runs already.
        | (
            "StartPipelineExecution" | "RetryPipelineExecution",
            "ConflictException" | "ResourceLimitExceeded",
        ) => Class::NotYet,
        (_, "UnknownResourceException") => of_unknown_resource(operation, message),
        // RAM says so, too, when it is merely busy with the organization; the
        // landing zone accelerator retries it. A share that may not leave the
        // organization is told by its message alone.
        (_, "OperationNotPermittedException") if confines(message) => Class::Permanent,
        (_, "OperationNotPermittedException") => Class::Transient,
        _ => of_status(status),
    }
}

fn of_status(status: Option<u16>) -> Class {
    match status {
        Some(408 | 429 | 500..) => Class::Transient,
        _ => Class::Permanent,
    }
}

/// What was just created or accepted is unknown to RAM's other calls for up to
/// a minute or two. An organization or its unit is not: it is misspelled, or
/// sharing with the organization was never turned on in RAM.
fn of_unknown_resource(operation: &str, message: &str) -> Class {
    let names_permission =
        operation == "AssociateResourceSharePermission" && names_permission(message);
    if operation == "CreateResourceShare" || names_permission || names_organization(message) {
        Class::Permanent
    } else {
        Class::NotYet
    }
}

/// ASSUMED: RAM names the organization, or the unit, that it does not know.
fn names_organization(message: &str) -> bool {
    message.to_ascii_lowercase().contains("organization")
}

/// ASSUMED: RAM says what it does not know, here the permission and not the share.
fn names_permission(message: &str) -> bool {
    message.to_ascii_lowercase().contains("permission")
}

/// ASSUMED: RAM's words for what may not leave the organization are always
/// like "can only be shared within your AWS Organization".
fn confines(message: &str) -> bool {
    message.to_ascii_lowercase().contains("within your") && names_organization(message)
}

fn is_throttling(code: &str) -> bool {
    matches!(
        code,
        "Throttling"
            | "ThrottlingException"
            | "ThrottledException"
            | "RequestThrottled"
            | "RequestThrottledException"
            | "RequestLimitExceeded"
            | "TooManyRequestsException"
            | "TooManyUpdates"
            | "SlowDown"
            | "BandwidthLimitExceeded"
            | "PriorRequestNotComplete"
            | "ProvisionedThroughputExceededException"
            | "TransactionConflictException"
            | "TransactionCanceledException"
            | "TransactionInProgressException"
            | "ReplicatedWriteConflictException"
            | "KMSThrottling"
            | "KmsThrottled"
    )
}

/// Whether the credentials are no longer those of anybody: they ran out, or
/// their role was deleted. The next invocation has new ones.
pub(super) fn is_dead_session(code: &str) -> bool {
    matches!(
        code,
        "ExpiredToken"
            | "ExpiredTokenException"
            | "InvalidClientTokenId"
            | "UnrecognizedClientException"
    )
}

/// Faults of AWS.
fn is_fault(code: &str) -> bool {
    matches!(
        code,
        "InternalFailure"
            | "InternalError"
            | "InternalException"
            | "InternalServerError"
            | "ServerInternalException"
            | "ServiceUnavailable"
            | "ServiceUnavailableException"
            | "RequestTimeout"
            | "RequestTimeoutException"
            | "RequestExpired"
    )
}

fn is_access_denied(code: &str) -> bool {
    matches!(
        code,
        "AccessDenied" | "AccessDeniedException" | "AuthorizationError"
    )
}

/// Whether AWS explains this error by quoting the signed request.
pub(super) fn echoes_signature(code: &str) -> bool {
    matches!(
        code,
        "SignatureDoesNotMatch" | "InvalidSignatureException" | "IncompleteSignature"
    )
}

/// What a person can do about a refusal.
pub(super) fn advice(operation: &str, code: &str, message: &str) -> Option<&'static str> {
    let mentions = |part: &str| message.to_ascii_lowercase().contains(part);
    match (operation, code) {
        (_, code) if is_access_denied(code) && mentions("service control policy") => Some(
            "a service control policy of the organization denies this: its administrators must allow it for the pipeshare roles",
        ),
        ("AssumeRole", code) if is_access_denied(code) => Some(
            "account not onboarded: deploy the account template, or the role's trust does not name this hub",
        ),
        ("AssumeRole", "RegionDisabledException") => {
            Some("STS is not active in this Region: activate it in the account's settings")
        }
        ("StartPipelineExecution" | "RetryPipelineExecution", code) if is_access_denied(code) => {
            Some(
                "deploy the account template with AllowRuns true, or have the hook run nothing by `\"run\": false`",
            )
        }
        ("GetParameter", code) if is_access_denied(code) => Some(
            "the function's own role does not allow it, or not the key that the parameter is encrypted with",
        ),
        (_, code) if is_access_denied(code) => Some(
            "the pipeshare role there does not allow it: it is beyond the parameters of the account template, or the template is old",
        ),
        (
            "AssociateResourceSharePermission" | "CreateResourceShare",
            "UnknownResourceException",
        ) if names_permission(message) => Some(
            "there is no such permission in the owner account: make it there, or correct `access` in the rule",
        ),
        (_, "UnknownResourceException") if names_organization(message) => Some(
            "turn on sharing with the organization in RAM, from the management account, and check the ARN",
        ),
        (_, "InvalidParameterException") if mentions("not in your aws organization") => Some(
            "mark the account `external: true` in the policy, or turn on sharing with the organization in RAM",
        ),
        (_, "OperationNotPermittedException") if confines(message) => Some(
            "this can only be shared within the organization: take the outside principal out of the rule",
        ),
        (_, "ResourceShareLimitExceededException") => Some(
            "RAM allows 250 pending invitations an account and 5,000 principals and resources a share: have invitations accepted, or ask for a higher quota",
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORGANIZATION_ONLY: &str = "It can only be shared within your AWS Organization.";

    #[test]
    #[rustfmt::skip]
    fn each_refusal_has_the_class_that_decides_what_becomes_of_it() {
        use Class::{NotYet, Permanent, Transient};
        let unknown = "UnknownResourceException";
        let forbidden = "OperationNotPermittedException";
        let table = [
            ("PutEvents", "ThrottlingException", 400, "Rate exceeded", Transient),
            ("CreateResourceShare", "ThrottlingException", 429, "", Transient),
            ("CreateResourceShare", "ServerInternalException", 500, "", Transient),
            ("CreateResourceShare", "ServiceUnavailableException", 503, "", Transient),
            ("Publish", "InternalFailure", 500, "", Transient),
            ("ListPipelines", "SomethingNew", 502, "", Transient),
            ("LabelParameterVersion", "TooManyUpdates", 400, "", Transient),
            ("ListPipelines", "ExpiredTokenException", 400, "", Transient),
            ("DisassociateResourceShare", "InvalidStateTransitionException", 400, "", NotYet),
            ("AssociateResourceShare", unknown, 400, "ResourceShare not found", NotYet),
            ("GetResourceShares", unknown, 400, "ResourceShare not found", NotYet),
            ("AssociateResourceShare", unknown, 400, "OrganizationalUnit not found", Permanent),
            ("CreateResourceShare", unknown, 400, "Permission not found", Permanent),
            ("AssociateResourceSharePermission", unknown, 400, "Permission not found", Permanent),
            ("AssociateResourceSharePermission", unknown, 400, "ResourceShare not found", NotYet),
            ("AssociateResourceShare", forbidden, 400, "busy with your organization", Transient),
            ("AssociateResourceShare", forbidden, 400, ORGANIZATION_ONLY, Permanent),
            ("AssociateResourceShare", "ResourceShareLimitExceededException", 400, "", NotYet),
            ("CreateResourceShare", "ResourceShareLimitExceededException", 400, "", Permanent),
            ("CreateResourceShare", "IdempotentParameterMismatchException", 400, "", Permanent),
            ("CreateResourceShare", "AccessDeniedException", 403, "", Permanent),
            ("AssumeRole", "AccessDenied", 403, "", Permanent),
            ("AssociateResourceShare", "MalformedArnException", 400, "", Permanent),
            ("AssociateResourceShare", "InvalidParameterException", 400, "", Permanent),
            ("ListPipelines", "ValidationException", 400, "", Permanent),
            ("StartPipelineExecution", "ResourceLimitExceeded", 400, "", NotYet),
            ("RetryPipelineExecution", "ConflictException", 400, "", NotYet),
            ("DescribePipeline", "ConflictException", 400, "", Permanent),
        ];
        for (operation, code, status, message, expected) in table {
            assert_eq!(
                class(operation, Some(code), Some(status), message),
                expected,
                "{operation} {code} {message}"
            );
        }
    }

    #[test]
    fn an_answer_without_a_code_is_classified_by_its_status() {
        assert_eq!(
            class("ListPipelines", None, Some(503), ""),
            Class::Transient
        );
        assert_eq!(
            class("ListPipelines", None, Some(404), ""),
            Class::Permanent
        );
        assert_eq!(class("ListPipelines", None, None, ""), Class::Permanent);
    }

    #[test]
    fn a_denial_is_explained_by_who_can_lift_it() {
        let scp = "with an explicit deny in a service control policy";
        assert!(
            advice("AssumeRole", "AccessDenied", "not authorized")
                .unwrap()
                .contains("not onboarded")
        );
        assert!(
            advice("AssumeRole", "AccessDenied", scp)
                .unwrap()
                .contains("service control policy")
        );
        assert!(
            advice("CreateResourceShare", "AccessDeniedException", "")
                .unwrap()
                .contains("account template")
        );
        assert_eq!(advice("ListPipelines", "ThrottlingException", ""), None);
    }
}
