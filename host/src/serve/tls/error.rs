//! What can be wrong with a certificate.

use std::io;
use std::path::PathBuf;

use tokio_rustls::rustls;
use tokio_rustls::rustls::pki_types::pem;

/// Why there is no certificate to serve with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file of it can't be read, or is no PEM file.
    #[error("{} has no {what} in PEM", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// `certificate` or `private key`.
        what: &'static str,
        /// Why.
        source: pem::Error,
    },
    /// Certificate and key do not belong together, or are of a kind that is not known.
    #[error("the certificate can't be used with its key")]
    Mismatch(#[from] rustls::Error),
    /// One can't be made.
    #[error("a certificate can't be made")]
    Make(#[from] rcgen::Error),
    /// The one that was made can't be kept.
    #[error("the certificate can't be kept in {}", folder.display())]
    Keep {
        /// Where.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
}
