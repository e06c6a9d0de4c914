//! Connections of browsers and other programs: how many, and for how long. Whoever only holds them
//! open keeps nobody else out, and takes no descriptor that pictures, devices or the log need.

mod lines;
mod talk;
mod traffic;

use std::fs;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{interval, sleep, timeout};
use tokio_rustls::TlsAcceptor;

use lines::{Lines, computer};
pub(super) use talk::Peer;
use talk::{Talk, stopped};
use traffic::Traffic;

/// Connections at once.
const MOST: usize = 256;
/// Descriptors that are left to everything else.
const RESERVE: usize = 128;
/// What a system allows where it does not say.
const USUAL: usize = 256;
const SWEEP: Duration = Duration::from_secs(1);
/// Before the next connection after one that could not be had.
const PAUSE: Duration = Duration::from_millis(50);

/// Serves until `stop` is true, and then gives requests that are under way `goodbye` to end.
pub(super) async fn serve(
    listener: TcpListener,
    app: Router,
    tls: Option<TlsAcceptor>,
    mut stop: watch::Receiver<bool>,
    goodbye: Duration,
) {
    let talk = Talk {
        app,
        tls,
        stop: stop.clone(),
    };
    let mut lines = Lines::new(most());
    let mut tasks = JoinSet::new();
    let mut sweep = interval(SWEEP);
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    lines.make_room(peer);
                    let traffic = Arc::new(Mutex::new(Traffic::new()));
                    let talk = talk.clone().with(stream, computer(peer), Arc::clone(&traffic));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_descriptors_are_left() {
        let most = most();
        assert!((16..=MOST).contains(&most), "{most}");
    }
}
