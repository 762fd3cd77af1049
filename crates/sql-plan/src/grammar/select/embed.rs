//! Embeds: `alias:rel!hint!inner(cols)` and `...rel(cols)`.

use kasoku_problem::{Kind, Problem};

use super::{Reader, Selection};
use crate::ColumnKind;
use crate::branch::{Branch, Scope, Unmeant};
use crate::columns::OutputColumn;
use crate::fault::{echo, invalid, invalid_name};
use crate::grammar::filter::Node;
use crate::grammar::order::AskedTerm;
use crate::grammar::scan::Scanner;

/// An embed that is asked for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AskedEmbed {
    /// Its place among the embeds of the table around it.
    pub(crate) branch: usize,
    /// What it is called in the answer.
    pub(crate) output: OutputColumn,
    /// Whether that is a name that the request gave it.
    pub(crate) aliased: bool,
    pub(crate) join: Join,
    /// Whether its columns become members of the object around it.
    pub(crate) spread: bool,
    pub(crate) selection: Selection,
    /// Its filters as they were written, until they are read.
    pub(crate) filters: Vec<(String, String)>,
    /// All of them must hold of its rows.
    pub(crate) nodes: Vec<Node>,
    pub(crate) order: Option<Vec<AskedTerm>>,
    pub(crate) limit: Option<u32>,
    pub(crate) offset: Option<u32>,
}

/// What an embed means for the rows around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Join {
    /// Nothing.
    Left,
    /// Only those that have such a row.
    Inner,
    /// Only those that have none.
    Without,
}

impl Reader<'_> {
    /// Reads what stands behind the name of an embed.
    pub(super) fn embed(
        &mut self,
        scope: Scope<'_>,
        scanner: &mut Scanner<'_>,
        depth: usize,
        (alias, name, spread): (Option<&str>, &str, bool),
    ) -> Result<AskedEmbed, Problem> {
        let (mut hint, mut join) = (None, Join::Left);
        while scanner.eat("!") {
            match scanner.name(b"!(,)").as_ref() {
                "inner" => join = Join::Inner,
                "left" => join = Join::Left,
                other => hint = Some(other.to_owned()),
            }
        }
        let place = self.branch(scope, name, hint.as_deref())?;
        let branch = &scope.branches[place];
        if !scanner.eat("(") {
            let detail = format!("expected `(` and columns after `{}`", echo(name));
            return Err(invalid(self.parameter, detail));
        }
        scanner.skip_spaces();
        let selection = if scanner.rest().starts_with(')') {
            Selection::default()
        } else {
            self.items(branch.scope(), scanner, depth + 1)?
        };
        if !scanner.eat(")") {
            let detail = format!("what is selected of `{}` is not closed by `)`", echo(name));
            return Err(invalid(self.parameter, detail));
        }
        if spread && branch.relation.many && selection.embeds.iter().any(|inner| inner.spread) {
            let detail =
                format!("`{}` spreads many rows, out of which nothing further can be spread", echo(name));
            return Err(invalid(self.parameter, detail));
        }
        Ok(AskedEmbed {
            branch: place,
            output: OutputColumn::new(alias.unwrap_or(name), ColumnKind::Json),
            aliased: alias.is_some(),
            join,
            spread,
            selection,
            filters: Vec::new(),
            nodes: Vec::new(),
            order: None,
            limit: None,
            offset: None,
        })
    }

    fn branch(&self, scope: Scope<'_>, name: &str, hint: Option<&str>) -> Result<usize, Problem> {
        scope.branch(name, hint).map_err(|fault| match fault {
            Unmeant::Unknown if scope.branches.is_empty() => {
                invalid(self.parameter, format!("nothing can be embedded here, so `{}` cannot", echo(name)))
                    .code("PGRST200")
            }
            Unmeant::Unknown => {
                let asked = hint.map_or_else(|| name.to_owned(), |hint| format!("{name}!{hint}"));
                invalid_name(self.parameter, "embed", &asked, scope.branch_names()).code("PGRST200")
            }
            Unmeant::Ambiguous(places) => {
                let way = |branch: &Branch| format!("{name}!{}", branch.relation.by);
                let ways: Vec<String> = places.iter().map(|place| way(&scope.branches[*place])).collect();
                let detail = format!("`{}` is related in several ways; say which is meant", echo(name));
                Problem::new(Kind::Ambiguous)
                    .code("PGRST201")
                    .detail(detail)
                    .member("parameter", self.parameter)
                    .member("allowed", ways)
            }
        })
    }
}

impl AskedEmbed {
    /// Whether a parameter's name means it: the name that the request gave it, or its own.
    pub(crate) fn is(&self, name: &str, scope: Scope<'_>) -> bool {
        *self.output.name == *name || (!self.aliased && scope.branch(name, None).ok() == Some(self.branch))
    }
}
