//! Regular expressions of `match` and `imatch`: what all databases read alike.
//!
//! A pattern may have letters, classes, anchors, groups, alternatives and repetitions. What only one database has is
//! refused, and so is what would take longer the more a text repeats itself.

use regex_syntax::ast::{self, Ast};

use crate::limits::REGEX_BYTES_MAX;

/// Whether a pattern means the same everywhere; if not, why.
pub(crate) fn check(pattern: &str) -> Result<(), String> {
    if pattern.len() > REGEX_BYTES_MAX {
        return Err(format!("the regular expression has more than {REGEX_BYTES_MAX} bytes"));
    }
    let mut parser = ast::parse::ParserBuilder::new().nest_limit(DEPTH_MAX).build();
    let parsed = parser.parse(pattern);
    let parsed = parsed.map_err(|fault| format!("this is no regular expression: {}", fault.kind()))?;
    let mut repeated = 0;
    ast::visit(&parsed, Portable { repeated: &mut repeated })
        .map_err(|what| format!("a regular expression cannot have {what} here"))
}

/// Groups within groups.
const DEPTH_MAX: u32 = 16;
/// How often a part may be repeated by number, as PostgreSQL has it; and all of them together.
const REPEATED_MAX: u32 = 255;

/// Looks for what not every database reads alike.
struct Portable<'r> {
    repeated: &'r mut u32,
}

impl ast::Visitor for Portable<'_> {
    type Output = ();
    type Err = &'static str;

    fn finish(self) -> Result<(), Self::Err> {
        Ok(())
    }

    fn visit_pre(&mut self, part: &Ast) -> Result<(), Self::Err> {
        match part {
            Ast::Flags(_) => Err("flags"),
            Ast::ClassUnicode(_) => Err("classes of Unicode such as `\\p{…}`"),
            Ast::Assertion(assertion) => match assertion.kind {
                ast::AssertionKind::StartLine | ast::AssertionKind::EndLine => Ok(()),
                _ => Err("anchors besides `^` and `$`"),
            },
            Ast::Group(group) => match &group.kind {
                ast::GroupKind::CaptureIndex(_) => Ok(()),
                ast::GroupKind::NonCapturing(flags) if flags.items.is_empty() => Ok(()),
                _ => Err("groups with names or flags"),
            },
            Ast::Literal(literal) => match literal.kind {
                ast::LiteralKind::Verbatim | ast::LiteralKind::Meta => Ok(()),
                ast::LiteralKind::Superfluous | ast::LiteralKind::Octal => {
                    Err("a backslash before such a letter")
                }
                _ => Err("letters by their numbers"),
            },
            Ast::Repetition(repetition) => self.repetition(repetition),
            Ast::Empty(_)
            | Ast::Dot(_)
            | Ast::ClassPerl(_)
            | Ast::ClassBracketed(_)
            | Ast::Alternation(_)
            | Ast::Concat(_) => Ok(()),
        }
    }

    fn visit_class_set_item_pre(&mut self, item: &ast::ClassSetItem) -> Result<(), Self::Err> {
        let plain = |literal: &ast::Literal| {
            matches!(literal.kind, ast::LiteralKind::Verbatim | ast::LiteralKind::Meta)
        };
        match item {
            ast::ClassSetItem::Literal(literal) if !plain(literal) => Err("letters by their numbers"),
            ast::ClassSetItem::Range(range) if !plain(&range.start) || !plain(&range.end) => {
                Err("letters by their numbers")
            }
            ast::ClassSetItem::Unicode(_) => Err("classes of Unicode such as `\\p{…}`"),
            ast::ClassSetItem::Bracketed(_) => Err("classes within classes"),
            _ => Ok(()),
        }
    }

    fn visit_class_set_binary_op_pre(&mut self, _: &ast::ClassSetBinaryOp) -> Result<(), Self::Err> {
        Err("sets of classes")
    }
}

impl Portable<'_> {
    fn repetition(&mut self, repetition: &ast::Repetition) -> Result<(), &'static str> {
        use ast::{RepetitionKind, RepetitionRange};
        if let Ast::Assertion(_) | Ast::Empty(_) | Ast::Repetition(_) = *repetition.ast {
            return Err("a repetition of nothing or of a repetition");
        }
        if let RepetitionKind::Range(range) = &repetition.op.kind {
            let most = match range {
                RepetitionRange::Exactly(times) | RepetitionRange::AtLeast(times) => *times,
                RepetitionRange::Bounded(_, most) => *most,
            };
            *self.repeated = self.repeated.saturating_add(most);
            if *self.repeated > REPEATED_MAX {
                return Err("more than 255 repetitions by number");
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_every_database_reads_alike_is_accepted() {
        for good in [
            "",
            "a",
            "^a.*b$",
            "a|b",
            "(ab)+c?",
            "(?:ab){2,3}",
            r"\d+\s\w",
            "[a-z_0-9]",
            "[^a]",
            r"\.\(",
            "a{3}",
            "[[:alpha:]]",
            "é+?",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn what_only_one_reads_or_what_takes_too_long_is_refused() {
        let (long, deep) =
            ("a".repeat(REGEX_BYTES_MAX + 1), format!("{}a{}", "(".repeat(20), ")".repeat(20)));
        for bad in [
            "(",
            "a**",
            "*",
            "[",
            r"\",
            r"\p{L}",
            "(?i)a",
            "(?P<n>a)",
            r"\bx",
            r"\Aa",
            r"\x41",
            r"(a)\1",
            "(?=a)",
            "a{256}",
            "(a{16}){16}a{230}",
            "[a&&b]",
            "[a[b]]",
            "^*",
            &long,
            &deep,
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
