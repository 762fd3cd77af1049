//! The same API as an experienced engineer writes it by hand: axum, a pool of connections, prepared statements.
//!
//! Beside it are the ways of others to get the same answers: the statements that PostgREST sends, JSON made by lateral
//! joins, pages by `OFFSET`, and a cache in Redis before the database.

mod shaped;

use std::env;

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router, routing::get};
use chrono::{DateTime, Utc};
use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod};
use redis::AsyncCommands as _;
use serde::Serialize;
use tokio_postgres::{NoTls, Row};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long Redis keeps an answer.
const KEPT_S: u64 = 600;

const COLUMNS: &str = "id, title, category, price, stock, maker, updated_at";

#[derive(Clone)]
struct Peer {
    pool: Pool,
    redis: redis::aio::ConnectionManager,
}

#[derive(Serialize)]
struct Item {
    id: i64,
    title: String,
    category: String,
    price: f64,
    stock: i32,
    maker: Option<String>,
    updated_at: DateTime<Utc>,
}

#[derive(Serialize)]
struct Review {
    id: i64,
    stars: i32,
}

#[derive(Serialize)]
struct Reviewed {
    id: i64,
    title: String,
    reviews: Vec<Review>,
}

/// Whatever went wrong; a figure for errors is worthless, so that the bench gives up on any.
struct Failed;

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    }
}

impl<E: std::error::Error> From<E> for Failed {
    fn from(error: E) -> Self {
        eprintln!("{error}");
        Self
    }
}

impl From<&Row> for Item {
    fn from(row: &Row) -> Self {
        Self {
            id: row.get(0),
            title: row.get(1),
            category: row.get(2),
            price: row.get(3),
            stock: row.get(4),
            maker: row.get(5),
            updated_at: row.get(6),
        }
    }
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime can be made").block_on(serve());
}

async fn serve() {
    let [port, database, redis] =
        ["PORT", "DATABASE_URL", "REDIS_URL"].map(|name| env::var(name).expect("the bench sets it"));
    let manager = Manager::from_config(
        database.parse().expect("the bench gives a URL"),
        NoTls,
        ManagerConfig { recycling_method: RecyclingMethod::Fast },
    );
    let pool = Pool::builder(manager).max_size(16).build().expect("the settings are sound");
    let client = redis::Client::open(redis).expect("the bench gives a URL");
    let redis = client.get_connection_manager().await.expect("Redis listens");
    let app = Router::new()
        .route("/row/{id}", get(row))
        .route("/list/{below}", get(list))
        .route("/embed/{below}", get(embed))
        .route("/offset/{rows}", get(offset))
        .route("/redis/row/{id}", get(row_by_redis))
        .route("/shaped/row/{id}", get(shaped::row))
        .route("/shaped/list/{below}", get(shaped::list))
        .route("/lateral/{below}", get(shaped::lateral))
        .with_state(Peer { pool, redis });
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await.expect("the port is free");
    axum::serve(listener, app).await.expect("it serves until it is ended");
}

async fn row(State(peer): State<Peer>, Path(id): Path<i64>) -> Result<Response, Failed> {
    let item = one(&peer.pool.get().await?, id).await?;
    Ok(item.map_or_else(|| StatusCode::NOT_FOUND.into_response(), |item| Json(item).into_response()))
}

async fn one(client: &Object, id: i64) -> Result<Option<Item>, Failed> {
    let statement = client.prepare_cached(&format!("select {COLUMNS} from items where id = $1")).await?;
    Ok(client.query_opt(&statement, &[&id]).await?.as_ref().map(Item::from))
}

async fn list(State(peer): State<Peer>, Path(below): Path<i64>) -> Result<Json<Vec<Item>>, Failed> {
    let client = peer.pool.get().await?;
    let sql = format!("select {COLUMNS} from items where id < $1 order by id desc limit 50");
    let statement = client.prepare_cached(&sql).await?;
    Ok(Json(client.query(&statement, &[&below]).await?.iter().map(Item::from).collect()))
}

/// A page by counting rows away.
async fn offset(State(peer): State<Peer>, Path(rows): Path<i64>) -> Result<Json<Vec<Item>>, Failed> {
    let client = peer.pool.get().await?;
    let sql = format!("select {COLUMNS} from items order by id desc limit 50 offset $1");
    let statement = client.prepare_cached(&sql).await?;
    Ok(Json(client.query(&statement, &[&rows]).await?.iter().map(Item::from).collect()))
}

/// Twenty items with their reviews, by two statements.
async fn embed(State(peer): State<Peer>, Path(below): Path<i64>) -> Result<Json<Vec<Reviewed>>, Failed> {
    let client = peer.pool.get().await?;
    let items = client.prepare_cached("select id, title from items where id < $1 order by id desc limit 20");
    let items = client.query(&items.await?, &[&below]).await?;
    let mut reviewed: Vec<Reviewed> = items
        .iter()
        .map(|row| Reviewed { id: row.get(0), title: row.get(1), reviews: Vec::new() })
        .collect();
    let keys: Vec<i64> = reviewed.iter().map(|item| item.id).collect();
    let reviews = client.prepare_cached(
        "select id, stars, item_id from reviews where item_id = any($1) order by item_id, id",
    );
    for row in client.query(&reviews.await?, &[&keys]).await? {
        let item: i64 = row.get(2);
        if let Some(owner) = reviewed.iter_mut().find(|owner| owner.id == item) {
            owner.reviews.push(Review { id: row.get(0), stars: row.get(1) });
        }
    }
    Ok(Json(reviewed))
}

/// The same row, kept in Redis by whoever asked first.
async fn row_by_redis(State(mut peer): State<Peer>, Path(id): Path<i64>) -> Result<Response, Failed> {
    let key = format!("item:{id}");
    let kept: Option<Vec<u8>> = peer.redis.get(&key).await?;
    let body = match kept {
        Some(body) => body,
        None => {
            let item = one(&peer.pool.get().await?, id).await?;
            let body = serde_json::to_vec(&item)?;
            let () = peer.redis.set_ex(&key, &body, KEPT_S).await?;
            body
        }
    };
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}
