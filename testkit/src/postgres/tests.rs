//! The server starts, keeps what it should, and leaves nothing behind.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{Postgres, keeper};

#[test]
fn databases_are_apart_and_answer_over_socket_and_port() {
    let server = Postgres::shared();
    let (one, other) = (server.database(), server.database());
    one.psql("create table t as select 1 as a, 'ü|x' as b");
    assert_eq!(one.psql("select * from t"), "1|ü|x");
    assert!(other.try_psql("select * from t").unwrap_err().contains("\"t\" does not exist"));
    assert_eq!(server.psql("show fsync"), "off");
    let reached = |url: &str| {
        let output = Command::new(super::programs::path("psql"))
            .args(["-X", "-A", "-t", "-d", url, "-c", "select a from t"])
            .output();
        String::from_utf8(output.unwrap().stdout).unwrap()
    };
    assert_eq!(reached(&one.url()), "1\n");
    assert_eq!(reached(&one.socket_url()), "1\n");
}

#[test]
fn a_crash_and_a_restart_keep_what_was_committed() {
    let mut server = Postgres::with(&[("max_connections", "7")]);
    assert_eq!(server.psql("show max_connections"), "7");
    server.psql("create table t as select 42 as a");
    let url = server.url();
    server.kill();
    assert!(server.named("postgres").try_psql("select 1").is_err());
    server.restart();
    assert_eq!((server.psql("select a from t"), server.url()), ("42".to_owned(), url));
    server.set("max_connections", "8");
    server.restart();
    assert_eq!(server.psql("show max_connections"), "8");
    assert!(server.log().contains("database system was not properly shut down"));
}

#[test]
fn nothing_is_left_of_a_server_that_was_dropped() {
    for ending in ["running", "hung", "killed", "stopped"] {
        let mut server = Postgres::start();
        let folder = server.folder.clone();
        let shared = || {
            let lock = std::fs::read_to_string(folder.join("data/postmaster.pid")).unwrap();
            lock.lines().nth(6).unwrap().split_whitespace().nth(1).unwrap().to_owned()
        };
        let shared = shared();
        match ending {
            "hung" => server.hang(),
            "killed" => server.kill(),
            "stopped" => server.stop(),
            _ => {}
        }
        drop(server);
        assert!(!folder.exists(), "{ending}");
        assert_eq!(keeper::processes(&folder.join("data")), [0; 0], "{ending}");
        let segments = std::fs::read_to_string("/proc/sysvipc/shm").unwrap();
        let left = segments.lines().any(|line| line.split_whitespace().nth(1) == Some(shared.as_str()));
        assert!(!left, "{ending}: {segments}");
    }
}

/// What the next test starts, in a process that it kills: it notes the folder and waits.
#[test]
#[ignore = "run by the test below, in a process of its own"]
fn a_server_to_be_left_alone() {
    let server = Postgres::start();
    server.hang();
    std::fs::write("note", server.folder.to_str().unwrap()).unwrap();
    std::thread::sleep(Duration::from_mins(1));
}

#[test]
fn nothing_is_left_of_a_server_whose_test_was_killed() {
    let folder = tempfile::tempdir().unwrap();
    let note = folder.path().join("note");
    let mut test = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "postgres::tests::a_server_to_be_left_alone"])
        .current_dir(&folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    let until = |done: &dyn Fn() -> bool| {
        while !done() {
            assert!(begun.elapsed() < super::PATIENCE, "it takes too long");
            std::thread::sleep(super::PAUSE);
        }
    };
    until(&|| std::fs::read_to_string(&note).is_ok_and(|text| !text.is_empty()));
    let server = std::fs::read_to_string(&note).unwrap();
    let data = Path::new(&server).join("data");
    assert!(!keeper::processes(&data).is_empty());
    test.kill().unwrap();
    test.wait().unwrap();
    until(&|| !Path::new(&server).exists());
    assert_eq!(keeper::processes(&data), [0; 0]);
}
