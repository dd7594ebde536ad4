//! Numbers as DynamoDB has them: decimal, exact, of at most 38 digits.
//!
//! Source: DynamoDB Developer Guide, "Supported data types and naming rules".

use std::{cmp::Ordering, fmt, ops::Neg};

use super::invalid;
use crate::world::ApiError;

/// The most significant digits that a number may have.
const DIGITS: usize = 38;

/// The places that the first digit of a number may stand at, as powers of ten.
const PLACES: std::ops::RangeInclusive<i64> = -130..=125;

/// A number: coefficient times ten to the power of the exponent.
///
/// The coefficient does not end with a zero, so that a number has one form; 0 has the exponent 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Number {
    coefficient: i128,
    exponent: i64,
}

impl Number {
    /// Reads a number, with a fraction, with an exponent, or without.
    pub(super) fn parse(text: &str) -> Result<Self, ApiError> {
        let unreadable = || {
            invalid(format!(
                "The parameter cannot be converted to a numeric value: {text}"
            ))
        };
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => {
                let exponent: i32 = exponent.parse().map_err(|_| unreadable())?;
                (mantissa, i64::from(exponent))
            }
            None => (text, 0),
        };
        let unsigned = mantissa.strip_prefix(['-', '+']).unwrap_or(mantissa);
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let digits = format!("{whole}{fraction}");
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(unreadable());
        }
        let significant = digits.trim_start_matches('0').trim_end_matches('0');
        if significant.len() > DIGITS {
            return Err(too_precise());
        }
        let zeros = digits.len() - digits.trim_end_matches('0').len();
        let coefficient = significant.parse().unwrap_or(0);
        let exponent = exponent - length(fraction) + i64::try_from(zeros).unwrap_or(i64::MAX);
        let number = Self::of(coefficient, exponent)?;
        Ok(if mantissa.starts_with('-') {
            -number
        } else {
            number
        })
    }

    /// The exact sum; more digits than a number can have are refused, not rounded.
    pub(super) fn plus(self, other: Self) -> Result<Self, ApiError> {
        if self.coefficient == 0 {
            return Ok(other);
        }
        if other.coefficient == 0 {
            return Ok(self);
        }
        let exponent = self.exponent.min(other.exponent);
        let aligned = |number: Self| {
            let zeros = u32::try_from(number.exponent - exponent).ok()?;
            let power = 10_i128.checked_pow(zeros)?;
            number.coefficient.checked_mul(power)
        };
        let operands = aligned(self).zip(aligned(other));
        let sum = operands.and_then(|(a, b)| a.checked_add(b));
        Self::of(sum.ok_or_else(too_precise)?, exponent)
    }

    /// Brings a number into its form, if it is one that DynamoDB has.
    fn of(mut coefficient: i128, mut exponent: i64) -> Result<Self, ApiError> {
        if coefficient == 0 {
            exponent = 0;
        }
        while coefficient != 0 && coefficient % 10 == 0 {
            coefficient /= 10;
            exponent += 1;
        }
        let number = Self {
            coefficient,
            exponent,
        };
        if number.digits().len() > DIGITS {
            return Err(too_precise());
        }
        let (magnitude, relation) = match number.place() {
            place if place > *PLACES.end() => ("overflow", "larger"),
            place if place < *PLACES.start() => ("underflow", "smaller"),
            _ => return Ok(number),
        };
        Err(invalid(format!(
            "Number {magnitude}. Attempting to store a number with magnitude {relation} than \
             supported range"
        )))
    }

    /// The digits of the coefficient, without a sign.
    fn digits(self) -> String {
        self.coefficient.unsigned_abs().to_string()
    }

    /// Where the first digit stands, as a power of ten.
    fn place(self) -> i64 {
        length(&self.digits()) - 1 + self.exponent
    }
}

impl Neg for Number {
    type Output = Self;

    fn neg(self) -> Self {
        Self {
            coefficient: -self.coefficient,
            ..self
        }
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        let sign = self.coefficient.signum();
        let signs = sign.cmp(&other.coefficient.signum());
        if signs.is_ne() || sign == 0 {
            return signs;
        }
        // At the same place, digits compare as texts do.
        let places = self.place().cmp(&other.place());
        let magnitudes = places.then_with(|| self.digits().cmp(&other.digits()));
        if sign < 0 {
            magnitudes.reverse()
        } else {
            magnitudes
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// As DynamoDB writes it: without an exponent.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.coefficient < 0 { "-" } else { "" };
        let digits = self.digits();
        if let Ok(zeros) = usize::try_from(self.exponent) {
            return write!(f, "{sign}{digits}{}", "0".repeat(zeros));
        }
        let fraction = usize::try_from(-self.exponent).unwrap_or_default();
        let digits = format!("{digits:0>width$}", width = fraction + 1);
        let (whole, fraction) = digits.split_at(digits.len() - fraction);
        write!(f, "{sign}{whole}.{fraction}")
    }
}

fn length(text: &str) -> i64 {
    i64::try_from(text.len()).unwrap_or(i64::MAX)
}

fn too_precise() -> ApiError {
    invalid("Attempting to store more than 38 significant digits in a Number")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        Number::parse(text).unwrap()
    }

    fn refusal(text: &str) -> String {
        Number::parse(text).unwrap_err().message
    }

    #[test]
    fn a_number_has_one_form_however_it_is_written() {
        for (text, shown) in [
            ("0", "0"),
            ("-0.00", "0"),
            ("0e5", "0"),
            ("007", "7"),
            ("+1.50", "1.5"),
            ("-.25", "-0.25"),
            ("5.", "5"),
            ("12e2", "1200"),
            ("1E-3", "0.001"),
            ("120.0300", "120.03"),
        ] {
            assert_eq!(number(text).to_string(), shown, "{text}");
        }
        let most = "9".repeat(38);
        assert_eq!(number(&most).to_string(), most);
        assert_eq!(number("1e125").to_string().len(), 126);
    }

    #[test]
    fn what_is_no_number_of_dynamodb_is_refused_with_its_reason() {
        for text in [
            "", "-", ".", "1e", "1e1.5", "0x1", "NaN", "inf", "--1", "1 ",
        ] {
            let message = refusal(text);
            assert!(message.contains("cannot be converted"), "{text}: {message}");
        }
        let long = format!("1{}1", "0".repeat(37));
        assert!(refusal(&long).contains("more than 38 significant digits"));
        assert!(refusal("1e126").contains("magnitude larger"));
        assert!(refusal("-1e2147483647").contains("magnitude larger"));
        assert!(refusal("1e-131").contains("magnitude smaller"));
        assert!(refusal("1e-2147483648").contains("magnitude smaller"));
    }

    #[test]
    fn numbers_compare_by_value() {
        let ascending = [
            "-1e125", "-10", "-9.5", "-1e-130", "0", "1e-130", "0.1", "0.11", "9", "10", "1e125",
        ];
        let numbers: Vec<Number> = ascending.iter().map(|text| number(text)).collect();
        assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
        assert_eq!(number("1"), number("1.0"));
    }

    #[test]
    fn sums_are_exact_or_refused() {
        let sum = |a: &str, b: &str| number(a).plus(number(b)).map(|sum| sum.to_string());
        let most = "9".repeat(38);
        assert_eq!(sum("0.1", "0.2").unwrap(), "0.3");
        assert_eq!(sum("1e125", "0").unwrap(), number("1e125").to_string());
        assert_eq!(sum("0", "1e-130").unwrap(), number("1e-130").to_string());
        assert_eq!(sum("5", "-5.0").unwrap(), "0");
        assert_eq!(sum(&most, "1").unwrap(), format!("1{}", "0".repeat(38)));
        for (a, b) in [(most.as_str(), "0.1"), ("1e125", "1"), ("1e38", "1")] {
            let refused = sum(a, b).unwrap_err().message;
            assert!(refused.contains("38 significant digits"), "{refused}");
        }
        let refused = sum("9e125", "9e125").unwrap_err().message;
        assert!(refused.contains("magnitude larger"), "{refused}");
    }
}
