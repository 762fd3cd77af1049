//! Certificates that tests make for themselves.

use std::path::Path;

use tokio_rustls::rustls::pki_types::CertificateDer;

/// The host that certificates are for, and that secure clients ask for whatever the address is.
pub(crate) const HOST: &str = "localhost";

/// A certificate that signs itself, and its key.
#[derive(Debug)]
pub struct Identity {
    certificate: CertificateDer<'static>,
    certificate_pem: String,
    key_pem: String,
}

impl Identity {
    /// A new one for `localhost`.
    #[expect(clippy::new_without_default, reason = "each is another; there is no default one")]
    pub fn new() -> Self {
        let made = rcgen::generate_simple_self_signed([HOST.to_owned()]).expect("a certificate can be made");
        Self {
            certificate: made.cert.der().clone(),
            certificate_pem: made.cert.pem(),
            key_pem: made.signing_key.serialize_pem(),
        }
    }

    /// Writes `cert.pem` and `key.pem` into a folder, over what was there.
    pub fn write(&self, folder: &Path) {
        std::fs::write(folder.join("cert.pem"), &self.certificate_pem).expect("a file can be written");
        std::fs::write(folder.join("key.pem"), &self.key_pem).expect("a file can be written");
    }

    pub(crate) fn certificate(&self) -> CertificateDer<'static> {
        self.certificate.clone()
    }
}
