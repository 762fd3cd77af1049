//! Answers from a folder.
//!
//! This crate must not know where the folder's name came from, nor any policy.

use std::path::PathBuf;
use std::time::Duration;

/// A folder of files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilesRules {
    /// The folder.
    pub folder: PathBuf,
    /// Served for a path that ends in `/`.
    pub index: String,
    /// Served, with status 200, where nothing else is: for single-page applications.
    pub fallback: Option<String>,
    /// `Cache-Control: max-age` of its answers.
    pub max_age: Duration,
}
