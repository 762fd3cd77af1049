//! `kasoku new`: writes an app to start from.

use std::process::ExitCode;

use kasoku_dataset::{new_app, recognise};

use super::{Failure, Outcome};
use crate::arguments::New;
use crate::progress::ImportBar;

pub(crate) fn run(arguments: &New) -> Outcome {
    let from = arguments.from.as_deref().map(recognise).transpose().map_err(|error| Failure::of(&error))?;
    let mut bar = ImportBar::new();
    let made = new_app(&arguments.folder, from.as_ref(), &mut |progress| bar.show(progress));
    bar.clear();
    let made = made.map_err(|error| Failure::of(&error))?;
    for file in &made.files {
        println!("wrote {}", file.display());
    }
    for remark in made.report.iter().flat_map(|report| &report.remarks) {
        println!("note: {remark}");
    }
    println!("\nServe it:  kasoku serve {}", arguments.folder.display());
    Ok(ExitCode::SUCCESS)
}
