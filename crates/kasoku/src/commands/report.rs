//! `kasoku report slow`: the statements of a running server that took longest.

use std::process::ExitCode;

use serde_json::Value;

use super::Outcome;
use super::admin::ask;
use crate::arguments::{Report, ReportWhat, Slow};

pub(crate) fn run(arguments: &Report) -> Outcome {
    let ReportWhat::Slow(slow) = &arguments.what;
    let path = format!("/api/statements?by={}&top={}&plans={}", slow.by, slow.top, !slow.no_plans);
    let said = ask(&arguments.admin, &path, None, "statements")?;
    if arguments.json {
        println!("{said}");
    } else {
        print(&said, slow);
    }
    Ok(ExitCode::SUCCESS)
}

fn print(said: &Value, slow: &Slow) {
    const COLUMNS: [(&str, &str); 6] = [
        ("total_ms", "total ms"),
        ("mean_ms", "mean"),
        ("p50_ms", "p50"),
        ("p95_ms", "p95"),
        ("p99_ms", "p99"),
        ("slowest_ms", "slowest"),
    ];
    let statements = said["statements"].as_array().map(Vec::as_slice).unwrap_or_default();
    if statements.is_empty() {
        println!("no statement has run yet");
        return;
    }
    let heads: Vec<String> = COLUMNS.iter().map(|(_, head)| format!(" {head:>9}")).collect();
    println!("{:>9} {:>7}{}  statement", "runs", "slow", heads.concat());
    for statement in statements {
        let figure = |(name, _): &(&str, &str)| {
            format!(" {:>9}", milliseconds(statement[*name].as_f64().unwrap_or_default()))
        };
        let figures: String = COLUMNS.iter().map(figure).collect();
        let count = |name: &str| statement[name].as_u64().unwrap_or_default();
        let text = |name: &str| statement[name].as_str().unwrap_or_default();
        println!("{:>9} {:>7}{figures}  {}", count("count"), count("slow"), text("statement"));
        println!("          {}", one_line(text("sql")));
        for line in statement["plan"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            println!("            {line}");
        }
    }
    let left = said["seen"].as_u64().unwrap_or_default().saturating_sub(statements.len() as u64);
    if left > 0 {
        println!("and {left} more; `--top` shows more of them than {}", slow.top);
    }
}

/// With three digits that count.
fn milliseconds(ms: f64) -> String {
    match ms {
        _ if ms < 10.0 => format!("{ms:.3}"),
        _ if ms < 1_000.0 => format!("{ms:.1}"),
        _ => format!("{ms:.0}"),
    }
}

/// SQL without its line breaks.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
