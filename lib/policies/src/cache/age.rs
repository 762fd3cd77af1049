//! The values of `Age`, the usual ones without an allocation.

use http::HeaderValue;

/// Ages below this are written in the program itself.
const WRITTEN: usize = 1_000;

/// Three digits of each.
static DIGITS: [[u8; 3]; WRITTEN] = {
    let mut digits = [[b'0'; 3]; WRITTEN];
    let mut age = 0;
    while age < WRITTEN {
        digits[age] = [b'0' + (age / 100) as u8, b'0' + (age / 10 % 10) as u8, b'0' + (age % 10) as u8];
        age += 1;
    }
    digits
};

/// The value for an age in seconds.
pub(crate) fn value(age_s: u64) -> HeaderValue {
    let written = usize::try_from(age_s).ok().and_then(|place| DIGITS.get(place));
    let text = written.and_then(|digits| {
        let leading = usize::from(age_s < 100) + usize::from(age_s < 10);
        std::str::from_utf8(&digits[leading..]).ok()
    });
    text.map_or_else(|| HeaderValue::from(age_s), HeaderValue::from_static)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_age_is_its_decimal_number() {
        for age_s in (0..2_000).chain([u64::MAX]) {
            assert_eq!(value(age_s), age_s.to_string());
        }
    }
}
