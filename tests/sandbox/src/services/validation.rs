//! What services answer to a request that they understand but do not accept.

use crate::world::ApiError;

/// The error of most services.
pub(crate) fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new("ValidationException", message)
}

/// The error of services that speak the query protocol.
pub(crate) fn invalid_query(message: impl Into<String>) -> ApiError {
    ApiError::new("ValidationError", message)
}
