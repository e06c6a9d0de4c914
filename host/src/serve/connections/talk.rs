//! What is said over a connection: HTTP, within TLS where there is a certificate.

use std::net::IpAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::traffic::{Noted, Traffic};

/// How long the head of a request may take to come, from the end of the one before it on, and how long
/// it may take to agree on a key.
const HEAD: Duration = Duration::from_secs(10);
/// Bytes of a request's head, and of an answer that waits for a slow reader.
const BUFFER: usize = 16 << 10;
/// With what TLS begins.
const HANDSHAKE: u8 = 0x16;
/// What is said to whoever speaks HTTP where TLS is spoken.
const SPEAK_TLS: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n\
    Connection: close\r\nContent-Length: 61\r\n\r\nThis port speaks TLS: begin the address with https:// please\n";

/// From which computer a request comes.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Peer(pub(in super::super) IpAddr);

/// What a connection needs to be answered.
#[derive(Clone)]
pub(super) struct Talk {
    pub(super) app: Router,
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) stop: watch::Receiver<bool>,
}

impl Talk {
    /// Answers until the other end goes, or `stop` is true.
    pub(super) async fn with(self, stream: TcpStream, from: IpAddr, traffic: Arc<Mutex<Traffic>>) {
        // Events are small.
        let _ = stream.set_nodelay(true);
        let Some(tls) = self.tls.clone() else {
            return self.answer(Noted { stream, traffic }, from).await;
        };
        let mut first = [0];
        match timeout(HEAD, stream.peek(&mut first)).await {
            Ok(Ok(1)) if first[0] == HANDSHAKE => {}
            Ok(Ok(1)) => {
                let mut stream = stream;
                let _ = timeout(HEAD, stream.write_all(SPEAK_TLS)).await;
                return;
            }
            _ => return,
        }
        if let Ok(Ok(stream)) = timeout(HEAD, tls.accept(Noted { stream, traffic })).await {
            self.answer(stream, from).await;
        }
    }

    async fn answer<S>(mut self, stream: S, from: IpAddr)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let inner = TowerToHyperService::new(self.app);
        let app = service_fn(move |mut request: hyper::Request<Incoming>| {
            request.extensions_mut().insert(Peer(from));
            inner.call(request)
        });
        let mut connection = pin!(
            http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD)
                .max_buf_size(BUFFER)
                .serve_connection(TokioIo::new(stream), app)
        );
        tokio::select! {
            // Whoever is at the other end may have gone at any time.
            _ = connection.as_mut() => return,
            () = stopped(&mut self.stop) => {}
        }
        connection.as_mut().graceful_shutdown();
        let _ = connection.await;
    }
}

/// Waits for the end.
pub(super) async fn stopped(stop: &mut watch::Receiver<bool>) {
    // Dropped, too, it is the end.
    let _ = stop.wait_for(|stop| *stop).await;
}
