//! Objects with other rows in them, written from the texts of their values.

use kasoku_sql_plan::{EmbedPlan, Member, Nest, SumOfNone};

use super::{Branch, Sheet};

/// Writes the members of a row.
pub(super) fn members(out: &mut Vec<u8>, nest: &Nest, sheet: &Sheet, row: usize, branches: &[Branch]) {
    let mut shown = 0;
    for member in &nest.members {
        match member {
            Member::Column { output, .. } => {
                key(out, &output.json_key);
                out.extend_from_slice(sheet.shown(row, shown));
                shown += 1;
            }
            Member::Embed(place) => {
                let (embed, branch) = (&nest.embeds[*place], &branches[*place]);
                let rows = branch.groups[row].map_or(&[][..], |group| &branch.rows[group]);
                if embed.spread {
                    spread(out, embed, branch, rows);
                } else if !embed.nest.members.is_empty() {
                    // What nothing is selected of only decides which rows there are.
                    key(out, &embed.output.json_key);
                    embedded(out, embed, branch, rows);
                }
            }
        }
    }
}

/// An array of rows, or one row or `null`.
fn embedded(out: &mut Vec<u8>, embed: &EmbedPlan, branch: &Branch, rows: &[usize]) {
    let object = |out: &mut Vec<u8>, row: usize| {
        out.push(b'{');
        members(out, &embed.nest, &branch.sheet, row, &branch.branches);
        out.push(b'}');
    };
    let of_none = |out: &mut Vec<u8>, sums: &[SumOfNone]| {
        out.push(b'{');
        of_none(out, &embed.nest, sums);
        out.push(b'}');
    };
    match (embed.many, rows, &embed.sums) {
        (false, [], Some(sums)) => of_none(out, sums),
        (false, [], None) => out.extend_from_slice(b"null"),
        (false, [first, ..], _) => object(out, *first),
        (true, [], Some(sums)) => {
            out.push(b'[');
            of_none(out, sums);
            out.push(b']');
        }
        (true, rows, _) => {
            out.push(b'[');
            for (place, row) in rows.iter().enumerate() {
                if place > 0 {
                    out.push(b',');
                }
                object(out, *row);
            }
            out.push(b']');
        }
    }
}

/// The members of the one row, or NULLs; or each member as an array of those of all rows.
fn spread(out: &mut Vec<u8>, embed: &EmbedPlan, branch: &Branch, rows: &[usize]) {
    match (embed.many, rows, &embed.sums) {
        (false, [first, ..], _) => members(out, &embed.nest, &branch.sheet, *first, &branch.branches),
        (false, [], Some(sums)) => of_none(out, &embed.nest, sums),
        (false, [], None) => nulls(out, &embed.nest),
        (true, ..) => {
            let mut shown = 0;
            for member in &embed.nest.members {
                match member {
                    Member::Column { output, .. } => {
                        key(out, &output.json_key);
                        array(out, rows, |out, row| out.extend_from_slice(branch.sheet.shown(row, shown)));
                        shown += 1;
                    }
                    Member::Embed(place) => {
                        let inner = &embed.nest.embeds[*place];
                        key(out, &inner.output.json_key);
                        array(out, rows, |out, row| {
                            // There is a level below wherever there is a row.
                            let below = &branch.branches[*place];
                            let rows = below.groups[row].map_or(&[][..], |group| &below.rows[group]);
                            embedded(out, inner, below, rows);
                        });
                    }
                }
            }
        }
    }
}

fn array(out: &mut Vec<u8>, rows: &[usize], mut value: impl FnMut(&mut Vec<u8>, usize)) {
    out.push(b'[');
    for (place, row) in rows.iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        value(out, *row);
    }
    out.push(b']');
}

/// The members of a row that is not there.
fn nulls(out: &mut Vec<u8>, nest: &Nest) {
    for member in &nest.members {
        match member {
            Member::Column { output, .. } => {
                key(out, &output.json_key);
                out.extend_from_slice(b"null");
            }
            Member::Embed(place) if nest.embeds[*place].spread => nulls(out, &nest.embeds[*place].nest),
            Member::Embed(place) => {
                let embed = &nest.embeds[*place];
                key(out, &embed.output.json_key);
                out.extend_from_slice(if embed.many { b"[]" } else { b"null" });
            }
        }
    }
}

/// What no rows sum up to.
fn of_none(out: &mut Vec<u8>, nest: &Nest, sums: &[SumOfNone]) {
    let outputs = nest.members.iter().filter_map(|member| match member {
        Member::Column { output, .. } => Some(output),
        Member::Embed(_) => None,
    });
    for (output, sum) in outputs.zip(sums) {
        key(out, &output.json_key);
        out.extend_from_slice(match sum {
            SumOfNone::Zero => b"0",
            SumOfNone::Null => b"null",
        });
    }
}

/// A member's name; a comma before it unless it is the first.
fn key(out: &mut Vec<u8>, json_key: &str) {
    if out.last().is_some_and(|last| *last != b'{') {
        out.push(b',');
    }
    out.extend_from_slice(json_key.as_bytes());
}
