//! Files of rows: inferred tables and their import.
//!
//! [`recognise`] tells what kind of file was given, [`import`] makes a database of it, [`describe`] says what a
//! database holds, [`app_text`] writes the configuration that serves it, and [`new_app`] a folder to go on from.
//! Nothing has to be said about a file: columns, types, keys and indexes follow from its rows.
//!
//! What is decided where a file leaves it open:
//!
//! - **Types.** All rows are read before a type is chosen, so a column whose first 90,000 values are numbers and
//!   whose next is not is a column of texts. A number is only what can be printed as it was written: `02134`,
//!   `+49`, `12E5` and whole numbers beyond 64 bits stay texts. Decimals become doubles, so `1.10` reads as 1.1.
//!   Dates stay texts; in the form of RFC 3339 they sort as they should. `true` and `false` are truth values; yes,
//!   no, 0 and 1 are not. JSON keeps the types that it says, also within one column.
//! - **Missing values.** An empty field of a delimited file is NULL, in quotes or not, also in a column of texts.
//!   `NA`, `NaN`, `null`, `-` and their kin are NULL in a column that otherwise holds numbers or truth values, and
//!   texts elsewhere: `NA` is also Namibia. In JSON, `null` and a missing key are NULL, and `""` is a text.
//! - **Keys.** A column that looks like a key (`id`, `code`, `…_id`, the first one) is the key if no value is
//!   missing or there twice. Otherwise the row's number is added as `id`, or `row` where that is taken.
//! - **Order.** Without a key of its own, a table keeps the order of the file.
//!
//! Files are read in constant memory: what is kept of a column is bounded whatever its length, and a row may have
//! 16 MiB. This crate must not know HTTP, routes, or how a configuration is parsed.

mod app_text;
mod bytes;
mod cell;
mod choose;
mod delimited;
mod distinct;
mod error;
mod existing;
mod facts;
mod import;
mod input;
mod json;
mod load;
mod names;
mod new_app;
mod partial;
mod progress;
mod rows;
mod schema_text;
mod shape;
mod store;
mod survey;

pub use app_text::{AppAccess, AppOptions, ServedTable, app_text, paths};
pub use cell::DateForm;
pub use choose::INDEXES_MAX;
pub use error::{ACCEPTED, DatasetError};
pub use existing::describe;
pub use import::{Report, import, infer};
pub use input::{Compression, Format, Input, recognise};
pub use new_app::{NewApp, new_app};
pub use progress::{Progress, Stage};
pub use shape::{ColumnShape, IndexShape, KeyShape, TableShape};
pub use survey::Survey;
