//! Each target with its seeds, and with thousands of inputs made from them: the same ones in every run.

#![expect(clippy::print_stderr, reason = "a failure says which input it was")]

use std::path::Path;

use kasoku_fuzz_targets::TARGETS;

/// Bytes of a made input, at the most.
const BYTES_MOST: usize = 2_048;

/// A small generator of numbers that look random.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        // Marsaglia's xorshift64*.
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }
}

/// Bytes that parsers treat as special more often than others.
const SIGNS: &[u8] = b"\0\t\n\r \"#%&'()*+,-./09:;<=>?@AZ[\\]_`az{|}~\x7f\x80\xc3\xff";

/// A seed with a few changes: bytes changed, taken out, doubled, and parts of another seed put in.
fn changed(seeds: &[Vec<u8>], numbers: &mut Numbers) -> Vec<u8> {
    let mut input = seeds[numbers.below(seeds.len())].clone();
    for _ in 0..=numbers.below(6) {
        let at = numbers.below(input.len() + 1);
        let end = (at + 1 + numbers.below(16)).min(input.len());
        match numbers.below(6) {
            0 if at < input.len() => input[at] ^= 1 << numbers.below(8),
            1 if at < input.len() => input[at] = SIGNS[numbers.below(SIGNS.len())],
            2 if at < input.len() => drop(input.drain(at..end)),
            3 if at < input.len() => {
                let doubled = input[at..end].to_vec();
                input.splice(at..at, doubled);
            }
            4 => {
                let other = &seeds[numbers.below(seeds.len())];
                let from = numbers.below(other.len() + 1);
                let to = (from + numbers.below(64)).min(other.len());
                input.splice(at..at, other[from..to].iter().copied());
            }
            _ => input.insert(at, SIGNS[numbers.below(SIGNS.len())]),
        }
    }
    input.truncate(BYTES_MOST);
    input
}

fn check(name: &str, count: u32) {
    let (_, run) = TARGETS.iter().find(|(target, _)| *target == name).expect("the target is in the list");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../seeds").join(name);
    let mut files: Vec<_> =
        std::fs::read_dir(&folder).expect("it has seeds").map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let seeds: Vec<_> = files.iter().map(|file| std::fs::read(file).unwrap()).collect();
    assert!(!seeds.is_empty());
    for (seed, file) in seeds.iter().zip(&files) {
        guarded(*run, seed, &file.display().to_string());
    }
    let mut numbers = Numbers(0x6b61_736f_6b75);
    for _ in 0..count {
        let input = changed(&seeds, &mut numbers);
        guarded(*run, &input, "a changed seed");
    }
}

/// Says which input it was; a file of it among the seeds is the regression test.
fn guarded(run: kasoku_fuzz_targets::Run, input: &[u8], origin: &str) {
    if let Err(panic) = std::panic::catch_unwind(|| run(input)) {
        eprintln!("{origin}: {:?}", input.escape_ascii().to_string());
        std::panic::resume_unwind(panic);
    }
}

macro_rules! smoke {
    ($($name:ident: $count:literal;)+) => {
        $(#[test] fn $name() { check(stringify!($name), $count); })+

        #[test]
        fn every_target_is_tried_and_has_its_program() {
            let tried = [$(stringify!($name)),+];
            let programs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz_targets");
            let mut there: Vec<_> = std::fs::read_dir(programs).unwrap()
                .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
                .collect();
            there.sort();
            assert_eq!(TARGETS.iter().map(|(name, _)| *name).collect::<Vec<_>>(), tried);
            assert_eq!(there, tried);
        }
    };
}

smoke! {
    configuration: 2_000;
    cursor: 5_000;
    data: 3_000;
    declared_query: 5_000;
    delimited: 400;
    fields: 10_000;
    json: 400;
    path: 5_000;
    query: 5_000;
    units: 20_000;
}
