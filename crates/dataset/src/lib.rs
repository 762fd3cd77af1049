//! Files of rows: inferred tables and their import.
