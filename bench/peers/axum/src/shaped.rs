//! The statements that others let the database answer: a whole JSON document for each request.
//!
//! A request to PostgREST is a transaction that sets the role and the request's properties, runs one statement which
//! builds the body, and commits; what is set, and the form of the statement, follow its public documentation.

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use tokio_postgres::types::ToSql;

use crate::{Failed, Peer};

const SETTINGS: &str = "select set_config('search_path', $1, true), set_config('role', $2, true), \
    set_config('request.jwt.claims', $3, true), set_config('request.method', $4, true), \
    set_config('request.path', $5, true), set_config('request.headers', $6, true), \
    set_config('request.cookies', $7, true)";

const AROUND: [&str; 2] = [
    "with source as (",
    ") select null::bigint as total, count(page) as length, coalesce(json_agg(page), '[]')::text as body, \
     nullif(current_setting('response.headers', true), '') as headers, \
     nullif(current_setting('response.status', true), '') as status from (select * from source) page",
];

const COLUMNS: &str = "items.id, items.title, items.category, items.price, items.stock, items.maker, items.updated_at";

pub(crate) async fn row(State(peer): State<Peer>, Path(id): Path<i64>) -> Result<Response, Failed> {
    let [begin, end] = AROUND;
    let sql = format!("{begin} select {COLUMNS} from public.items where items.id = $1 {end}");
    answer(&peer, &sql, id).await
}

pub(crate) async fn list(State(peer): State<Peer>, Path(below): Path<i64>) -> Result<Response, Failed> {
    let [begin, end] = AROUND;
    let sql = format!(
        "{begin} select {COLUMNS} from public.items where items.id < $1 order by items.id desc limit 50 {end}"
    );
    answer(&peer, &sql, below).await
}

/// Twenty items with their reviews, each item's as one JSON array made by a lateral join.
pub(crate) async fn lateral(State(peer): State<Peer>, Path(below): Path<i64>) -> Result<Response, Failed> {
    let client = peer.pool.get().await?;
    let statement = client.prepare_cached(
        "select coalesce(json_agg(page), '[]')::text from (select items.id, items.title, nested.reviews from items \
         left join lateral (select coalesce(json_agg(one), '[]') as reviews from (select reviews.id, reviews.stars \
         from reviews where reviews.item_id = items.id order by reviews.id) one) nested on true \
         where items.id < $1 order by items.id desc limit 20) page",
    );
    let row = client.query_one(&statement.await?, &[&below]).await?;
    let body: String = row.get(0);
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}

async fn answer(peer: &Peer, sql: &str, value: i64) -> Result<Response, Failed> {
    let mut client = peer.pool.get().await?;
    let transaction = client.build_transaction().read_only(true).start().await?;
    let settings = transaction.prepare_cached(SETTINGS).await?;
    let said: [&(dyn ToSql + Sync); 7] = [
        &"public", &"postgres", &"{\"role\":\"anon\"}", &"GET", &"/items", &"{\"accept\":\"*/*\"}", &"{}",
    ];
    transaction.query_one(&settings, &said).await?;
    let statement = transaction.prepare_cached(sql).await?;
    let row = transaction.query_one(&statement, &[&value]).await?;
    let body: String = row.get("body");
    transaction.commit().await?;
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}
