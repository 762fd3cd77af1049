//! Rows of fields between commas, semicolons, tabs or bars (RFC 4180, as liberally as real files demand).
//!
//! - The delimiter is the sign that divides the first rows into the most fields, the same number in each.
//! - The first row names the columns, unless all of its fields are numbers.
//! - A row with too few fields is filled up with missing values; these rows are counted and reported. A row with
//!   more fields than columns is an error, unless the surplus is empty: something of it would be lost.
//! - Only UTF-8 is read; other encodings cannot be told apart for certain.

use std::io::Read as _;
use std::rc::Rc;

use csv::{ByteRecord, ErrorKind, Position, Reader, ReaderBuilder, StringRecord};

use crate::bytes::{self, BLOCK_BYTES, Meter};
use crate::cell::{Cell, Form, form_of};
use crate::error::DatasetError;
use crate::input::Input;
use crate::rows::{COLUMNS_MAX, Layout, Row, TableLayout, Visit};

/// Signs that are tried, the most usual first.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Bytes and rows that the delimiter is found out from.
const SAMPLE_BYTES: usize = 64 * 1024;
const SAMPLE_ROWS: usize = 200;

/// Reads all rows. Without a delimiter, it is found out.
pub(crate) fn read(
    input: &Input,
    delimiter: Option<u8>,
    meter: &Rc<Meter>,
    visit: &mut Visit<'_>,
) -> Result<Layout, DatasetError> {
    let delimiter = match delimiter {
        Some(delimiter) => delimiter,
        None => found_delimiter(input)?,
    };
    let mut reader = builder(delimiter).from_reader(bytes::open(input, meter)?);
    let (mut record, mut last) = (StringRecord::new(), StringRecord::new());
    let mut rows = Rows { input, columns: Vec::new(), count: 0, short: 0, first_short: 0 };
    while read_record(&mut reader, &mut record, input)? {
        meter.row_complete();
        if rows.columns.is_empty() {
            rows.columns = column_names(&record, input)?;
            if is_header(&record) {
                continue;
            }
        }
        rows.visit(&record, visit)?;
        std::mem::swap(&mut record, &mut last);
    }
    // Where a quote is never closed, the last row swallows the rest of the file.
    if last.iter().any(|field| field.contains('\n'))
        && has_open_quote(input, last.position().map_or(0, Position::byte))?
    {
        let what = "a quote (\") is opened in this row and never closed".to_owned();
        return Err(DatasetError::Row { path: input.path.clone(), line: line_of(&last), what });
    }
    Ok(rows.into_layout(delimiter))
}

struct Rows<'a> {
    input: &'a Input,
    columns: Vec<String>,
    count: u64,
    short: u64,
    first_short: u64,
}

impl Rows<'_> {
    fn visit(&mut self, record: &StringRecord, visit: &mut Visit<'_>) -> Result<(), DatasetError> {
        let line = line_of(record);
        let width = self.columns.len();
        if record.len() < width {
            if self.short == 0 {
                self.first_short = line;
            }
            self.short += 1;
        }
        if let Some(surplus) = record.iter().skip(width).find(|field| !field.is_empty()) {
            let what = format!(
                "this row has {} fields, but there are {width} columns; the first too many is {surplus:.40?}. \
                 Put fields that contain the delimiter into quotes",
                record.len()
            );
            return Err(DatasetError::Row { path: self.input.path.clone(), line, what });
        }
        self.count += 1;
        let cells: Vec<Cell<'_>> = record.iter().take(width).map(Cell::Loose).collect();
        visit(&Row { table: 0, line, columns: &self.columns, cells: &cells })
    }

    fn into_layout(self, delimiter: u8) -> Layout {
        let mut remarks = Vec::new();
        if delimiter != b',' {
            let sign =
                if delimiter == b'\t' { "tabs".into() } else { format!("`{}`", char::from(delimiter)) };
            remarks.push(format!("fields are separated by {sign}"));
        }
        if self.short > 0 {
            let (short, first) = (self.short, self.first_short);
            remarks.push(format!(
                "{short} rows have fewer fields than there are columns (the first at line {first}); \
                 the missing ones are NULL"
            ));
        }
        let tables = if self.columns.is_empty() {
            Vec::new()
        } else {
            vec![TableLayout { written: None, columns: self.columns, rows: self.count }]
        };
        Layout { tables, remarks }
    }
}

fn line_of(record: &StringRecord) -> u64 {
    record.position().map_or(1, Position::line)
}

fn builder(delimiter: u8) -> ReaderBuilder {
    let mut builder = ReaderBuilder::new();
    builder.delimiter(delimiter).has_headers(false).flexible(true).buffer_capacity(BLOCK_BYTES);
    builder
}

fn read_record<R: std::io::Read>(
    reader: &mut Reader<R>,
    record: &mut StringRecord,
    input: &Input,
) -> Result<bool, DatasetError> {
    let began = reader.position().line();
    reader.read_record(record).map_err(|error| {
        let path = input.path.clone();
        match error.into_kind() {
            ErrorKind::Utf8 { pos, .. } => DatasetError::Row {
                path,
                line: pos.map_or(began, |position| position.line()),
                what: "this row is not UTF-8; if the file comes from a Western European spreadsheet, convert it: \
                       iconv -f WINDOWS-1252 -t UTF-8"
                    .into(),
            },
            ErrorKind::Io(error) if bytes::is_row_too_long(&error) => DatasetError::Row {
                path,
                line: began,
                what: format!("{error} begins here; a closing quote (\") may be missing"),
            },
            ErrorKind::Io(source) => DatasetError::File { path, source },
            other => DatasetError::Row { path, line: began, what: format!("{other:?}") },
        }
    })
}

fn column_names(record: &StringRecord, input: &Input) -> Result<Vec<String>, DatasetError> {
    let width = record.len();
    if width > COLUMNS_MAX {
        return Err(DatasetError::Row {
            path: input.path.clone(),
            line: 1,
            what: format!("{width} columns are more than the {COLUMNS_MAX} that a table can have"),
        });
    }
    let header = is_header(record);
    Ok(record.iter().map(|name| if header { name.to_owned() } else { String::new() }).collect())
}

/// A first row of nothing but numbers is a row like the others; nobody calls all columns by numbers.
fn is_header(record: &StringRecord) -> bool {
    !record.iter().all(|field| matches!(form_of(field), Form::Integer(_) | Form::Real(_) | Form::Oversized))
}

/// The delimiter that divides the first rows best.
fn found_delimiter(input: &Input) -> Result<u8, DatasetError> {
    let mut sample = Vec::with_capacity(SAMPLE_BYTES);
    let stream = bytes::open(input, &Rc::new(Meter::default()))?;
    stream
        .take(SAMPLE_BYTES as u64)
        .read_to_end(&mut sample)
        .map_err(|source| DatasetError::File { path: input.path.clone(), source })?;
    let complete = sample.len() < SAMPLE_BYTES;
    let best = DELIMITERS.into_iter().map(|delimiter| (score(&sample, complete, delimiter), delimiter));
    // The first of equals wins, which is the more usual one.
    let (_, delimiter) = best.fold((0, b','), |best, next| if next.0 > best.0 { next } else { best });
    Ok(delimiter)
}

/// How well a delimiter divides a sample: rows that have as many fields as the first, times these fields.
fn score(sample: &[u8], complete: bool, delimiter: u8) -> usize {
    let mut reader = builder(delimiter).from_reader(sample);
    let mut record = ByteRecord::new();
    let mut widths = Vec::new();
    while widths.len() < SAMPLE_ROWS && reader.read_byte_record(&mut record).unwrap_or(false) {
        widths.push(record.len());
    }
    if !complete && widths.len() < SAMPLE_ROWS && widths.len() > 1 {
        widths.pop();
    }
    let Some(first) = widths.first().copied().filter(|width| *width > 1) else { return 0 };
    let same = widths.iter().filter(|width| **width == first).count();
    if same * 10 < widths.len() * 8 { same } else { same * first + widths.len() }
}

/// Whether the last row, which begins at this byte, has an odd number of quotes.
fn has_open_quote(input: &Input, from: u64) -> Result<bool, DatasetError> {
    let file_error = |source| DatasetError::File { path: input.path.clone(), source };
    let meter = Rc::new(Meter::default());
    let mut stream = bytes::open(input, &meter)?;
    let (mut skipped, mut quotes) = (0, 0);
    let mut block = vec![0; BLOCK_BYTES];
    loop {
        meter.row_complete();
        let count = stream.read(&mut block).map_err(file_error)?;
        if count == 0 {
            return Ok(quotes % 2 == 1);
        }
        let skip = (from - skipped).min(count as u64);
        skipped += skip;
        quotes += memchr::memchr_iter(b'"', &block[skip as usize..count]).count();
    }
}
