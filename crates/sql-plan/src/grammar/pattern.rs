//! Patterns of `like` and `ilike`: `%` or `*` for any run of characters, `_` for any one, `\` before a literal.

/// Whether letters must have the same case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Case {
    /// `like`.
    Exact,
    /// `ilike`; ASCII letters only, as SQLite folds no others.
    Folded,
}

/// A pattern as it was asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pattern<'a>(pub(crate) &'a str);

enum Piece {
    Run,
    One,
    Literal(char),
}

impl Pattern<'_> {
    /// In SQLite's `glob` form, where a class of one character makes it literal.
    pub(crate) fn glob(&self) -> String {
        self.rendered(|piece, out| match piece {
            Piece::Run => out.push('*'),
            Piece::One => out.push('?'),
            Piece::Literal(letter @ ('*' | '?' | '[')) => out.extend(['[', letter, ']']),
            Piece::Literal(letter) => out.push(letter),
        })
    }

    /// In SQL's `like` form, with `\` as escape.
    pub(crate) fn like(&self) -> String {
        self.rendered(|piece, out| match piece {
            Piece::Run => out.push('%'),
            Piece::One => out.push('_'),
            Piece::Literal(letter @ ('%' | '_' | '\\')) => out.extend(['\\', letter]),
            Piece::Literal(letter) => out.push(letter),
        })
    }

    /// As a regular expression, behind what says how it is read.
    pub(crate) fn regex(&self, flags: &str) -> String {
        format!("{flags}{}", self.0)
    }

    /// Runs that follow each other are one: each further one would only cost time.
    fn rendered(&self, write: impl Fn(Piece, &mut String)) -> String {
        let mut out = String::with_capacity(self.0.len() + 4);
        let mut letters = self.0.chars();
        let mut after_run = false;
        while let Some(letter) = letters.next() {
            let piece = match letter {
                '%' | '*' if after_run => continue,
                '%' | '*' => Piece::Run,
                '_' => Piece::One,
                // At the very end, a backslash has nothing to make literal but itself.
                '\\' => Piece::Literal(letters.next().unwrap_or('\\')),
                literal => Piece::Literal(literal),
            };
            after_run = matches!(piece, Piece::Run);
            write(piece, &mut out);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_keep_their_meaning_in_both_forms() {
        let cases = [
            ("a*", "a*", "a%"),
            ("%b_", "*b?", "%b_"),
            ("**x%*", "*x*", "%x%"),
            (r"100\%", "100%", r"100\%"),
            (r"\*", "[*]", "*"),
            ("[a]?", "[[]a][?]", "[a]?"),
            (r"a\", r"a\", r"a\\"),
            (r"\_", "_", r"\_"),
        ];
        for (asked, glob, like) in cases {
            assert_eq!(Pattern(asked).glob(), glob, "{asked}");
            assert_eq!(Pattern(asked).like(), like, "{asked}");
        }
    }
}
