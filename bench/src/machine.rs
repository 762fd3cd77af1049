//! The machine that figures were measured on.

use std::fs;
use std::process::Command;

/// One paragraph in Markdown.
pub(crate) fn described() -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("unknown", |(_, name)| name);
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let said = |program: &str, argument: &str| {
        let output = Command::new(program).arg(argument).output();
        output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
    };
    format!(
        "{model}, {cores} cores, Linux {}, {}. The server has one core and one thread, `wrk -t1 -c64` the other core unless a row says otherwise; medians of {} rounds of 4 s, partners in turn.\n",
        said("uname", "-r"),
        said("rustc", "--version"),
        crate::ROUNDS,
    )
}
