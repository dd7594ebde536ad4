//! The machine's own time.
//!
//! The world lives by its own clock. Only what an SDK or a runtime compares
//! with the machine's clock is counted by this one: when credentials expire,
//! and until when an invocation may run.

use jiff::Timestamp;

/// What the machine's clock says.
#[expect(
    clippy::disallowed_methods,
    reason = "SDKs and the Lambda runtime compare these times with the machine's clock"
)]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}
