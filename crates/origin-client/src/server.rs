//! Where a server is, as a URL says it.

use std::fmt;
use std::str::FromStr;

use http::uri::{Authority, Scheme};
use http::{HeaderValue, Uri};

/// A server of an origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    scheme: Scheme,
    authority: Authority,
    port: u16,
}

/// Why a text names no server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ServerError {
    /// Not a URL at all.
    #[error("it is not a URL")]
    Malformed,
    /// A URL of something else.
    #[error("only `http` and `https` are spoken")]
    Scheme,
    /// A path or a query, which requests bring.
    #[error("a server has no path")]
    Path,
    /// A name or a password in the URL.
    #[error("a server's URL holds no user")]
    User,
    /// Port 0.
    #[error("nothing listens on port 0")]
    Port,
}

impl Server {
    /// Whether TLS is spoken there.
    pub fn is_secure(&self) -> bool {
        self.scheme == Scheme::HTTPS
    }

    /// The scheme.
    pub(crate) fn scheme(&self) -> &Scheme {
        &self.scheme
    }

    /// The host, without the brackets of an IPv6 address.
    pub(crate) fn host(&self) -> &str {
        self.authority.host().trim_start_matches('[').trim_end_matches(']')
    }

    pub(crate) fn authority(&self) -> &Authority {
        &self.authority
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Host and port as a `Host` field says them.
    pub(crate) fn host_field(&self) -> HeaderValue {
        HeaderValue::from_str(self.authority.as_str()).expect("an authority is made of visible characters")
    }
}

impl FromStr for Server {
    type Err = ServerError;

    fn from_str(text: &str) -> Result<Self, ServerError> {
        let parts = text.parse::<Uri>().map_err(|_| ServerError::Malformed)?.into_parts();
        let scheme = parts.scheme.ok_or(ServerError::Malformed)?;
        let usual = match scheme.as_str() {
            "http" => 80,
            "https" => 443,
            _ => return Err(ServerError::Scheme),
        };
        let authority = parts.authority.ok_or(ServerError::Malformed)?;
        if authority.as_str().contains('@') {
            return Err(ServerError::User);
        }
        if authority.host().is_empty() {
            return Err(ServerError::Malformed);
        }
        if parts.path_and_query.is_some_and(|path| path != "/") {
            return Err(ServerError::Path);
        }
        let names_port = authority.as_str().len() > authority.host().len();
        if names_port && authority.port_u16().is_none() {
            return Err(ServerError::Malformed);
        }
        let port = authority.port_u16().unwrap_or(usual);
        if port == 0 {
            return Err(ServerError::Port);
        }
        Ok(Self { scheme, authority, port })
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<(&str, u16, bool), ServerError>) {
        let server = text.parse::<Server>();
        let seen = server.as_ref().map(|server| (server.host(), server.port(), server.is_secure()));
        assert_eq!(seen.map_err(|error| *error), expected, "{text}");
    }

    #[test]
    fn a_server_is_a_url_without_path_and_user() {
        check("http://127.0.0.1:3000", Ok(("127.0.0.1", 3_000, false)));
        check("https://example.org/", Ok(("example.org", 443, true)));
        check("HTTP://a", Ok(("a", 80, false)));
        check("http://[::1]:80", Ok(("::1", 80, false)));
        check("ftp://a", Err(ServerError::Scheme));
        check("http://a/b", Err(ServerError::Path));
        check("http://a/?b", Err(ServerError::Path));
        check("http://u:p@a", Err(ServerError::User));
        check("http://a:0", Err(ServerError::Port));
        for text in ["", "a", "a:80", "//a", "http://", "http:///x", "http://a b", "http://a:99999"] {
            check(text, Err(ServerError::Malformed));
        }
    }
}
