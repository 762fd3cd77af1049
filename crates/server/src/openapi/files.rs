//! Whole lists as files, out and in: each form at a path of its own.

use std::collections::BTreeMap;

use kasoku_source_data::{ImportFormat, TransferFormat};
use serde_json::{Map, Value, json};

use super::table::OfTable;
use super::writes::preferences;
use super::{operation, parameters, parts};

impl OfTable<'_> {
    /// The paths of a route's files, and what can be done there.
    pub(super) fn files(&self) -> Vec<(String, Value)> {
        let transfers = &self.route.transfers;
        let mut found: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
        for format in transfers.export.iter().flat_map(|export| &export.formats) {
            let item = found.entry(format.extension()).or_default();
            item.insert("get".into(), self.file_out(*format));
        }
        for format in transfers.import.iter().flat_map(|import| &import.formats) {
            let item = found.entry(format.extension()).or_default();
            item.insert("post".into(), self.file_in(*format));
        }
        let files = found.into_iter().map(|(extension, mut item)| {
            self.captured(&mut item);
            (self.file_path(extension), Value::Object(item))
        });
        files.collect()
    }

    fn file_path(&self, extension: &str) -> String {
        format!("{}.{extension}", self.path)
    }

    fn file_out(&self, format: TransferFormat) -> Value {
        let path = self.file_path(format.extension());
        let mut get = operation("get", &path, &format!("All rows of `{}`, as a file", self.rules.table));
        let mut asked = parameters::selection(self.rules);
        asked.extend(parameters::filters(self.rules));
        let pages = parameters::paging(self.rules);
        asked.extend(pages.into_iter().filter(|parameter| parameter["name"] == "order"));
        let most = json!({ "type": "integer" });
        asked.push(parameters::in_query("limit", "Rows of the whole file; all without it", &most));
        let media = match format {
            TransferFormat::Csv => "text/csv",
            TransferFormat::Ndjson => "application/x-ndjson",
        };
        get["tags"] = json!([self.rules.table]);
        get["parameters"] = asked.into();
        get["responses"]["200"] =
            json!({ "description": "The file", "content": { media: { "schema": { "type": "string" } } } });
        get
    }

    fn file_in(&self, format: ImportFormat) -> Value {
        let path = self.file_path(format.extension());
        let mut post =
            operation("post", &path, &format!("Insert the rows of a file into `{}`", self.rules.table));
        let media = match format {
            ImportFormat::Csv => "text/csv",
            ImportFormat::Ndjson => "application/x-ndjson",
            ImportFormat::Json => "application/json",
        };
        let count = json!({ "type": "integer", "minimum": 0 });
        let answer = json!({
            "type": "object",
            "required": ["received", "written", "ignored", "refused", "errors"],
            "properties": {
                "received": count, "written": count, "ignored": count, "refused": count,
                "errors": { "type": "array", "items": { "type": "object" } },
            },
        });
        post["description"] =
            "All rows are written or none; with `Prefer: continue-on-error`, those that can be.".into();
        post["tags"] = json!([self.rules.table]);
        post["parameters"] =
            json!([preferences(self.rules.write.upsert), parts::parameter("IdempotencyKey")]);
        post["requestBody"] =
            json!({ "required": true, "content": { media: { "schema": { "type": "string" } } } });
        post["responses"]["200"] = json!({
            "description": "How many rows were written, and which were not",
            "content": { "application/json": { "schema": answer } },
        });
        for status in ["400", "409", "413", "415", "422", "503"] {
            post["responses"][status] = parts::response("Problem");
        }
        post
    }
}
