//! How a database would run a statement.

/// How a statement would be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanFacts {
    /// How each table is reached, the outermost loop first.
    pub steps: Vec<PlanStep>,
    /// Whether rows are sorted or grouped in memory because no index gives their order.
    pub sorts: bool,
    /// Whether a part of the statement is stored in memory before it is read.
    pub materializes: bool,
    /// The plan in the database's own words.
    pub lines: Vec<String>,
}

/// How one table is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanStep {
    /// The table, by its alias if it has one.
    pub table: String,
    /// How its rows are found.
    pub access: StepAccess,
    /// The index, where it is not the table itself.
    pub index: Option<String>,
    /// The columns of the index that the statement fixes, in order.
    pub equal: Vec<String>,
    /// Whether the column after those is bounded.
    pub bounded: bool,
}

/// How rows are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepAccess {
    /// At most one row, by a unique key.
    Point,
    /// A part of an index.
    Range,
    /// All of an index, in its order.
    Walk,
    /// All of the table, in the order of its rowid or primary key.
    Scan,
}

/// How much a statement may have to read, at the least certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effort {
    /// A fixed number of look-ups by unique keys.
    Point,
    /// Parts of indexes, in order: what is read is bounded by what is found, or by a LIMIT.
    Range,
    /// One table or index from its start, in order: bounded by a LIMIT only, and only if no row is left out.
    Walk,
    /// Sorts, repeated scans, or parts that are stored first: bounded by the size of the tables.
    Heavy,
}

impl PlanFacts {
    /// How much it may have to read.
    pub fn effort(&self) -> Effort {
        let whole =
            self.steps.iter().filter(|step| matches!(step.access, StepAccess::Walk | StepAccess::Scan));
        let whole = whole.count();
        if self.sorts || self.materializes || whole > 1 {
            Effort::Heavy
        } else if whole == 1 {
            // Inside another loop it is repeated for each of its rows.
            let outermost = matches!(self.steps[0].access, StepAccess::Walk | StepAccess::Scan);
            if outermost { Effort::Walk } else { Effort::Heavy }
        } else if self.steps.iter().all(|step| step.access == StepAccess::Point) {
            Effort::Point
        } else {
            Effort::Range
        }
    }
}
