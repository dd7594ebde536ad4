//! The time where nothing at AWS says it.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;

/// The time of this machine: of a direct invocation, which carries none, and of a log line.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place where the wall clock is read as a time"
)]
pub(crate) fn wall_clock() -> Timestamp {
    Timestamp::now()
}

/// The same in milliseconds, under which CloudWatch files metrics.
pub(crate) fn milliseconds() -> u64 {
    u64::try_from(wall_clock().as_millisecond()).unwrap_or_default()
}

/// How long is left until a deadline, which is for the machine's clock to say.
#[expect(
    clippy::disallowed_methods,
    reason = "Lambda's deadline is a time of the machine's clock"
)]
pub(crate) fn time_until(deadline: SystemTime) -> Duration {
    deadline
        .duration_since(SystemTime::now())
        .unwrap_or_default()
}
