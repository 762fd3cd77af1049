//! How a URL says that the way to the server is to be kept secret.
//!
//! As the server's own client has it (<https://www.postgresql.org/docs/current/libpq-ssl.html>): `prefer`, the
//! default, and `require` encrypt without asking who answers; `verify-ca` and `verify-full` ask, and trust the
//! certificates of `sslrootcert`, or for want of those the usual authorities.

use std::sync::Arc;

use tokio_postgres::Config;
use tokio_postgres_rustls::MakeRustlsConnect;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};

use crate::error::DatabaseError;

/// Makes the secret part of a connection.
pub(crate) type Tls = MakeRustlsConnect;

/// Who must answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verify {
    /// Anybody.
    Nothing,
    /// Somebody whom an authority vouches for.
    Authority,
    /// The host of the URL, and an authority vouches for it.
    Host,
}

/// Reads a URL: what to connect to, and how.
pub(crate) fn read(url: &str) -> Result<(Config, Tls), DatabaseError> {
    let (url, asked) = without_tls_parameters(url);
    let mut config: Config = url.parse().map_err(|error: tokio_postgres::Error| {
        let why = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
        DatabaseError::Io(format!("the URL of the database cannot be read: {why}").into())
    })?;
    let verify = match asked.mode.as_deref() {
        Some("verify-ca") => Verify::Authority,
        Some("verify-full") => Verify::Host,
        _ => Verify::Nothing,
    };
    if verify != Verify::Nothing {
        config.ssl_mode(tokio_postgres::config::SslMode::Require);
    }
    let verifier: Arc<dyn ServerCertVerifier> = match verify {
        Verify::Nothing => Arc::new(Unasked(Arc::new(ring::default_provider()))),
        Verify::Authority | Verify::Host => {
            let roots = roots(asked.root_certificate.as_deref())?;
            let provider = Arc::new(ring::default_provider());
            let inner = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
                .build()
                .map_err(|error| DatabaseError::Io(format!("`sslrootcert`: {error}").into()))?;
            if verify == Verify::Host { inner } else { Arc::new(AnyHost(inner)) }
        }
    };
    let client = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| DatabaseError::Io(error.to_string().into()))?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    Ok((config, MakeRustlsConnect::new(client)))
}

/// What a URL asks for that the driver does not know.
#[derive(Debug, Default, PartialEq, Eq)]
struct Asked {
    mode: Option<String>,
    root_certificate: Option<String>,
}

/// Takes those parameters out of a URL.
fn without_tls_parameters(url: &str) -> (String, Asked) {
    let mut asked = Asked::default();
    let Some((before, query)) = url.split_once('?') else { return (url.to_owned(), asked) };
    let mut kept = Vec::new();
    for pair in query.split('&') {
        match pair.split_once('=') {
            Some(("sslmode", mode @ ("verify-ca" | "verify-full"))) => asked.mode = Some(mode.to_owned()),
            // The driver knows no more than whether it must be secret.
            Some(("sslmode", "allow")) => kept.push("sslmode=prefer"),
            Some(("sslrootcert", path)) => {
                let path = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
                asked.root_certificate = Some(path.into_owned());
            }
            _ => kept.push(pair),
        }
    }
    let query = if kept.is_empty() { String::new() } else { format!("?{}", kept.join("&")) };
    (format!("{before}{query}"), asked)
}

fn roots(file: Option<&str>) -> Result<RootCertStore, DatabaseError> {
    let mut roots = RootCertStore::empty();
    let Some(file) = file else {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        return Ok(roots);
    };
    let unreadable = |why: String| DatabaseError::Io(format!("`sslrootcert={file}`: {why}").into());
    for certificate in CertificateDer::pem_file_iter(file).map_err(|error| unreadable(error.to_string()))? {
        let certificate = certificate.map_err(|error| unreadable(error.to_string()))?;
        roots.add(certificate).map_err(|error| unreadable(error.to_string()))?;
    }
    if roots.is_empty() { Err(unreadable("no certificate in it".into())) } else { Ok(roots) }
}

/// Takes every certificate; the signatures of the handshake must still be right.
#[derive(Debug)]
struct Unasked(Arc<CryptoProvider>);

impl ServerCertVerifier for Unasked {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// Takes every certificate that an authority vouches for, whatever name it has.
#[derive(Debug)]
struct AnyHost(Arc<WebPkiServerVerifier>);

impl ServerCertVerifier for AnyHost {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match self.0.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_driver_does_not_know_is_taken_out_of_the_url() {
        let check = |url: &str, left: &str, mode: Option<&str>, root: Option<&str>| {
            let (url, asked) = without_tls_parameters(url);
            assert_eq!(url, left);
            assert_eq!((asked.mode.as_deref(), asked.root_certificate.as_deref()), (mode, root));
        };
        check("postgres://h/d", "postgres://h/d", None, None);
        check("postgres://h/d?sslmode=require", "postgres://h/d?sslmode=require", None, None);
        check("postgres://h/d?sslmode=verify-full", "postgres://h/d", Some("verify-full"), None);
        check(
            "postgres://h/d?a=b&sslrootcert=%2Fca.pem&sslmode=verify-ca",
            "postgres://h/d?a=b",
            Some("verify-ca"),
            Some("/ca.pem"),
        );
    }
}
