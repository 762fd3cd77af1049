//! A peer that sends bytes as they are, for what no well-behaved client does.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Longer than any server should leave a peer waiting, so that a test that hangs fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection of one's own.
#[derive(Debug)]
pub struct Peer(TcpStream);

impl Peer {
    /// Connects.
    pub fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the server listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket can have a timeout");
        stream.set_write_timeout(Some(PATIENCE)).expect("a socket can have a timeout");
        Self(stream)
    }

    /// Sends bytes. A server that has closed the connection may refuse them.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        match self.0.write_all(bytes.as_ref()) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => panic!("nothing was taken: {error}"),
            _ => self,
        }
    }

    /// Reads until a text has come, and returns everything up to its end; less if the connection ended before.
    pub fn until(&mut self, text: &str) -> String {
        let mut come = Vec::new();
        let mut byte = [0];
        while !come.ends_with(text.as_bytes()) && self.read(&mut byte) {
            come.push(byte[0]);
        }
        String::from_utf8_lossy(&come).into_owned()
    }

    /// Reads to the end of the connection, which is the server's to bring about.
    pub fn rest(&mut self) -> String {
        let mut come = Vec::new();
        let mut byte = [0];
        while self.read(&mut byte) {
            come.push(byte[0]);
        }
        String::from_utf8_lossy(&come).into_owned()
    }

    /// Whether a byte came; none at the end, of which a reset is one kind.
    fn read(&mut self, byte: &mut [u8; 1]) -> bool {
        match self.0.read(byte) {
            Ok(count) => count == 1,
            Err(error) if error.kind() == ErrorKind::ConnectionReset => false,
            Err(error) => panic!("nothing came: {error}"),
        }
    }
}
