//! `kasoku explain`: tells what would happen to a request, and why, without sending it.

use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;

use clap::CommandFactory as _;
use clap::error::ErrorKind;
use http::{HeaderMap, Method};
use kasoku_config::{Loaded, Overrides, ProcessEnvironment, load, load_text};
use kasoku_server::{Question, Recorded, explain};

use super::serve::origin_app;
use super::{Failure, Outcome};
use crate::arguments::{Arguments, Explain};

/// More of an answer than anybody notes down.
const RECORDED_BYTES_MAX: u64 = 64 << 20;

pub(crate) fn run(arguments: &Explain) -> Outcome {
    let (app, method, url) = split(arguments);
    let loaded = loaded(app, arguments)?;
    if !loaded.warnings.is_empty() && !arguments.json {
        eprint!("{}", Failure::found(&loaded.warnings));
    }
    let headers: HeaderMap = arguments.fields.iter().cloned().collect();
    let host = loaded.plan.server.listen.address.to_string();
    let mut question = Question::new(method, url, headers, &host)
        .unwrap_or_else(|error| wrong_use(&format!("URL: {error}")));
    question.recorded = arguments.response.as_deref().map(recorded).transpose()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::of(&error))?;
    let explained = runtime.block_on(explain(&loaded.plan, &question));
    let explained = explained.map_err(|error| Failure::of(&error))?;
    if arguments.json {
        let text = serde_json::to_string_pretty(&explained).map_err(|error| Failure::of(&error))?;
        println!("{text}");
    } else {
        print!("{explained}");
    }
    Ok(if explained.is_served() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The app, the method and the URL. The app may be left out, and must be where there are origins.
fn split(arguments: &Explain) -> (&Path, Method, &str) {
    let (app, method, url) = match &arguments.request[..] {
        [method, url] => (None, method, url),
        [app, method, url] => (Some(app), method, url),
        _ => wrong_use("expected [APP] METHOD URL"),
    };
    if app.is_some() && !arguments.origin.is_empty() {
        wrong_use("an APP and `--origin` cannot be explained together");
    }
    let known = Method::from_bytes(method.as_bytes());
    let method = known.unwrap_or_else(|_| wrong_use(&format!("`{method}` cannot be a method")));
    (Path::new(app.map_or(".", String::as_str)), method, url)
}

fn loaded(app: &Path, arguments: &Explain) -> Result<Loaded, Failure> {
    let overrides = Overrides::default();
    let loaded = if arguments.origin.is_empty() {
        load(app, &overrides, &ProcessEnvironment)
    } else {
        let origin = "the configuration made of --origin";
        load_text(&origin_app(&arguments.origin), origin, Path::new(""), &overrides, &ProcessEnvironment)
    };
    loaded.map_err(|found| Failure::found(&found))
}

/// An answer that was noted down.
fn recorded(file: &Path) -> Result<Recorded, Failure> {
    let name = if file == Path::new("-") { "standard input".to_owned() } else { file.display().to_string() };
    let unreadable = |error: std::io::Error| Failure(format!("error: {name} cannot be read: {error}"));
    let mut noted = Vec::new();
    if file == Path::new("-") {
        std::io::stdin().take(RECORDED_BYTES_MAX).read_to_end(&mut noted).map_err(unreadable)?;
    } else {
        let opened = std::fs::File::open(file).map_err(unreadable)?;
        opened.take(RECORDED_BYTES_MAX).read_to_end(&mut noted).map_err(unreadable)?;
    }
    Recorded::read(&noted).map_err(|error| Failure(format!("error: {name} is no HTTP answer: {error}")))
}

/// Ends with code 2.
fn wrong_use(text: &str) -> ! {
    let mut command = Arguments::command();
    let explain = command.find_subcommand_mut("explain").expect("it is one of the commands");
    explain.error(ErrorKind::ValueValidation, text).exit()
}
