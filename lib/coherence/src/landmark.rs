//! Marks of single commits, by which a caller can ask to be told nothing older.

/// A commit, as the database that made it names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Landmark {
    /// The transaction.
    pub transaction: u64,
    /// A place in the database's log behind the commit.
    pub mark: Mark,
}

/// A place in a database's log.
///
/// A server that takes another's place begins a new timeline where it had come to, and its log goes on from there: the
/// same number is another place then. Later timelines are further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// Which history it is a place of.
    pub timeline: u32,
    /// How many bytes of log come before it.
    pub log: u64,
}

impl Mark {
    /// Whether a copy that has come to here shows all that was committed before another place. The log of a later
    /// timeline holds what the earlier ones had when it began.
    pub fn reaches(self, other: Self) -> bool {
        self.timeline >= other.timeline && self.log >= other.log
    }
}

/// Which transactions a reader of the database has seen: all before one, and some after it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// Every transaction before this one is over.
    all_before: u64,
    /// None from this one on is.
    none_from: u64,
    /// Those between that were still running.
    running: Vec<u64>,
}

impl Seen {
    /// Reads a snapshot in the text form of PostgreSQL: `10:20:10,14,15`
    /// (<https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-PG-SNAPSHOT-PARTS>).
    pub fn parse(text: &str) -> Option<Self> {
        let (all_before, rest) = text.split_once(':')?;
        let (none_from, running) = rest.split_once(':')?;
        let running = running.split(',').filter(|xid| !xid.is_empty()).map(|xid| xid.parse().ok());
        Some(Self {
            all_before: all_before.parse().ok()?,
            none_from: none_from.parse().ok()?,
            running: running.collect::<Option<_>>()?,
        })
    }

    /// Whether it has seen the end of this transaction.
    pub fn shows(&self, transaction: u64) -> bool {
        transaction < self.all_before
            || (transaction < self.none_from && !self.running.contains(&transaction))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_reached_on_its_own_timeline_or_a_later_one() {
        let place = |timeline, log| Mark { timeline, log };
        for (copy, wanted, expected) in [
            (place(1, 10), place(1, 10), true),
            (place(1, 9), place(1, 10), false),
            (place(1, 99), place(2, 10), false),
            (place(2, 11), place(1, 10), true),
            (place(2, 9), place(1, 10), false),
        ] {
            assert_eq!(copy.reaches(wanted), expected, "{copy:?} {wanted:?}");
        }
    }

    #[test]
    fn a_snapshot_shows_what_was_over_when_it_was_taken() {
        let seen = Seen::parse("10:20:10,14,15").unwrap();
        for (transaction, expected) in
            [(9, true), (10, false), (11, true), (14, false), (15, false), (19, true), (20, false)]
        {
            assert_eq!(seen.shows(transaction), expected, "{transaction}");
        }
        assert!(Seen::parse("7:7:").is_some_and(|seen| seen.shows(6) && !seen.shows(7)));
        for odd in ["", "1", "1:2", "a:b:", "1:2:x"] {
            assert_eq!(Seen::parse(odd), None, "{odd}");
        }
        assert!(!Seen::default().shows(1));
    }
}
