//! What operators compare with: values by the kind of what they are held against, lists of them, patterns.

use kasoku_problem::Problem;

use super::operator::{Asked, Operator, Shows, TestReader};
use super::{Check, Class, Comparison, Is, Likeness, Operand, Quantifier};
use crate::convert::{number_of_json, value_of_text};
use crate::fault::{echo, invalid, invalid_name};
use crate::grammar::scan::Scanner;
use crate::grammar::{braces, regex};
use crate::limits::{EACH_VALUES_MAX, IN_VALUES_MAX};
use crate::{ColumnKind, Value};

impl TestReader<'_, '_> {
    /// One comparison, or several with one operator: `eq.1`, `eq(any).{1,2}`.
    pub(super) fn comparisons(&self, asked: &Asked<'_>, text: &str) -> Result<Check, Problem> {
        let quantifier = match asked.modifier {
            None => return self.comparison(asked, text),
            Some("any") => Quantifier::Any,
            Some("all") => Quantifier::All,
            Some(other) => {
                return Err(invalid_name(self.parameter, "modifier", other, ["any", "all"].into_iter()));
            }
        };
        if matches!(asked.operator, Operator::Compare(Comparison::Neq | Comparison::Distinct)) {
            return Err(self.no_modifier(asked, "`any` and `all` go with equal, greater, less and like"));
        }
        let items = braces::items(text, EACH_VALUES_MAX).map_err(|detail| invalid(self.parameter, detail))?;
        let checks = items.iter().map(|item| self.comparison(asked, item)).collect::<Result<_, _>>()?;
        Ok(Check::Each(quantifier, checks))
    }

    fn comparison(&self, asked: &Asked<'_>, text: &str) -> Result<Check, Problem> {
        match asked.operator {
            Operator::Compare(comparison) => {
                let operand = self.operand(text)?;
                self.comparable(asked, comparison, operand.class)?;
                Ok(Check::Compare(comparison, operand))
            }
            Operator::Like(likeness) => self.like(asked, likeness, text),
            _ => unreachable!("only comparisons are read here"),
        }
    }

    /// Words and documents within documents are equal or not; of two, none is greater.
    fn comparable(&self, asked: &Asked<'_>, comparison: Comparison, class: Class) -> Result<(), Problem> {
        let ordered =
            matches!(comparison, Comparison::Gt | Comparison::Gte | Comparison::Lt | Comparison::Lte);
        match class {
            Class::JsonWord | Class::JsonDocument if ordered => {
                let detail =
                    format!("`{}` compares numbers and texts of documents, and nothing else", asked.name);
                Err(invalid(self.parameter, detail))
            }
            Class::JsonDocument if !self.dialect.compares_documents => {
                let detail = format!(
                    "`{}` cannot compare whole arrays and objects on {}; `cs` asks for what they hold",
                    asked.name, self.dialect.name
                );
                Err(invalid(self.parameter, detail))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn operand(&self, text: &str) -> Result<Operand, Problem> {
        let plain = |value| Operand { value, class: Class::Plain };
        match self.shows {
            Shows::Column(kind) => value_of_text(kind, text).map(plain).map_err(|expected| {
                let null = if text == "null" { "; for NULL, ask `is.null`" } else { "" };
                let name = self.field.name();
                invalid(
                    self.parameter,
                    format!("`{}` is not {expected}, which `{name}` holds{null}", echo(text)),
                )
                .code("22P02")
            }),
            Shows::Texts => Ok(plain(Value::Text(text.to_owned()))),
            Shows::Documents => Ok(of_document(text)),
        }
    }

    fn like(&self, asked: &Asked<'_>, likeness: Likeness, pattern: &str) -> Result<Check, Problem> {
        match self.shows {
            Shows::Texts | Shows::Column(ColumnKind::Text | ColumnKind::Json | ColumnKind::Any) => {}
            Shows::Column(_) => {
                let detail = format!("`{}` holds no text, so patterns cannot be used", self.field.name());
                return Err(invalid(self.parameter, detail));
            }
            Shows::Documents => {
                let detail =
                    format!("`{}` takes a text out of a document, so its way ends in `->>`", asked.name);
                return Err(invalid(self.parameter, detail));
            }
        }
        if matches!(likeness, Likeness::Regex(_)) {
            regex::check(pattern).map_err(|detail| invalid(self.parameter, detail))?;
        }
        Ok(Check::Like(likeness, pattern.to_owned()))
    }

    pub(super) fn list(&self, scanner: &mut Scanner<'_>) -> Result<Check, Problem> {
        let operands = self.operands(scanner)?;
        if operands.iter().all(|operand| operand.class == Class::Plain) {
            return Ok(Check::In(operands));
        }
        let equal = |operand: Operand| {
            let asked = Asked { name: "in", modifier: None, operator: Operator::In };
            self.comparable(&asked, Comparison::Eq, operand.class)?;
            Ok(Check::Compare(Comparison::Eq, operand))
        };
        Ok(Check::Each(Quantifier::Any, operands.into_iter().map(equal).collect::<Result<_, Problem>>()?))
    }

    fn operands(&self, scanner: &mut Scanner<'_>) -> Result<Vec<Operand>, Problem> {
        if !scanner.eat("(") {
            return Err(invalid(self.parameter, "expected a list such as `in.(1,2,3)`"));
        }
        let mut operands = Vec::new();
        if scanner.eat(")") {
            return Ok(operands);
        }
        loop {
            if operands.len() == IN_VALUES_MAX {
                let detail = format!("the list has more than {IN_VALUES_MAX} values");
                return Err(invalid(self.parameter, detail));
            }
            operands.push(self.operand(&scanner.value())?);
            if scanner.eat(")") {
                return Ok(operands);
            }
            if !scanner.eat(",") {
                return Err(invalid(self.parameter, "the list is not closed by `)`"));
            }
        }
    }

    pub(super) fn is(&self, text: &str) -> Result<Is, Problem> {
        let boolean = self.shows == Shows::Column(ColumnKind::Boolean);
        match text {
            "null" => Ok(Is::Null),
            "not_null" => Ok(Is::NotNull),
            "true" if boolean => Ok(Is::True),
            "false" if boolean => Ok(Is::False),
            // Of what is true or not, NULL is what is not known (SQL, boolean test).
            "unknown" if boolean => Ok(Is::Null),
            _ => {
                let allowed: &[&str] = if boolean {
                    &["null", "not_null", "true", "false", "unknown"]
                } else {
                    &["null", "not_null"]
                };
                Err(invalid_name(self.parameter, "value of `is` here", text, allowed.iter().copied()))
            }
        }
    }
}

/// A value of a document. What is not JSON is a text, so that quotes are needed only around what would be a number
/// or a word without them.
fn of_document(text: &str) -> Operand {
    use serde_json::Value as Json;
    let class_and_value = match serde_json::from_str(text) {
        Ok(Json::Number(number)) => {
            number_of_json(&Json::Number(number)).map(|value| (Class::JsonNumber, value))
        }
        Ok(Json::String(text)) => Some((Class::JsonText, Value::Text(text))),
        Ok(Json::Bool(_) | Json::Null) => Some((Class::JsonWord, Value::Text(text.trim().to_owned()))),
        Ok(document @ (Json::Array(_) | Json::Object(_))) => {
            Some((Class::JsonDocument, Value::Text(document.to_string())))
        }
        Err(_) => None,
    };
    let (class, value) = class_and_value.unwrap_or_else(|| (Class::JsonText, Value::Text(text.to_owned())));
    Operand { value, class }
}
