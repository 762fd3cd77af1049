//! What happens when the system has nothing left to give. Runs in a process of its own, for its limits' sake.

use std::process::Command;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::peer::{Peer, get};
use crate::site::Site;

const CHILD: &str = "KASOKU_TEST_EXHAUSTION";

#[test]
#[expect(clippy::disallowed_methods, reason = "the variable tells the child that it is one")]
fn without_descriptors_the_open_connections_go_on_and_new_ones_wait() {
    if std::env::var_os(CHILD).is_none() {
        let name = "exhaustion::without_descriptors_the_open_connections_go_on_and_new_ones_wait";
        let test = std::env::current_exe().unwrap();
        let status =
            Command::new(test).args(["--exact", name, "--nocapture"]).env(CHILD, "1").status().unwrap();
        assert!(status.success());
        return;
    }
    let site = Site::start();
    let mut early = Peer::to(site.address);
    assert_eq!(early.send(get("/hello")).answer().unwrap().status, 200);
    // Both ends of a connection are in this process: room is left for the client's end, and for no more.
    let mut late = Peer::to(site.address);
    assert_eq!(late.send(get("/hello")).answer().unwrap().status, 200);
    drop(late);
    let before = getrlimit(Resource::Nofile);
    let probe = std::fs::File::open("/dev/null").unwrap();
    let lowest = u64::try_from(std::os::fd::AsRawFd::as_raw_fd(&probe)).unwrap();
    setrlimit(Resource::Nofile, Rlimit { current: Some(lowest + 1), ..before }).unwrap();
    drop(probe);
    let mut late = Peer::to(site.address);
    late.send(get("/hello"));
    site.seen.wait_for("no-descriptor");
    assert_eq!(early.send(get("/hello")).answer().unwrap().status, 200);
    setrlimit(Resource::Nofile, before).unwrap();
    assert_eq!(late.answer().unwrap().status, 200);
}
