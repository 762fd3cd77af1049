//! Schema files on PostgreSQL: each in a transaction of its own, under a lock that all nodes ask for.
//!
//! What was applied is read again behind the lock for each file, so that nodes that start at once apply every file
//! once, whichever of them comes first.

use kasoku_sql_plan::named;
use tokio_postgres::error::{DbError, ErrorPosition};

use super::connect::Failed;
use super::error::Meaning;
use super::held::Held;
use crate::error::DatabaseError;
use crate::migrate::{Applied, Migration, MigrationError, check_names, checksum, place_of, remaining};

/// One lock for each schema of a database; it ends with the transaction.
pub(super) const LOCK: &str =
    "select pg_advisory_xact_lock(hashtext('kasoku schema files'), hashtext(current_schema()::text))";

/// Words that begin a statement which begins or ends a transaction.
const OF_TRANSACTIONS: &[&str] = &["begin", "start", "commit", "end", "rollback", "abort"];

/// The table of what was applied, by its whole name: a file may set another search path.
struct Ledger<'h> {
    held: &'h Held,
    table: String,
}

/// Applies what was not applied yet.
pub(super) fn apply(held: &Held, files: &[Migration]) -> Result<(), DatabaseError> {
    check_names(files)?;
    if files.is_empty() {
        // A database that is served as it is, whoever made it.
        return Ok(());
    }
    for file in files {
        check_text(file)?;
    }
    let ledger = Ledger::of(held)?;
    loop {
        held.run("begin isolation level read committed, read write")?;
        let applied = ledger.apply_next(files);
        match applied {
            Ok(true) => held.run("commit")?,
            Ok(false) => return held.run("commit"),
            Err(error) => {
                if !held.is_lost() {
                    held.run("rollback")?;
                }
                return Err(error);
            }
        }
    }
}

/// Whether all of these files, and no others, were applied to the current schema.
pub(super) fn are_applied(held: &Held, files: &[Migration]) -> Result<bool, DatabaseError> {
    let ledger = Ledger::of(held)?;
    let sql = "select to_regclass($1) is not null";
    let there = held.wait(held.session.client().query_one(sql, &[&ledger.table]));
    let there: bool = there.map_err(|error| held.failed(Failed::of(&error)))?.get(0);
    Ok(there && remaining(files, &ledger.applied()?).is_ok_and(<[Migration]>::is_empty))
}

/// Runs the files in the transaction that has begun.
pub(super) fn rehearse(held: &Held, files: &[Migration]) -> Result<(), DatabaseError> {
    check_names(files)?;
    for file in files {
        check_text(file)?;
        run(held, file)?;
    }
    Ok(())
}

impl<'h> Ledger<'h> {
    fn of(held: &'h Held) -> Result<Self, DatabaseError> {
        let asked = held.wait(held.session.client().query_one("select current_schema()::text", &[]));
        let schema: Option<String> = asked.map_err(|error| held.failed(Failed::of(&error)))?.get(0);
        let missing = "none of the schemas in the user's search path exists";
        let schema = schema.ok_or_else(|| DatabaseError::Refused(missing.into()))?;
        Ok(Self { held, table: format!("{}._kasoku_migration", named::quoted(&schema)) })
    }

    /// Applies the next file; whether there was one.
    fn apply_next(&self, files: &[Migration]) -> Result<bool, DatabaseError> {
        self.held.run(LOCK)?;
        self.held.run(&format!(
            "create table if not exists {} (place integer primary key, name text not null unique, \
             checksum text not null, applied_at text not null)",
            self.table
        ))?;
        let Some(file) = remaining(files, &self.applied()?)?.first() else { return Ok(false) };
        run(self.held, file)?;
        let place = files.iter().take_while(|other| other.name != file.name).count() as i32 + 1;
        let remember = format!(
            "insert into {} values ($1, $2, $3, to_char(now() at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'))",
            self.table
        );
        let sum = checksum(&file.sql);
        let client = self.held.session.client();
        let kept = self.held.wait(client.execute(&remember, &[&place, &file.name, &sum]));
        kept.map_err(|error| self.held.failed(Failed::of(&error)))?;
        Ok(true)
    }

    fn applied(&self) -> Result<Vec<Applied>, DatabaseError> {
        let sql = format!("select name, checksum from {} order by place", self.table);
        let rows = self.held.wait(self.held.session.client().query(&sql, &[]));
        let rows = rows.map_err(|error| self.held.failed(Failed::of(&error)))?;
        Ok(rows.iter().map(|row| Applied { name: row.get(0), checksum: row.get(1) }).collect())
    }
}

/// Refuses what would break the transaction of a file, or wait for a client that sends rows.
fn check_text(file: &Migration) -> Result<(), MigrationError> {
    let refuse = |at: usize, message: &str| {
        let (line, column) = place_of(&file.sql[..at]);
        Err(MigrationError::Failed { file: file.name.clone(), line, column, message: message.to_owned() })
    };
    if let Some(at) = file.sql.find('\0') {
        return refuse(at, "a NUL character, which the server does not take");
    }
    for statement in named::statements(&file.sql) {
        let begin = statement.as_ptr() as usize - file.sql.as_ptr() as usize;
        let words: Vec<(usize, String)> =
            named::words(statement).map(|(at, word)| (at, word.to_ascii_lowercase())).collect();
        let (Some((at, first)), second) = (words.first(), words.get(1).map(|(_, word)| word.as_str())) else {
            continue;
        };
        let prepares = first == "prepare" && second == Some("transaction");
        let within = first == "rollback" && words.iter().any(|(_, word)| word == "to");
        if (OF_TRANSACTIONS.contains(&first.as_str()) && !within) || prepares {
            return refuse(begin + at, "a schema file runs in a transaction; it may not begin or end one");
        }
        if first == "copy" && words.iter().any(|(_, word)| word == "stdin") {
            return refuse(begin + at, "nobody sends rows to a schema file; write them as `insert`");
        }
    }
    Ok(())
}

fn run(held: &Held, file: &Migration) -> Result<(), DatabaseError> {
    let ran = held.wait(held.session.client().batch_execute(&file.sql));
    ran.map_err(|error| {
        let failed = Failed::of(&error);
        match error.as_db_error() {
            Some(said) if failed.meaning != Meaning::Lost => failed_in(file, said).into(),
            _ => held.failed(failed),
        }
    })
}

fn failed_in(file: &Migration, said: &DbError) -> MigrationError {
    let (line, column) = match said.position() {
        // It counts characters, from 1.
        Some(ErrorPosition::Original(place)) => {
            let before = file.sql.char_indices().nth((*place as usize).saturating_sub(1));
            place_of(&file.sql[..before.map_or(file.sql.len(), |(at, _)| at)])
        }
        _ => (0, 0),
    };
    let mut message = said.message().to_owned();
    for more in [said.detail(), said.hint()].into_iter().flatten() {
        message.push_str("; ");
        message.push_str(more);
    }
    MigrationError::Failed { file: file.name.clone(), line, column, message }
}
