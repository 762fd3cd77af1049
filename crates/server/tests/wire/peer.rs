//! A client that sends bytes as they are, and reads what comes back.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Longer than any test waits for something that happens, so that one that hangs fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Peer {
    stream: TcpStream,
    read: Vec<u8>,
}

/// An answer as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Peer {
    pub(crate) fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Self { stream, read: Vec::new() }
    }

    /// Sends bytes. A server that has closed already may refuse them.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        match self.stream.write_all(bytes.as_ref()) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => panic!("nothing was taken: {error}"),
            _ => self,
        }
    }

    /// Reads one answer; none if the connection ended before one began.
    pub(crate) fn answer(&mut self) -> Option<Answer> {
        let head_end = loop {
            if let Some(place) = self.read.windows(4).position(|window| window == b"\r\n\r\n") {
                break place + 4;
            }
            if !self.read_some() {
                assert!(self.read.is_empty(), "cut: {:?}", String::from_utf8_lossy(&self.read));
                return None;
            }
        };
        let head = String::from_utf8(self.read.drain(..head_end).collect()).unwrap();
        let status = head[9..12].parse().unwrap();
        if status == 100 {
            return Some(Answer { status, head, body: Vec::new() });
        }
        let head = head.to_ascii_lowercase();
        let length = head
            .split_once("content-length: ")
            .map_or(0, |(_, rest)| rest.split_once('\r').unwrap().0.parse().unwrap());
        while self.read.len() < length && self.read_some() {}
        let body = self.read.drain(..length.min(self.read.len())).collect();
        Some(Answer { status, head, body })
    }

    /// Reads answers until the connection ends.
    pub(crate) fn answers(&mut self) -> Vec<Answer> {
        std::iter::from_fn(|| self.answer()).collect()
    }

    /// Waits until the server has closed the connection, and returns what else came.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        while self.read_some() {}
        std::mem::take(&mut self.read)
    }

    /// Reads exactly so many bytes.
    pub(crate) fn exactly(&mut self, count: usize) -> Option<Vec<u8>> {
        while self.read.len() < count {
            if !self.read_some() {
                return None;
            }
        }
        Some(self.read.drain(..count).collect())
    }

    /// Nothing has come so far.
    pub(crate) fn expect_silence(&mut self) {
        self.stream.set_nonblocking(true).unwrap();
        let came = self.stream.read(&mut [0; 1]).map_err(|error| error.kind());
        assert_eq!(came, Err(ErrorKind::WouldBlock));
        self.stream.set_nonblocking(false).unwrap();
    }

    /// Reads what there is; false at the end. A reset is an end.
    fn read_some(&mut self) -> bool {
        let mut buffer = [0; 16_384];
        match self.stream.read(&mut buffer) {
            Ok(0) => false,
            Ok(count) => {
                self.read.extend_from_slice(&buffer[..count]);
                true
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => false,
            Err(error) => panic!("nothing came: {error}"),
        }
    }
}

/// A GET with nothing but a host.
pub(crate) fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: h\r\n\r\n")
}

/// One GET on a connection of its own.
pub(crate) fn fetch(address: SocketAddr, target: &str) -> Answer {
    Peer::to(address).send(get(target)).answer().expect("an answer")
}

impl Answer {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}
