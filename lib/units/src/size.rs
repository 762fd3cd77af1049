//! Sizes as people write them: `"64KiB"`, `"256MiB"`, `"1GB"`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A number of bytes with a text form: a whole number and a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSize(pub u64);

/// Why a text is not a size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SizeError {
    /// A number has no unit behind it.
    NoUnit,
    /// Not a whole number with one of the units.
    Malformed(String),
    /// More than 2⁶⁴ bytes.
    TooLarge,
}

/// Bytes of each unit; the first form of each magnitude is how sizes are printed.
const UNITS: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("KB", 1_000),
    ("B", 1),
];

impl FromStr for ByteSize {
    type Err = SizeError;

    fn from_str(text: &str) -> Result<Self, SizeError> {
        let text = text.trim();
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = (&text[..digits], text[digits..].trim_start());
        if number.is_empty() {
            return Err(SizeError::Malformed(text.to_owned()));
        }
        if unit.is_empty() {
            return Err(SizeError::NoUnit);
        }
        let (_, bytes) = UNITS
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(unit))
            .ok_or_else(|| SizeError::Malformed(text.to_owned()))?;
        let number: u64 = number.parse().map_err(|_| SizeError::TooLarge)?;
        number.checked_mul(*bytes).map(Self).ok_or(SizeError::TooLarge)
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exact = UNITS.iter().find(|(_, bytes)| self.0 >= *bytes && self.0.is_multiple_of(*bytes));
        let (unit, bytes) = exact.copied().unwrap_or(("B", 1));
        write!(f, "{}{unit}", self.0 / bytes)
    }
}

impl fmt::Display for SizeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoUnit => {
                f.write_str("a size needs a unit: B, KiB, MiB, GiB, KB, MB or GB, as in \"256MiB\"")
            }
            Self::Malformed(text) => {
                write!(f, "`{text}` is not a whole number with a unit, as in \"256MiB\"")
            }
            Self::TooLarge => f.write_str("a size of more than 2^64 bytes"),
        }
    }
}

impl std::error::Error for SizeError {}

impl Serialize for ByteSize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ByteSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_strictly_and_read_back() {
        for (text, expected) in [
            ("0B", Ok(0)),
            ("64KiB", Ok(65_536)),
            ("256 MiB", Ok(268_435_456)),
            ("1gb", Ok(1_000_000_000)),
            ("1024", Err(SizeError::NoUnit)),
            ("MiB", Err(SizeError::Malformed("MiB".into()))),
            ("1.5GiB", Err(SizeError::Malformed("1.5GiB".into()))),
            ("-1B", Err(SizeError::Malformed("-1B".into()))),
            ("99999999TiB", Err(SizeError::TooLarge)),
        ] {
            assert_eq!(text.parse::<ByteSize>().map(|s| s.0), expected, "{text:?}");
        }
        for bytes in [0, 1, 1_000, 1_023, 1_024, 268_435_456, 1_500_000] {
            assert_eq!(ByteSize(bytes).to_string().parse(), Ok(ByteSize(bytes)));
        }
    }
}
