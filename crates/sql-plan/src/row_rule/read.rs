//! Reads a row rule: comparisons of columns, joined by `and`, `or` and `not`.

use std::collections::BTreeMap;

use sqlparser::ast::{BinaryOperator, Expr, UnaryOperator, Value as Literal};
use sqlparser::dialect::SQLiteDialect;
use sqlparser::parser::Parser;

use super::{Compared, RowRule, Term};
use crate::convert::value_of_text;
use crate::grammar::filter::{Comparison, Is, Joined};
use crate::limits::{DEPTH_MAX, FILTERS_MAX};
use crate::named::caller_params;
use crate::schema::Table;
use crate::{ColumnKind, Value};

/// Why a text is no rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RowFault {
    #[error("it cannot be read: {0}")]
    Syntax(String),
    #[error("`{0}` is no comparison of a column; expected such as `user_id = :caller.id`")]
    Form(String),
    #[error("there is no column `{0}`")]
    Column(String),
    #[error("`:{0}` says nothing here; a rule may ask for `:caller.id`, or a claim such as `:caller.tenant`")]
    Parameter(String),
    #[error("`{0}` is not a value of the column `{1}`")]
    Value(String, String),
    #[error("`{0}` takes texts for equal that differ, so that one caller could be taken for another")]
    Inexact(String),
    #[error("it has too many parts")]
    TooLong,
}

/// Reads a rule of a table.
pub(crate) fn read(text: &str, table: &Table) -> Result<RowRule, RowFault> {
    let params = caller_params(text).map_err(RowFault::Parameter)?;
    let parser = Parser::new(&SQLiteDialect {}).with_recursion_limit(64).try_with_sql(&params.text);
    let mut parser = parser.map_err(|fault| RowFault::Syntax(fault.to_string()))?;
    let expression = parser.parse_expr().map_err(|fault| RowFault::Syntax(fault.to_string()))?;
    if parser.peek_token().token != sqlparser::tokenizer::Token::EOF {
        return Err(RowFault::Syntax(format!("`{}` stands behind it", parser.peek_token().token)));
    }
    let mut reader = Reader { table, params: &params.parts, left: FILTERS_MAX };
    let terms = match reader.term(&expression, 0)? {
        Term::Group { joined: Joined::And, negated: false, terms } => terms,
        one => vec![one],
    };
    Ok(RowRule { terms })
}

/// The columns that all rows of a rule have in common with their caller: those by which answers are named.
pub(crate) fn equal_columns(text: &str, table: &Table) -> Vec<String> {
    let Ok(rule) = read(text, table) else { return Vec::new() };
    rule.given().map(|(place, _)| table.columns[place].name.clone()).collect()
}

struct Reader<'a> {
    table: &'a Table,
    /// What parameters ask for of the caller.
    params: &'a BTreeMap<String, String>,
    /// Comparisons that there may still be.
    left: usize,
}

impl Reader<'_> {
    fn term(&mut self, expression: &Expr, depth: usize) -> Result<Term, RowFault> {
        if depth > DEPTH_MAX {
            return Err(RowFault::TooLong);
        }
        match expression {
            Expr::Nested(inner) => self.term(inner, depth),
            Expr::UnaryOp { op: UnaryOperator::Not, expr } => {
                let terms = vec![self.term(expr, depth + 1)?];
                Ok(Term::Group { joined: Joined::And, negated: true, terms })
            }
            Expr::BinaryOp { left, op, right } => match op {
                BinaryOperator::And => self.joined(Joined::And, [left, right], depth),
                BinaryOperator::Or => self.joined(Joined::Or, [left, right], depth),
                op => self.comparison(expression, left, op, right),
            },
            Expr::IsNull(column) => self.is(column, Is::Null),
            Expr::IsNotNull(column) => self.is(column, Is::NotNull),
            Expr::InList { expr, list, negated: false } => {
                let column = self.column(expr)?;
                let list = list.iter().map(|value| self.compared(value, column)).collect::<Result<_, _>>()?;
                Ok(Term::In { column, list })
            }
            other => Err(RowFault::Form(other.to_string())),
        }
    }

    /// Chains of one word become one group, however long.
    fn joined(&mut self, joined: Joined, sides: [&Expr; 2], depth: usize) -> Result<Term, RowFault> {
        let mut terms = Vec::new();
        for side in sides {
            let same = matches!(
                (side, joined),
                (Expr::BinaryOp { op: BinaryOperator::And, .. }, Joined::And)
                    | (Expr::BinaryOp { op: BinaryOperator::Or, .. }, Joined::Or)
            );
            match self.term(side, if same { depth } else { depth + 1 })? {
                Term::Group { joined: inner, negated: false, terms: more } if inner == joined => {
                    terms.extend(more);
                }
                one => terms.push(one),
            }
        }
        Ok(Term::Group { joined, negated: false, terms })
    }

    fn comparison(
        &mut self,
        whole: &Expr,
        left: &Expr,
        op: &BinaryOperator,
        right: &Expr,
    ) -> Result<Term, RowFault> {
        use Comparison::{Eq, Gt, Gte, Lt, Lte, Neq};
        let (comparison, turned) = match op {
            BinaryOperator::Eq => (Eq, Eq),
            BinaryOperator::NotEq => (Neq, Neq),
            BinaryOperator::Gt => (Gt, Lt),
            BinaryOperator::GtEq => (Gte, Lte),
            BinaryOperator::Lt => (Lt, Gt),
            BinaryOperator::LtEq => (Lte, Gte),
            _ => return Err(RowFault::Form(whole.to_string())),
        };
        let is_column = |side: &Expr| matches!(side, Expr::Identifier(_));
        let (column, comparison, value) = match (is_column(left), is_column(right)) {
            (true, false) => (left, comparison, right),
            (false, true) => (right, turned, left),
            _ => return Err(RowFault::Form(whole.to_string())),
        };
        let column = self.column(column)?;
        Ok(Term::Compare { column, comparison, with: self.compared(value, column)? })
    }

    fn is(&mut self, column: &Expr, is: Is) -> Result<Term, RowFault> {
        Ok(Term::Is { column: self.column(column)?, is })
    }

    fn column(&mut self, expression: &Expr) -> Result<usize, RowFault> {
        self.left = self.left.checked_sub(1).ok_or(RowFault::TooLong)?;
        let Expr::Identifier(name) = expression else { return Err(RowFault::Form(expression.to_string())) };
        let found = self.table.column(&name.value);
        found.map(|(place, _)| place).ok_or_else(|| RowFault::Column(name.value.clone()))
    }

    fn compared(&mut self, expression: &Expr, column: usize) -> Result<Compared, RowFault> {
        use ColumnKind::{Any, Boolean, Integer, Number, Text, Uuid};
        self.left = self.left.checked_sub(1).ok_or(RowFault::TooLong)?;
        let column = &self.table.columns[column];
        let (text, sign) = match expression {
            Expr::Value(value) => (&value.value, ""),
            Expr::UnaryOp { op: UnaryOperator::Minus, expr } => match &**expr {
                Expr::Value(value) => (&value.value, "-"),
                _ => return Err(RowFault::Form(expression.to_string())),
            },
            _ => return Err(RowFault::Form(expression.to_string())),
        };
        let fixed = match text {
            Literal::Placeholder(name) if sign.is_empty() => {
                let name = name.trim_start_matches(':');
                let asked = self.params.get(name).ok_or_else(|| RowFault::Parameter(name.to_owned()))?;
                let is_plain = matches!(column.kind, Integer | Number | Text | Uuid | Boolean | Any);
                if !column.exact_equality || !is_plain {
                    return Err(RowFault::Inexact(column.name.clone()));
                }
                return Ok(Compared::Caller(asked.clone()));
            }
            Literal::SingleQuotedString(text) => text.clone(),
            Literal::Number(number, _) => format!("{sign}{number}"),
            Literal::Boolean(is) => is.to_string(),
            other => return Err(RowFault::Form(other.to_string())),
        };
        // Where truth is kept as a number, it may be written as either.
        let value = match (text, value_of_text(column.kind, &fixed)) {
            (_, Ok(value)) => value,
            (Literal::Boolean(is), Err(_)) => Value::Integer((*is).into()),
            (_, Err(_)) => return Err(RowFault::Value(fixed, column.name.clone())),
        };
        Ok(Compared::Fixed(value))
    }
}
