//! Whom to trust: the well-known authorities, and those that an operator adds.

use std::sync::Arc;

use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::Protocol;

/// Certificates that are trusted besides the well-known ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExtraRoots(Vec<CertificateDer<'static>>);

/// Why a text holds no certificates to trust.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// Not PEM, or something else in PEM.
    #[error("it holds no certificate in PEM form")]
    Missing,
    /// A certificate that cannot be read.
    #[error("a certificate in it cannot be read")]
    Unreadable,
}

impl ExtraRoots {
    /// From a text in PEM form.
    pub fn from_pem(text: &str) -> Result<Self, CertificateError> {
        let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
        let found = found.map_err(|_| CertificateError::Unreadable)?;
        let mut store = RootCertStore::empty();
        for certificate in &found {
            store.add(certificate.clone()).map_err(|_| CertificateError::Unreadable)?;
        }
        if found.is_empty() { Err(CertificateError::Missing) } else { Ok(Self(found)) }
    }
}

/// Speaks TLS 1.2 and 1.3 and offers what the protocol wants.
pub(crate) fn connector(extra: &ExtraRoots, protocol: Protocol) -> TlsConnector {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for certificate in &extra.0 {
        roots.add(certificate.clone()).expect("it was read once already");
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider supports TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocol.offers().iter().map(|offer| offer.to_vec()).collect();
    TlsConnector::from(Arc::new(config))
}
