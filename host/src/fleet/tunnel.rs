//! TLS to a broker: a port of this computer that leads there. What speaks MQTT here would bring a TLS of its
//! own, of older parts than what pages are served by.

use std::fmt::Display;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

/// How long a broker may take until a connection is secure, and what was said last to be gone.
const CONNECT: Duration = Duration::from_secs(10);
const END: Duration = Duration::from_secs(1);

/// Why it is not known whether a broker is the right one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// Nothing was given to know it by.
    #[error(
        "a broker at mqtts:// is known by the certificate of who vouches for it: give that by --broker-ca"
    )]
    Missing,
    /// The file has no certificates.
    #[error("the certificates in {}", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// Why.
        source: pem::Error,
    },
    /// They can't be used.
    #[error("the certificates can't be used")]
    Rejected(#[from] rustls::Error),
}

/// Who vouches for brokers.
#[derive(Debug, Clone)]
pub(crate) struct Trust(Arc<ClientConfig>);

impl Trust {
    /// The certificates of a PEM file.
    pub(crate) fn open(path: &Path) -> Result<Self, TrustError> {
        let pem = |source| TrustError::Pem {
            path: path.to_owned(),
            source,
        };
        let certificates = CertificateDer::pem_file_iter(path).map_err(pem)?;
        let mut roots = RootCertStore::empty();
        for certificate in certificates {
            roots.add(certificate.map_err(pem)?)?;
        }
        if roots.is_empty() {
            return Err(pem(pem::Error::NoItemsFound));
        }
        let provider = Arc::new(ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self(Arc::new(config)))
    }
}

/// A port of this computer that leads to a broker by TLS, until it is dropped.
#[derive(Debug)]
pub(crate) struct Tunnel {
    port: u16,
    fault: Arc<Mutex<Option<String>>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Tunnel {
    pub(crate) fn open(host: &str, port: u16, trust: &Trust) -> io::Result<Self> {
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        let way = Arc::new(Way {
            to: (host.to_owned(), port),
            name,
            connector: TlsConnector::from(Arc::clone(&trust.0)),
            fault: Arc::default(),
        });
        let fault = Arc::clone(&way.fault);
        let listener = std::net::TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(move || runtime.block_on(way.serve(listener, stopped)));
        Ok(Self {
            port,
            fault,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// What is wrong: here, or else what the client says.
    pub(crate) fn told(&self, error: &dyn Display) -> String {
        let fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        fault.clone().unwrap_or_else(|| error.to_string())
    }
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Way {
    to: (String, u16),
    name: ServerName<'static>,
    connector: TlsConnector,
    fault: Arc<Mutex<Option<String>>>,
}

impl Way {
    async fn serve(
        self: Arc<Self>,
        listener: std::net::TcpListener,
        mut stopped: oneshot::Receiver<()>,
    ) {
        let Ok(listener) = TcpListener::from_std(listener) else {
            return;
        };
        let mut lines = JoinSet::new();
        loop {
            let here = tokio::select! {
                _ = &mut stopped => break,
                here = listener.accept() => here,
            };
            if let Ok((here, _)) = here {
                lines.spawn(Arc::clone(&self).line(here));
            }
            while lines.try_join_next().is_some() {}
        }
        let _ = timeout(END, lines.join_all()).await;
    }

    async fn line(self: Arc<Self>, mut here: TcpStream) {
        let secure = async {
            let there = TcpStream::connect(&self.to).await?;
            there.set_nodelay(true)?;
            self.connector.connect(self.name.clone(), there).await
        };
        let secure = timeout(CONNECT, secure).await;
        let secure = secure.unwrap_or_else(|late| Err(late.into()));
        let fault = secure.as_ref().err().map(|error| format!("TLS: {error}"));
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
        if let Ok(mut there) = secure {
            // It ends whenever one of them does.
            let _ = copy_bidirectional(&mut here, &mut there).await;
        }
    }
}
