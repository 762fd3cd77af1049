//! What is to be answered: `select=id,name:title,*,price::text,author(name),...maker(city),stock.sum()`.

mod cast;
mod column;
mod embed;

use kasoku_problem::Problem;

use super::scan::Scanner;
use crate::branch::Scope;
use crate::columns::OutputColumn;
use crate::fault::{echo, invalid};
use crate::limits::{EMBED_DEPTH_MAX, EMBEDS_MAX, SELECT_MAX};
pub(crate) use cast::Cast;
pub(crate) use column::{Aggregate, Shown, What};
pub(crate) use embed::{AskedEmbed, Join};

/// What to answer with.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Selection {
    /// What is read of the table itself.
    pub(crate) shown: Vec<Shown>,
    /// What each of it is called in the answer, and how its values look.
    pub(crate) outputs: Vec<OutputColumn>,
    /// Whether an output differs from its column's own.
    pub(crate) renamed: bool,
    /// Columns and embeds in the order in which they were asked for.
    pub(crate) parts: Vec<Part>,
    pub(crate) embeds: Vec<AskedEmbed>,
    /// Whether something is summed up, so that the other columns tell groups apart.
    pub(crate) grouped: bool,
}

/// A place among what is shown, or among the embeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Column(usize),
    Embed(usize),
}

/// Reads `select` or `fields`. An empty text asks for all columns.
pub(crate) fn read(scope: Scope<'_>, parameter: &str, text: &str) -> Result<Option<Selection>, Problem> {
    let mut scanner = Scanner::new(text);
    scanner.skip_spaces();
    if scanner.at_end() {
        return Ok(None);
    }
    let mut reader = Reader { parameter, embeds_left: EMBEDS_MAX };
    let selection = reader.items(scope, &mut scanner, 0)?;
    if scanner.at_end() {
        Ok(Some(selection))
    } else {
        let detail = format!("`{}` cannot follow a column here", echo(scanner.rest()));
        Err(invalid(parameter, detail))
    }
}

/// What all levels of a selection share.
struct Reader<'p> {
    parameter: &'p str,
    embeds_left: usize,
}

impl Reader<'_> {
    /// Reads items up to the end, or to a `)` that is not theirs.
    fn items(
        &mut self,
        scope: Scope<'_>,
        scanner: &mut Scanner<'_>,
        depth: usize,
    ) -> Result<Selection, Problem> {
        let mut selection = Selection::default();
        loop {
            self.item(scope, scanner, depth, &mut selection)?;
            scanner.skip_spaces();
            if !scanner.eat(",") {
                break;
            }
        }
        self.distinct(&selection)?;
        column::groups(self.parameter, scope, &selection)?;
        Ok(selection)
    }

    fn item(
        &mut self,
        scope: Scope<'_>,
        scanner: &mut Scanner<'_>,
        depth: usize,
        selection: &mut Selection,
    ) -> Result<(), Problem> {
        scanner.skip_spaces();
        let spread = scanner.eat("...");
        let (alias, name) = alias_and_name(self.parameter, scanner)?;
        let is_count = name == "count" && scanner.eat("()");
        if !is_count && (spread || matches!(scanner.rest().as_bytes().first(), Some(b'(' | b'!'))) {
            if depth == EMBED_DEPTH_MAX {
                let detail = format!("embeds are nested deeper than {EMBED_DEPTH_MAX}");
                return Err(invalid(self.parameter, detail));
            }
            if spread && alias.is_some() {
                return Err(invalid(
                    self.parameter,
                    "what is spread has no name of its own; its columns have",
                ));
            }
            let Some(left) = self.embeds_left.checked_sub(1) else {
                let detail = format!("there are more than {EMBEDS_MAX} embeds");
                return Err(invalid(self.parameter, detail));
            };
            self.embeds_left = left;
            let embed = self.embed(scope, scanner, depth, (alias.as_deref(), &name, spread))?;
            selection.parts.push(Part::Embed(selection.embeds.len()));
            selection.embeds.push(embed);
            return Ok(());
        }
        let columns = scope.columns;
        let most = SELECT_MAX.max(columns.len());
        if alias.is_none() && name == "*" {
            for place in columns.selectable_places() {
                selection.push(Shown::column(place), columns.field(place).output.clone(), false);
            }
        } else {
            let alias = alias.as_deref();
            let (shown, output, renamed) = if is_count {
                column::count(self.parameter, scope, scanner, alias)?
            } else {
                column::read(self.parameter, scope, scanner, alias, &name)?
            };
            selection.grouped |= matches!(shown.what, What::Count | What::Aggregate(..));
            selection.push(shown, output, renamed);
        }
        if selection.shown.len() > most {
            return Err(invalid(self.parameter, "there are too many columns"));
        }
        Ok(())
    }

    /// Members of an object have names of their own; what is spread becomes members of the object around it.
    fn distinct(&self, selection: &Selection) -> Result<(), Problem> {
        let mut names: Vec<&str> = Vec::new();
        selection.member_names(&mut names);
        // Few columns are compared faster than they are sorted.
        for (place, name) in names.iter().enumerate() {
            if names[..place].contains(name) {
                return Err(invalid(self.parameter, format!("`{}` is there twice", echo(name))));
            }
        }
        Ok(())
    }
}

impl Selection {
    fn push(&mut self, shown: Shown, output: OutputColumn, renamed: bool) {
        self.parts.push(Part::Column(self.shown.len()));
        self.shown.push(shown);
        self.outputs.push(output);
        self.renamed |= renamed;
    }

    /// The members of an object of the answer. What is embedded is JSON to whoever writes rows in another form.
    pub(crate) fn all_outputs(&self) -> Vec<OutputColumn> {
        let outputs = self.parts.iter().flat_map(|part| match part {
            Part::Column(place) => vec![self.outputs[*place].clone()],
            Part::Embed(place) => match &self.embeds[*place] {
                embed if embed.spread => embed.selection.all_outputs(),
                embed if embed.selection.parts.is_empty() => Vec::new(),
                embed => vec![embed.output.clone()],
            },
        });
        outputs.collect()
    }

    fn member_names<'s>(&'s self, names: &mut Vec<&'s str>) {
        names.extend(self.outputs.iter().map(|output| &*output.name));
        for embed in &self.embeds {
            if embed.spread {
                embed.selection.member_names(names);
            } else {
                names.push(&embed.output.name);
            }
        }
    }
}

/// `name`, or `alias:name`. A quoted name may hold anything.
fn alias_and_name(parameter: &str, scanner: &mut Scanner<'_>) -> Result<(Option<String>, String), Problem> {
    let first = name(scanner);
    // `::` is a cast.
    if scanner.rest().starts_with("::") || !scanner.eat(":") {
        return Ok((None, first));
    }
    if first.is_empty() {
        return Err(invalid(parameter, "a name is missing before `:`"));
    }
    scanner.skip_spaces();
    Ok((Some(first), name(scanner)))
}

/// A name, and the spaces around it.
fn name(scanner: &mut Scanner<'_>) -> String {
    scanner.skip_spaces();
    let name = scanner.name_before_arrow(b",:()!.").into_owned();
    scanner.skip_spaces();
    name.trim_end_matches(' ').to_owned()
}
