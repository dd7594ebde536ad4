//! When access ends.

use std::{fmt, str::FromStr};

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::Serialize;

/// The end of a rule: a time, or a date, whose day still counts as a whole, in UTC.
///
/// ```
/// use domain::policy::Until;
///
/// let until: Until = "2027-03-31".parse()?;
/// assert_eq!(until.end().to_string(), "2027-04-01T00:00:00Z");
/// let until: Until = "2027-03-31T18:00:00+02:00".parse()?;
/// assert_eq!(until.end().to_string(), "2027-03-31T16:00:00Z");
/// assert!("2027-02-30".parse::<Until>().is_err());
/// # Ok::<(), domain::policy::InvalidUntil>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(into = "String")]
pub struct Until {
    text: String,
    end: Timestamp,
}

/// A text that is neither a date nor a time with an offset.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "this is neither a date such as 2027-03-31, which ends with that day in UTC, \
     nor a time with its offset, such as 2027-03-31T18:00:00+02:00"
)]
pub struct InvalidUntil;

impl Until {
    /// The first moment without access.
    #[must_use]
    pub fn end(&self) -> Timestamp {
        self.end
    }

    /// Whether access has ended.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        now >= self.end
    }
}

impl FromStr for Until {
    type Err = InvalidUntil;

    fn from_str(text: &str) -> Result<Self, InvalidUntil> {
        let is_date = text.len() == 10;
        let end = if is_date {
            let date: Date = text.parse().map_err(|_| InvalidUntil)?;
            let next = date.tomorrow().map_err(|_| InvalidUntil)?;
            let midnight = next.to_zoned(TimeZone::UTC).map_err(|_| InvalidUntil)?;
            midnight.timestamp()
        } else if is_time(text) {
            text.parse().map_err(|_| InvalidUntil)?
        } else {
            return Err(InvalidUntil);
        };
        Ok(Self {
            text: text.to_owned(),
            end,
        })
    }
}

/// Whether a text has the form that is documented; the library reads others, too.
fn is_time(text: &str) -> bool {
    let digits: String = text
        .chars()
        .map(|it| if it.is_ascii_digit() { '0' } else { it })
        .collect();
    let offsets = ["Z", "+00:00", "-00:00"];
    let times = ["0000-00-00T00:00:00", "0000-00-00T00:00"];
    let form = |time: &str| {
        offsets
            .iter()
            .any(|offset| digits == format!("{time}{offset}"))
    };
    times.into_iter().any(form)
}

impl fmt::Display for Until {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<Until> for String {
    fn from(until: Until) -> Self {
        until.text
    }
}
