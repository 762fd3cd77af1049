//! A writer that never lets anybody wait: lines go through a bounded channel to a thread of its own, and those
//! that find it full are dropped and counted.

use std::io::{self, BufWriter, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// Lines that may wait to be written.
const LINES_MAX: usize = 8_192;
/// The longest line; what is beyond is cut.
const LINE_BYTES_MAX: usize = 16_384;
/// After a line the thread sleeps this long before it looks for more, so that those who write the next ones need
/// not wake it, and they leave together.
const PAUSE: Duration = Duration::from_millis(5);
/// Bytes that leave together.
const BUFFER_BYTES: usize = 65_536;
/// How long the end of the process waits for the last lines.
const FLUSH_PATIENCE: Duration = Duration::from_secs(2);

/// Makes [`Line`]s.
#[derive(Clone)]
pub(super) struct Writer {
    channel: SyncSender<Message>,
    dropped: Arc<AtomicU64>,
}

/// One line, sent when it is dropped.
pub(super) struct Line<'a> {
    bytes: Vec<u8>,
    writer: &'a Writer,
}

enum Message {
    Line(Vec<u8>),
    Flush(SyncSender<()>),
}

impl Writer {
    /// Starts the thread that writes to `output`.
    pub(super) fn start(output: impl Write + Send + 'static) -> io::Result<Self> {
        let (channel, lines) = sync_channel(LINES_MAX);
        let dropped = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&dropped);
        thread::Builder::new().name("log".into()).spawn(move || write(&lines, output, &count))?;
        Ok(Self { channel, dropped })
    }

    /// Lines that were dropped so far.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped.load(Relaxed)
    }

    /// Waits a while until all lines so far are written.
    pub(super) fn flush(&self) {
        let (done, written) = sync_channel(1);
        if self.channel.try_send(Message::Flush(done)).is_ok() {
            // If the output is stuck, the process ends without its last lines.
            let _late = written.recv_timeout(FLUSH_PATIENCE);
        }
    }
}

impl<'a> MakeWriter<'a> for Writer {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line { bytes: Vec::with_capacity(256), writer: self }
    }
}

impl Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = LINE_BYTES_MAX.saturating_sub(self.bytes.len());
        self.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        let mut bytes = std::mem::take(&mut self.bytes);
        if bytes.is_empty() {
            return;
        }
        if bytes.last() != Some(&b'\n') {
            bytes.push(b'\n');
        }
        if self.writer.channel.try_send(Message::Line(bytes)).is_err() {
            self.writer.dropped.fetch_add(1, Relaxed);
        }
    }
}

/// The thread's life. An output that fails is left alone; there is nowhere to say so.
fn write(lines: &Receiver<Message>, output: impl Write, dropped: &AtomicU64) {
    let mut output = BufWriter::with_capacity(BUFFER_BYTES, output);
    let mut told = 0;
    while let Ok(message) = lines.recv() {
        let mut batch = vec![message];
        while !batch.is_empty() {
            batch.drain(..).for_each(|message| write_one(message, &mut output));
            let lost = dropped.load(Relaxed);
            if lost > told {
                drop(writeln!(output, "{} log lines were dropped, as the output was slow", lost - told));
                told = lost;
            }
            drop(output.flush());
            thread::sleep(PAUSE);
            batch.extend(lines.try_iter().take(LINES_MAX));
        }
    }
}

fn write_one(message: Message, output: &mut impl Write) {
    match message {
        Message::Line(line) => drop(output.write_all(&line)),
        Message::Flush(done) => {
            drop(output.flush().and_then(|()| done.send(()).map_err(io::Error::other)));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// Takes nothing until it is told to, then keeps everything.
    struct Gate {
        open: mpsc::Receiver<()>,
        kept: mpsc::Sender<Vec<u8>>,
        is_open: bool,
    }

    impl Write for Gate {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if !self.is_open {
                self.open.recv().unwrap();
                self.is_open = true;
            }
            self.kept.send(bytes.to_vec()).unwrap();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_stuck_output_costs_lines_and_never_time() {
        let (opener, open) = mpsc::channel();
        let (kept, lines) = mpsc::channel();
        let writer = Writer::start(Gate { open, kept, is_open: false }).unwrap();
        let sent = LINES_MAX * 2;
        for number in 0..sent {
            writeln!(writer.make_writer(), "{number}").unwrap();
        }
        let dropped = writer.dropped();
        assert!(dropped as usize >= sent - LINES_MAX - 1, "{dropped} were dropped");
        opener.send(()).unwrap();
        writer.channel.send(Message::Line(b"last\n".to_vec())).unwrap();
        let mut text = String::new();
        while !text.ends_with("last\n") {
            text.push_str(std::str::from_utf8(&lines.recv().unwrap()).unwrap());
        }
        assert!(text.starts_with("0\n"));
        let told = text.lines().filter_map(|line| line.split_once(" log lines were dropped"));
        let told = told.map(|(count, _)| count.parse::<u64>().unwrap()).sum::<u64>();
        assert_eq!(
            told, dropped,
            "the losses are told once each, in as many lines as the scheduler makes of them"
        );
    }

    #[test]
    fn a_line_is_cut_at_its_limit_and_ends_once() {
        let (kept, lines) = mpsc::channel();
        let (opener, open) = mpsc::channel();
        opener.send(()).unwrap();
        let writer = Writer::start(Gate { open, kept, is_open: false }).unwrap();
        writer.make_writer().write_all(&vec![b'x'; LINE_BYTES_MAX + 10]).unwrap();
        let line = lines.recv().unwrap();
        assert_eq!(line.len(), LINE_BYTES_MAX + 1);
        assert!(line.ends_with(b"x\n"));
    }
}
