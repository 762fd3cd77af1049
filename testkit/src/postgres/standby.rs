//! A standby: a server that follows another by streaming replication, and is started and ended like any other.

use std::time::Duration;

use super::{PATIENCE, PAUSE, Postgres, programs};

impl Postgres {
    /// Starts a standby of this server, which holds what this one holds and follows it.
    ///
    /// # Panics
    /// If PostgreSQL is not installed or the standby does not start.
    #[must_use]
    pub fn standby(&self) -> Self {
        let mut standby = Self::unstarted(&[]);
        let slot = format!("standby_{}", standby.folder_number());
        let output = programs::command("pg_basebackup")
            .args([
                "-h",
                "127.0.0.1",
                "-U",
                "postgres",
                "-R",
                "-X",
                "stream",
                "-c",
                "fast",
                "--no-sync",
                "-C",
            ])
            .args(["-p", &self.port.to_string(), "-S", &slot, "-D"])
            .arg(standby.data_folder())
            .output()
            .expect("pg_basebackup can be run");
        assert!(output.status.success(), "pg_basebackup: {}", String::from_utf8_lossy(&output.stderr));
        standby.begin();
        standby
    }

    /// Lets a standby receive what is written and not show it.
    pub fn pause_replay(&self) {
        self.psql("select pg_wal_replay_pause()");
        self.wait_until("select pg_get_wal_replay_pause_state() = 'paused'");
    }

    /// Lets a standby show what it has received, and go on.
    pub fn resume_replay(&self) {
        self.psql("select pg_wal_replay_resume()");
    }

    /// Makes a standby follow nobody and take writes.
    pub fn promote(&self) {
        self.psql("select pg_promote()");
    }

    /// Waits until a standby shows all that the server that it follows has committed by now.
    pub fn catch_up(&self, primary: &Self) {
        let there = primary.psql("select pg_current_wal_insert_lsn()");
        self.wait_until(&format!("select pg_last_wal_replay_lsn() >= '{there}'"));
    }

    fn wait_until(&self, question: &str) {
        let mut waited = Duration::ZERO;
        while self.psql(question) != "t" {
            assert!(waited < PATIENCE, "{question}: never\n{}", self.log());
            std::thread::sleep(PAUSE);
            waited += PAUSE;
        }
    }

    /// A number that no other standby in this machine has at this time.
    fn folder_number(&self) -> String {
        let name = self.folder.file_name().unwrap_or_default().to_string_lossy();
        let kept = name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase());
        let folded = kept.fold(0xcbf2_9ce4_8422_2325_u64, |hash, letter| {
            (hash ^ u64::from(u32::from(letter))).wrapping_mul(0x100_0000_01b3)
        });
        format!("{folded:x}_{}", std::process::id())
    }
}
