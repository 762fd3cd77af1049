//! One prepared statement in a loop, with nothing around it: what the database itself costs, for `bench/` to compare
//! with. `bare_loop FILE KEYS SECONDS SQL` runs SQL on FILE with random whole numbers up to KEYS for `?1`, reads
//! every value of every row, and prints the microseconds that a run took.

use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use rusqlite::OpenFlags;
use rusqlite::types::ValueRef;

/// Runs between two looks at the clock.
const RUNS: u64 = 256;

#[expect(clippy::print_stdout, reason = "a program whose output is its result")]
fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, keys, seconds, sql] = arguments.as_slice() else {
        return Err("usage: bare_loop FILE KEYS SECONDS SQL".into());
    };
    let (keys, time) = (keys.parse::<u64>()?.max(1), Duration::from_secs(seconds.parse()?));
    let connection = rusqlite::Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.execute_batch("pragma cache_size = -16384; pragma query_only = on")?;
    let mut statement = connection.prepare(sql)?;
    let width = statement.column_count();
    let (mut state, mut done, began) = (7_u64, 0, Instant::now());
    while began.elapsed() < time {
        for _ in 0..RUNS {
            // Knuth's multiplier for 64 bits; the upper half is random enough.
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let mut rows = statement.query([((state >> 33) % keys + 1) as i64])?;
            while let Some(row) = rows.next()? {
                for place in 0..width {
                    match row.get_ref(place)? {
                        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
                            black_box(bytes.len());
                        }
                        other => {
                            black_box(other);
                        }
                    }
                }
            }
        }
        done += RUNS;
    }
    println!("{:.3}", began.elapsed().as_secs_f64() * 1e6 / done as f64);
    Ok(())
}
