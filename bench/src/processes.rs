//! What processes cost, read from `/proc`, and where they may run.

use std::collections::HashSet;
use std::fs;
use std::process::{Child, Command, Stdio};

/// A process, ended when it is dropped. It ends its own children.
pub(crate) struct Running(Child);

impl Running {
    /// Starts a command on one core.
    ///
    /// # Panics
    /// If there is no `taskset`.
    pub(crate) fn on_core(core: usize, command: &Command) -> Self {
        let mut pinned = Command::new("taskset");
        pinned.args(["-c", &core.to_string()]).arg(command.get_program()).args(command.get_args());
        pinned.stdin(Stdio::null());
        Self(pinned.spawn().expect("taskset is installed"))
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        !matches!(self.0.try_wait(), Ok(None))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A signal that it can follow: killed at once, it would leave its children behind.
        let _sent = Command::new("kill").arg("-TERM").arg(self.id().to_string()).status();
        let _reaped = self.0.wait();
    }
}

/// Processor time that a process, its children, and their children have used so far.
pub(crate) fn cpu_us(root: u32) -> f64 {
    let all: Vec<Stat> = fs::read_dir("/proc")
        .expect("/proc is mounted")
        .filter_map(|entry| Stat::read(entry.ok()?.file_name().to_str()?.parse().ok()?))
        .collect();
    let mut family = HashSet::from([root]);
    // Each round finds one generation more.
    while all.iter().any(|stat| family.contains(&stat.parent) && family.insert(stat.id)) {}
    let ticks: u64 = all.iter().filter(|stat| family.contains(&stat.id)).map(|stat| stat.ticks).sum();
    // In hundredths of a second.
    ticks as f64 * 10_000.0
}

/// Processor time that all processes of the machine have used so far.
pub(crate) fn cpu_us_of_all() -> f64 {
    let stat = fs::read_to_string("/proc/stat").expect("/proc is mounted");
    let first = stat.lines().next().expect("the first line is of all cores");
    let ticks: Vec<u64> =
        first.split_ascii_whitespace().skip(1).filter_map(|text| text.parse().ok()).collect();
    // The fourth and the fifth are of cores that had nothing to do, and the eighth is what the host took away.
    let busy: u64 =
        ticks.iter().enumerate().filter(|(place, _)| !matches!(place, 3 | 4)).map(|(_, ticks)| ticks).sum();
    busy as f64 * 10_000.0
}

/// What proc(5) says of a process.
struct Stat {
    id: u32,
    parent: u32,
    /// Its own time and that of children which have ended.
    ticks: u64,
}

impl Stat {
    fn read(id: u32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        // The name is in parentheses and may contain anything.
        let fields: Vec<&str> = stat[stat.rfind(')')? + 2..].split(' ').collect();
        let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
        let ticks = (14..=17).map(field).sum::<Option<u64>>()?;
        Some(Self { id, parent: u32::try_from(field(4)?).ok()?, ticks })
    }
}
