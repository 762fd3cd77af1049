//! The origin behind the proxies: nginx with three files, on the core of the load generator.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

use super::partner::{Partner, folder, free_port};

/// See the module.
pub(super) struct Origin(Partner);

/// Sizes of the answers.
const SIZES_KIB: [usize; 3] = [1, 6, 64];

/// The longest head of an answer that says how many requests there were.
const COUNT_BYTES_MAX: u64 = 4_096;

impl Origin {
    pub(super) fn start() -> Self {
        let folder = folder();
        for size in SIZES_KIB {
            let body = vec![b'x'; size << 10];
            fs::write(folder.path().join(format!("{size}k")), body).expect("the folder is ours");
        }
        let port = free_port();
        let http = http(folder.path(), port);
        Self(Partner::nginx_with(folder, port, 1, &http))
    }

    pub(super) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port())
    }

    pub(super) fn port(&self) -> u16 {
        self.0.port()
    }

    /// How many requests there were so far.
    pub(super) fn heard(&self) -> u64 {
        let mut stream = TcpStream::connect(self.address()).expect("the origin runs");
        stream.write_all(b"GET /heard HTTP/1.0\r\n\r\n").expect("the origin reads");
        let mut text = String::new();
        stream.take(COUNT_BYTES_MAX).read_to_string(&mut text).expect("the origin answers");
        // Accepted and handled connections, then requests.
        let line = text.lines().skip_while(|line| !line.starts_with("server accepts")).nth(1);
        let requests = line.and_then(|line| line.split_ascii_whitespace().nth(2)?.parse().ok());
        requests.unwrap_or_else(|| panic!("nginx counts its requests: {text}"))
    }
}

fn http(folder: &Path, port: u16) -> String {
    format!(
        r#"
    open_file_cache max=16 inactive=1h;
    open_file_cache_valid 1h;
    default_type application/json;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        root {root};
        location ~ ^/stored/(\d+k) {{
            add_header Cache-Control max-age=3600;
            rewrite ^/stored/(\d+k) /$1 break;
        }}
        location ~ ^/passed/(\d+k) {{
            add_header Cache-Control no-store;
            rewrite ^/passed/(\d+k) /$1 break;
        }}
        location = /posted {{
            add_header Cache-Control no-store;
            return 200 '{{"ok":true}}';
        }}
        location = /heard {{
            stub_status;
        }}
    }}"#,
        root = folder.display(),
    )
}
