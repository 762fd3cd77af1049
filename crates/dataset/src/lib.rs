//! Files of rows: inferred tables and their import.
mod bytes;
mod cell;
mod delimited;
mod distinct;
mod error;
mod facts;
mod input;
mod json;
mod names;
mod rows;

pub use error::DatasetError;
pub use input::{Compression, Format, Input, recognise};
