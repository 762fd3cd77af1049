//! Routes that answer from HTTP servers.

use kasoku_http_caching::pseudonym::Pseudonym;
use kasoku_source_origin::{
    ClientSettings, Climbing, ExtraRoots, HostRule, Network, OriginRules, Protocol, Server, ServerError,
    TrustedProxies,
};

use super::Check;
use super::server::{PEM_BYTES_MAX, positive};
use crate::diagnostic::Finding;
use crate::tree::KeyPath;
use crate::written::{HostName, Origin, OriginOrUrl, ProtocolName, Route};

/// More servers of one origin than anybody has.
const SERVERS_MAX: usize = 256;

/// What an `origin` route asks, and how.
pub(super) fn rules(
    check: &mut Check<'_>,
    route: &KeyPath,
    written: &Route,
    body_bytes_max: u64,
    pseudonym: Pseudonym,
) -> Option<OriginRules> {
    let at = route.key("origin");
    let (origin, servers) = match written.origin.as_ref()? {
        OriginOrUrl::Url(url) => (Origin::at(url), server(check, &at, url).map(|server| vec![server])),
        OriginOrUrl::Origin(origin) => (origin.clone(), servers(check, &at.key("servers"), &origin.servers)),
    };
    for (name, timeout) in [
        ("connect_timeout", origin.connect_timeout),
        ("first_byte_timeout", origin.first_byte_timeout),
        ("between_bytes_timeout", origin.between_bytes_timeout),
        ("idle_timeout", origin.idle_timeout),
        ("silence_timeout", origin.silence_timeout),
    ] {
        positive(check, &at.key(name), timeout);
    }
    let extra_roots = match &origin.ca {
        Some(file) => certificates(check, &at.key("ca"), file),
        None => Some(ExtraRoots::default()),
    };
    let trusted = trusted(check, &at.key("trusted_proxies"), &origin.trusted_proxies);
    let strip = written.strip.as_ref().map(|strip| self::strip(check, route, strip, &written.path));
    let servers = servers?;
    protocol_suits(check, &at, &origin, &servers);
    Some(OriginRules {
        client: ClientSettings {
            servers,
            protocol: match origin.protocol {
                None => Protocol::Negotiated,
                Some(ProtocolName::Http1) => Protocol::Http1,
                Some(ProtocolName::H2c) => Protocol::Http2,
            },
            connect_timeout: origin.connect_timeout.duration(),
            first_byte_timeout: origin.first_byte_timeout.duration(),
            between_bytes_timeout: origin.between_bytes_timeout.duration(),
            idle_timeout: origin.idle_timeout.duration(),
            connections_max: origin.connections as usize,
            extra_roots: extra_roots?,
        },
        host: match origin.host {
            HostName::Caller => HostRule::Caller,
            HostName::Origin => HostRule::Origin,
        },
        pseudonym,
        trusted: trusted?,
        climbing: if written.path.starts_with("/{*") { Climbing::Allowed } else { Climbing::Refused },
        strip: strip.map_or(Some(None), |strip| strip.map(Some))?,
        body_bytes_max,
        silence_max: origin.silence_timeout.duration(),
    })
}

fn servers(check: &mut Check<'_>, at: &KeyPath, written: &[String]) -> Option<Vec<Server>> {
    if written.is_empty() || written.len() > SERVERS_MAX {
        let finding = Finding::error(format!("an origin has from 1 to {SERVERS_MAX} servers"));
        check.value(at, finding.label("expected URLs such as \"http://127.0.0.1:3000\""));
        return None;
    }
    let found: Vec<_> =
        written.iter().enumerate().map(|(index, url)| server(check, &at.index(index), url)).collect();
    for (index, url) in written.iter().enumerate() {
        if let Some(first) = written[..index].iter().position(|other| other == url) {
            let other = check.tree.at(&at.index(first)).place.clone();
            let finding = Finding::error("the server is written twice").label("would get two turns");
            check.value(&at.index(index), finding.see(other, "the first time"));
            return None;
        }
    }
    found.into_iter().collect()
}

fn server(check: &mut Check<'_>, at: &KeyPath, url: &str) -> Option<Server> {
    let error = match url.parse::<Server>() {
        Ok(server) => return Some(server),
        Err(error) => error,
    };
    let hint = match error {
        ServerError::Malformed if format!("http://{url}").parse::<Server>().is_ok() => {
            Some(format!("write \"http://{url}\""))
        }
        ServerError::Path => Some("requests bring their paths; `strip` takes a part of them away".to_owned()),
        ServerError::User => Some("credentials in a URL would end up in logs".to_owned()),
        _ => None,
    };
    // A URL with a user may hold a password.
    let shown = if error == ServerError::User { "the URL" } else { &format!("`{url}`") };
    let finding = Finding::error(format!("{shown} does not say where a server is: {error}"));
    check.value(at, finding.label("expected a URL such as \"http://127.0.0.1:3000\"").hint_if(hint));
    None
}

fn certificates(check: &mut Check<'_>, at: &KeyPath, file: &str) -> Option<ExtraRoots> {
    let path = check.path(file);
    let text = check.read(&path, at, "the file of certificates", PEM_BYTES_MAX)?;
    match ExtraRoots::from_pem(&text) {
        Ok(roots) => Some(roots),
        Err(error) => {
            let finding = Finding::error(format!("the file of certificates cannot be used: {error}"));
            check.value(at, finding.label("expected a file with `-----BEGIN CERTIFICATE-----`"));
            None
        }
    }
}

fn trusted(check: &mut Check<'_>, at: &KeyPath, written: &[String]) -> Option<TrustedProxies> {
    let mut networks = Vec::with_capacity(written.len());
    for (index, text) in written.iter().enumerate() {
        match text.parse::<Network>() {
            Ok(network) => networks.push(network),
            Err(error) => {
                let finding = Finding::error(format!("`{text}` names no proxies: {error}"));
                check.value(&at.index(index), finding.label("expected an IP address or a network"));
            }
        }
    }
    (networks.len() == written.len()).then(|| TrustedProxies::new(networks))
}

/// What is taken from paths has to be in them.
fn strip(check: &mut Check<'_>, route: &KeyPath, written: &str, path: &str) -> Option<String> {
    let at = route.key("strip");
    let strip = written.trim_end_matches('/');
    let literal = path.split('{').next().unwrap_or_default();
    let rest = literal.strip_prefix(strip);
    if strip.starts_with('/') && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) {
        return Some(strip.to_owned());
    }
    let place = check.tree.at(&route.key("path")).place.clone();
    let finding = Finding::error(format!("`{written}` cannot be taken from the paths of this route"));
    check.value(&at, finding.label("expected the first segments of `path`").see(place, "the path"));
    None
}

/// Settings of TLS without TLS, and the other way round.
fn protocol_suits(check: &mut Check<'_>, at: &KeyPath, origin: &Origin, servers: &[Server]) {
    if origin.protocol == Some(ProtocolName::H2c) && servers.iter().any(Server::is_secure) {
        let finding =
            Finding::error("`h2c` is HTTP/2 without TLS").label("a server of this origin speaks TLS");
        check.value(&at.key("protocol"), finding.hint("leave it out: with TLS, HTTP/2 is agreed on"));
    }
    if origin.ca.is_some() && !servers.iter().any(Server::is_secure) {
        let finding = Finding::warning("`ca` has no effect: no server of this origin speaks TLS");
        check.value(&at.key("ca"), finding.label("needed for `https` only"));
    }
}
