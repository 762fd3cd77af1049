//! Private instances of the partners, with settings that a competent operator would choose on one core.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use super::MEMORY_MIB;
use super::origin::Origin;
use crate::load::Subject;
use crate::processes::{self, Running};

/// How long a start may take.
const PATIENCE: Duration = Duration::from_secs(30);

const PAUSE: Duration = Duration::from_millis(10);

/// A running instance.
pub(super) struct Partner {
    // Ended before its files go.
    process: Running,
    _folder: TempDir,
    port: u16,
    version: String,
}

/// A program of the distribution.
struct Program {
    commands: [&'static str; 2],
    version: &'static str,
    package: &'static str,
}

const NGINX: Program =
    Program { commands: ["nginx", "/usr/sbin/nginx"], version: "-v", package: "nginx-light" };

const VARNISH: Program =
    Program { commands: ["varnishd", "/usr/sbin/varnishd"], version: "-V", package: "varnish" };

impl Partner {
    /// nginx before an origin, its cache in memory.
    pub(super) fn nginx(origin: &Origin) -> Self {
        let (folder, port) = (folder(), free_port());
        let http = caching(folder.path(), port, &origin.address());
        Self::nginx_with(folder, port, 0, &http)
    }

    /// nginx with this in its `http` section.
    pub(super) fn nginx_with(folder: TempDir, port: u16, core: usize, http: &str) -> Self {
        let (program, version) = NGINX.find();
        let place = folder.path().display();
        let scratch = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
        let scratch = scratch.map(|name| format!("    {name}_temp_path {place}/{name};\n")).concat();
        let text = format!(
            "daemon off;\npid {place}/pid;\nworker_processes 1;\nevents {{\n    worker_connections 4096;\n}}\n\
             http {{\n    access_log off;\n    sendfile on;\n    tcp_nodelay on;\n    \
             keepalive_requests 1000000000;\n{scratch}{http}\n}}\n"
        );
        let file = folder.path().join("nginx.conf");
        fs::write(&file, text).expect("the folder is ours");
        let mut command = Command::new(program);
        command.args(["-e", "stderr", "-p"]).arg(folder.path()).arg("-c").arg(file);
        Self::start(core, &command, folder, port, version)
    }

    /// Varnish before an origin, with the built-in rules.
    pub(super) fn varnish(origin: &Origin) -> Self {
        let (program, version) = VARNISH.find();
        let (folder, port) = (folder(), free_port());
        let rules = folder.path().join("rules.vcl");
        let text = format!(
            "vcl 4.1;\nbackend origin {{\n    .host = \"127.0.0.1\";\n    .port = \"{}\";\n}}\n",
            origin.port()
        );
        fs::write(&rules, text).expect("the folder is ours");
        let mut command = Command::new(program);
        command.args(["-F", "-T", "none", "-a", &format!("127.0.0.1:{port}"), "-n"]);
        command.arg(folder.path().join("work")).arg("-f").arg(rules);
        command.args(["-s", &format!("malloc,{MEMORY_MIB}m")]);
        for parameter in ["thread_pools=1", "thread_pool_min=200", "thread_pool_max=1000"] {
            command.args(["-p", parameter]);
        }
        Self::start(0, &command, folder, port, version)
    }

    fn start(core: usize, command: &Command, folder: TempDir, port: u16, version: String) -> Self {
        let mut process = Running::on_core(core, command);
        let mut waited = Duration::ZERO;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(!process.has_ended() && waited < PATIENCE, "{version} did not start");
            std::thread::sleep(PAUSE);
            waited += PAUSE;
        }
        Self { process, _folder: folder, port, version }
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn version(&self) -> &str {
        &self.version
    }
}

impl Subject for Partner {
    fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    fn cpu_us(&self) -> f64 {
        processes::cpu_us(self.process.id())
    }
}

impl Program {
    /// Its command, and what it says of its version.
    ///
    /// # Panics
    /// If it is not installed: a comparison without its partners is none.
    fn find(&self) -> (&'static str, String) {
        let found = self.commands.iter().find_map(|command| {
            let output = Command::new(command).arg(self.version).output().ok()?;
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            Some((*command, text.lines().next().unwrap_or_default().to_owned()))
        });
        let Self { commands: [name, _], package, .. } = self;
        found.unwrap_or_else(|| panic!("{name} is not installed: `apt-get install {package}` brings it"))
    }
}

/// A folder in memory, where there is one: neither a disk nor its cache is measured.
pub(super) fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let place = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    let folder = TempDir::with_prefix_in("kasoku-bench-", place).expect("temporary folders can be made");
    // Workers run as another user.
    let everybody = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(folder.path(), everybody).expect("the folder is ours");
    folder
}

/// A port that nobody listened on just now.
pub(super) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there are free ports");
    listener.local_addr().expect("it is bound").port()
}

/// A caching proxy. What is marked `no-store` is led around the cache by its path, so that nginx does not even look.
fn caching(folder: &Path, port: u16, origin: &str) -> String {
    let cache: PathBuf = folder.join("cache");
    format!(
        r#"
    open_file_cache max=10000 inactive=60s;
    open_file_cache_valid 60s;
    proxy_cache_path {cache} levels=1:2 keys_zone=answers:64m max_size={MEMORY_MIB}m inactive=1h
        use_temp_path=off manager_files=10000 manager_sleep=50ms;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Host $host;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_buffers 16 8k;
    upstream origin {{
        server {origin};
        keepalive 128;
        keepalive_requests 1000000000;
    }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{
            proxy_pass http://origin;
            proxy_cache answers;
        }}
        location /passed/ {{
            proxy_pass http://origin;
        }}
    }}"#,
        cache = cache.display(),
    )
}
