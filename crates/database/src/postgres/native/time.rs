//! Dates, times, instants and intervals, in the server's ISO style.

use std::io::Write as _;

use super::bytes::{Bytes, Malformed};
use super::form::Clock;
use super::number::unsigned;

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// From the 1st of March of the year 0 to the day from which the server counts.
const DAYS_TO_2000: i64 = 730_425;

pub(super) fn date(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    match Bytes(bytes).only_i32()? {
        i32::MAX => out.extend_from_slice(b"infinity"),
        i32::MIN => out.extend_from_slice(b"-infinity"),
        days => {
            if calendar(days.into(), out) == Era::BeforeChrist {
                out.extend_from_slice(b" BC");
            }
        }
    }
    Ok(())
}

pub(super) fn time(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    time_of(Bytes(bytes).only_u64()?, out);
    Ok(())
}

pub(super) fn time_with_zone(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    let mut bytes = Bytes(bytes);
    let (micros, west) = (bytes.u64()?, bytes.i32()?);
    bytes.end()?;
    time_of(micros, out);
    let seconds = west.unsigned_abs();
    out.push(if west > 0 { b'-' } else { b'+' });
    two(seconds / 3_600, out);
    let (minutes, seconds) = (seconds / 60 % 60, seconds % 60);
    if minutes > 0 || seconds > 0 {
        out.push(b':');
        two(minutes, out);
    }
    if seconds > 0 {
        out.push(b':');
        two(seconds, out);
    }
    Ok(())
}

/// With a zone it is an instant, which is shown in UTC.
pub(super) fn timestamp(bytes: &[u8], clock: Clock, zone: bool, out: &mut Vec<u8>) -> Result<(), Malformed> {
    let micros = match Bytes(bytes).only_i64()? {
        i64::MAX => {
            out.extend_from_slice(b"infinity");
            return Ok(());
        }
        i64::MIN => {
            out.extend_from_slice(b"-infinity");
            return Ok(());
        }
        micros => micros,
    };
    let era = calendar(micros.div_euclid(DAY), out);
    out.push(if clock == Clock::Json { b'T' } else { b' ' });
    time_of(micros.rem_euclid(DAY) as u64, out);
    if zone {
        out.extend_from_slice(if clock == Clock::Json { b"+00:00" } else { b"+00" });
    }
    if era == Era::BeforeChrist {
        out.extend_from_slice(b" BC");
    }
    Ok(())
}

/// As `1 year 2 mons -3 days +04:05:06.7`: a part that follows a negative one shows its sign.
pub(super) fn interval(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    let mut bytes = Bytes(bytes);
    let (micros, days, months) = (bytes.i64()?, bytes.i32()?, bytes.i32()?);
    bytes.end()?;
    match (micros, days, months) {
        (i64::MAX, i32::MAX, i32::MAX) => out.extend_from_slice(b"infinity"),
        (i64::MIN, i32::MIN, i32::MIN) => out.extend_from_slice(b"-infinity"),
        _ => finite_interval(micros, days, months, out),
    }
    Ok(())
}

fn finite_interval(micros: i64, days: i32, months: i32, out: &mut Vec<u8>) {
    let begun = out.len();
    let mut after_negative = false;
    for (number, unit) in [(months / 12, "year"), (months % 12, "mon"), (days, "day")] {
        if number != 0 {
            let space = if out.len() > begun { " " } else { "" };
            let sign = if after_negative && number > 0 { "+" } else { "" };
            let many = if number == 1 { "" } else { "s" };
            write!(out, "{space}{sign}{number} {unit}{many}").expect("a Vec takes all bytes");
            after_negative = number < 0;
        }
    }
    if micros == 0 && out.len() > begun {
        return;
    }
    if out.len() > begun {
        out.push(b' ');
    }
    if micros < 0 {
        out.push(b'-');
    } else if after_negative {
        out.push(b'+');
    }
    time_of(micros.unsigned_abs(), out);
}

#[derive(PartialEq, Eq)]
enum Era {
    Common,
    BeforeChrist,
}

/// Writes the day so many days after the 1st of January 2000. The calendar is Gregorian throughout; the year before 1
/// is 1 BC.
fn calendar(days: i64, out: &mut Vec<u8>) -> Era {
    // Years that begin in March have their leap day at the end, and 400 of them always have the same length.
    let days = days + DAYS_TO_2000;
    let (cycle, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let year = cycle * 400 + year + i64::from(month >= 10);
    let month = if month < 10 { month + 3 } else { month - 9 };
    let (shown, era) = if year > 0 { (year, Era::Common) } else { (1 - year, Era::BeforeChrist) };
    for _ in 1..4_u32.saturating_sub(shown.ilog10()) {
        out.push(b'0');
    }
    unsigned(shown.unsigned_abs(), out);
    out.push(b'-');
    two(month as u32, out);
    out.push(b'-');
    two(day as u32, out);
    era
}

/// Hours of two digits or more, and no zeros at the end of a fraction.
fn time_of(micros: u64, out: &mut Vec<u8>) {
    let hours = micros / HOUR as u64;
    if hours < 100 {
        two(hours as u32, out);
    } else {
        unsigned(hours, out);
    }
    out.push(b':');
    two((micros / MINUTE as u64 % 60) as u32, out);
    out.push(b':');
    two((micros / SECOND as u64 % 60) as u32, out);
    let mut fraction = micros % SECOND as u64;
    if fraction > 0 {
        out.push(b'.');
        let mut by = 100_000;
        while fraction > 0 {
            out.push(b'0' + (fraction / by) as u8);
            fraction %= by;
            by /= 10;
        }
    }
}

fn two(number: u32, out: &mut Vec<u8>) {
    out.extend_from_slice(&[b'0' + (number / 10 % 10) as u8, b'0' + (number % 10) as u8]);
}
