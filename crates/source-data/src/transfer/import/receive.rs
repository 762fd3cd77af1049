//! The body of an import, as it comes.

use std::io::ErrorKind;

use http_body_util::BodyExt;
use kasoku_pipeline::{Body, RequestBody};
use kasoku_problem::{Kind, Problem};
use kasoku_sql_plan::LoadRow;
use sha2::{Digest, Sha256};

use super::rows::{Numbered, RowReader};
use super::split::Splitter;

/// Rows, as they come.
pub(super) struct Receiver {
    body: Body,
    bytes: u64,
    bytes_max: u64,
    splitter: Splitter,
    rows: RowReader,
    digest: Option<Sha256>,
    has_ended: bool,
}

impl Receiver {
    /// `digests` if it will be asked what all of the body was.
    pub(super) fn new(
        body: RequestBody,
        bytes_max: u64,
        (splitter, rows): (Splitter, RowReader),
        digests: bool,
    ) -> Self {
        let (body, digest) = (body.into_body(), digests.then(Sha256::new));
        Self { body, bytes: 0, bytes_max, splitter, rows, digest, has_ended: false }
    }

    /// The next row, or what is wrong with it; `None` behind the last.
    ///
    /// # Errors
    /// There is no telling what comes behind.
    pub(super) async fn next(&mut self) -> Result<Option<Numbered<Result<LoadRow, Problem>>>, Problem> {
        loop {
            let record = match self.splitter.next()? {
                None if self.has_ended => self.splitter.finish()?,
                other => other,
            };
            match record {
                Some(record) => {
                    if let Some(row) = self.rows.read(&record)? {
                        return Ok(Some(row));
                    }
                }
                None if self.has_ended => return self.rows.finish().map(|()| None),
                None => self.receive().await?,
            }
        }
    }

    /// Bytes that have come so far.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What tells the body from others, if that was wanted.
    pub(super) fn digest(&mut self) -> Option<Vec<u8>> {
        self.digest.take().map(|digest| digest.finalize().to_vec())
    }

    async fn receive(&mut self) -> Result<(), Problem> {
        let Some(frame) = self.body.frame().await else {
            self.has_ended = true;
            return Ok(());
        };
        let frame = frame.map_err(|error| {
            let problem = match error.downcast_ref::<std::io::Error>().map(std::io::Error::kind) {
                Some(ErrorKind::TimedOut) => {
                    Problem::new(Kind::RequestTimeout).detail("the rest of the body did not come")
                }
                _ => Problem::new(Kind::InvalidBody).detail("the body ended before its end"),
            };
            problem.cause(std::io::Error::other(error))
        })?;
        let Ok(data) = frame.into_data() else { return Ok(()) };
        self.bytes += data.len() as u64;
        if self.bytes > self.bytes_max {
            return Err(Problem::new(Kind::BodyTooLarge)
                .detail(format!("an import may have at most {} bytes", self.bytes_max))
                .member("bytes_max", self.bytes_max));
        }
        if let Some(digest) = &mut self.digest {
            digest.update(&data);
        }
        self.splitter.push(&data);
        Ok(())
    }
}
