//! What became of the rows of an import, and what was wrong with the first of those that were refused.

use kasoku_problem::{Kind, Problem};
use serde_json::{Value as Json, json};

/// What became of rows.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) received: u64,
    /// Rows that are new or were changed.
    pub(super) written: u64,
    pub(super) refused: u64,
    errors: Vec<Json>,
    errors_most: usize,
    /// The kind of the first.
    kind: Option<Kind>,
}

impl Report {
    pub(super) fn new(errors_most: usize) -> Self {
        Self { errors_most, ..Self::default() }
    }

    /// Counts a row that cannot be written.
    pub(super) fn refuse(&mut self, row: u64, line: u64, problem: &Problem) {
        self.refused += 1;
        self.kind.get_or_insert(problem.kind());
        if self.errors.len() < self.errors_most {
            let message = problem.detail_text().unwrap_or_else(|| problem.kind().title());
            self.errors.push(json!({
                "row": row, "line": line, "code": problem.code_text(), "message": message,
            }));
        }
    }

    /// Adds what became of further rows.
    pub(super) fn add(&mut self, part: Self) {
        self.received += part.received;
        self.written += part.written;
        self.refused += part.refused;
        self.kind = self.kind.or(part.kind);
        let room = self.errors_most.saturating_sub(self.errors.len());
        self.errors.extend(part.errors.into_iter().take(room));
    }

    /// Whether as many rows were refused as are named.
    pub(super) fn is_full(&self) -> bool {
        self.errors.len() >= self.errors_most
    }

    /// As the body of an answer.
    pub(super) fn body(&self) -> Vec<u8> {
        let ignored = self.received.saturating_sub(self.written + self.refused);
        let report = json!({
            "received": self.received, "written": self.written, "ignored": ignored, "refused": self.refused,
            "errors": self.errors,
        });
        report.to_string().into_bytes()
    }

    /// Why nothing was written.
    pub(super) fn problem(self) -> Problem {
        let some = if self.is_full() { "at least " } else { "" };
        let rows = if self.refused == 1 { "row" } else { "rows" };
        let detail = format!("{some}{} {rows} cannot be written; nothing was written", self.refused);
        Problem::new(self.kind.unwrap_or(Kind::Unprocessable))
            .detail(detail)
            .member("refused", self.refused)
            .member("errors", self.errors)
    }

    /// Adds to a problem that ends an import midway what was done before.
    pub(super) fn added_to(self, problem: Problem) -> Problem {
        problem
            .member("received", self.received)
            .member("written", self.written)
            .member("refused", self.refused)
            .member("errors", self.errors)
    }
}
