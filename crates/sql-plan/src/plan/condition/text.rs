//! The text of one test.

use super::{filled, hold_operator, lie_operator, operator, places_in_list, truth};
use crate::columns::Field;
use crate::grammar::filter::{
    Check, Comparison, Held, Hold, Likeness, Operand, Quantifier, Search, SearchForm, Test,
};
use crate::grammar::path::End;
use crate::sql::SqlText;

/// What a test is about, as SQL.
struct Subject {
    text: String,
    /// Whether it is a document, whose values have types of their own.
    is_document: bool,
}

pub(super) fn write(test: &Test, field: &Field, sql: &mut SqlText) {
    let subject = subject(test, field, sql);
    if let Check::Is(is) = test.check {
        let truth = truth(is, test.negated, sql.dialect);
        sql.push(&subject.text).push(truth);
        return;
    }
    if test.negated {
        sql.push("not (");
    }
    write_check(&test.check, &subject, sql);
    if test.negated {
        sql.push(")");
    }
}

/// The subject; a way into a document takes the next parameter.
fn subject(test: &Test, field: &Field, sql: &mut SqlText) -> Subject {
    let Some(path) = &test.subject.path else {
        return Subject { text: field.quoted.to_string(), is_document: false };
    };
    let forms = &sql.dialect.json;
    let document = if path.steps.is_empty() {
        forms.whole.replace("{c}", &field.quoted)
    } else {
        let number = sql.reserve();
        let place = sql.placeholder(number);
        forms.at.replace("{p}", &place).replace("{c}", &field.quoted)
    };
    match path.end {
        End::Document => Subject { text: document, is_document: true },
        End::Text => Subject { text: forms.text.replace("{j}", &document), is_document: false },
    }
}

fn write_check(check: &Check, subject: &Subject, sql: &mut SqlText) {
    match check {
        Check::Compare(comparison, operand) if subject.is_document => {
            write_document(*comparison, operand, subject, sql);
        }
        Check::Compare(comparison, _) => {
            sql.push(&subject.text).push(operator(*comparison));
            sql.param();
        }
        Check::Like(likeness, _) => write_like(*likeness, subject, sql),
        Check::Each(quantifier, checks) => write_each(*quantifier, checks, subject, sql),
        Check::In(operands) => write_in(operands, subject, sql),
        Check::Hold(hold, held) => write_hold(*hold, held, subject, sql),
        Check::Lie(lie, _) => {
            sql.push(&subject.text).push(lie_operator(*lie));
            sql.param();
        }
        Check::Search(search) => write_search(search, subject, sql),
        Check::Is(_) => unreachable!("written without a parameter"),
    }
}

fn write_like(likeness: Likeness, subject: &Subject, sql: &mut SqlText) {
    let form = sql.dialect.pattern(likeness);
    let [before, after] = form.subject;
    sql.push(before).push(&subject.text).push(after).push(form.before);
    sql.param();
    sql.push(form.after);
}

fn write_each(quantifier: Quantifier, checks: &[Check], subject: &Subject, sql: &mut SqlText) {
    let (word, of_none) = match quantifier {
        Quantifier::Any => (" or ", "1 = 0"),
        Quantifier::All => (" and ", "1 = 1"),
    };
    if checks.is_empty() {
        sql.push(of_none);
        return;
    }
    sql.push("(");
    for (place, check) in filled(checks).enumerate() {
        sql.push(if place > 0 { word } else { "" });
        write_check(check, subject, sql);
    }
    sql.push(")");
}

fn write_in(operands: &[Operand], subject: &Subject, sql: &mut SqlText) {
    if operands.is_empty() {
        sql.push("1 = 0");
        return;
    }
    sql.push(&subject.text).push(" in (");
    for place in 0..places_in_list(operands.len()) {
        sql.push(if place > 0 { ", " } else { "" });
        sql.param();
    }
    sql.push(")");
}

/// Writes a comparison of what a document says with a value of one type.
fn write_document(comparison: Comparison, operand: &Operand, subject: &Subject, sql: &mut SqlText) {
    let forms = &sql.dialect.json;
    let place = next_placeholder(sql);
    let form = match comparison {
        Comparison::Eq | Comparison::Neq | Comparison::Distinct => forms.equal(operand.class),
        _ => forms.ordered(operand.class),
    };
    let text = form.replace("{v}", &place).replace("{j}", &subject.text);
    match comparison {
        Comparison::Eq => sql.push(&text),
        Comparison::Neq => sql.push("not (").push(&text).push(")"),
        // Nothing is distinct from every value.
        Comparison::Distinct => sql.push("(").push(&text).push(") is not true"),
        _ => {
            let value = forms.value.replace("{v}", &place);
            sql.push(&text).push(operator(comparison)).push(&value)
        }
    };
}

fn write_hold(hold: Hold, held: &Held, subject: &Subject, sql: &mut SqlText) {
    let forms = &sql.dialect.json;
    let form = match held {
        Held::Native(_) => {
            sql.push(&subject.text).push(hold_operator(hold));
            sql.param();
            return;
        }
        Held::Values(_) => forms.hold[hold as usize][0],
        Held::Texts(_) => forms.hold[hold as usize][1],
        Held::Members(_) => forms.members,
    };
    let place = next_placeholder(sql);
    let text = form.replace("{v}", &place).replace("{j}", &subject.text);
    sql.push(&text);
}

/// Writes a search of a text. The language is one of a list of our own and so part of the text, as it is of the
/// indexes that serve it.
fn write_search(search: &Search, subject: &Subject, sql: &mut SqlText) {
    let prepared = search.prepared;
    let language = search.language.map(|language| format!("'{language}', ")).unwrap_or_default();
    if prepared {
        sql.push(&subject.text);
    } else {
        sql.push("to_tsvector(").push(&language).push(&subject.text).push(")");
    }
    let function = match search.form {
        SearchForm::Signs => "to_tsquery",
        SearchForm::Words => "plainto_tsquery",
        SearchForm::Phrase => "phraseto_tsquery",
        SearchForm::Web => "websearch_to_tsquery",
    };
    sql.push(" @@ ").push(function).push("(").push(&language);
    sql.param();
    sql.push(")");
}

fn next_placeholder(sql: &mut SqlText) -> String {
    let number = sql.reserve();
    sql.placeholder(number)
}
