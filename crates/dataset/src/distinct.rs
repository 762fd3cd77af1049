//! Counting different values of a column in bounded memory, and proving that all of them differ.

use foldhash::{HashSet, HashSetExt as _};

use xxhash_rust::xxh3::xxh3_64;

/// Registers of the estimate; 2¹² keep its standard error at 1.6 %.
const REGISTER_BITS: u32 = 12;

/// Values whose difference is proved by remembering their hashes; a longer column must be ascending.
const REMEMBERED_MAX: usize = 2_000_000;

/// The hash of a value.
pub(crate) fn hash_of(text: &str) -> u64 {
    xxh3_64(text.as_bytes())
}

/// An estimate of how many different hashes were seen (HyperLogLog by Flajolet et al., 2007).
#[derive(Debug, Clone)]
pub(crate) struct DistinctEstimate {
    registers: Box<[u8]>,
}

impl DistinctEstimate {
    pub(crate) fn new() -> Self {
        Self { registers: vec![0; 1 << REGISTER_BITS].into_boxed_slice() }
    }

    pub(crate) fn add(&mut self, hash: u64) {
        let register = (hash >> (64 - REGISTER_BITS)) as usize;
        let rank = ((hash << REGISTER_BITS) | (1 << (REGISTER_BITS - 1))).leading_zeros() as u8 + 1;
        let seen = &mut self.registers[register];
        *seen = (*seen).max(rank);
    }

    pub(crate) fn count(&self) -> u64 {
        let registers = self.registers.len() as f64;
        let sum: f64 = self.registers.iter().map(|rank| 0.5_f64.powi(i32::from(*rank))).sum();
        let empty = memchr::memchr_iter(0, &self.registers).count();
        let raw = 0.7213 / (1.0 + 1.079 / registers) * registers * registers / sum;
        // Few values leave registers empty, and counting those is then the better estimate.
        if raw <= 2.5 * registers && empty > 0 {
            return (registers * (registers / empty as f64).ln()).round() as u64;
        }
        raw.round() as u64
    }
}

/// Whether all values of a column differ; a proof, never an estimate.
///
/// Two values with the same hash count as equal, which errs on the safe side: such a column is not taken for a key.
#[derive(Debug, Clone)]
pub(crate) struct Uniqueness {
    /// Whether each value so far was a whole number greater than the one before.
    ascending: bool,
    last: Option<i64>,
    /// The hashes of all values, as long as they differ and are not too many.
    hashes: Option<HashSet<u64>>,
}

impl Uniqueness {
    pub(crate) fn new() -> Self {
        Self { ascending: true, last: None, hashes: Some(HashSet::new()) }
    }

    /// Takes note of a value; `number` is there if it is a whole number.
    pub(crate) fn add(&mut self, hash: u64, number: Option<i64>) {
        self.ascending &= number.is_some() && self.last < number;
        self.last = number;
        if let Some(hashes) = &mut self.hashes
            && (!hashes.insert(hash) || hashes.len() > REMEMBERED_MAX)
        {
            self.hashes = None;
        }
    }

    pub(crate) fn is_proved(&self) -> bool {
        self.ascending || self.hashes.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_estimate_is_close_for_few_and_for_many() {
        for count in [0_u64, 1, 2, 10, 100, 5_000, 20_000, 300_000] {
            let mut estimate = DistinctEstimate::new();
            for round in 0..2 {
                for value in 0..count {
                    estimate.add(hash_of(&format!("value {value}")));
                }
                let found = estimate.count();
                let error = found.abs_diff(count) as f64 / count.max(1) as f64;
                assert!(error < 0.06, "{found} for {count} in round {round}");
            }
        }
    }

    #[test]
    fn a_repeated_value_is_found_whether_or_not_the_column_ascends() {
        let check = |numbers: &[i64], expected: bool| {
            let mut uniqueness = Uniqueness::new();
            for number in numbers {
                uniqueness.add(hash_of(&number.to_string()), Some(*number));
            }
            assert_eq!(uniqueness.is_proved(), expected, "{numbers:?}");
        };
        check(&[], true);
        check(&[3, 1, 2], true);
        check(&[1, 2, 3], true);
        check(&[1, 2, 2], false);
        check(&[1, 2, 1], false);
        check(&[3, 1, 3], false);
    }

    #[test]
    fn beyond_what_is_remembered_only_ascending_numbers_are_proved() {
        let (mut ascending, mut texts) = (Uniqueness::new(), Uniqueness::new());
        for number in 0..=REMEMBERED_MAX as u64 {
            ascending.add(number, Some(number as i64));
            texts.add(number, None);
        }
        assert!(ascending.is_proved());
        assert!(!texts.is_proved());
    }
}
