//! TLS: protocols by ALPN, certificates that change, and peers that do not speak it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use kasoku_config::TlsSettings;
use kasoku_server::Certificates;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring};

use crate::peer::Peer;
use crate::site::{Setting, Site};

/// A certificate of its own making, in a folder.
struct Identity {
    folder: TempDir,
    der: CertificateDer<'static>,
}

impl Identity {
    fn new() -> Self {
        let mut identity =
            Self { folder: tempfile::tempdir().unwrap(), der: CertificateDer::from(Vec::new()) };
        identity.renew();
        identity
    }

    fn renew(&mut self) {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
        let TlsSettings { certificate, key } = self.settings();
        std::fs::write(certificate, made.cert.pem()).unwrap();
        std::fs::write(key, made.signing_key.serialize_pem()).unwrap();
        self.der = made.cert.der().clone();
    }

    fn settings(&self) -> TlsSettings {
        TlsSettings {
            certificate: self.folder.path().join("cert.pem"),
            key: self.folder.path().join("key.pem"),
        }
    }

    fn connector(&self, protocols: &[&str]) -> TlsConnector {
        let mut roots = RootCertStore::empty();
        roots.add(self.der.clone()).unwrap();
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        TlsConnector::from(Arc::new(config))
    }

    /// Offers protocols; returns the one chosen and the first bytes of the answer to a GET in HTTP/1.1.
    fn ask(&self, address: SocketAddr, protocols: &[&str]) -> std::io::Result<(Option<String>, Vec<u8>)> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let tcp = TcpStream::connect(address).await?;
            let name = ServerName::try_from("localhost").unwrap();
            let mut tls = self.connector(protocols).connect(name, tcp).await?;
            let chosen =
                tls.get_ref().1.alpn_protocol().map(|name| String::from_utf8(name.to_vec()).unwrap());
            tls.write_all(b"GET /hello HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").await?;
            let mut start = vec![0; 9];
            tls.read_exact(&mut start).await?;
            Ok((chosen, start))
        })
    }
}

#[test]
fn alpn_chooses_the_protocol_and_http1_is_the_default() {
    let identity = Identity::new();
    let site = Site::with(Setting { tls: Some(identity.settings()), ..Setting::default() });
    let http1 = b"HTTP/1.1 ".to_vec();
    assert_eq!(identity.ask(site.address, &[]).unwrap(), (None, http1.clone()));
    assert_eq!(identity.ask(site.address, &["http/1.1"]).unwrap(), (Some("http/1.1".into()), http1));
    let (chosen, start) = identity.ask(site.address, &["http/1.1", "h2"]).unwrap();
    assert_eq!(chosen.as_deref(), Some("h2"));
    assert_eq!(start[3], 4, "the server's settings come first: {start:?}");
}

#[test]
fn peers_that_do_not_shake_hands_are_cut() {
    let identity = Identity::new();
    let mut setting = Setting { tls: Some(identity.settings()), ..Setting::default() };
    setting.limits.handshake_timeout = Duration::from_millis(100);
    let site = Site::with(setting);
    assert_eq!(Peer::to(site.address).rest(), b"");
    site.seen.wait_for("handshake-timeout");
    Peer::to(site.address).send(crate::peer::get("/hello")).rest();
    site.seen.wait_for("handshake-failed");
}

#[test]
fn a_renewed_certificate_is_shown_to_new_connections_and_a_broken_one_is_not() {
    let mut identity = Identity::new();
    let certificates = Certificates::load(&identity.settings()).unwrap();
    let before = identity.der.clone();
    identity.renew();
    assert_eq!(certificates.chain()[0], before);
    certificates.reload().unwrap();
    assert_eq!(certificates.chain()[0], identity.der);
    for (file, text, expected) in [
        ("cert.pem", "no certificate", "holds no certificate in PEM form"),
        ("key.pem", "", "holds no private key in PEM form"),
    ] {
        let path = identity.folder.path().join(file);
        let sound = std::fs::read(&path).unwrap();
        std::fs::write(&path, text).unwrap();
        let error = certificates.reload().unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains(file), "{error}");
        std::fs::remove_file(&path).unwrap();
        let error = certificates.reload().unwrap_err().to_string();
        assert!(error.starts_with("cannot read ") && error.contains(file), "{error}");
        std::fs::write(&path, sound).unwrap();
    }
    let key = identity.settings().key;
    std::fs::write(&key, std::fs::read(Identity::new().settings().key).unwrap()).unwrap();
    let error = certificates.reload().unwrap_err().to_string();
    assert!(error.contains("cannot be used"), "{error}");
    assert_eq!(certificates.chain()[0], identity.der);
}
