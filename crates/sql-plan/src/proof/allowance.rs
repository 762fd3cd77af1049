//! The rules that accept a statement although its plan is not all that it could be.

/// A rule that accepts a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Allowance {
    /// Deleted rows lie between the others, and are skipped.
    SkipsDeleted,
    /// The caller chose where NULLs of a later column stand: rows that are equal before it are sorted.
    NullsChosen,
    /// `in` with several values: each is found by an index, and what is found is sorted.
    SortsListed,
    /// The rows inside of a row are found by an index, and sorted.
    SortsEmbedded,
    /// Found by a column that the route declares in `may_sort`.
    MaySort,
    /// The route declares a column in `may_skip`.
    MaySkip,
    /// A declared query finds its rows by indexes and sorts what it found, in an order that no index gives.
    SortsFound,
    /// The route gives exact totals, and this one counts all rows.
    CountsAll,
    /// The table is declared small.
    Small,
}

impl Allowance {
    /// The rule, in a sentence.
    pub fn says(self) -> &'static str {
        match self {
            Self::SkipsDeleted => "deleted rows lie between the others and are skipped",
            Self::NullsChosen => {
                "a caller chose where NULLs of a later column stand: rows equal before it are sorted"
            }
            Self::SortsListed => "`in` lists: each value is found by an index, and what is found is sorted",
            Self::SortsEmbedded => "embeds: the rows inside of a row are found by an index, and sorted",
            Self::MaySort => "found by an index, then sorted or sifted, as `may_sort` allows",
            Self::MaySkip => "read in order, skipping rows that do not match, as `may_skip` allows",
            Self::SortsFound => "a declared query finds its rows by indexes and sorts what it found",
            Self::CountsAll => "an exact total counts all rows, as the route declares",
            Self::Small => "the table is declared small",
        }
    }

    /// The rule in one word.
    pub fn name(self) -> &'static str {
        match self {
            Self::SkipsDeleted => "skips-deleted",
            Self::NullsChosen => "nulls-chosen",
            Self::SortsListed => "sorts-listed",
            Self::SortsEmbedded => "sorts-embedded",
            Self::MaySort => "may-sort",
            Self::MaySkip => "may-skip",
            Self::SortsFound => "sorts-found",
            Self::CountsAll => "counts-all",
            Self::Small => "small",
        }
    }
}
