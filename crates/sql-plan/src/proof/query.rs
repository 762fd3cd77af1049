//! What a declared query needs of its tables, as far as its text says so.
//!
//! The text decides which indexes are tried, never the verdict: that is the plan's.

use sqlparser::ast::{
    BinaryOperator, Expr, GroupByExpr, JoinConstraint, JoinOperator, OrderByKind, OrderBySort, Query, Select,
    SetExpr, Statement, TableFactor,
};
use sqlparser::keywords::Keyword;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, Tokenizer};

use super::facts::IndexColumn;
use super::shape::{Access, Purpose, Shape};
use crate::dialect::Dialect;
use crate::named::numbered;
use crate::schema::Schema;

/// The one statement of a `query` route. `path` is its pattern.
pub fn of_query(path: &str, sql: &str, schema: &Schema, dialect: &Dialect) -> Shape {
    let parsed = Parser::parse_sql(dialect.parser, sql).unwrap_or_default().pop();
    let (mut access, mut walks) = (Vec::new(), false);
    if let Some(Statement::Query(query)) = &parsed
        && let SetExpr::Select(select) = &*query.body
    {
        let reader = Reader { tables: tables(select, schema), schema, dialect };
        access = reader.read(query, select);
        walks = (query.limit_clause.is_some() || query.fetch.is_some()) && takes_first_rows(select);
    }
    Shape {
        request: format!("GET {path}"),
        purpose: Purpose::Query { walks },
        sql: if dialect.names_parameters { sql.into() } else { numbered(sql, |_| true).text.into() },
        access,
        aliases: aliases(sql, schema, dialect),
    }
}

/// Whether no row is left out or put together with others.
fn takes_first_rows(select: &Select) -> bool {
    let plain = matches!(&select.group_by, GroupByExpr::Expressions(by, _) if by.is_empty());
    plain && select.selection.is_none() && select.distinct.is_none() && select.having.is_none()
}

/// The tables of a `select`: what it calls them, and their names.
fn tables(select: &Select, schema: &Schema) -> Vec<(String, String)> {
    let joined = select
        .from
        .iter()
        .flat_map(|from| std::iter::once(&from.relation).chain(from.joins.iter().map(|join| &join.relation)));
    joined
        .filter_map(|relation| match relation {
            TableFactor::Table { name, alias, args: None, .. } => {
                let table = schema.table(&name.0.last()?.as_ident()?.value)?;
                let called =
                    alias.as_ref().map_or_else(|| table.name.clone(), |alias| alias.name.value.clone());
                Some((called, table.name.clone()))
            }
            _ => None,
        })
        .collect()
}

/// Every alias in a text, subqueries included: the word behind a table's name.
fn aliases(sql: &str, schema: &Schema, dialect: &Dialect) -> Vec<(String, String)> {
    let tokens = Tokenizer::new(dialect.parser, sql).tokenize().unwrap_or_default();
    let tokens: Vec<&Token> = tokens.iter().filter(|token| !matches!(token, Token::Whitespace(_))).collect();
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let Token::Word(word) = token else { continue };
        let Some(table) = schema.table(&word.value) else { continue };
        let next = match tokens.get(at + 1) {
            Some(Token::Word(next)) if next.keyword == Keyword::AS => tokens.get(at + 2),
            next => next,
        };
        if let Some(Token::Word(alias)) = next
            && (alias.quote_style.is_some() || alias.keyword == Keyword::NoKeyword)
        {
            found.push((alias.value.clone(), table.name.clone()));
        }
    }
    found
}

struct Reader<'a> {
    tables: Vec<(String, String)>,
    schema: &'a Schema,
    dialect: &'a Dialect,
}

impl Reader<'_> {
    fn read(&self, query: &Query, select: &Select) -> Vec<Access> {
        let of = |(_, table): &(String, String)| Access { table: table.clone(), ..Access::default() };
        let mut access: Vec<Access> = self.tables.iter().map(of).collect();
        let mut joined: Vec<Vec<String>> = vec![Vec::new(); access.len()];
        for condition in conditions(select) {
            self.condition(condition, &mut access, &mut joined);
        }
        let order = self.order(query, select);
        if let Some((place, _)) = order.first()
            && order.iter().all(|(other, _)| other == place)
        {
            access[*place].order = order.iter().map(|(_, column)| column.clone()).collect();
        }
        // Which table a join begins with is the database's choice, so each may be found by what it is joined by.
        for (place, names) in joined.into_iter().enumerate() {
            if names.is_empty() || self.holds_key(place, &names) {
                continue;
            }
            let mut inner = Access { order: Vec::new(), ..access[place].clone() };
            for name in names {
                add(&mut inner.equal, name);
            }
            access.push(inner);
        }
        access.retain(|access| access.filters().next().is_some() || !access.order.is_empty());
        access
    }

    fn condition(&self, condition: &Expr, access: &mut [Access], joined: &mut [Vec<String>]) {
        match condition {
            Expr::BinaryOp { left, op, right } => {
                for (column, other) in [(&**left, &**right), (&**right, &**left)] {
                    let Some((place, name)) = self.column(column) else { continue };
                    match (op, self.column(other)) {
                        (BinaryOperator::Eq, Some((other, _))) if other != place => {
                            add(&mut joined[place], name);
                        }
                        (BinaryOperator::Eq, None) => add(&mut access[place].equal, name),
                        (
                            BinaryOperator::Gt
                            | BinaryOperator::GtEq
                            | BinaryOperator::Lt
                            | BinaryOperator::LtEq,
                            None,
                        ) => {
                            access[place].range.get_or_insert(name);
                        }
                        _ => {}
                    }
                }
            }
            Expr::Between { expr, negated: false, .. } => {
                if let Some((place, name)) = self.column(expr) {
                    access[place].range.get_or_insert(name);
                }
            }
            Expr::InList { expr, negated: false, .. } => {
                if let Some((place, name)) = self.column(expr) {
                    add(&mut access[place].equal, name);
                    access[place].listed = true;
                }
            }
            Expr::IsNull(expr) => {
                if let Some((place, name)) = self.column(expr) {
                    access[place].null.get_or_insert(name);
                }
            }
            _ => {}
        }
    }

    /// What the rows are ordered or grouped by, each with the place of its table; nothing where it is not all columns.
    fn order(&self, query: &Query, select: &Select) -> Vec<(usize, IndexColumn)> {
        let column = |expression: &Expr, descending: bool| {
            let (place, name) = self.column(expression)?;
            let nulls_first = descending != self.dialect.nulls_smallest;
            Some((place, IndexColumn { name: Some(name), descending, nulls_first }))
        };
        if let GroupByExpr::Expressions(by, _) = &select.group_by
            && !by.is_empty()
        {
            return by.iter().map(|by| column(by, false)).collect::<Option<_>>().unwrap_or_default();
        }
        match query.order_by.as_ref().map(|order| &order.kind) {
            Some(OrderByKind::Expressions(terms)) => terms
                .iter()
                .map(|term| column(&term.expr, matches!(term.options.sort, Some(OrderBySort::Desc))))
                .collect::<Option<_>>()
                .unwrap_or_default(),
            _ => Vec::new(),
        }
    }

    /// Whether these columns are all that tells rows of a table apart, so that an index is there.
    fn holds_key(&self, place: usize, names: &[String]) -> bool {
        let table = self.schema.table(&self.tables[place].1);
        table.is_some_and(|table| {
            let mut key = table.key.iter().map(|place| &table.columns[*place].name);
            !table.key.is_empty() && key.all(|name| names.contains(name))
        })
    }

    /// A column of one of the tables, by the table's place.
    fn column(&self, expression: &Expr) -> Option<(usize, String)> {
        let named = |place: usize, name: &str| {
            let table = self.schema.table(&self.tables[place].1)?;
            table.column(name).map(|(_, column)| (place, column.name.clone()))
        };
        match expression {
            Expr::Nested(inner) => self.column(inner),
            Expr::Identifier(name) => (0..self.tables.len()).find_map(|place| named(place, &name.value)),
            Expr::CompoundIdentifier(path) => match path.as_slice() {
                [table, name] => {
                    let place = self
                        .tables
                        .iter()
                        .position(|(called, _)| called.eq_ignore_ascii_case(&table.value))?;
                    named(place, &name.value)
                }
                _ => None,
            },
            _ => None,
        }
    }
}

/// All conditions that must hold, of joins too.
fn conditions(select: &Select) -> Vec<&Expr> {
    let joins = select.from.iter().flat_map(|from| &from.joins);
    let on = joins.filter_map(|join| match &join.join_operator {
        JoinOperator::Join(JoinConstraint::On(on))
        | JoinOperator::Inner(JoinConstraint::On(on))
        | JoinOperator::Left(JoinConstraint::On(on))
        | JoinOperator::LeftOuter(JoinConstraint::On(on)) => Some(on),
        _ => None,
    });
    let mut open: Vec<&Expr> = select.selection.iter().chain(on).collect();
    let mut parts = Vec::new();
    while let Some(expression) = open.pop() {
        match expression {
            Expr::Nested(inner) => open.push(inner),
            Expr::BinaryOp { left, op: BinaryOperator::And, right } => open.extend([&**right, &**left]),
            other => parts.push(other),
        }
    }
    parts
}

fn add(names: &mut Vec<String>, name: String) {
    if !names.contains(&name) {
        names.push(name);
    }
}
