//! Progress of long work: a bar on a terminal, nothing in a pipe.

use std::io::IsTerminal as _;

use indicatif::{ProgressBar, ProgressStyle};
use kasoku_dataset::{Progress, Stage};

/// Whether somebody looks on.
pub(crate) fn is_terminal() -> bool {
    std::io::stderr().is_terminal()
}

/// The bar of an import, in its stages.
pub(crate) struct ImportBar {
    bar: ProgressBar,
    stage: Option<Stage>,
}

impl ImportBar {
    pub(crate) fn new() -> Self {
        Self { bar: hidden(), stage: None }
    }

    pub(crate) fn show(&mut self, progress: Progress) {
        if self.stage != Some(progress.stage) {
            self.clear();
            let (what, counted) = match progress.stage {
                Stage::Reading => ("Reading", "{bytes}/{total_bytes}"),
                Stage::Storing => ("Storing", "{bytes}/{total_bytes}"),
                Stage::Indexing => ("Indexing", "{pos}/{len}"),
            };
            self.bar = bar(what, counted, progress.total);
            self.stage = Some(progress.stage);
        }
        self.bar.set_position(progress.done);
    }

    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

/// The bar of filling a new database.
pub(crate) struct FillBar(ProgressBar);

impl FillBar {
    pub(crate) fn new() -> Self {
        Self(hidden())
    }

    pub(crate) fn show(&mut self, done: u64, rows: u64) {
        if self.0.is_hidden() && done == 0 {
            self.0 = bar("Filling the database", "{pos}/{len} rows", rows);
        }
        self.0.set_position(done);
        if done == rows {
            self.0.finish_and_clear();
        }
    }
}

fn hidden() -> ProgressBar {
    ProgressBar::hidden()
}

fn bar(what: &'static str, counted: &str, total: u64) -> ProgressBar {
    if !is_terminal() {
        return hidden();
    }
    let style = ProgressStyle::with_template(&format!("{{msg}} {{bar:32}} {counted}, {{eta}} left"));
    ProgressBar::new(total).with_style(style.expect("the template is a constant")).with_message(what)
}
