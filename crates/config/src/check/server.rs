//! The sections `server`, `admin` and `log`.

use std::net::SocketAddr;

use kasoku_http_caching::pseudonym::Pseudonym;
use kasoku_units::Period;

use super::Check;
use crate::diagnostic::{Finding, SECRET_BYTES_MIN, did_you_mean};
use crate::environment::read_variable;
use crate::plan::{
    AdminSettings, ConnectionLimits, ListenSettings, LogFormat, LogSettings, ServerSettings, TlsSettings,
};
use crate::secret::Secret;
use crate::tree::{KeyPath, unset};
use crate::written::{Admin, DurationText, Limits, Log, LogFormatName, SecretText, Server, SizeText, Tls};

/// Bytes of the file of a secret.
const SECRET_BYTES_MAX: u64 = 64 << 10;
/// Bytes of a file with certificates or a key.
pub(super) const PEM_BYTES_MAX: u64 = 1 << 20;

/// The public listener.
pub(super) fn server(check: &mut Check<'_>, written: &Server) -> Option<ServerSettings> {
    let at = KeyPath::root().key("server");
    let address = address(check, &at.key("listen"), &written.listen);
    let tls = written.tls.as_ref().map(|tls| self::tls(check, &at.key("tls"), tls));
    let secret = written.secret.as_ref().map(|secret| self::secret(check, &at.key("secret"), secret));
    if let Some(name) = written.pseudonym.as_deref().filter(|name| Pseudonym::named(name).is_none()) {
        let finding = Finding::error(format!("`{name}` cannot be the name of a server"));
        check.value(&at.key("pseudonym"), finding.label("expected a token or a host, such as \"edge-1\""));
    }
    let limits = limits(check, &at.key("limits"), &written.limits);
    let threads = written.threads.map_or_else(cores, |threads| threads as usize);
    Some(ServerSettings {
        listen: ListenSettings { address: address?, tls: tls.map_or(Some(None), |tls| tls.map(Some))? },
        limits,
        drain: written.drain.duration(),
        threads,
        secret: secret.map_or(Some(None), |secret| secret.map(Some))?,
    })
}

/// The admin listener.
pub(super) fn admin(check: &mut Check<'_>, server: &Server, written: &Admin) -> Option<AdminSettings> {
    let at = KeyPath::root().key("server").key("admin");
    let token_at = KeyPath::root().key("admin").key("token");
    let token = written.token.as_ref().map(|token| secret(check, &token_at, token));
    let Some(text) = server.admin.on() else {
        return Some(AdminSettings { address: None, token: token.flatten() });
    };
    let address = address(check, &at, text)?;
    if !address.ip().is_loopback() && token.is_none() && !check.damaged(&KeyPath::root().key("admin")) {
        check.value(
            &at,
            Finding::error("the admin listener would accept everyone from elsewhere")
                .label("not a loopback address, and there is no token")
                .hint("add `[admin]` with `token = \"env:ADMIN_TOKEN\"`, or listen on 127.0.0.1"),
        );
        return None;
    }
    let same =
        server.listen.parse::<SocketAddr>().is_ok_and(|listen| listen == address && listen.port() != 0);
    if same {
        let public = check.key_place(&KeyPath::root().key("server").key("listen"));
        check.value(
            &at,
            Finding::error("the admin listener cannot share the address of the public one")
                .label("the same as `server.listen`")
                .see(public, "the public listener"),
        );
        return None;
    }
    Some(AdminSettings { address: Some(address), token: token.map_or(Some(None), |token| token.map(Some))? })
}

/// What is logged and how.
pub(super) fn log(check: &mut Check<'_>, written: &Log) -> Option<LogSettings> {
    const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];
    let format = match written.format {
        LogFormatName::Text => LogFormat::Text,
        LogFormatName::Json => LogFormat::Json,
    };
    for part in written.level.split(',') {
        let (target, level) = part.rsplit_once('=').map_or(("", part), |(target, level)| (target, level));
        let level = level.trim();
        if !LEVELS.contains(&level) {
            let finding = Finding::error(format!("`{level}` is not a log level"))
                .label("expected a level such as \"info\", and parts such as \"info,kasoku_database=debug\"")
                .hint_if(did_you_mean(level, LEVELS));
            check.value(&KeyPath::root().key("log").key("level"), finding);
            return None;
        }
        if part.contains('=') && target.trim().is_empty() {
            let finding =
                Finding::error("a log level has no part before its `=`").label("expected `part=level`");
            check.value(&KeyPath::root().key("log").key("level"), finding);
            return None;
        }
    }
    Some(LogSettings { format, level: written.level.clone(), access_share: written.access })
}

fn limits(check: &mut Check<'_>, at: &KeyPath, written: &Limits) -> ConnectionLimits {
    let mut period = |name: &str, value: DurationText| {
        positive(check, &at.key(name), value);
        value.duration()
    };
    let header_timeout = period("header_timeout", written.header_timeout);
    let body_timeout = period("body_timeout", written.body_timeout);
    let idle_timeout = period("idle_timeout", written.idle_timeout);
    let handshake_timeout = period("handshake_timeout", written.handshake_timeout);
    let write_timeout = period("write_timeout", written.write_timeout);
    let header_bytes = SizeText::kib(1)..=SizeText::mib(1);
    ConnectionLimits {
        connections_max: written.connections as usize,
        header_timeout,
        body_timeout,
        idle_timeout,
        handshake_timeout,
        write_timeout,
        header_bytes_max: size(check, &at.key("header_bytes"), written.header_bytes, &header_bytes) as usize,
        header_fields_max: written.header_fields as usize,
        body_bytes_max: body(check, &at.key("body"), written.body),
        streams_max: written.streams,
    }
}

/// A limit on bodies. They are held in memory, so that there is a limit to the limit.
pub(super) fn body(check: &mut Check<'_>, at: &KeyPath, written: SizeText) -> usize {
    size(check, at, written, &(SizeText::bytes(0)..=SizeText::mib(1_024))) as usize
}

/// A size within a range.
pub(super) fn size(
    check: &mut Check<'_>,
    at: &KeyPath,
    written: SizeText,
    range: &std::ops::RangeInclusive<SizeText>,
) -> u64 {
    if written.0 < range.start().0 || written.0 > range.end().0 {
        let finding = Finding::error(format!("`{}` is out of range", at.name()));
        check.value(at, finding.label(format!("expected from {} to {}", range.start().0, range.end().0)));
    }
    written.0.0
}

/// A duration that cannot be zero.
pub(super) fn positive(check: &mut Check<'_>, at: &KeyPath, written: DurationText) {
    const LONGEST: Period = Period(std::time::Duration::from_hours(24));
    if written.duration().is_zero() || written.0 > LONGEST {
        check.value(
            at,
            Finding::error(format!("`{}` is out of range", at.name())).label("expected from 1ms to 1d"),
        );
    }
}

fn address(check: &mut Check<'_>, at: &KeyPath, written: &str) -> Option<SocketAddr> {
    let text = written.trim();
    if let Ok(address) = text.parse() {
        return Some(address);
    }
    let (host, port) = text.rsplit_once(':').unwrap_or(("", text));
    let is_port = port.parse::<u16>().is_ok();
    let hint = match host {
        "" | "*" if is_port => {
            Some(format!("write \"0.0.0.0:{port}\" for all addresses, \"127.0.0.1:{port}\" for this machine"))
        }
        "localhost" if is_port => Some(format!("write \"127.0.0.1:{port}\"")),
        host if host.parse::<std::net::IpAddr>().is_ok() && !is_port => {
            Some("ports go from 0 to 65535; 0 lets the system choose".to_owned())
        }
        _ if text.parse::<std::net::IpAddr>().is_ok() => Some(format!(
            "add a port: \"{}\"",
            if text.contains(':') { format!("[{text}]:8080") } else { format!("{text}:8080") }
        )),
        _ if text.contains("://") => Some("leave out the scheme".to_owned()),
        _ => None,
    };
    let finding = Finding::error(format!("`{text}` is not an address to listen on"));
    check.value(
        at,
        finding.label("expected an IP address and a port such as \"127.0.0.1:8080\"").hint_if(hint),
    );
    None
}

fn tls(check: &mut Check<'_>, at: &KeyPath, written: &Tls) -> Option<TlsSettings> {
    let mut pem = |key: &str, what: &str, file: &str, mark: &str| {
        let path = check.path(file);
        let text = check.read(&path, &at.key(key), what, PEM_BYTES_MAX)?;
        if !text.contains(mark) {
            let finding = Finding::error(format!("{what} is not in PEM form"));
            check.value(&at.key(key), finding.label(format!("expected a file with `{mark}`")));
            return None;
        }
        Some(path)
    };
    let certificate =
        pem("certificate", "the certificate", &written.certificate, "-----BEGIN CERTIFICATE-----");
    let key = pem("key", "the private key", &written.key, "PRIVATE KEY-----");
    Some(TlsSettings { certificate: certificate?, key: key? })
}

/// A secret that has to be hard to guess.
fn secret(check: &mut Check<'_>, at: &KeyPath, written: &SecretText) -> Option<Secret> {
    let found = kept_elsewhere(check, at, written)?;
    if found.len() < SECRET_BYTES_MIN {
        let finding = Finding::error(format!("`{}` is too short to be safe", at.name()))
            .label(format!("has {} bytes, expected {SECRET_BYTES_MIN} or more", found.len()))
            .hint("`openssl rand -hex 32` makes a good one");
        check.value(at, finding);
        return None;
    }
    Some(Secret::new(found))
}

/// A secret from where it is kept. Whatever it is, no message will hold it.
pub(super) fn kept_elsewhere(check: &mut Check<'_>, at: &KeyPath, written: &SecretText) -> Option<String> {
    let text = written.0.as_str();
    let found = if let Some(name) = text.strip_prefix("env:") {
        match read_variable(check.environment, name) {
            Ok(Some(value)) => value,
            Ok(None) => {
                let finding = unset(name, check.environment);
                check.value(at, finding);
                return None;
            }
            Err(error) => {
                check.value(at, Finding::error(error.to_string()));
                return None;
            }
        }
    } else if let Some(file) = text.strip_prefix("file:") {
        let path = check.path(file);
        check
            .read(&path, at, "the file of a secret", SECRET_BYTES_MAX)?
            .trim_end_matches(['\r', '\n'])
            .to_owned()
    } else {
        text.to_owned()
    };
    check.findings.keep_secret(&found);
    Some(found)
}

/// One thread per core, if the system tells how many there are.
pub(super) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
