//! A private Redis: on a socket in a folder of its own, and gone with the test.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

/// How long a start may take before a test gives up on it.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running server, which listens on no port.
#[derive(Debug)]
pub struct Redis {
    folder: TempDir,
    child: Child,
}

impl Redis {
    /// Starts an empty server that writes nothing to disk by itself.
    ///
    /// # Panics
    /// If `redis-server` is not installed (`cargo xtask services` installs it) or does not start.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let child = spawn(&folder);
        let redis = Self { folder, child };
        redis.wait_until_it_answers();
        redis
    }

    /// The socket.
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("redis.sock")
    }

    /// Where a client connects to.
    pub fn url(&self) -> String {
        format!("redis+unix://{}", self.socket().display())
    }

    /// Sends one command and gives the server's answer as it is on the wire.
    pub fn ask(&self, words: &[&str]) -> String {
        let mut stream = UnixStream::connect(self.socket()).expect("the server listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
        let words: Vec<String> = words.iter().map(|word| format!("${}\r\n{word}\r\n", word.len())).collect();
        let command = format!("*{}\r\n{}", words.len(), words.concat());
        stream.write_all(command.as_bytes()).expect("the server reads");
        let mut answer = vec![0; 65_536];
        let length = stream.read(&mut answer).expect("the server answers");
        String::from_utf8_lossy(&answer[..length]).into_owned()
    }

    /// Stops it in the middle of whatever it does, so that it answers nobody and closes nothing.
    pub fn hang(&self) {
        self.signal("STOP");
    }

    /// Lets it go on after [`hang`](Self::hang).
    pub fn go_on(&self) {
        self.signal("CONT");
    }

    /// Writes what it holds to disk, to be read by the next [`restart`](Self::restart).
    pub fn save(&self) {
        assert_eq!(self.ask(&["SAVE"]), "+OK\r\n");
    }

    /// Ends it as a crash would.
    pub fn kill(&mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it can be waited for");
    }

    /// Starts it again after [`kill`](Self::kill), with what was saved, or empty if nothing was.
    pub fn restart(&mut self) {
        // A killed server leaves its socket behind.
        let _ = std::fs::remove_file(self.socket());
        self.child = spawn(&self.folder);
        self.wait_until_it_answers();
    }

    fn signal(&self, name: &str) {
        let status = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status();
        assert!(status.expect("kill can be run").success(), "SIG{name} could not be sent");
    }

    fn wait_until_it_answers(&self) {
        let mut waited = Duration::ZERO;
        while UnixStream::connect(self.socket()).is_err() || !self.ask(&["PING"]).starts_with("+PONG") {
            assert!(waited < PATIENCE, "redis-server did not start");
            std::thread::sleep(Duration::from_millis(5));
            waited += Duration::from_millis(5);
        }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(folder: &TempDir) -> Child {
    let mut command = Command::new("redis-server");
    command.args(["--port", "0", "--unixsocket", "redis.sock", "--save", "", "--appendonly", "no"]);
    command.args(["--dbfilename", "dump.rdb", "--dir"]).arg(folder.path()).current_dir(folder.path());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("redis-server is installed; `cargo xtask services` does it")
}
