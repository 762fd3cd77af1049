//! One database of a server.

use std::path::PathBuf;

use super::programs;

/// A database, by its name. It is gone with its server.
#[derive(Debug, Clone)]
pub struct PostgresDatabase {
    folder: PathBuf,
    port: u16,
    name: String,
}

impl PostgresDatabase {
    pub(super) fn new(folder: PathBuf, port: u16, name: &str) -> Self {
        Self { folder, port, name: name.to_owned() }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where a client connects to, over the loopback port.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{}", self.port, self.name)
    }

    /// Where a client connects to, over the socket.
    pub fn socket_url(&self) -> String {
        let folder = self.folder.to_str().expect("folders of tests have plain names");
        format!("postgres://postgres@{}:{}/{}", folder.replace('/', "%2F"), self.port, self.name)
    }

    /// Runs statements and gives what they return, a line for a row, `|` between columns.
    ///
    /// # Panics
    /// If one fails.
    pub fn psql(&self, sql: &str) -> String {
        self.try_psql(sql).unwrap_or_else(|said| panic!("{said}\n{sql}"))
    }

    /// Runs statements, all in one transaction unless they say otherwise.
    ///
    /// # Errors
    /// What `psql` said if one fails.
    pub fn try_psql(&self, sql: &str) -> Result<String, String> {
        let mut psql = programs::command("psql");
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-h"])
            .arg(&self.folder);
        psql.args(["-p", &self.port.to_string(), "-d", &self.name, "-c", sql]);
        let output = psql.output().expect("psql can be run");
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        let text = String::from_utf8(output.stdout).expect("the server speaks UTF-8");
        Ok(text.strip_suffix('\n').unwrap_or(&text).to_owned())
    }
}
