//! Routes that answer from a folder.

use kasoku_source_files::FilesRules;

use super::{Check, unreadable};
use crate::diagnostic::Finding;
use crate::tree::KeyPath;
use crate::written::{DurationText, Files, FilesOrFolder};

/// What a `files` route serves.
pub(super) fn rules(check: &mut Check<'_>, route: &KeyPath, written: &FilesOrFolder) -> Option<FilesRules> {
    let at = route.key("files");
    let (files, folder_at) = match written {
        FilesOrFolder::Folder(folder) => (plain(folder), at.clone()),
        FilesOrFolder::Files(files) => (files.clone(), at.key("folder")),
    };
    let folder = check.path(&files.folder);
    let problem = match std::fs::metadata(&folder) {
        Ok(facts) if facts.is_dir() => None,
        Ok(_) => Some(Finding::error("a `files` route serves a folder").label("this is a file")),
        Err(error) => Some(unreadable("the folder", &folder, &error)),
    };
    if let Some(finding) = problem {
        check.value(&folder_at, finding);
        return None;
    }
    let names = [("index", Some(&files.index)), ("fallback", files.fallback.as_ref())];
    let mut sound = true;
    for (key, name) in names.into_iter().filter_map(|(key, name)| Some((key, name?))) {
        let inside =
            !name.is_empty() && name.split('/').all(|part| !part.is_empty() && !part.starts_with('.'));
        if !inside || (key == "index" && name.contains('/')) {
            let finding = Finding::error(format!("`{name}` cannot be the `{key}`"));
            check.value(&at.key(key), finding.label("expected the name of a file in the folder"));
            sound = false;
        } else if key == "fallback" && !folder.join(name).is_file() {
            let finding = Finding::error("the fallback does not exist");
            check.value(&at.key(key), finding.label(format!("looked for {}", folder.join(name).display())));
            sound = false;
        }
    }
    sound.then(|| FilesRules {
        folder,
        index: files.index,
        fallback: files.fallback,
        max_age: files.max_age.duration(),
    })
}

fn plain(folder: &str) -> Files {
    Files {
        folder: folder.to_owned(),
        index: "index.html".into(),
        fallback: None,
        max_age: DurationText::seconds(0),
    }
}
