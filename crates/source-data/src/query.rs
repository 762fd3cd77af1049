//! The source of a `query` route: a declared `select`, run as it is written.

use std::sync::Arc;

use http::{Method, StatusCode, header};
use kasoku_coherence::Tag;
use kasoku_database::{DatabaseError, ResultColumn, Rows};
use kasoku_pipeline::{BoxFuture, Foresight, Outcome, ProblemForm, Promises, Request, Source};
use kasoku_problem::{Kind, Problem};
use kasoku_sql_plan::{OutputColumn, QueryPlanner, QueryRules, purge_tag, table_tag};

use crate::lanes::{Engine, Lanes};
use crate::media::{self, Media};
use crate::render::{self, Counted};
use crate::{caller, foresight};

/// Answers one declared query.
pub struct QuerySource {
    planner: QueryPlanner,
    lanes: Lanes,
    columns: Arc<[OutputColumn]>,
    one: bool,
    rows_most: u64,
    /// What every answer carries, whatever else it depends on.
    purge_tags: Vec<Tag>,
    tables: Vec<String>,
    promises: Promises,
}

impl QuerySource {
    /// `columns` are those of the query's result, and `tables` all that it reads.
    pub fn new(
        planner: QueryPlanner,
        rules: &QueryRules,
        columns: &[ResultColumn],
        tables: &[&str],
        engine: Engine,
    ) -> Self {
        let depends_on = tables.iter().map(|table| table_tag(table)).collect();
        let by = caller::parts(planner.asked_of_caller());
        let columns = columns.iter().map(|column| OutputColumn::new(&column.name, column.kind));
        Self {
            planner,
            lanes: Lanes::new(engine),
            columns: columns.collect(),
            one: rules.one,
            rows_most: u64::from(rules.rows_most),
            purge_tags: tables.iter().map(|table| purge_tag(table)).collect(),
            tables: tables.iter().map(|table| (*table).to_owned()).collect(),
            promises: Promises {
                methods: vec![Method::GET],
                vary: vec![header::ACCEPT],
                by,
                depends_on,
                streams: false,
                problems: ProblemForm::Coded,
            },
        }
    }

    fn offers(&self) -> &'static [Media] {
        if self.one { media::OF_ROW } else { media::OF_ROWS }
    }

    async fn run(&self, request: Request) -> Outcome {
        let media = Media::of(&request.headers, self.offers())?;
        let path: Vec<(&str, &str)> = request.params.iter().collect();
        let known = |name: &str| caller::known(request.caller.as_deref(), name);
        let plan = self.planner.plan_for(&path, request.uri.query(), known)?;
        let (columns, one, most) = (Arc::clone(&self.columns), self.one, self.rows_most);
        let read = move |rows: &mut Rows<'_>| -> Result<Read, DatabaseError> {
            if one {
                return Ok(render::first(rows, &columns)?.map_or(Read::Nothing, Read::Text));
            }
            let mut text = Vec::with_capacity(1_024);
            Ok(match render::all(rows, &columns, &mut text, most)? {
                Counted::All(_) => Read::Text(text),
                Counted::TooMany => Read::TooMany,
            })
        };
        let needs =
            self.lanes.needs(&request, || plan.tags.iter().chain(&self.purge_tags).copied().collect());
        let (read, snapshot) =
            self.lanes.read(&plan.statement, needs, read).await.map_err(DatabaseError::problem_of_asking)?;
        let text = match read {
            Read::Text(text) => text,
            Read::Nothing => {
                let problem = Problem::new(Kind::NotFound).code("PGRST116");
                return Err(problem.detail("the query has no row for this").into());
            }
            Read::TooMany => return Err(Problem::new(Kind::Internal).detail(self.too_many()).into()),
        };
        let text =
            if self.one { media.of_row(text, &self.columns) } else { media.of_rows(text, &self.columns)? };
        let mut response = render::answer(StatusCode::OK, media, text);
        response.tags = plan.tags.iter().chain(&self.purge_tags).copied().collect();
        response.snapshot = Some(snapshot);
        Ok(response)
    }

    fn too_many(&self) -> String {
        format!("the query has more than {} rows, which is the most that this route answers", self.rows_most)
    }
}

impl Source for QuerySource {
    fn promises(&self) -> &Promises {
        &self.promises
    }

    fn negotiate(&self, request: &mut Request) -> Result<(), Problem> {
        media::negotiate(request, self.offers())
    }

    fn answer(&self, request: Request) -> BoxFuture<'_, Outcome> {
        Box::pin(self.run(request))
    }

    fn foresee(&self, request: Request) -> Result<Foresight, Problem> {
        let path: Vec<(&str, &str)> = request.params.iter().collect();
        let known = |name: &str| caller::known(request.caller.as_deref(), name);
        let plan = self.planner.plan_for(&path, request.uri.query(), known)?;
        let names = self.planner.tag_names(&plan, &self.tables);
        let purges: Vec<_> = self.purge_tags.iter().copied().zip(&self.tables).collect();
        Ok(foresight::read(&plan.statement, plan.tags, names, &purges))
    }
}

/// What a query gave.
enum Read {
    Text(Vec<u8>),
    Nothing,
    TooMany,
}
