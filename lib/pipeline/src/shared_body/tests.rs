//! Readers that come, read and go in every order.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::FutureExt;
use http_body_util::BodyExt;
use proptest::prelude::*;

use super::*;

/// A source that a test feeds.
#[derive(Clone, Default)]
struct Fed(Arc<Mutex<(VecDeque<Fed1>, Option<Waker>)>>, Arc<()>);

enum Fed1 {
    Chunk(&'static str),
    /// A piece of something that lives as long as the piece does.
    Of(Arc<()>),
    Broken,
    End,
}

struct Piece(#[expect(dead_code, reason = "it is there to live")] Arc<()>);

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        b"of something large"
    }
}

impl Fed {
    fn feed(&self, item: Fed1) {
        let mut state = self.0.lock();
        state.0.push_back(item);
        if let Some(waker) = state.1.take() {
            waker.wake();
        }
    }
}

impl HttpBody for Fed {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let mut state = self.0.lock();
        match state.0.pop_front() {
            Some(Fed1::Chunk(text)) => {
                Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(text.as_bytes())))))
            }
            Some(Fed1::Of(large)) => Poll::Ready(Some(Ok(Frame::data(Bytes::from_owner(Piece(large)))))),
            Some(Fed1::Broken) => Poll::Ready(Some(Err("it broke".into()))),
            Some(Fed1::End) => Poll::Ready(None),
            None => {
                state.1 = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

fn shared(source: &Fed, bytes_max: u64) -> (SharedBody, Arc<Mutex<Option<Bytes>>>) {
    counted(source, bytes_max, &Arc::default())
}

fn counted(
    source: &Fed,
    bytes_max: u64,
    in_flight: &Arc<InFlight>,
) -> (SharedBody, Arc<Mutex<Option<Bytes>>>) {
    let whole = Arc::new(Mutex::new(None));
    let kept = Arc::clone(&whole);
    let on_whole = Box::new(move |bytes| *kept.lock() = Some(bytes));
    (SharedBody::new(source.clone(), bytes_max, in_flight, on_whole), whole)
}

/// One step of a reader.
#[derive(Debug, PartialEq)]
enum Step {
    Text(String),
    Broken(String),
    End,
    Nothing,
}

fn step(body: &mut SharedBody) -> Step {
    let Some(piece) = body.frame().now_or_never() else { return Step::Nothing };
    piece.map_or(Step::End, |frame| match frame {
        Ok(frame) => Step::Text(String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap()),
        Err(error) => Step::Broken(error.to_string()),
    })
}

fn text(text: &str) -> Step {
    Step::Text(text.to_owned())
}

#[test]
fn all_read_the_same_and_the_whole_is_told_once() {
    let source = Fed::default();
    let (mut first, whole) = shared(&source, 100);
    assert_eq!(step(&mut first), Step::Nothing);
    source.feed(Fed1::Chunk("one"));
    assert_eq!(step(&mut first), text("one"));
    let joining = first.joining();
    let mut second = joining.join().unwrap();
    source.feed(Fed1::Chunk("two"));
    source.feed(Fed1::End);
    assert_eq!(
        [step(&mut second), step(&mut second), step(&mut second)],
        [text("one"), text("two"), Step::End]
    );
    assert_eq!(whole.lock().take().unwrap(), "onetwo");
    assert_eq!([step(&mut first), step(&mut first)], [text("two"), Step::End]);
    assert!(whole.lock().is_none());
    let mut late = joining.join().unwrap();
    assert_eq!([step(&mut late), step(&mut late), step(&mut late)], [text("one"), text("two"), Step::End]);
}

#[test]
fn the_last_that_leaves_cancels_the_source_and_what_is_held() {
    let source = Fed::default();
    let alive = Arc::downgrade(&source.1);
    let (first, whole) = shared(&source, 100);
    drop(source);
    let held = Arc::new(());
    first.hold(Arc::clone(&held));
    let second = first.try_clone().unwrap();
    let joining = first.joining();
    drop(first);
    assert!(alive.upgrade().is_some());
    assert_eq!(Arc::strong_count(&held), 2);
    drop(second);
    assert!(alive.upgrade().is_none());
    assert_eq!(Arc::strong_count(&held), 1);
    assert!(joining.join().is_none());
    assert!(whole.lock().is_none());
}

#[test]
fn who_waits_goes_on_when_the_one_that_asked_leaves() {
    let source = Fed::default();
    let (mut asks, _) = shared(&source, 100);
    let mut waits = asks.try_clone().unwrap();
    let woken = Arc::new(Counter::default());
    let waker = Waker::from(Arc::clone(&woken));
    let mut context = Context::from_waker(&waker);
    assert!(Pin::new(&mut waits).poll_frame(&mut context).is_pending());
    assert_eq!(step(&mut asks), Step::Nothing);
    drop(asks);
    assert_eq!(woken.0.load(Ordering::SeqCst), 1, "it has to ask the source itself now");
    assert!(Pin::new(&mut waits).poll_frame(&mut context).is_pending());
    source.feed(Fed1::Chunk("one"));
    assert_eq!(woken.0.load(Ordering::SeqCst), 2);
    assert_eq!(step(&mut waits), text("one"));
}

#[derive(Default)]
struct Counter(AtomicUsize);

impl Wake for Counter {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn a_break_is_told_to_all_and_nothing_is_whole() {
    let source = Fed::default();
    let (mut first, whole) = shared(&source, 100);
    let mut second = first.try_clone().unwrap();
    source.feed(Fed1::Chunk("one"));
    source.feed(Fed1::Broken);
    for body in [&mut first, &mut second] {
        assert_eq!(step(body), text("one"));
        assert_eq!(step(body), Step::Broken("it broke".to_owned()));
        assert_eq!(step(body), Step::End);
    }
    assert!(whole.lock().is_none());
    assert!(first.joining().join().is_none());
}

#[test]
fn beyond_the_limit_the_fastest_waits_and_nobody_joins() {
    let source = Fed::default();
    let (mut fast, whole) = shared(&source, 5);
    let mut slow = fast.try_clone().unwrap();
    for _ in 0..4 {
        source.feed(Fed1::Chunk("four"));
    }
    source.feed(Fed1::End);
    assert_eq!([step(&mut fast), step(&mut fast)], [text("four"), text("four")]);
    assert!(fast.try_clone().is_none());
    assert_eq!(step(&mut fast), Step::Nothing, "eight bytes are kept for the slow one");
    assert_eq!(step(&mut slow), text("four"));
    assert_eq!([step(&mut fast), step(&mut fast)], [text("four"), Step::Nothing]);
    drop(slow);
    assert_eq!([step(&mut fast), step(&mut fast)], [text("four"), Step::End]);
    assert!(whole.lock().is_none());
}

/// As long as a body may hold in any case, and too long for two of them to fit in the budget of these tests.
static PIECE: &str = const {
    static BYTES: [u8; 40_000] = [b'.'; 40_000];
    match std::str::from_utf8(&BYTES) {
        Ok(text) => text,
        Err(_) => "",
    }
};

#[test]
fn beyond_the_budget_the_one_that_has_rested_longest_gives_up_and_is_read_to_its_end() {
    let in_flight = Arc::new(InFlight::new(200_000));
    let sources = [Fed::default(), Fed::default()];
    let (mut rests, rests_whole) = counted(&sources[0], u64::MAX, &in_flight);
    let (mut goes_on, goes_on_whole) = counted(&sources[1], u64::MAX, &in_flight);
    for _ in 0..3 {
        sources[0].feed(Fed1::Chunk(PIECE));
        assert_eq!(step(&mut rests), text(PIECE));
    }
    assert!((120_000..121_000).contains(&in_flight.held()), "{in_flight:?}");
    let joined = rests.joining();
    for _ in 0..4 {
        sources[1].feed(Fed1::Chunk(PIECE));
        assert_eq!(step(&mut goes_on), text(PIECE));
    }
    assert!(
        (160_000..161_000).contains(&in_flight.held()),
        "what was read of the first is gone: {in_flight:?}"
    );
    assert_eq!(in_flight.passed_on(), 1);
    assert!(joined.join().is_none(), "its beginning is not there any more");
    for source in &sources {
        source.feed(Fed1::Chunk("end"));
        source.feed(Fed1::End);
    }
    assert_eq!([step(&mut rests), step(&mut rests)], [text("end"), Step::End]);
    assert_eq!([step(&mut goes_on), step(&mut goes_on)], [text("end"), Step::End]);
    assert!(rests_whole.lock().is_none(), "it was not kept");
    assert_eq!(goes_on_whole.lock().as_ref().map(Bytes::len), Some(4 * PIECE.len() + 3));
    drop((rests, goes_on));
    assert_eq!(in_flight.held(), 0);
}

#[test]
fn one_that_has_given_up_waits_for_its_slowest_reader() {
    let in_flight = Arc::new(InFlight::new(70_000));
    let source = Fed::default();
    let (mut fast, _) = counted(&source, u64::MAX, &in_flight);
    let mut slow = fast.try_clone().unwrap();
    for _ in 0..4 {
        source.feed(Fed1::Chunk(PIECE));
    }
    source.feed(Fed1::End);
    assert_eq!([step(&mut fast), step(&mut fast)], [text(PIECE), text(PIECE)]);
    assert_eq!(step(&mut fast), Step::Nothing, "two pieces are kept for the slow one, and no more");
    assert!(fast.try_clone().is_none());
    for _ in 0..2 {
        assert_eq!(step(&mut slow), text(PIECE));
        assert_eq!(step(&mut fast), text(PIECE));
    }
    assert_eq!([step(&mut slow), step(&mut slow)], [text(PIECE), text(PIECE)]);
    assert_eq!([step(&mut slow), step(&mut fast)], [Step::End, Step::End]);
    assert!(in_flight.held() < 1_000, "{in_flight:?}");
}

#[test]
fn short_pieces_are_held_without_what_they_came_in() {
    let in_flight = Arc::new(InFlight::new(1 << 20));
    let source = Fed::default();
    let (mut body, _) = counted(&source, u64::MAX, &in_flight);
    let large = Arc::new(());
    source.feed(Fed1::Of(Arc::clone(&large)));
    assert_eq!(step(&mut body), text("of something large"));
    assert_eq!(Arc::strong_count(&large), 1, "what it came in is free");
}

proptest! {
    /// Whatever the order in which readers come, read and go, each reads a beginning of the whole.
    #[test]
    fn every_reader_reads_a_beginning_of_the_whole(
        steps in proptest::collection::vec((0..4_usize, 0..6_u8), 0..60),
        bytes_max in 0..12_u64,
        most in 0..2_000_u64,
    ) {
        const CHUNKS: [&str; 5] = ["a", "bc", "def", "ghij", "klmno"];
        let source = Fed::default();
        let mut fed = CHUNKS.iter();
        let in_flight = Arc::new(InFlight::new(most));
        let (first, whole) = counted(&source, bytes_max, &in_flight);
        let mut readers = vec![Some((first, String::new(), false))];
        for (which, action) in steps {
            let which = which % readers.len();
            match (action, &mut readers[which]) {
                (0, _) => match fed.next() {
                    Some(chunk) => source.feed(Fed1::Chunk(chunk)),
                    None => source.feed(Fed1::End),
                },
                (1, Some((body, ..))) => {
                    let joined = body.try_clone();
                    readers.extend(joined.map(|body| Some((body, String::new(), false))));
                }
                (2, slot) => *slot = None,
                (_, Some((body, read, ended))) => match step(body) {
                    Step::Text(chunk) => read.push_str(&chunk),
                    Step::Broken(error) => prop_assert!(false, "{}", error),
                    Step::End => *ended = true,
                    Step::Nothing => {}
                },
                _ => {}
            }
        }
        for (_, read, ended) in readers.iter().flatten() {
            prop_assert!(CHUNKS.concat().starts_with(read));
            prop_assert!(!ended || *read == CHUNKS.concat());
        }
        if let Some(whole) = &*whole.lock() {
            prop_assert_eq!(whole, &CHUNKS.concat());
            prop_assert!(whole.len() as u64 <= bytes_max);
        }
        drop(readers);
        prop_assert_eq!(in_flight.held(), 0);
    }
}
