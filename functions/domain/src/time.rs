//! Arithmetic with times that ends where the calendar ends.
//!
//! Times come from outside: of events, of items in the table, of tokens. Any
//! of them may be the first or the last that there is, beyond which an operator
//! panics; so no operator is used, here and in the functions.

use jiff::{SignedDuration, Timestamp};

/// So much after a time, or else the last time there is.
#[must_use]
pub fn after(time: Timestamp, duration: SignedDuration) -> Timestamp {
    let end = if duration.is_negative() {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    };
    time.checked_add(duration).unwrap_or(end)
}

/// So much before a time, or else the first time there is.
#[must_use]
pub fn before(time: Timestamp, duration: SignedDuration) -> Timestamp {
    let end = if duration.is_negative() {
        Timestamp::MAX
    } else {
        Timestamp::MIN
    };
    time.checked_sub(duration).unwrap_or(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_ends_where_the_calendar_ends() {
        let hour = SignedDuration::from_hours(1);
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(after(now, hour).as_second(), 3600);
        assert_eq!(before(now, hour).as_second(), -3600);
        assert_eq!(after(Timestamp::MAX, hour), Timestamp::MAX);
        assert_eq!(after(Timestamp::MIN, -hour), Timestamp::MIN);
        assert_eq!(before(Timestamp::MIN, hour), Timestamp::MIN);
        assert_eq!(before(Timestamp::MAX, -hour), Timestamp::MAX);
        assert_eq!(after(now, SignedDuration::MAX), Timestamp::MAX);
        assert_eq!(before(now, SignedDuration::MIN), Timestamp::MAX);
        assert_eq!(before(now, SignedDuration::MAX), Timestamp::MIN);
    }
}
