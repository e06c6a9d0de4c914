//! What goes over a connection.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Instant;

/// What went over a connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Traffic {
    /// Whether there was anything to answer.
    pub(super) answered: bool,
    pub(super) last: Instant,
}

impl Traffic {
    pub(super) fn new() -> Self {
        Self {
            answered: false,
            last: Instant::now(),
        }
    }
}

/// A connection whose traffic is noted.
pub(super) struct Noted {
    pub(super) stream: TcpStream,
    pub(super) traffic: Arc<Mutex<Traffic>>,
}

impl Noted {
    fn note(&self, answered: bool) {
        let mut traffic = lock(&self.traffic);
        traffic.answered |= answered;
        traffic.last = Instant::now();
    }
}

impl AsyncRead for Noted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if read.is_ready() {
            self.note(false);
        }
        read
    }
}

impl AsyncWrite for Noted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        if written.is_ready() {
            self.note(true);
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

pub(super) fn lock(traffic: &Mutex<Traffic>) -> MutexGuard<'_, Traffic> {
    traffic.lock().unwrap_or_else(PoisonError::into_inner)
}
