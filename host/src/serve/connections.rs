//! Connections of browsers and other programs: how many, and for how long. Whoever only holds them
//! open keeps nobody else out, and takes no descriptor that pictures, devices or the log need.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, Id, JoinSet};
use tokio::time::{Instant, interval, sleep, timeout};

/// Connections at once.
const MOST: usize = 256;
/// Descriptors that are left to everything else.
const RESERVE: usize = 128;
/// What a system allows where it does not say.
const USUAL: usize = 256;
/// How long the head of a request may take to come, from the end of the one before it on.
const HEAD: Duration = Duration::from_secs(10);
/// How long there may be no byte either way. Events come every 15 s at least.
const SILENCE: Duration = Duration::from_secs(45);
/// Bytes of a request's head, and of an answer that waits for a slow reader.
const BUFFER: usize = 16 << 10;
const SWEEP: Duration = Duration::from_secs(1);
/// Before the next connection after one that could not be had.
const PAUSE: Duration = Duration::from_millis(50);

/// Serves until `stop` is true, and then gives requests that are under way `goodbye` to end.
pub(super) async fn serve(
    listener: TcpListener,
    app: Router,
    mut stop: watch::Receiver<bool>,
    goodbye: Duration,
) {
    let mut lines = Lines::new(most());
    let mut tasks = JoinSet::new();
    let mut sweep = interval(SWEEP);
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    lines.make_room(peer);
                    let traffic = Arc::new(Mutex::new(Traffic::new()));
                    let talk = talk(stream, Arc::clone(&traffic), app.clone(), stop.clone());
                    lines.add(peer, traffic, tasks.spawn(talk));
                }
                // There may be no descriptor left.
                Err(_) => {
                    lines.drop_idlest(|_| true);
                    sleep(PAUSE).await;
                }
            },
            Some(ended) = tasks.join_next_with_id() => {
                lines.forget(ended.map_or_else(|error| error.id(), |(id, ())| id));
            }
            _ = sweep.tick() => lines.drop_silent(),
            () = stopped(&mut stop) => break,
        }
    }
    drop(listener);
    let _ = timeout(goodbye, async {
        while tasks.join_next().await.is_some() {}
    })
    .await;
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // Dropped, too, it is the end.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// How many connections there may be.
fn most() -> usize {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let files = limits.lines().find_map(|line| {
        line.strip_prefix("Max open files")?
            .split_whitespace()
            .next()
    });
    let files = match files {
        Some("unlimited") => usize::MAX,
        files => files.and_then(|files| files.parse().ok()).unwrap_or(USUAL),
    };
    files.saturating_sub(RESERVE).clamp(16, MOST)
}

async fn talk(
    stream: TcpStream,
    traffic: Arc<Mutex<Traffic>>,
    app: Router,
    mut stop: watch::Receiver<bool>,
) {
    // Events are small.
    let _ = stream.set_nodelay(true);
    let io = TokioIo::new(Noted { stream, traffic });
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD)
            .max_buf_size(BUFFER)
            .serve_connection(io, TowerToHyperService::new(app))
    );
    tokio::select! {
        // Whoever is at the other end may have gone at any time.
        _ = connection.as_mut() => return,
        () = stopped(&mut stop) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}

/// The connections that there are.
struct Lines {
    most: usize,
    open: HashMap<Id, Line>,
}

struct Line {
    from: IpAddr,
    traffic: Arc<Mutex<Traffic>>,
    task: AbortHandle,
}

/// What went over a connection.
#[derive(Debug, Clone, Copy)]
struct Traffic {
    /// Whether there was anything to answer.
    answered: bool,
    last: Instant,
}

impl Traffic {
    fn new() -> Self {
        Self {
            answered: false,
            last: Instant::now(),
        }
    }
}

impl Lines {
    fn new(most: usize) -> Self {
        Self {
            most,
            open: HashMap::new(),
        }
    }

    /// Ends a connection where there is no room for one more: of the same computer where it has half
    /// of them.
    fn make_room(&mut self, peer: SocketAddr) {
        let from = computer(peer);
        if self.open.values().filter(|line| line.from == from).count() >= self.most.div_ceil(2) {
            self.drop_idlest(|line| line.from == from);
        } else if self.open.len() >= self.most {
            self.drop_idlest(|_| true);
        }
    }

    fn add(&mut self, peer: SocketAddr, traffic: Arc<Mutex<Traffic>>, task: AbortHandle) {
        let line = Line {
            from: computer(peer),
            traffic,
            task,
        };
        self.open.insert(line.task.id(), line);
    }

    fn forget(&mut self, id: Id) {
        self.open.remove(&id);
    }

    /// Ends one that never asked for anything, else the one without traffic for the longest time.
    fn drop_idlest(&mut self, which: impl Fn(&Line) -> bool) {
        let lines = self.open.iter().filter(|(_, line)| which(line));
        let idlest = lines.min_by_key(|(_, line)| {
            let traffic = *lock(&line.traffic);
            (traffic.answered, traffic.last)
        });
        if let Some(id) = idlest.map(|(id, _)| *id)
            && let Some(line) = self.open.remove(&id)
        {
            line.task.abort();
        }
    }

    fn drop_silent(&mut self) {
        self.open.retain(|_, line| {
            let silent = lock(&line.traffic).last.elapsed() > SILENCE;
            if silent {
                line.task.abort();
            }
            !silent
        });
    }
}

/// Whose connection it is. Who has one IPv6 address has all of its network's.
fn computer(peer: SocketAddr) -> IpAddr {
    match peer.ip().to_canonical() {
        IpAddr::V6(address) => {
            let network = address.to_bits() >> 64 << 64;
            IpAddr::V6(Ipv6Addr::from_bits(network))
        }
        address => address,
    }
}

/// A connection whose traffic is noted.
struct Noted {
    stream: TcpStream,
    traffic: Arc<Mutex<Traffic>>,
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

fn lock(traffic: &Mutex<Traffic>) -> MutexGuard<'_, Traffic> {
    traffic.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    #[tokio::test]
    async fn whoever_only_holds_connections_open_is_the_first_to_lose_one() {
        let mut tasks = JoinSet::new();
        let mut lines = Lines::new(6);
        let begin = Instant::now();
        let mut add = |lines: &mut Lines, address: &str, answered, seconds| {
            let peer = address.parse().unwrap();
            lines.make_room(peer);
            let last = begin + Duration::from_secs(seconds);
            let traffic = Arc::new(Mutex::new(Traffic { answered, last }));
            let task = tasks.spawn(pending::<()>());
            let id = task.id();
            lines.add(peer, traffic, task);
            id
        };
        let viewer = add(&mut lines, "10.0.0.7:1", true, 1);
        let other = add(&mut lines, "10.0.0.8:1", true, 2);
        // One computer has half of them at most, whatever else there is.
        for second in 3..40 {
            add(&mut lines, "10.0.0.9:1", false, second);
        }
        assert_eq!(lines.open.len(), 5);
        assert!(lines.open.contains_key(&viewer) && lines.open.contains_key(&other));
        // Many: those go first that asked for nothing, then those without traffic.
        for second in 40..50 {
            let address = format!("10.0.1.{second}:1");
            add(&mut lines, &address, false, second);
        }
        assert_eq!(lines.open.len(), 6);
        assert!(lines.open.contains_key(&viewer) && lines.open.contains_key(&other));
        for second in 50..55 {
            let address = format!("10.0.2.{second}:1");
            add(&mut lines, &address, true, second);
        }
        assert!(!lines.open.contains_key(&viewer) && lines.open.contains_key(&other));
        // Addresses of one network are one computer's.
        for last in 1..9 {
            add(
                &mut lines,
                &format!("[2001:db8::{last}]:1"),
                true,
                60 + last,
            );
        }
        let v6 = lines.open.values().filter(|line| line.from.is_ipv6());
        assert_eq!(v6.count(), 3);
    }

    #[test]
    fn some_descriptors_are_left() {
        let most = most();
        assert!((16..=MOST).contains(&most), "{most}");
    }
}
