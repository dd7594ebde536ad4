//! Points in time, as the SDK has them and as the domain has them.

use aws_sdk_ram::primitives::DateTime;
use jiff::Timestamp;

/// The domain's form; none for a time that no calendar has.
pub(crate) fn timestamp(time: &DateTime) -> Option<Timestamp> {
    let nanoseconds = i32::try_from(time.subsec_nanos()).ok()?;
    Timestamp::new(time.secs(), nanoseconds).ok()
}

/// The SDK's form.
pub(crate) fn date_time(time: Timestamp) -> DateTime {
    DateTime::from_nanos(time.as_nanosecond())
        .unwrap_or_else(|_| DateTime::from_secs(time.as_second()))
}
