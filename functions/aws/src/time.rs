//! Points in time, as the SDK has them and as the domain has them.

use aws_sdk_ram::primitives::DateTime;
use jiff::{Timestamp, Unit};

/// The domain's form, in milliseconds; none for a time that no calendar has.
///
/// AWS writes milliseconds as fractions of a second, which no float holds exactly.
pub(crate) fn timestamp(time: &DateTime) -> Option<Timestamp> {
    let nanoseconds = i32::try_from(time.subsec_nanos()).ok()?;
    let exact = Timestamp::new(time.secs(), nanoseconds).ok()?;
    exact.round(Unit::Millisecond).ok()
}

/// The SDK's form.
pub(crate) fn date_time(time: Timestamp) -> DateTime {
    DateTime::from_nanos(time.as_nanosecond())
        .unwrap_or_else(|_| DateTime::from_secs(time.as_second()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_no_noise_of_a_float_in_it() {
        let time = DateTime::from_secs_f64(1_795_369_276.167);
        assert!(time.subsec_nanos() != 167_000_000, "there is noise to lose");
        let read = timestamp(&time).unwrap();
        assert_eq!(read.to_string(), "2026-11-22T17:41:16.167Z");
        assert_eq!(timestamp(&date_time(read)), Some(read));
    }
}
