//! What a read asks for besides its rows: by when, and how new they must be.

use std::time::Instant;

use kasoku_coherence::{Landmark, Tag};

/// What a read asks for besides its rows. A deadline alone asks for the newest.
#[derive(Debug, Clone, Default)]
pub struct ReadNeeds {
    /// When it must be over.
    pub deadline: Option<Instant>,
    /// How new its rows must be.
    pub newness: Newness,
}

/// How new rows must be.
#[derive(Debug, Clone, Default)]
pub enum Newness {
    /// As the database itself has them.
    #[default]
    Newest,
    /// A copy of the database may be asked, if it shows the last change that this process knows of to each of these
    /// tags, which name all that the rows depend on; and this commit, if one is named.
    Shows {
        /// What the rows depend on.
        tags: Vec<Tag>,
        /// What the caller was told of.
        landmark: Option<Landmark>,
    },
}

impl From<Option<Instant>> for ReadNeeds {
    fn from(deadline: Option<Instant>) -> Self {
        Self { deadline, newness: Newness::Newest }
    }
}
