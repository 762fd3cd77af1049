//! Names of tables and columns, made from whatever a file calls them.
//!
//! A name stays recognisable: letters of any script, digits and case are kept, everything else becomes `_`.

use std::collections::HashSet;

/// Characters of a name, at the most; headers that are whole questions are cut here.
const NAME_CHARACTERS_MAX: usize = 60;

/// Makes a name of what a file says; `None` if nothing of it can be kept.
pub(crate) fn clean(written: &str) -> Option<String> {
    let mut name = String::new();
    let mut gap = false;
    for character in written.chars() {
        if !is_kept(character) {
            gap = true;
            continue;
        }
        if gap && !name.is_empty() && character != '_' && !name.ends_with('_') {
            name.push('_');
        }
        gap = false;
        name.push(character);
    }
    let mut name: String = name.chars().take(NAME_CHARACTERS_MAX).collect();
    name.truncate(name.trim_end_matches('_').len());
    let first = name.chars().next()?;
    Some(if first.is_ascii_digit() { format!("_{name}") } else { name })
}

/// Names for all columns of a table, in order: cleaned, none empty, none twice (SQL does not mind ASCII case).
#[derive(Debug, Default)]
pub(crate) struct Names {
    used: HashSet<String>,
}

impl Names {
    /// A name for the next column, which is at this place, counted from 1.
    pub(crate) fn column(&mut self, written: &str, place: usize) -> String {
        self.unused(&clean(written).unwrap_or_else(|| format!("column_{place}")))
    }

    /// A name for the next table.
    pub(crate) fn table(&mut self, written: &str) -> String {
        let mut name = clean(written).unwrap_or_else(|| "rows".to_owned()).to_lowercase();
        // SQLite keeps `sqlite_` for itself, Kasoku keeps `_kasoku` for its own tables, and `/health` is a route
        // of every server.
        if name.starts_with("sqlite_") || name.starts_with("_kasoku") || name == "health" {
            name = format!("table_{}", name.trim_start_matches('_'));
        }
        self.unused(&name)
    }

    /// Whether a name is still to be had.
    pub(crate) fn is_free(&self, name: &str) -> bool {
        !self.used.contains(&name.to_ascii_lowercase())
    }

    /// This name, or with the next free number behind it.
    pub(crate) fn unused(&mut self, name: &str) -> String {
        let mut unused = name.to_owned();
        let mut number = 2;
        while !self.is_free(&unused) {
            unused = format!("{name}_{number}");
            number += 1;
        }
        self.used.insert(unused.to_ascii_lowercase());
        unused
    }
}

/// Whether a character may be part of a name: ASCII letters, digits and `_`, and of the rest of Unicode all but
/// spaces, controls and the blocks of punctuation.
fn is_kept(character: char) -> bool {
    match character {
        '\0'..='\x7f' => character.is_ascii_alphanumeric() || character == '_',
        '\u{80}'..='\u{bf}' => matches!(character, 'ª' | 'µ' | 'º'),
        '×'
        | '÷'
        | '\u{2000}'..='\u{206f}'
        | '\u{3000}'..='\u{3004}'
        | '\u{3008}'..='\u{3020}'
        | '\u{feff}'
        | '\u{ff00}'..='\u{ff0f}'
        | '\u{fff0}'..='\u{ffff}' => false,
        _ => !character.is_whitespace() && !character.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_recognisable() {
        for (written, expected) in [
            ("title", Some("title")),
            ("Airport Name", Some("Airport_Name")),
            ("Cost Total $", Some("Cost_Total")),
            ("HomeTeam", Some("HomeTeam")),
            (" padded ", Some("padded")),
            ("a  -  b", Some("a_b")),
            ("a _ b", Some("a_b")),
            ("_private", Some("_private")),
            ("1990", Some("_1990")),
            ("größe (cm)", Some("größe_cm")),
            ("都市名", Some("都市名")),
            ("都市・名", Some("都市・名")),
            ("e\u{301}tat", Some("e\u{301}tat")),
            ("a\u{2014}b", Some("a_b")),
            ("a\nb", Some("a_b")),
            ("drop table x; --", Some("drop_table_x")),
            ("\"quoted\"", Some("quoted")),
            ("", None),
            (" $ ", None),
            ("___", None),
        ] {
            assert_eq!(clean(written).as_deref(), expected, "{written:?}");
        }
        assert_eq!(clean(&"long ".repeat(100)).unwrap().chars().count(), 59);
    }

    #[test]
    fn no_two_columns_share_a_name_and_none_is_empty() {
        let mut names = Names::default();
        let written = ["a", "A", "a", "", "a_2", "order", "", "id"];
        let found: Vec<String> =
            written.iter().zip(1..).map(|(name, place)| names.column(name, place)).collect();
        assert_eq!(found, ["a", "A_2", "a_3", "column_4", "a_2_2", "order", "column_7", "id"]);
    }

    #[test]
    fn tables_avoid_what_is_taken() {
        let mut names = Names::default();
        let written =
            ["flights-200k", "2013 Sales", "health", "sqlite_x", "_kasoku_log", "###", "Flights 200K"];
        let found: Vec<String> = written.iter().map(|name| names.table(name)).collect();
        assert_eq!(
            found,
            [
                "flights_200k",
                "_2013_sales",
                "table_health",
                "table_sqlite_x",
                "table_kasoku_log",
                "rows",
                "flights_200k_2"
            ]
        );
    }
}
