//! The sources of a `table` route: its list, and its rows by key.

use std::sync::Arc;

use http::{Method, header};
use kasoku_coherence::{Snapshot, Tag};
use kasoku_database::{DatabaseError, ReadNeeds, ReadTransaction, Rows, Statement};
use kasoku_http_caching::entity_tag;
use kasoku_pipeline::{BoxFuture, Foresight, Outcome, ProblemForm, Promises, Request, Source};
use kasoku_problem::{Kind, Problem};
use kasoku_sql_plan::{CursorKey, Nest, TablePlanner, TableRules, purge_tag};

use crate::lanes::{Engine, Lanes, Planned};
use crate::media::{self, Media};
use crate::nested::{Embedded, Sheet};
use crate::{caller, explain, foresight, list, prefer, range, render, write};

/// What both sources of a route share.
#[expect(clippy::struct_excessive_bools, reason = "each is a permission or a fact of its own")]
pub(crate) struct Table {
    /// For nobody. What it plans is for [`planner_for`](Self::planner_for) somebody.
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
    let depends_on = planner.depends_on();
    let by = caller::parts(planner.asked_of_caller());
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
            by: by.clone(),
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
            by,
            depends_on,
            streams: false,
            problems: ProblemForm::Coded,
        },
    });
    (list, row)
}

impl Table {
    /// All that an answer with these tags depends on; what is embedded is not known before it is read, so that any
    /// change of its tables counts.
    pub(crate) fn all_of(&self, tags: &[Tag], embeds: bool) -> Vec<Tag> {
        let embedded = if embeds { self.planner.depends_on() } else { Vec::new() };
        tags.iter().copied().chain([self.purge_tag]).chain(embedded).collect()
    }

    /// The planner for the caller of a request: by its rules, there are other rows for each.
    pub(crate) fn planner_for(&self, request: &Request) -> TablePlanner {
        self.planner.for_caller(|name| caller::known(request.caller.as_deref(), name))
    }
}

impl ListSource {
    /// The table that it answers from, for what answers from it in other ways.
    pub(crate) fn table(&self) -> &Arc<Table> {
        &self.table
    }

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
    let plan = table.planner_for(&request).one(key, request.uri.query())?;
    let columns = Arc::clone(&plan.columns);
    let needs = table.lanes.needs(&request, || table.all_of(&plan.tags, plan.nest.is_some()));
    let ((found, embedded), snapshot) = if let Some(nest) = plan.nest.clone() {
        one_with_embeds(table, needs, &plan.statement, nest).await?
    } else {
        let first = move |rows: &mut Rows<'_>| render::first(rows, &columns);
        let (found, snapshot) = table
            .lanes
            .read(&plan.statement, needs, first)
            .await
            .map_err(DatabaseError::problem_of_asking)?;
        ((found, Vec::new()), snapshot)
    };
    let Some(text) = found else {
        return Err(no_such_row().into());
    };
    // The tag that a conditional write of this row is compared with; another form is another text, with its own.
    let etag = (media == Media::Json).then(|| entity_tag::of_body(&text));
    let mut response = render::answer(http::StatusCode::OK, media, media.of_row(text, &plan.columns));
    if let Some(etag) = etag {
        response.headers.insert(header::ETAG, etag);
    }
    response.tags = plan.tags.into_iter().chain([table.purge_tag]).chain(embedded).collect();
    response.snapshot = Some(snapshot);
    Ok(response)
}

/// The path names a row by its key, and there is none.
pub(crate) fn no_such_row() -> Problem {
    Problem::new(Kind::NotFound).code("PGRST116").detail("there is no such row")
}

/// The row with what is embedded in it, and what it depends on for that.
async fn one_with_embeds(
    table: &Table,
    needs: ReadNeeds,
    planned: &Planned,
    nest: Nest,
) -> Result<((Option<Vec<u8>>, Vec<Tag>), Snapshot), Problem> {
    let most = u64::from(table.planner.embed_rows_most());
    let lane = nest.embeds.first().map_or(&planned.sql, |embed| embed.sql());
    let (lane, planned) = (Arc::clone(lane), planned.clone());
    let read = move |transaction: &mut ReadTransaction<'_>| {
        let mut sheet = Sheet::of(&nest);
        let statement = Statement::new(Arc::clone(&planned.name), Arc::clone(&planned.sql));
        transaction.query(&statement, &planned.params, |rows| {
            if let Some(row) = rows.next()? {
                sheet.add(row);
            }
            Ok::<_, DatabaseError>(())
        })?;
        if sheet.len() == 0 {
            return Ok(Ok((None, Vec::new())));
        }
        let embedded = Embedded::read(transaction, &nest, &sheet, 1, most)?;
        Ok::<_, DatabaseError>(embedded.map(|embedded| {
            let mut text = Vec::with_capacity(1_024);
            embedded.write(&mut text, &nest, &sheet, 0);
            (Some(text), embedded.tags)
        }))
    };
    let (read, snapshot) =
        table.lanes.read_many(&lane, needs, read).await.map_err(DatabaseError::problem_of_asking)?;
    Ok((read?, snapshot))
}
