//! What the text of a query says of itself.

use sqlparser::ast::{
    BinaryOperator, Expr, Query, Select, SetExpr, Statement, TableFactor, Value as Literal,
};
use sqlparser::keywords::Keyword;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, Tokenizer};

use crate::dialect::Dialect;
use crate::named;
use crate::schema::Schema;
use crate::tags::nameable;

/// Why a text is no query that can be served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryFault {
    /// It is not SQL that is understood here.
    #[error("the query cannot be read: {0}")]
    Syntax(String),
    /// There is not exactly one statement.
    #[error("there must be exactly one statement, and there are {0}")]
    Statements(usize),
    /// It is something else than a `select`.
    #[error("the statement is not a `select`")]
    NotSelect,
    /// It would change something.
    #[error("the query writes; only an `action` may")]
    Writes,
    /// A parameter without a name.
    #[error("`{0}` is not a named parameter; write `:name`")]
    Unnamed(String),
    /// A parameter that the route does not declare.
    #[error("the query uses `:{0}`, which is not declared")]
    Undeclared(String),
    /// A declared parameter that the query does not use.
    #[error("`{0}` is declared, and the query does not use it")]
    Unused(String),
}

/// A query that has been read.
#[derive(Debug, Clone)]
pub struct ReadQuery {
    /// Names of its parameters, without the colon, in the order of first use.
    pub params: Vec<String>,
    /// The query, if it is understood, has one `select`, and nothing else in it reads rows.
    query: Option<Box<Query>>,
}

/// A query that depends on those rows of one table alone where a column equals a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Narrow {
    /// The table.
    pub table: String,
    /// The column.
    pub column: String,
    /// The column's place in the table.
    pub place: usize,
    /// The parameter, without the colon.
    pub param: String,
}

/// Reads a query.
///
/// The database has the last word on what is SQL and what only reads: a text that is not understood here, though it
/// begins as a `select` and has no word that writes, is taken as it is and narrowed by nothing.
pub fn read_query(sql: &str, dialect: &Dialect) -> Result<ReadQuery, QueryFault> {
    let tokens = Tokenizer::new(dialect.parser, sql).tokenize();
    let tokens = tokens.map_err(|fault| QueryFault::Syntax(fault.to_string()))?;
    let statements = statements(&tokens);
    let [statement] = statements.as_slice() else {
        return Err(QueryFault::Statements(statements.len()));
    };
    // Common table expressions may hold or precede statements that write.
    match keyword(statement[0]) {
        Keyword::SELECT | Keyword::WITH | Keyword::VALUES if writes(statement) => {
            return Err(QueryFault::Writes);
        }
        Keyword::SELECT | Keyword::WITH | Keyword::VALUES => {}
        Keyword::INSERT | Keyword::UPDATE | Keyword::DELETE => return Err(QueryFault::Writes),
        _ => return Err(QueryFault::NotSelect),
    }
    let params = if dialect.names_parameters { params(&tokens)? } else { params_by_name(sql)? };
    let query = match Parser::parse_sql(dialect.parser, sql).unwrap_or_default().pop() {
        Some(Statement::Query(query)) if is_plain(statement) => Some(query),
        _ => None,
    };
    Ok(ReadQuery { params, query })
}

impl ReadQuery {
    /// The equality that holds for every row that the query reads; `None` where that is not certain.
    pub fn narrow(&self, schema: &Schema) -> Option<Narrow> {
        let select = self.only_select()?;
        let [from] = select.from.as_slice() else { return None };
        let TableFactor::Table { name, alias, args: None, .. } = &from.relation else { return None };
        if !from.joins.is_empty() || name.0.len() != 1 {
            return None;
        }
        let table = schema.table(&name.0[0].as_ident()?.value).filter(|table| !table.view)?;
        let called = alias.as_ref().map_or(table.name.as_str(), |alias| alias.name.value.as_str());
        let equality = |(column, param): (&Expr, &Expr)| {
            let column = column_of(column, called)?;
            let (place, column) = table.column(column).filter(|(_, column)| nameable(column))?;
            let param = param_of(param)?.to_owned();
            Some(Narrow { table: table.name.clone(), column: column.name.clone(), place, param })
        };
        conjuncts(select.selection.as_ref()?)
            .into_iter()
            .filter_map(|conjunct| match conjunct {
                Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => Some((&**left, &**right)),
                _ => None,
            })
            .find_map(|(left, right)| equality((left, right)).or_else(|| equality((right, left))))
    }

    fn only_select(&self) -> Option<&Select> {
        match self.query.as_deref() {
            Some(Query { with: None, body, .. }) => match &**body {
                SetExpr::Select(select) => Some(select),
                _ => None,
            },
            _ => None,
        }
    }
}

/// Named parameters stand as a colon and a word with nothing between.
fn params(tokens: &[Token]) -> Result<Vec<String>, QueryFault> {
    let mut names: Vec<String> = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Placeholder(text) => return Err(QueryFault::Unnamed(text.clone())),
            Token::AtSign => return Err(QueryFault::Unnamed("@".to_owned())),
            Token::Colon => match tokens.get(at + 1) {
                Some(Token::Word(word)) if word.quote_style.is_none() => {
                    if !names.contains(&word.value) {
                        names.push(word.value.clone());
                    }
                }
                _ => return Err(QueryFault::Unnamed(":".to_owned())),
            },
            _ => {}
        }
    }
    Ok(names)
}

/// The same where the names are taken out before the database sees them: what is not taken out is no parameter.
fn params_by_name(sql: &str) -> Result<Vec<String>, QueryFault> {
    let is_number = |word: &str| word.strip_prefix('$').is_some_and(|number| number.parse::<usize>().is_ok());
    if let Some((_, word)) = named::words(sql).find(|(_, word)| is_number(word)) {
        return Err(QueryFault::Unnamed(word.to_owned()));
    }
    Ok(named::numbered(sql, |_| true).names.into_iter().map(str::to_owned).collect())
}

fn keyword(token: &Token) -> Keyword {
    match token {
        Token::Word(word) if word.quote_style.is_none() => word.keyword,
        _ => Keyword::NoKeyword,
    }
}

/// The words of each statement, without blanks and comments.
fn statements(tokens: &[Token]) -> Vec<Vec<&Token>> {
    let parts = tokens.split(|token| *token == Token::SemiColon);
    let words =
        parts.map(|part| part.iter().filter(|token| !matches!(token, Token::Whitespace(_))).collect());
    words.filter(|words: &Vec<&Token>| !words.is_empty()).collect()
}

/// Whether a word of the statement writes; `replace(…)` is a function.
fn writes(statement: &[&Token]) -> bool {
    let followed = statement.iter().zip(statement.iter().skip(1).map(Some).chain([None]));
    followed.into_iter().any(|(token, next)| match keyword(token) {
        Keyword::INSERT | Keyword::UPDATE | Keyword::DELETE => true,
        Keyword::REPLACE => next.is_none_or(|next| **next != Token::LParen),
        _ => false,
    })
}

/// One `select`: no subquery, no union, no list of values can read other rows.
fn is_plain(statement: &[&Token]) -> bool {
    let count = |wanted| statement.iter().filter(|token| keyword(token) == wanted).count();
    count(Keyword::SELECT) == 1 && count(Keyword::VALUES) == 0 && count(Keyword::TABLE) == 0
}

/// The parts of a condition that must all hold.
fn conjuncts(condition: &Expr) -> Vec<&Expr> {
    let mut parts = Vec::new();
    let mut open = vec![condition];
    while let Some(expression) = open.pop() {
        match expression {
            Expr::Nested(inner) => open.push(inner),
            Expr::BinaryOp { left, op: BinaryOperator::And, right } => open.extend([&**right, &**left]),
            other => parts.push(other),
        }
    }
    parts
}

fn column_of<'a>(expression: &'a Expr, called: &str) -> Option<&'a str> {
    match expression {
        Expr::Identifier(column) => Some(&column.value),
        Expr::CompoundIdentifier(path) => match path.as_slice() {
            [table, column] if table.value.eq_ignore_ascii_case(called) => Some(&column.value),
            _ => None,
        },
        _ => None,
    }
}

fn param_of(expression: &Expr) -> Option<&str> {
    match expression {
        Expr::Value(value) => match &value.value {
            Literal::Placeholder(name) => name.strip_prefix(':'),
            _ => None,
        },
        _ => None,
    }
}
