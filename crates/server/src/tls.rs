//! TLS: the certificate and its key from PEM files, read again when they change.
//!
//! A connection is served with what was in force when it was opened. A pair that cannot be used is refused, and
//! the old one stays.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use kasoku_config::TlsSettings;
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{self, ServerConfig};

/// How often the files are looked at.
const WATCH_INTERVAL: Duration = Duration::from_secs(10);

/// Why a certificate and key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file that cannot be read.
    #[error("cannot read {path}: {error}", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// A file that is not PEM, or holds nothing of what is looked for.
    #[error("{path} holds no {wanted} in PEM form", path = path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// A certificate, or a private key.
        wanted: &'static str,
    },
    /// A certificate and a key that do not belong together, or of a kind that is not supported.
    #[error("the certificate {certificate} and the key {key} cannot be used: {error}",
        certificate = settings.certificate.display(), key = settings.key.display())]
    Unusable {
        /// The files.
        settings: TlsSettings,
        /// What is wrong with them.
        error: rustls::Error,
    },
}

/// The certificate in force.
#[derive(Debug)]
pub struct Certificates {
    settings: TlsSettings,
    current: ArcSwap<CertifiedKey>,
    provider: Arc<CryptoProvider>,
    asked: Notify,
}

impl Certificates {
    /// Reads the files for the first time.
    pub fn load(settings: &TlsSettings) -> Result<Arc<Self>, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let current = ArcSwap::from_pointee(certified(settings, &provider)?);
        Ok(Arc::new(Self { settings: settings.clone(), current, provider, asked: Notify::new() }))
    }

    /// Reads the files again; new connections get what they hold now. If they cannot be used, nothing changes.
    pub fn reload(&self) -> Result<(), TlsError> {
        self.current.store(Arc::new(certified(&self.settings, &self.provider)?));
        Ok(())
    }

    /// The chain in force, the server's own certificate first.
    pub fn chain(&self) -> Vec<CertificateDer<'static>> {
        self.current.load().cert.clone()
    }

    /// Speaks TLS 1.2 and 1.3, and offers HTTP/2 before HTTP/1.1.
    pub(crate) fn acceptor(self: &Arc<Self>) -> TlsAcceptor {
        let mut config = ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_protocol_versions(rustls::DEFAULT_VERSIONS)
            .expect("the provider supports TLS 1.2 and 1.3")
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(self) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        TlsAcceptor::from(Arc::new(config))
    }

    /// Asks for the files to be read again now, as SIGHUP does.
    pub fn ask(&self) {
        self.asked.notify_one();
    }

    /// Reads the files again whenever it is asked to, or they have changed. Never returns.
    pub(crate) async fn follow(&self) {
        let mut seen = self.stamps();
        loop {
            let asked = timeout(WATCH_INTERVAL, self.asked.notified()).await.is_ok();
            let now = self.stamps();
            if now == seen && !asked {
                continue;
            }
            match self.reload() {
                Ok(()) => tracing::info!("the TLS certificate was read again"),
                Err(error) => {
                    tracing::error!(error = &*error.to_string(), "the old TLS certificate stays in force");
                }
            }
            seen = now;
        }
    }

    fn stamps(&self) -> [Option<(SystemTime, u64)>; 2] {
        [&self.settings.certificate, &self.settings.key].map(|path| {
            let facts = std::fs::metadata(path).ok()?;
            Some((facts.modified().ok()?, facts.len()))
        })
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.load_full())
    }
}

fn certified(settings: &TlsSettings, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
    let path = &settings.certificate;
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| unread(path, "certificate", error))?;
    if chain.is_empty() {
        return Err(TlsError::Missing { path: path.clone(), wanted: "certificate" });
    }
    let key = PrivateKeyDer::from_pem_file(&settings.key)
        .map_err(|error| unread(&settings.key, "private key", error))?;
    CertifiedKey::from_der(chain, key, provider)
        .map_err(|error| TlsError::Unusable { settings: settings.clone(), error })
}

fn unread(path: &Path, wanted: &'static str, error: pem::Error) -> TlsError {
    match error {
        pem::Error::Io(error) => TlsError::Unreadable { path: path.to_owned(), error },
        _ => TlsError::Missing { path: path.to_owned(), wanted },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write_pair(settings: &TlsSettings) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(&settings.certificate, made.cert.pem()).unwrap();
        std::fs::write(&settings.key, made.signing_key.serialize_pem()).unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn the_files_are_read_again_at_once_when_that_is_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let settings =
            TlsSettings { certificate: folder.path().join("cert.pem"), key: folder.path().join("key.pem") };
        write_pair(&settings);
        let certificates = Certificates::load(&settings).unwrap();
        let before = certificates.chain();
        let following = tokio::spawn({
            let certificates = Arc::clone(&certificates);
            async move { certificates.follow().await }
        });
        write_pair(&settings);
        certificates.ask();
        // The clock stands still while somebody is busy, so the next look at the files is never due.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert_ne!(certificates.chain(), before);
        following.abort();
    }
}
