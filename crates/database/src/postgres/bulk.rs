//! Large loads: few large transactions on a connection of their own.

use bytes::{BufMut as _, BytesMut};
use futures_util::SinkExt as _;
use kasoku_sql_plan::{Value, named};
use tokio_postgres::CopyInSink;

use super::connect::Failed;
use super::held::Held;
use super::migrate;
use crate::error::DatabaseError;

/// Rows of one transaction.
const ROWS_TOGETHER: u64 = 20_000;
/// Bytes that are gathered before they are sent.
const CHUNK_BYTES: usize = 64 << 10;

/// A connection of its own, for a load.
pub(crate) struct Load<'c> {
    held: &'c Held,
}

impl<'c> Load<'c> {
    pub(crate) fn new(held: &'c Held) -> Self {
        Self { held }
    }

    pub(crate) fn run(&mut self, sql: &str) -> Result<(), DatabaseError> {
        // Two that make the same table at once would fail, though each makes it only where it is missing.
        self.together(|| {
            self.held.run(migrate::LOCK)?;
            self.held.run(sql)
        })
    }

    /// Holds a lock until the connection is closed.
    pub(crate) fn alone(&mut self) -> Result<(), DatabaseError> {
        self.held.run("select pg_advisory_lock(hashtext('kasoku load'), hashtext(current_schema()::text))")
    }

    pub(crate) fn fill(
        &mut self,
        sql: &str,
        rows: u64,
        together: u64,
        mut progress: impl FnMut(u64),
    ) -> Result<(), DatabaseError> {
        let statements = named::statements(sql);
        let mut done = 0;
        while done < rows {
            let (first, last) = (done + 1, (done + together).min(rows));
            self.together(|| {
                for statement in &statements {
                    let numbered = named::numbered(statement, |name| matches!(name, "first" | "last"));
                    let value = |name: &&str| if *name == "first" { first } else { last } as i64;
                    let values: Vec<i64> = numbered.names.iter().map(value).collect();
                    let typed: Vec<_> = values
                        .iter()
                        .map(|value| {
                            (
                                value as &(dyn tokio_postgres::types::ToSql + Sync),
                                tokio_postgres::types::Type::INT8,
                            )
                        })
                        .collect();
                    let ran = self.held.wait(self.held.session.client().query_typed(&numbered.text, &typed));
                    ran.map_err(|error| self.held.failed(Failed::of(&error)))?;
                }
                Ok(())
            })?;
            done = last;
            progress(done);
        }
        Ok(())
    }

    pub(crate) fn insert_rows<E: From<DatabaseError>>(
        &mut self,
        table: &str,
        columns: &[impl AsRef<str>],
        rows: impl IntoIterator<Item = Result<Vec<Value>, E>>,
        mut progress: impl FnMut(u64),
    ) -> Result<u64, E> {
        let names: Vec<String> = columns.iter().map(|name| named::quoted(name.as_ref())).collect();
        let sql = format!("copy {} ({}) from stdin", named::quoted(table), names.join(", "));
        let mut rows = rows.into_iter().peekable();
        let mut done = 0;
        while rows.peek().is_some() {
            let part = self.copy(&sql, names.len(), rows.by_ref().take(ROWS_TOGETHER as usize))?;
            done += part;
            progress(done);
        }
        Ok(done)
    }

    pub(crate) fn analyze(&mut self) -> Result<(), DatabaseError> {
        self.held.run("analyze")
    }

    /// Sends these rows as one statement. If they end in an error, the rows before it are kept.
    fn copy<E: From<DatabaseError>>(
        &self,
        sql: &str,
        width: usize,
        rows: impl Iterator<Item = Result<Vec<Value>, E>>,
    ) -> Result<u64, E> {
        let fail = |error| E::from(self.held.failed(Failed::of(&error)));
        let sink =
            self.held.wait(self.held.session.client().copy_in::<_, bytes::Bytes>(sql)).map_err(fail)?;
        let mut sink = Box::pin(sink);
        let mut buffer = BytesMut::with_capacity(CHUNK_BYTES * 2);
        let mut stopped = None;
        for row in rows {
            match row {
                Ok(row) if row.len() == width => write_row(&row, &mut buffer),
                Ok(row) => {
                    let message = format!("a row has {} values, not {width}", row.len());
                    let error =
                        DatabaseError::Sql { code: "22P04".into(), message: message.into(), offset: None };
                    return Err(error.into());
                }
                Err(error) => {
                    stopped = Some(error);
                    break;
                }
            }
            if buffer.len() >= CHUNK_BYTES {
                self.send(&mut sink, buffer.split().freeze()).map_err(fail)?;
            }
        }
        self.send(&mut sink, buffer.freeze()).map_err(fail)?;
        let count = self.held.wait(sink.as_mut().finish()).map_err(fail)?;
        stopped.map_or(Ok(count), Err)
    }

    fn send(
        &self,
        sink: &mut std::pin::Pin<Box<CopyInSink<bytes::Bytes>>>,
        bytes: bytes::Bytes,
    ) -> Result<(), tokio_postgres::Error> {
        self.held.wait(sink.send(bytes))
    }

    fn together<T>(&self, f: impl FnOnce() -> Result<T, DatabaseError>) -> Result<T, DatabaseError> {
        self.held.run("begin")?;
        let result = f().and_then(|value| self.held.run("commit").map(|()| value));
        if result.is_err() && !self.held.is_lost() {
            self.held.run("rollback")?;
        }
        result
    }
}

/// Writes a row as `COPY` reads text (<https://www.postgresql.org/docs/current/sql-copy.html>, "Text Format").
fn write_row(row: &[Value], out: &mut BytesMut) {
    use std::fmt::Write as _;
    for (place, value) in row.iter().enumerate() {
        if place > 0 {
            out.put_u8(b'\t');
        }
        let written = match value {
            Value::Null => out.write_str("\\N"),
            Value::Integer(number) => write!(out, "{number}"),
            Value::Real(number) => write!(out, "{number}"),
            Value::Text(text) => {
                write_text(text, out);
                Ok(())
            }
            Value::Blob(bytes) => out
                .write_str("\\\\x")
                .and_then(|()| bytes.iter().try_for_each(|byte| write!(out, "{byte:02x}"))),
        };
        written.expect("a buffer takes all text");
    }
    out.put_u8(b'\n');
}

fn write_text(text: &str, out: &mut BytesMut) {
    for byte in text.bytes() {
        match byte {
            b'\\' => out.put_slice(b"\\\\"),
            b'\n' => out.put_slice(b"\\n"),
            b'\r' => out.put_slice(b"\\r"),
            b'\t' => out.put_slice(b"\\t"),
            other => out.put_u8(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_written_as_copy_reads_them() {
        let mut out = BytesMut::new();
        write_row(
            &[
                Value::Null,
                Value::Integer(-1),
                Value::Real(0.5),
                "a\tb\\c\nd".into(),
                Value::Blob(vec![0, 255]),
            ],
            &mut out,
        );
        assert_eq!(&out[..], b"\\N\t-1\t0.5\ta\\tb\\\\c\\nd\t\\\\x00ff\n");
    }
}
