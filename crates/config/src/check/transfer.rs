//! Whole lists as files: which forms, and within which limits.

use kasoku_source_data::{ExportRules, TransferFormat, TransferRules};

use super::Check;
use super::server::positive;
use crate::diagnostic::Finding;
use crate::tree::KeyPath;
use crate::written::{Export, ExportName, ExportOrList, Route};

/// What a route lets out as files.
pub(super) fn rules(check: &mut Check<'_>, at: &KeyPath, written: &Route) -> TransferRules {
    TransferRules { export: export(check, at, written) }
}

/// What the paths of a route's files end in.
pub(super) fn extensions(written: &Route) -> impl Iterator<Item = &'static str> {
    let export = written.export.as_ref().map(settings);
    let exports = move |format: &TransferFormat| {
        export.as_ref().is_some_and(|export| export.formats.iter().any(|name| of_export(*name) == *format))
    };
    TransferFormat::ALL.into_iter().filter(exports).map(TransferFormat::extension)
}

fn export(check: &mut Check<'_>, at: &KeyPath, written: &Route) -> Option<ExportRules> {
    let at = at.key("export");
    let export = settings(written.export.as_ref()?);
    let list = if check.tree.get(&at.key("formats")).is_some() { at.key("formats") } else { at.clone() };
    if export.formats.is_empty() {
        let finding = Finding::error("nothing would be exported");
        check.value(&list, finding.label("expected \"csv\", \"ndjson\" or both"));
    }
    for (index, name) in export.formats.iter().enumerate() {
        if export.formats[..index].contains(name) {
            check.value(&list.index(index), Finding::error("the form is there already"));
        }
    }
    if written.path == "/" {
        let finding = Finding::error("a file needs a name, and the path `/` has none");
        check.value(&at, finding.label("expected a path such as \"/items\" for this route"));
    }
    positive(check, &at.key("deadline"), export.deadline);
    Some(ExportRules {
        formats: export.formats.into_iter().map(of_export).collect(),
        concurrent: export.concurrent,
        rows_most: export.rows,
        deadline: export.deadline.duration(),
    })
}

fn settings(written: &ExportOrList) -> Export {
    match written {
        ExportOrList::List(formats) => Export::of(formats.clone()),
        ExportOrList::Export(export) => export.clone(),
    }
}

fn of_export(name: ExportName) -> TransferFormat {
    match name {
        ExportName::Csv => TransferFormat::Csv,
        ExportName::Ndjson => TransferFormat::Ndjson,
    }
}
