//! Cron expressions as EventBridge reads them: six fields, in UTC.
//!
//! What the dialect has is listed in the user guide of EventBridge under
//! "Cron expressions"; anything beyond it is refused.

use std::{collections::BTreeSet, ops::RangeInclusive};

use jiff::{
    Timestamp, ToSpan,
    civil::{Date, DateTime, Weekday},
    tz::TimeZone,
};

const MONTHS: [&str; 12] = [
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// The values that a field takes, and the names of the first of them.
struct Field {
    values: RangeInclusive<i16>,
    names: &'static [&'static str],
}

const MINUTES: Field = Field::of(0..=59, &[]);
const HOURS: Field = Field::of(0..=23, &[]);
const DAYS_OF_MONTH: Field = Field::of(1..=31, &[]);
const MONTHS_OF_YEAR: Field = Field::of(1..=12, &MONTHS);
const DAYS_OF_WEEK: Field = Field::of(1..=7, &WEEKDAYS);
const YEARS: Field = Field::of(1970..=2199, &[]);

/// When a rule runs.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Cron {
    minutes: BTreeSet<i16>,
    hours: BTreeSet<i16>,
    days: Vec<Day>,
    months: BTreeSet<i16>,
    years: BTreeSet<i16>,
}

/// Days of a month; weekdays count from 1 for Sunday.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
enum Day {
    OfMonth(BTreeSet<i16>),
    LastOfMonth,
    NearestWorkday(i16),
    OfWeek(BTreeSet<i16>),
    LastOfWeek(i16),
    NthOfWeek(i16, i16),
}

impl Cron {
    /// Reads `cron(MINUTES HOURS DAY-OF-MONTH MONTH DAY-OF-WEEK YEAR)`.
    pub(super) fn read(expression: &str) -> Option<Self> {
        let fields = expression.strip_prefix("cron(")?.strip_suffix(')')?;
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let [minutes, hours, of_month, months, of_week, years] = fields[..] else {
            return None;
        };
        // Just one of the two fields for days says something.
        let days = match (of_month, of_week) {
            ("?", "?") => return None,
            (_, "?") => each(of_month, Day::read_of_month)?,
            ("?", _) => each(of_week, Day::read_of_week)?,
            _ => return None,
        };
        let nth = |day: &Day| matches!(day, Day::NthOfWeek(..));
        if days.len() > 1 && days.iter().any(nth) {
            return None;
        }
        Some(Self {
            minutes: MINUTES.read(minutes)?,
            hours: HOURS.read(hours)?,
            days,
            months: MONTHS_OF_YEAR.read(months)?,
            years: YEARS.read(years)?,
        })
    }

    /// The first time after `now`; none if there is no more.
    pub(super) fn next(&self, now: Timestamp) -> Option<Timestamp> {
        let now = TimeZone::UTC.to_datetime(now);
        let last = Date::new(*self.years.last()?, 12, 31).ok()?;
        now.date()
            .series(1.day())
            .take_while(|date| *date <= last)
            .filter(|date| self.runs_on(*date))
            .flat_map(|date| self.times_of(date))
            .find(|time| *time > now)
            .and_then(|time| TimeZone::UTC.to_timestamp(time).ok())
    }

    fn runs_on(&self, date: Date) -> bool {
        self.years.contains(&date.year())
            && self.months.contains(&i16::from(date.month()))
            && self.days.iter().any(|day| day.is(date))
    }

    fn times_of(&self, date: Date) -> impl Iterator<Item = DateTime> {
        self.hours.iter().flat_map(move |hour| {
            let minutes = self.minutes.iter();
            minutes.filter_map(move |minute| {
                let (hour, minute) = (i8::try_from(*hour).ok()?, i8::try_from(*minute).ok()?);
                Some(date.at(hour, minute, 0, 0))
            })
        })
    }
}

impl Day {
    fn read_of_month(text: &str) -> Option<Self> {
        if text == "L" {
            return Some(Self::LastOfMonth);
        }
        match text.strip_suffix('W') {
            Some(day) => DAYS_OF_MONTH.value(day).map(Self::NearestWorkday),
            None => DAYS_OF_MONTH.range(text).map(Self::OfMonth),
        }
    }

    fn read_of_week(text: &str) -> Option<Self> {
        // The week ends with Saturday.
        if text == "L" {
            return Some(Self::OfWeek([7].into()));
        }
        if let Some((day, nth)) = text.split_once('#') {
            let nth = nth.parse().ok().filter(|nth| (1..=5).contains(nth))?;
            return Some(Self::NthOfWeek(DAYS_OF_WEEK.value(day)?, nth));
        }
        match text.strip_suffix('L') {
            Some(day) => DAYS_OF_WEEK.value(day).map(Self::LastOfWeek),
            None => DAYS_OF_WEEK.range(text).map(Self::OfWeek),
        }
    }

    fn is(&self, date: Date) -> bool {
        let day = i16::from(date.day());
        let last = i16::from(date.days_in_month());
        let weekday = i16::from(date.weekday().to_sunday_one_offset());
        match self {
            Self::OfMonth(days) => days.contains(&day),
            Self::LastOfMonth => day == last,
            Self::NearestWorkday(wanted) => workday_nearest_to(*wanted, date) == Some(date),
            Self::OfWeek(days) => days.contains(&weekday),
            Self::LastOfWeek(wanted) => weekday == *wanted && day + 7 > last,
            Self::NthOfWeek(wanted, nth) => weekday == *wanted && (day + 6) / 7 == *nth,
        }
    }
}

/// The day from Monday to Friday that is nearest to a day of the month, in the same month.
fn workday_nearest_to(day: i16, month: Date) -> Option<Date> {
    let day = Date::new(month.year(), month.month(), i8::try_from(day).ok()?).ok()?;
    let nearest = match day.weekday() {
        Weekday::Saturday if day.day() == 1 => day.checked_add(2.days()),
        Weekday::Saturday => day.yesterday(),
        Weekday::Sunday if day == day.last_of_month() => day.checked_sub(2.days()),
        Weekday::Sunday => day.tomorrow(),
        _ => Ok(day),
    };
    nearest.ok()
}

/// Reads what stands between commas.
fn each<T>(text: &str, read: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    text.split(',').map(read).collect()
}

impl Field {
    const fn of(values: RangeInclusive<i16>, names: &'static [&'static str]) -> Self {
        Self { values, names }
    }

    fn read(&self, text: &str) -> Option<BTreeSet<i16>> {
        let ranges = each(text, |part| self.range(part))?;
        Some(ranges.into_iter().flatten().collect())
    }

    /// Reads `*`, `3`, `1-5`, and steps in them: `*/15`, `3/15`, `10-20/2`.
    fn range(&self, text: &str) -> Option<BTreeSet<i16>> {
        let (range, step) = match text.split_once('/') {
            Some((range, step)) => (range, Some(digits(step)?)),
            None => (text, None),
        };
        let (first, last) = match range.split_once('-') {
            _ if range == "*" => (*self.values.start(), *self.values.end()),
            Some((first, last)) => (self.value(first)?, self.value(last)?),
            None if step.is_some() => (self.value(range)?, *self.values.end()),
            None => (self.value(range)?, self.value(range)?),
        };
        // ASSUMED: a range does not go on from the last value to the first.
        let step = step.unwrap_or(1);
        (first <= last && step > 0).then(|| {
            let step = usize::from(step.unsigned_abs());
            (first..=last).step_by(step).collect()
        })
    }

    fn value(&self, text: &str) -> Option<i16> {
        let named = |name: &&str| name.eq_ignore_ascii_case(text);
        let value = match self.names.iter().position(named) {
            Some(index) => self.values.start() + i16::try_from(index).ok()?,
            None => digits(text)?,
        };
        self.values.contains(&value).then_some(value)
    }
}

/// A number without a sign.
fn digits(text: &str) -> Option<i16> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(expression: &str, after: &str, count: usize) -> Vec<String> {
        let cron = Cron::read(expression).unwrap_or_else(|| panic!("{expression} is refused"));
        let first = cron.next(after.parse().unwrap());
        std::iter::successors(first, |time| cron.next(*time))
            .take(count)
            .map(|time| time.strftime("%a %Y-%m-%d %H:%M").to_string())
            .collect()
    }

    #[test]
    fn the_expressions_of_the_user_guide_run_when_it_says() {
        for (expression, expected) in [
            (
                "cron(15 10 * * ? *)",
                ["Sun 2026-11-22 10:15", "Mon 2026-11-23 10:15"],
            ),
            (
                "cron(0 18 ? * MON-FRI *)",
                ["Mon 2026-11-23 18:00", "Tue 2026-11-24 18:00"],
            ),
            (
                "cron(0 8 1 * ? *)",
                ["Tue 2026-12-01 08:00", "Fri 2027-01-01 08:00"],
            ),
            (
                "cron(0/10 * ? * MON-FRI *)",
                ["Mon 2026-11-23 00:00", "Mon 2026-11-23 00:10"],
            ),
            (
                "cron(0/5 8-17 ? * MON-FRI *)",
                ["Mon 2026-11-23 08:00", "Mon 2026-11-23 08:05"],
            ),
            (
                "cron(0 9 ? * 2#1 *)",
                ["Mon 2026-12-07 09:00", "Mon 2027-01-04 09:00"],
            ),
            (
                "cron(0 12 L * ? *)",
                ["Mon 2026-11-30 12:00", "Thu 2026-12-31 12:00"],
            ),
            (
                "cron(0 12 ? * 6L *)",
                ["Fri 2026-11-27 12:00", "Fri 2026-12-25 12:00"],
            ),
            (
                "cron(0 12 ? * L *)",
                ["Sat 2026-11-28 12:00", "Sat 2026-12-05 12:00"],
            ),
            (
                "cron(0 12 3W * ? *)",
                ["Thu 2026-12-03 12:00", "Mon 2027-01-04 12:00"],
            ),
            (
                "cron(5 10 ? feb,JUN * 2027)",
                ["Mon 2027-02-01 10:05", "Tue 2027-02-02 10:05"],
            ),
            (
                "cron(0 0 29 2 ? *)",
                ["Tue 2028-02-29 00:00", "Sun 2032-02-29 00:00"],
            ),
            (
                "cron(1/29 */12 22 11 ? 2026-2030/2)",
                ["Sun 2026-11-22 00:01", "Sun 2026-11-22 00:30"],
            ),
        ] {
            assert_eq!(
                runs(expression, "2026-11-22T00:00:00Z", 2),
                expected,
                "{expression}"
            );
        }
    }

    #[test]
    fn the_nearest_workday_stays_in_the_month() {
        assert_eq!(
            runs("cron(0 0 1W 5 ? 2027)", "2027-01-01T00:00:00Z", 2),
            ["Mon 2027-05-03 00:00"]
        );
        assert_eq!(
            runs("cron(0 0 31W 1 ? 2027)", "2026-01-01T00:00:00Z", 2),
            ["Fri 2027-01-29 00:00"]
        );
        assert_eq!(
            runs("cron(0 0 31W 4 ? *)", "2026-01-01T00:00:00Z", 2),
            [""; 0]
        );
    }

    #[test]
    fn a_year_that_is_over_runs_no_more() {
        assert_eq!(
            runs("cron(59 23 31 12 ? 2025)", "2025-12-31T23:58:59.9Z", 2),
            ["Wed 2025-12-31 23:59"]
        );
        assert_eq!(
            runs("cron(59 23 31 12 ? 2025)", "2025-12-31T23:59:00Z", 2),
            [""; 0]
        );
    }

    #[test]
    fn what_the_user_guide_does_not_have_is_refused() {
        for fields in [
            "* * * * * *",
            "* * ? * ? *",
            "0 10 * * 2 *",
            "0 10 * * ?",
            "0 0 10 * * ? *",
            "",
            "60 * * * ? *",
            "-1 * * * ? *",
            "+1 * * * ? *",
            "* 24 * * ? *",
            "* * 0 * ? *",
            "* * 32 * ? *",
            "* * * 13 ? *",
            "* * * 0 ? *",
            "* * ? * 0 *",
            "* * ? * 8 *",
            "* * * * ? 1969",
            "* * * * ? 2200",
            "? * * * ? *",
            "* * * ? ? *",
            "5-1 * * * ? *",
            "1/0 * * * ? *",
            "*/ * * * ? *",
            "1,,2 * * * ? *",
            "L * * * ? *",
            "* * W * ? *",
            "* * 32W * ? *",
            "* * ? * 3#6 *",
            "* * ? * 3#0 *",
            "* * ? * 3#1,4#1 *",
            "* * ? * 3W *",
            "* * 3L * ? *",
            "* * ? * SUNDAY *",
            "* * 1#1 * ? *",
            "a * * * ? *",
        ] {
            assert_eq!(Cron::read(&format!("cron({fields})")), None, "{fields}");
        }
        assert_eq!(Cron::read("cron(0 10 * * ? *"), None);
    }

    #[test]
    fn every_time_of_a_day_is_found_once_and_in_order() {
        for step in 1..=59 {
            let cron = Cron::read(&format!("cron(*/{step} */7 * * ? *)")).unwrap();
            let mut now: Timestamp = "2026-12-31T23:59:59Z".parse().unwrap();
            for hour in [0, 7, 14, 21] {
                for minute in (0..60).step_by(step) {
                    now = cron.next(now).unwrap();
                    let expected = Date::constant(2027, 1, 1).at(hour, minute, 0, 0);
                    assert_eq!(TimeZone::UTC.to_datetime(now), expected);
                }
            }
        }
    }

    #[test]
    fn every_day_is_one_nth_of_its_week_and_the_last_is_among_them() {
        let nth = |day: i16| (1..=5).map(move |nth| Day::NthOfWeek(day, nth));
        for date in Date::constant(2026, 1, 1).series(1.day()).take(1500) {
            let weekday = i16::from(date.weekday().to_sunday_one_offset());
            assert_eq!((1..=7).flat_map(nth).filter(|day| day.is(date)).count(), 1);
            let in_a_week = date.checked_add(7.days()).unwrap();
            assert_eq!(
                Day::LastOfWeek(weekday).is(date),
                in_a_week.month() != date.month()
            );
            assert_eq!(
                Day::LastOfMonth.is(date),
                date.tomorrow().unwrap().day() == 1
            );
        }
    }
}
