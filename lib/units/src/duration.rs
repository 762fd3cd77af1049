//! Durations as people write them: `"250ms"`, `"30s"`, `"1h30m"`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A duration with a text form: whole numbers, each with a unit (`ms`, `s`, `m`, `h`, `d`), largest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period(pub Duration);

/// Why a text is not a duration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeriodError {
    /// There is nothing between the quotes.
    Empty,
    /// A number has no unit behind it.
    NoUnit,
    /// A unit that is none of `ms`, `s`, `m`, `h`, `d`.
    UnknownUnit(String),
    /// Units must go from the largest to the smallest, each at most once.
    Order,
    /// More than 10,000 years: surely a slip.
    TooLong,
}

/// Milliseconds of each unit, largest first.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

const LONGEST_MS: u64 = 10_000 * 365 * 86_400_000;

impl FromStr for Period {
    type Err = PeriodError;

    fn from_str(text: &str) -> Result<Self, PeriodError> {
        let mut rest = text.trim();
        if rest.is_empty() {
            return Err(PeriodError::Empty);
        }
        let (mut total_ms, mut smallest) = (0_u64, None);
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or(PeriodError::NoUnit)?;
            let letters =
                rest[digits..].find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len() - digits);
            let name = &rest[digits..digits + letters];
            let rank = UNITS.iter().position(|(unit, _)| *unit == name);
            let (Some(rank), false) = (rank, digits == 0) else {
                return Err(PeriodError::UnknownUnit(rest.to_owned()));
            };
            if smallest.is_some_and(|before| rank <= before) {
                return Err(PeriodError::Order);
            }
            smallest = Some(rank);
            let count: u64 = rest[..digits].parse().map_err(|_| PeriodError::TooLong)?;
            total_ms = count
                .checked_mul(UNITS[rank].1)
                .and_then(|ms| total_ms.checked_add(ms))
                .filter(|ms| *ms <= LONGEST_MS)
                .ok_or(PeriodError::TooLong)?;
            rest = rest[digits + letters..].trim_start();
        }
        Ok(Self(Duration::from_millis(total_ms)))
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut left_ms = u64::try_from(self.0.as_millis()).unwrap_or(LONGEST_MS);
        if left_ms == 0 {
            return f.write_str("0s");
        }
        for (unit, ms) in UNITS {
            if left_ms >= ms {
                write!(f, "{}{unit}", left_ms / ms)?;
                left_ms %= ms;
            }
        }
        Ok(())
    }
}

impl fmt::Display for PeriodError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("a duration is empty; write one such as \"30s\""),
            Self::NoUnit => f.write_str("a duration needs a unit: ms, s, m, h or d, as in \"30s\""),
            Self::UnknownUnit(at) => {
                write!(f, "`{at}` is not a number with a unit: ms, s, m, h or d, as in \"1m30s\"")
            }
            Self::Order => f.write_str("the parts of a duration go from the largest unit to the smallest"),
            Self::TooLong => f.write_str("a duration of more than 10,000 years"),
        }
    }
}

impl std::error::Error for PeriodError {}

impl Serialize for Period {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &Result<u64, PeriodError>) {
        assert_eq!(&text.parse::<Period>().map(|p| p.0.as_millis() as u64), expected, "{text:?}");
    }

    #[test]
    fn durations_are_read_strictly() {
        check("250ms", &Ok(250));
        check("30s", &Ok(30_000));
        check("1m30s", &Ok(90_000));
        check(" 1h 30m ", &Ok(5_400_000));
        check("0s", &Ok(0));
        check("", &Err(PeriodError::Empty));
        check("30", &Err(PeriodError::NoUnit));
        check("s", &Err(PeriodError::UnknownUnit("s".into())));
        check("30 s", &Err(PeriodError::UnknownUnit("30 s".into())));
        check("3parsecs", &Err(PeriodError::UnknownUnit("3parsecs".into())));
        check("30s1m", &Err(PeriodError::Order));
        check("1s1s", &Err(PeriodError::Order));
        check("99999999999999999999d", &Err(PeriodError::TooLong));
        check("9999999999d", &Err(PeriodError::TooLong));
    }

    #[test]
    fn text_forms_read_back() {
        for ms in [0, 1, 999, 1_000, 61_001, 86_400_000, 90_061_001] {
            let period = Period(Duration::from_millis(ms));
            assert_eq!(period.to_string().parse(), Ok(period), "{period}");
        }
    }
}
