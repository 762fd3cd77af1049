//! Parameters of embeds: `author.name=eq.A`, `results.order=score.desc`, `results.limit=3`, `author=not.is.null`.
//!
//! They are read once everything else is, because only `select` says which embeds there are.

use kasoku_problem::Problem;

use super::filter::{self, FilterReader};
use super::select::{AskedEmbed, Join, Selection};
use super::{order, unknown};
use crate::branch::Scope;
use crate::fault::{echo, invalid};

/// A parameter that no table's column or reserved name stands for.
pub(super) type Deferred = (String, String);

/// What is left of the filters that a request may have, and what it must say.
pub(super) struct WithinReader<'a> {
    pub(super) accepted: super::Parameters,
    /// Tests of columns that may still be added.
    pub(super) filters_left: usize,
    pub(super) deferred: &'a [Deferred],
}

impl WithinReader<'_> {
    /// Gives each parameter to the embed that it is about.
    pub(super) fn read(mut self, scope: Scope<'_>, selection: Option<&mut Selection>) -> Result<(), Problem> {
        let mut none = Selection::default();
        let selection = selection.unwrap_or(&mut none);
        for (name, text) in self.deferred {
            self.parameter(scope, selection, name, name, text)?;
        }
        self.filters(scope, selection, "")
    }

    /// `rest` is what of the parameter's name is still to be read at this level.
    fn parameter(
        &self,
        scope: Scope<'_>,
        selection: &mut Selection,
        parameter: &str,
        rest: &str,
        text: &str,
    ) -> Result<(), Problem> {
        let (first, inner) = rest.split_once('.').map_or((rest, None), |(first, inner)| (first, Some(inner)));
        let Some(embed) = selection.embeds.iter_mut().find(|embed| embed.is(first, scope)) else {
            if scope.branch(first, None).is_ok() {
                let detail = format!("`{0}` is not selected; add `{0}(…)` to `select`", echo(first));
                return Err(invalid(parameter, detail).code("PGRST108"));
            }
            return Err(unknown(scope, self.accepted, parameter));
        };
        let branch = &scope.branches[embed.branch];
        let Some(inner) = inner else {
            embed.join = presence(parameter, text)?;
            return Ok(());
        };
        match inner {
            "order" => {
                if !branch.relation.many {
                    return Err(invalid(
                        parameter,
                        format!("`{}` is one row, which has no order", branch.name),
                    ));
                }
                let terms = order::read(branch.scope(), parameter, text)?;
                once(parameter, embed.order.replace(terms).is_some())
            }
            "limit" => {
                let limit = number(parameter, text, 0, branch.most)?;
                once(parameter, embed.limit.replace(limit).is_some())
            }
            "offset" => {
                let offset = number(parameter, text, 0, branch.most)?;
                once(parameter, embed.offset.replace(offset).is_some())
            }
            _ if filter::group_name(inner).is_some() || branch.columns.filterable(inner).is_some() => {
                embed.filters.push((inner.to_owned(), text.to_owned()));
                Ok(())
            }
            _ => self.parameter(branch.scope(), &mut embed.selection, parameter, inner, text),
        }
    }

    /// Reads the filters that each embed was given.
    fn filters(&mut self, scope: Scope<'_>, selection: &mut Selection, before: &str) -> Result<(), Problem> {
        for embed in &mut selection.embeds {
            let branch = &scope.branches[embed.branch];
            let mut reader = FilterReader::with(&branch.columns, self.filters_left);
            for (name, text) in std::mem::take(&mut embed.filters) {
                let parameter = format!("{before}{}.{name}", embed.output.name);
                match branch.columns.filterable(&name) {
                    Some(place) => reader.column(place, &parameter, &text)?,
                    None => reader.group_named(&name, &parameter, &text)?,
                }
            }
            self.filters_left = reader.left();
            embed.nodes = reader.nodes;
            within_most(embed, &branch.name, branch.most)?;
            let before = format!("{before}{}.", embed.output.name);
            self.filters(branch.scope(), &mut embed.selection, &before)?;
        }
        Ok(())
    }
}

/// `is.null`: rows without such a row; `not.is.null`: rows with one.
fn presence(parameter: &str, text: &str) -> Result<Join, Problem> {
    match text {
        "is.null" | "not.is.not_null" => Ok(Join::Without),
        "not.is.null" | "is.not_null" => Ok(Join::Inner),
        _ => {
            let detail =
                format!("`{}` is an embed, which can only be asked whether it is there", echo(parameter));
            Err(invalid(parameter, detail).member("allowed", ["is.null", "not.is.null"].as_slice()))
        }
    }
}

/// Rows that are passed over are read, too.
fn within_most(embed: &AskedEmbed, name: &str, most: u32) -> Result<(), Problem> {
    let last = embed.offset.unwrap_or(0).saturating_add(embed.limit.unwrap_or(0));
    if last <= most {
        return Ok(());
    }
    let parameter = format!("{name}.offset");
    let detail = format!("`offset` and `limit` of `{name}` are more than {most} together");
    Err(invalid(&parameter, detail).member("most", most))
}

fn number(parameter: &str, text: &str, least: u32, most: u32) -> Result<u32, Problem> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number: Option<u32> = if digits { text.parse().ok() } else { None };
    number.filter(|number| (least..=most).contains(number)).ok_or_else(|| {
        invalid(parameter, format!("`{}` is not a number from {least} to {most}", echo(text)))
            .member("most", most)
    })
}

fn once(parameter: &str, earlier: bool) -> Result<(), Problem> {
    let detail = || format!("`{parameter}` is given more than once");
    if earlier { Err(invalid(parameter, detail())) } else { Ok(()) }
}
