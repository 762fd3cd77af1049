//! An origin that notes what it is sent, byte for byte, and answers what a test tells it to, sound or not.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Longer than any client should leave an origin waiting, so that a test that hangs ends.
const PATIENCE: Duration = Duration::from_mins(1);

/// An HTTP/1.1 server on a port of its own, with a thread for each connection.
pub struct RecordingOrigin {
    address: SocketAddr,
    noted: Arc<Noted>,
}

/// A request, and the means to answer it.
pub struct Exchange {
    stream: BufReader<TcpStream>,
    head: String,
    body: Option<Vec<u8>>,
    number: usize,
    connection: usize,
    is_open: bool,
    noted: Arc<Noted>,
}

#[derive(Default)]
struct Noted {
    requests: Mutex<Vec<Vec<u8>>>,
    connections: AtomicUsize,
    is_over: AtomicBool,
}

impl RecordingOrigin {
    /// Answers each request by what a closure does. The closure is called when the head has come; a body that it
    /// does not read is read after it, unless it closes the connection.
    pub fn new(answer: impl Fn(&mut Exchange) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port can be had");
        Self::on(listener, answer)
    }

    /// As [`Self::new`], on a socket that listens already.
    pub fn on(listener: TcpListener, answer: impl Fn(&mut Exchange) + Send + Sync + 'static) -> Self {
        let address = listener.local_addr().expect("it is bound");
        let noted = Arc::new(Noted::default());
        let answer = Arc::new(answer);
        std::thread::spawn({
            let noted = Arc::clone(&noted);
            move || {
                for stream in listener.incoming().map_while(Result::ok) {
                    if noted.is_over.load(Ordering::SeqCst) {
                        return;
                    }
                    let connection = noted.connections.fetch_add(1, Ordering::SeqCst);
                    let (noted, answer) = (Arc::clone(&noted), Arc::clone(&answer));
                    std::thread::spawn(move || attend(stream, connection, &noted, &*answer));
                }
            }
        });
        Self { address, noted }
    }

    /// Sends the same bytes for each request.
    pub fn always(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self::new(move |exchange| exchange.send(&bytes))
    }

    /// Sends one of these for each request, in order, and the last one for all further ones.
    pub fn scripted<B: Into<Vec<u8>>>(answers: impl IntoIterator<Item = B>) -> Self {
        let answers: Vec<Vec<u8>> = answers.into_iter().map(Into::into).collect();
        assert!(!answers.is_empty(), "a script has an answer");
        Self::new(move |exchange| {
            let place = exchange.number().min(answers.len() - 1);
            exchange.send(&answers[place]);
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its URL, without a path.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it was sent: each request with as much of its body as was read, in the order in which their heads came.
    pub fn requests(&self) -> Vec<String> {
        let requests = self.noted.requests.lock().expect("no panic while they are held");
        requests.iter().map(|request| String::from_utf8_lossy(request).into_owned()).collect()
    }

    /// How many connections were made to it.
    pub fn connections(&self) -> usize {
        self.noted.connections.load(Ordering::SeqCst)
    }
}

impl Drop for RecordingOrigin {
    fn drop(&mut self) {
        self.noted.is_over.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts. If nobody listens any more, there is nobody to wake.
        drop(TcpStream::connect(self.address));
    }
}

impl Exchange {
    /// The request's head, as it was sent.
    pub fn head(&self) -> &str {
        &self.head
    }

    /// The target of the request.
    pub fn target(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or_default()
    }

    /// A field of the request; empty if it is not there.
    pub fn field(&self, name: &str) -> &str {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        let mut found = lines.filter(|(known, _)| known.eq_ignore_ascii_case(name));
        found.next().map_or("", |(_, value)| value.trim())
    }

    /// How many requests came before it, on any connection.
    pub fn number(&self) -> usize {
        self.number
    }

    /// How many connections were made before the one that it came by.
    pub fn connection(&self) -> usize {
        self.connection
    }

    /// The body, decoded; waits for all of it. A body that breaks off is as long as what came of it.
    pub fn body(&mut self) -> &[u8] {
        if self.body.is_none() {
            let length = self.field("content-length").parse::<u64>().unwrap_or(0);
            let is_chunked = self.field("transfer-encoding").eq_ignore_ascii_case("chunked");
            let (raw, body) = if is_chunked { self.chunks() } else { self.counted(length) };
            self.noted.requests.lock().expect("no panic while they are held")[self.number].extend(raw);
            self.body = Some(body);
        }
        self.body.as_deref().unwrap_or_default()
    }

    /// Sends bytes. A client that has closed the connection may refuse them.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        if self.stream.get_mut().write_all(bytes.as_ref()).is_err() {
            self.is_open = false;
        }
    }

    /// Whether the client still takes what is sent.
    pub fn is_open(&self) -> bool {
        self.is_open
    }

    /// Closes the connection.
    pub fn close(&mut self) {
        self.is_open = false;
    }

    /// Waits until the client closes the connection.
    pub fn wait_for_close(&mut self) {
        // A connection that is reset is closed, too.
        let _how = std::io::copy(&mut self.stream, &mut std::io::sink());
        self.is_open = false;
    }

    /// Reads what there is, as bytes of another protocol; nothing at the end.
    pub fn read_some(&mut self) -> Vec<u8> {
        let mut bytes = vec![0; 4_096];
        let count = self.stream.read(&mut bytes).unwrap_or(0);
        bytes.truncate(count);
        bytes
    }

    fn counted(&mut self, length: u64) -> (Vec<u8>, Vec<u8>) {
        let mut body = Vec::new();
        // What breaks off is as long as it is.
        let _read = (&mut self.stream).take(length).read_to_end(&mut body);
        (body.clone(), body)
    }

    /// The raw form, trailers and all, and the content.
    fn chunks(&mut self) -> (Vec<u8>, Vec<u8>) {
        let (mut raw, mut body) = (Vec::new(), Vec::new());
        while let Some(line) = line(&mut self.stream) {
            raw.extend_from_slice(line.as_bytes());
            let size = line.split(';').next().unwrap_or_default().trim();
            let size = u64::from_str_radix(size, 16).expect("a chunk has a size");
            if size == 0 {
                while let Some(line) = self::line(&mut self.stream) {
                    raw.extend_from_slice(line.as_bytes());
                    if line == "\r\n" {
                        break;
                    }
                }
                break;
            }
            let (chunk, _) = self.counted(size + 2);
            raw.extend_from_slice(&chunk);
            body.extend_from_slice(&chunk[..chunk.len().min(size as usize)]);
        }
        (raw, body)
    }
}

/// Answers what comes on one connection.
fn attend(stream: TcpStream, connection: usize, noted: &Arc<Noted>, answer: &dyn Fn(&mut Exchange)) {
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket can have a timeout");
    stream.set_write_timeout(Some(PATIENCE)).expect("a socket can have a timeout");
    stream.set_nodelay(true).expect("a socket can do that");
    let mut stream = BufReader::new(stream);
    while let Some(head) = head(&mut stream) {
        let number = {
            let mut requests = noted.requests.lock().expect("no panic while they are held");
            requests.push(head.clone().into_bytes());
            requests.len() - 1
        };
        let noted = Arc::clone(noted);
        let mut exchange = Exchange { stream, head, body: None, number, connection, is_open: true, noted };
        answer(&mut exchange);
        if !exchange.is_open {
            // The other side may have closed it first.
            let _how = exchange.stream.get_ref().shutdown(Shutdown::Both);
            return;
        }
        exchange.body();
        stream = exchange.stream;
    }
}

fn head(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut head = String::new();
    loop {
        let line = line(stream)?;
        head.push_str(&line);
        if line == "\r\n" {
            return Some(head);
        }
    }
}

fn line(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut line = Vec::new();
    stream.read_until(b'\n', &mut line).ok()?;
    line.ends_with(b"\n").then(|| String::from_utf8_lossy(&line).into_owned())
}
