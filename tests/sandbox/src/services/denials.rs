//! Refusals of callers, in the words of IAM and with the code of each service.

use crate::world::ApiError;

/// A refusal, with the reason if AWS gives one; a resource `*` is not said.
pub(crate) fn denied(
    service: &str,
    who: &str,
    action: &str,
    resource: &str,
    reason: &str,
) -> ApiError {
    let on = match resource {
        "*" => String::new(),
        resource => format!(" on resource: {resource}"),
    };
    let space = if reason.is_empty() { "" } else { " " };
    let message = format!("User: {who} is not authorized to perform: {action}{on}{space}{reason}");
    match service {
        "sns" => ApiError::with_status(403, "AuthorizationError", message),
        // That of SQS is of the query protocol, which clients go on showing.
        "iam" | "s3" | "sqs" | "sts" => ApiError::with_status(403, "AccessDenied", message),
        // REST protocols say it by the status, too.
        "lambda" | "ram" => ApiError::with_status(403, "AccessDeniedException", message),
        _ => ApiError::new("AccessDeniedException", message),
    }
}

/// The refusal of a caller of another account whom no policy of the resource lets in.
pub(crate) fn without_policy(service: &str, who: &str, action: &str, resource: &str) -> ApiError {
    let reason = format!("because no resource-based policy allows the {action} action");
    denied(service, who, action, resource, &reason)
}
