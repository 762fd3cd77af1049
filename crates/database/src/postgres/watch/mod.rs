//! What changed, and who changed it.

use crate::changes::DataChange;
use crate::postgres::connect::Failed;
use crate::postgres::held::Held;
use crate::postgres::settings::PostgresSettings;

/// Tables that the running transaction has changed, whether by its own statements, by cascades or by triggers.
const TOUCHED: &str = "select relname::text from pg_stat_xact_user_tables \
                       where n_tup_ins + n_tup_upd + n_tup_del > 0";

/// Learns of changes.
pub(crate) struct Watch {}

impl Watch {
    pub(crate) fn new(_settings: &PostgresSettings) -> Self {
        Self {}
    }

    /// What the running transaction is about to make visible.
    pub(crate) fn of_this_transaction(&self, held: &Held) -> Result<Vec<DataChange>, Failed> {
        let rows =
            held.wait(held.session.client().query(TOUCHED, &[])).map_err(|error| Failed::of(&error))?;
        Ok(rows.iter().map(|row| DataChange::Table(row.get::<_, &str>(0).into())).collect())
    }

    pub(crate) fn close(&self) {}
}
