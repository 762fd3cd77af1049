//! Whole lists as files: which forms, and within which limits.

use kasoku_source_data::{ExportRules, ImportFormat, ImportRules, TransferFormat, TransferRules};

use super::Check;
use super::server::{positive, size};
use crate::diagnostic::Finding;
use crate::tree::KeyPath;
use crate::written::{
    Export, ExportName, ExportOrList, Import, ImportName, ImportOrList, Route, SizeText, WriteName,
    WriteOrList,
};

/// The largest file that can be let in.
const FILE_MAX: SizeText = SizeText::mib(1 << 20);

/// What a route lets out and in as files; `body_bytes_max` is what a request of it may have.
pub(super) fn rules(
    check: &mut Check<'_>,
    at: &KeyPath,
    written: &Route,
    body_bytes_max: u64,
) -> TransferRules {
    let rules = TransferRules {
        export: export(check, &at.key("export"), written),
        import: import(check, at, written, body_bytes_max),
    };
    if written.path == "/" && rules != TransferRules::default() {
        let at_fault = at.key(if rules.export.is_some() { "export" } else { "import" });
        let finding = Finding::error("a file needs a name, and the path `/` has none");
        check.value(&at_fault, finding.label("expected a path such as \"/items\" for this route"));
    }
    rules
}

/// What the paths of a route's files end in.
pub(super) fn extensions(written: &Route) -> Vec<&'static str> {
    let export = written.export.as_ref().map(exported).into_iter().flat_map(|export| export.formats);
    let import = written.import.as_ref().map(imported).into_iter().flat_map(|import| import.formats);
    let exports = export.map(|name| of_export(name).extension());
    let mut extensions: Vec<_> = exports.chain(import.map(|name| of_import(name).extension())).collect();
    extensions.sort_unstable();
    extensions.dedup();
    extensions
}

fn export(check: &mut Check<'_>, at: &KeyPath, written: &Route) -> Option<ExportRules> {
    let export = exported(written.export.as_ref()?);
    forms(check, at, &export.formats, "exported");
    positive(check, &at.key("deadline"), export.deadline);
    Some(ExportRules {
        formats: export.formats.into_iter().map(of_export).collect(),
        concurrent: export.concurrent,
        rows_most: export.rows,
        deadline: export.deadline.duration(),
    })
}

fn import(
    check: &mut Check<'_>,
    route: &KeyPath,
    written: &Route,
    body_bytes_max: u64,
) -> Option<ImportRules> {
    let at = route.key("import");
    let import = imported(written.import.as_ref()?);
    forms(check, &at, &import.formats, "imported");
    positive(check, &at.key("deadline"), import.deadline);
    size(check, &at.key("file"), import.file, &(SizeText::bytes(1)..=FILE_MAX));
    let allowed = match &written.write {
        None => &[][..],
        Some(WriteOrList::List(names)) => names,
        Some(WriteOrList::Write(write)) => &write.allow,
    };
    if !allowed.contains(&WriteName::Insert) {
        let finding = Finding::error("nothing can be imported where no rows can be inserted");
        check.key(&at, finding.hint("add \"insert\" to `write`"));
    }
    if written.row_rule.is_some() {
        let finding = Finding::error("rows of this route belong to callers, and files are not let into it");
        check.key(&at, finding.label("`where` says whose rows are whose"));
    }
    Some(ImportRules {
        formats: import.formats.into_iter().map(of_import).collect(),
        concurrent: import.concurrent,
        body_bytes_max: import.file.0.0,
        row_bytes_max: body_bytes_max as usize,
        rows_at_once: import.rows as usize,
        errors_most: import.errors as usize,
        deadline: import.deadline.duration(),
    })
}

/// Looks over a list of forms.
fn forms<T: PartialEq>(check: &mut Check<'_>, at: &KeyPath, formats: &[T], what: &str) {
    let list = if check.tree.get(&at.key("formats")).is_some() { at.key("formats") } else { at.clone() };
    if formats.is_empty() {
        let finding = Finding::error(format!("nothing would be {what}"));
        check.value(&list, finding.label("expected forms such as \"csv\" and \"ndjson\""));
    }
    for (index, name) in formats.iter().enumerate() {
        if formats[..index].contains(name) {
            check.value(&list.index(index), Finding::error("the form is there already"));
        }
    }
}

fn exported(written: &ExportOrList) -> Export {
    match written {
        ExportOrList::List(formats) => Export::of(formats.clone()),
        ExportOrList::Export(export) => export.clone(),
    }
}

fn imported(written: &ImportOrList) -> Import {
    match written {
        ImportOrList::List(formats) => Import::of(formats.clone()),
        ImportOrList::Import(import) => import.clone(),
    }
}

fn of_export(name: ExportName) -> TransferFormat {
    match name {
        ExportName::Csv => TransferFormat::Csv,
        ExportName::Ndjson => TransferFormat::Ndjson,
    }
}

fn of_import(name: ImportName) -> ImportFormat {
    match name {
        ImportName::Csv => ImportFormat::Csv,
        ImportName::Ndjson => ImportFormat::Ndjson,
        ImportName::Json => ImportFormat::Json,
    }
}
