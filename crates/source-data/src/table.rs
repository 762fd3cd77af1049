//! The sources of a `table` route: its list, and its rows by key.

use std::sync::Arc;

use http::{Method, header};
use kasoku_coherence::Tag;
use kasoku_http_caching::entity_tag;
use kasoku_pipeline::{BoxFuture, Foresight, Outcome, ProblemForm, Promises, Request, Source};
use kasoku_problem::{Kind, Problem};
use kasoku_sql_plan::{CursorKey, TablePlanner, TableRules, purge_tag};

use crate::lanes::{Engine, Lanes};
use crate::media::{self, Media};
use crate::{explain, foresight, list, prefer, range, render, write};

/// What both sources of a route share.
pub(crate) struct Table {
    pub(crate) planner: TablePlanner,
    pub(crate) lanes: Lanes,
    pub(crate) cursors: Arc<CursorKey>,
    pub(crate) envelope: Option<String>,
    /// The route's path pattern, which keeps idempotency keys of routes apart.
    pub(crate) route: String,
    /// What every answer carries, whatever else it depends on.
    pub(crate) purge_tag: Tag,
    /// The table's name.
    pub(crate) name: String,
    /// Columns that problems may name.
    pub(crate) shown: Vec<String>,
    pub(crate) may_update: bool,
    pub(crate) may_upsert: bool,
    /// Whether rows can be asked for by their places.
    pub(crate) takes_ranges: bool,
    pub(crate) has_key: bool,
}

/// Answers lists, and takes inserts and writes by filter.
pub struct ListSource {
    table: Arc<Table>,
    promises: Promises,
    /// The forms of its answers.
    offers: &'static [Media],
}

/// Answers rows by key, and takes writes of one row.
pub struct RowSource {
    table: Arc<Table>,
    promises: Promises,
}

/// The name of the path parameter that holds a row's key.
pub const KEY_PARAM: &str = "key";

/// The two sources of a route, for its path and for `path/{key}`; the second only where rows have keys.
pub fn table_sources(
    route: &str,
    planner: TablePlanner,
    rules: &TableRules,
    has_key: bool,
    engine: Engine,
    cursors: Arc<CursorKey>,
) -> (ListSource, Option<RowSource>) {
    let depends_on = planner.tag_rules().whole().to_vec();
    let lanes = Lanes::new(engine);
    let table = Arc::new(Table {
        planner,
        lanes,
        cursors,
        envelope: rules.envelope.clone(),
        route: route.to_owned(),
        purge_tag: purge_tag(&rules.table),
        name: rules.table.clone(),
        shown: rules.select.clone(),
        may_update: rules.write.update,
        may_upsert: rules.write.upsert,
        takes_ranges: rules.page.offset_most > 0,
        has_key,
    });
    let allowed = |methods: &[(Method, bool)]| -> Vec<Method> {
        let read = std::iter::once(Method::GET);
        read.chain(methods.iter().filter(|(_, may)| *may).map(|(method, _)| method.clone())).collect()
    };
    let write = rules.write;
    let list = ListSource {
        table: Arc::clone(&table),
        promises: Promises {
            methods: allowed(&[
                (Method::POST, write.insert),
                (Method::PATCH, write.update || write.update_each),
                (Method::DELETE, write.delete),
            ]),
            vary: if rules.page.offset_most > 0 {
                vec![header::ACCEPT, prefer::PREFER, header::RANGE, range::RANGE_UNIT]
            } else {
                vec![header::ACCEPT, prefer::PREFER]
            },
            depends_on: depends_on.clone(),
            streams: false,
            problems: ProblemForm::Coded,
        },
        offers: media::OF_ROWS,
    };
    let row = has_key.then(|| RowSource {
        table,
        promises: Promises {
            methods: allowed(&[
                (Method::PUT, write.upsert),
                (Method::PATCH, write.update),
                (Method::DELETE, write.delete),
            ]),
            vary: vec![header::ACCEPT],
            depends_on,
            streams: false,
            problems: ProblemForm::Coded,
        },
    });
    (list, row)
}

impl ListSource {
    /// Lets callers see how their lists are read.
    #[must_use]
    pub fn showing_plans(self) -> Self {
        Self { offers: media::OF_ROWS_AND_PLANS, ..self }
    }
}

impl Source for ListSource {
    fn promises(&self) -> &Promises {
        &self.promises
    }

    fn negotiate(&self, request: &mut Request) -> Result<(), Problem> {
        let writes = request.method != Method::GET;
        media::negotiate(request, if writes { media::OF_ROWS } else { self.offers })
    }

    fn answer(&self, request: Request) -> BoxFuture<'_, Outcome> {
        // Each in a box of its own size: reads are small and many.
        match request.method {
            Method::GET if media::asks_for_plan(&request.headers, self.offers) => {
                Box::pin(explain::answer(&self.table, request))
            }
            Method::GET => Box::pin(list::answer(&self.table, request)),
            _ => Box::pin(write::answer(&self.table, request)),
        }
    }

    fn foresee(&self, request: Request) -> Result<Foresight, Problem> {
        match request.method {
            Method::GET => foresight::of_list(&self.table, &request),
            _ => Ok(Foresight::Unknown),
        }
    }
}

impl Source for RowSource {
    fn promises(&self) -> &Promises {
        &self.promises
    }

    fn negotiate(&self, request: &mut Request) -> Result<(), Problem> {
        media::negotiate(request, media::OF_ROW)
    }

    fn answer(&self, request: Request) -> BoxFuture<'_, Outcome> {
        match request.method {
            Method::GET => Box::pin(one(&self.table, request)),
            _ => Box::pin(write::answer(&self.table, request)),
        }
    }

    fn foresee(&self, request: Request) -> Result<Foresight, Problem> {
        match request.method {
            Method::GET => foresight::of_row(&self.table, &request),
            _ => Ok(Foresight::Unknown),
        }
    }
}

async fn one(table: &Table, request: Request) -> Outcome {
    let key = request.params.get(KEY_PARAM).unwrap_or_default();
    let media = Media::of(&request.headers, media::OF_ROW)?;
    let plan = table.planner.one(key, request.uri.query())?;
    let columns = Arc::clone(&plan.columns);
    let read = table.lanes.read(&plan.statement, request.deadline, move |rows| render::first(rows, &columns));
    let (found, snapshot) = read.await.map_err(Problem::from)?;
    let Some(text) = found else {
        return Err(no_such_row().into());
    };
    // The tag that a conditional write of this row is compared with; another form is another text, with its own.
    let etag = (media == Media::Json).then(|| entity_tag::of_body(&text));
    let mut response = render::answer(http::StatusCode::OK, media, media.of_row(text, &plan.columns));
    if let Some(etag) = etag {
        response.headers.insert(header::ETAG, etag);
    }
    response.tags = plan.tags.into_iter().chain([table.purge_tag]).collect();
    response.snapshot = Some(snapshot);
    Ok(response)
}

/// The path names a row by its key, and there is none.
pub(crate) fn no_such_row() -> Problem {
    Problem::new(Kind::NotFound).code("PGRST116").detail("there is no such row")
}
