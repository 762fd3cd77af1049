//! The comparison partner of the listener: hyper alone, with one static answer, in three runtime shapes.
//!
//! `bare_hyper [shape] [threads] [bytes] [port] [field…]` listens on that port of 127.0.0.1, or on 7001, until it is
//! interrupted. Shapes: `own` is one single-threaded runtime per thread with a listener of its own (`SO_REUSEPORT`),
//! `handed` the same with one accepting thread that hands connections round, `shared` one multi-threaded runtime.
//! Fields are written as in `etag: "1"`, and sent instead of four usual ones: what it costs to send as many as another
//! server does.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use socket2::{Domain, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::mpsc;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let shape = arguments.next().unwrap_or_else(|| "own".into());
    let threads: usize = arguments.next().map_or(1, |text| text.parse().expect("a number of threads"));
    let bytes: usize = arguments.next().map_or(1_024, |text| text.parse().expect("a number of bytes"));
    let port: u16 = arguments.next().map_or(7_001, |text| text.parse().expect("a port"));
    let given: Vec<_> = arguments.map(|text| field(&text)).collect();
    let answer = Answer { body: Bytes::from(vec![b'x'; bytes]), fields: given.into(), port };
    match shape.as_str() {
        "own" => own(threads, &answer),
        "handed" => handed(threads, &answer),
        _ => shared(threads, &answer),
    }
}

/// What is answered, and where. Without fields, it has four usual ones that are part of the program.
#[derive(Clone)]
struct Answer {
    body: Bytes,
    fields: Arc<[(HeaderName, HeaderValue)]>,
    port: u16,
}

fn field(text: &str) -> (HeaderName, HeaderValue) {
    let (name, value) = text.split_once(':').expect("a name, a colon and a value");
    let name = name.parse().expect("a name of a field");
    (name, HeaderValue::from_str(value.trim()).expect("a value of a field"))
}

fn own(threads: usize, answer: &Answer) {
    let serving: Vec<_> = (0..threads)
        .map(|_| {
            let answer = answer.clone();
            thread::spawn(move || {
                single(accept(listen(answer.port), move |tcp| {
                    drop(tokio::spawn(serve(tcp, answer.clone())));
                }));
            })
        })
        .collect();
    for thread in serving {
        thread.join().expect("it serves until it is interrupted");
    }
}

fn handed(threads: usize, answer: &Answer) {
    let inboxes: Vec<_> = (0..threads)
        .map(|_| {
            let (inbox, mut connections) = mpsc::channel::<std::net::TcpStream>(1_024);
            let answer = answer.clone();
            thread::spawn(move || {
                single(async move {
                    while let Some(tcp) = connections.recv().await {
                        let tcp = TcpStream::from_std(tcp).expect("a live socket");
                        tokio::spawn(serve(tcp, answer.clone()));
                    }
                });
            });
            inbox
        })
        .collect();
    let mut next = inboxes.iter().cycle();
    single(accept(listen(answer.port), move |tcp| {
        let inbox = next.next().expect("there is a thread");
        inbox.try_send(tcp.into_std().expect("a live socket")).expect("the thread keeps up");
    }));
}

fn shared(threads: usize, answer: &Answer) {
    let answer = answer.clone();
    let runtime =
        Builder::new_multi_thread().worker_threads(threads).enable_all().build().expect("a runtime");
    let accepting = async {
        accept(listen(answer.port), move |tcp| drop(tokio::spawn(serve(tcp, answer.clone())))).await;
    };
    runtime.block_on(async { tokio::spawn(accepting).await.expect("it serves until it is interrupted") });
}

fn single(work: impl Future<Output = ()>) {
    Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(work);
}

fn listen(port: u16) -> std::net::TcpListener {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.set_reuse_address(true).expect("an option that exists");
    socket.set_reuse_port(true).expect("an option that exists");
    socket.set_nonblocking(true).expect("an option that exists");
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], port)).into()).expect("the port is free");
    socket.listen(4_096).expect("a bound socket");
    socket.into()
}

async fn accept(listener: std::net::TcpListener, mut take: impl FnMut(TcpStream)) {
    let listener = TcpListener::from_std(listener).expect("a live socket");
    while let Ok((tcp, _)) = listener.accept().await {
        tcp.set_nodelay(true).expect("a live socket");
        take(tcp);
    }
}

async fn serve(tcp: TcpStream, answer: Answer) {
    let service = service_fn(move |_: Request<Incoming>| {
        let mut response = Response::new(Full::new(answer.body.clone()));
        if answer.fields.is_empty() {
            usual(response.headers_mut());
        } else {
            // With their number known, as it is to every server that keeps its answers.
            *response.headers_mut() = HeaderMap::with_capacity(answer.fields.len());
            for (name, value) in &*answer.fields {
                response.headers_mut().insert(name, value.clone());
            }
        }
        async { Ok::<_, Infallible>(response) }
    });
    // A peer that broke off is of no interest here.
    drop(http1::Builder::new().serve_connection(TokioIo::new(tcp), service).await);
}

fn usual(fields: &mut HeaderMap) {
    for (name, value) in [
        (header::CONTENT_TYPE, "application/json"),
        (header::ETAG, "\"0123456789abcdef\""),
        (header::VARY, "accept-encoding"),
        (header::CACHE_CONTROL, "max-age=30"),
    ] {
        fields.insert(name, HeaderValue::from_static(value));
    }
}
