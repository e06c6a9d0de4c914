//! TLS: with a certificate that is given, or with one that is made once and kept.

mod error;
mod kept;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

pub use error::TlsError;

/// A certificate with its key.
#[derive(Clone)]
pub struct Tls {
    config: Arc<ServerConfig>,
    certificate: PathBuf,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls")
            .field("certificate", &self.certificate)
            .finish_non_exhaustive()
    }
}

impl Tls {
    /// That of two PEM files: the certificate, with those of the chain after it, and its key.
    ///
    /// # Errors
    /// [`TlsError`]
    pub fn open(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let pem = |path: &Path, what| {
            let path = path.to_owned();
            move |source| TlsError::Pem { path, what, source }
        };
        let chain = CertificateDer::pem_file_iter(certificate)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .and_then(|chain| match chain.is_empty() {
                true => Err(pem::Error::NoItemsFound),
                false => Ok(chain),
            })
            .map_err(pem(certificate, "certificate"))?;
        let secret = PrivateKeyDer::from_pem_file(key).map_err(pem(key, "private key"))?;
        let provider = Arc::new(ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, secret)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            config: Arc::new(config),
            certificate: certificate.to_owned(),
        })
    }

    /// The one that is kept in a folder, for these names and addresses. It is made if there is none, if
    /// it is not for all of them, or if its time is nearly over; its key stays.
    ///
    /// # Errors
    /// [`TlsError`]
    pub fn kept(folder: &Path, names: &[String]) -> Result<Self, TlsError> {
        let (certificate, key) = kept::files(folder, names)?;
        Self::open(&certificate, &key)
    }

    /// The file of the certificate, for those who want to trust it.
    #[must_use]
    pub fn certificate(&self) -> &Path {
        &self.certificate
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.config))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_certificate_is_made_once_and_again_only_for_more_names() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("tls");
        let read = |names: &[String]| {
            let tls = Tls::kept(&folder, names).unwrap();
            let key = fs::read_to_string(folder.join("key.pem")).unwrap();
            (fs::read_to_string(tls.certificate()).unwrap(), key)
        };
        let both = names(&["localhost", "10.0.0.7"]);
        let (first, key) = read(&both);
        assert_eq!(read(&both), (first.clone(), key.clone()));
        assert_eq!(read(&both[..1]), (first.clone(), key.clone()));
        let (more, same) = read(&names(&["cam.factory"]));
        assert!(more != first && same == key);
        // The old names are still among them.
        assert_eq!(read(&both).0, more);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(folder.join("key.pem")).unwrap().permissions();
            assert_eq!(mode.mode() & 0o777, 0o600);
        }
        fs::write(folder.join("kept.json"), "{").unwrap();
        assert!(read(&both).0 != more);
    }

    #[test]
    fn what_is_no_certificate_is_told_by_its_file() {
        let dir = tempfile::tempdir().unwrap();
        let kept = Tls::kept(dir.path(), &names(&["localhost"])).unwrap();
        let other = dir.path().join("other");
        Tls::kept(&other, &names(&["localhost"])).unwrap();
        let wrong = Tls::open(kept.certificate(), &other.join("key.pem"));
        assert!(matches!(wrong, Err(TlsError::Mismatch(_))));
        let swapped = Tls::open(&dir.path().join("key.pem"), &dir.path().join("key.pem"));
        let told = swapped.unwrap_err().to_string();
        assert!(told.contains("key.pem has no certificate"), "{told}");
        assert!(Tls::open(kept.certificate(), &dir.path().join("none")).is_err());
    }
}
