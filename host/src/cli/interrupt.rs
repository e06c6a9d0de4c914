//! Ctrl-C as something that a loop asks for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Signals closer together than this are one.
const ONE_PRESS: Duration = Duration::from_millis(300);

/// Ends a command that Ctrl-C stopped, after it kept what it had.
#[derive(Debug, thiserror::Error)]
#[error("interrupted: {0}")]
pub(crate) struct Interrupted(pub(crate) String);

/// Set once Ctrl-C was pressed or a termination signal came.
#[derive(Clone)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// From here on Ctrl-C no longer ends the process; a second one does.
    pub(crate) fn catch() -> anyhow::Result<Self> {
        let flag = Arc::new(AtomicBool::new(false));
        let set = Arc::clone(&flag);
        let mut first: Option<Instant> = None;
        ctrlc::set_handler(move || match first {
            None => {
                first = Some(Instant::now());
                set.store(true, Ordering::SeqCst);
                super::output::tell("\nstopping after this step (again to stop at once)");
            }
            // `timeout` and some shells send one press twice.
            Some(first) if first.elapsed() < ONE_PRESS => {}
            Some(_) => std::process::exit(130),
        })?;
        Ok(Self(flag))
    }

    /// Whether it was pressed.
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// Done when Ctrl-C was pressed or a termination signal came. The process ends `limit` later, or at a
/// second one, whatever is blocked.
#[cfg(feature = "serve")]
pub(crate) fn stop(limit: Duration) -> anyhow::Result<impl Future<Output = ()> + Send + 'static> {
    let (tell, received) = tokio::sync::oneshot::channel();
    let mut tell = Some((tell, limit));
    let mut first = Instant::now();
    ctrlc::set_handler(move || match tell.take() {
        Some((tell, limit)) => {
            first = Instant::now();
            let _ = tell.send(());
            std::thread::spawn(move || {
                std::thread::sleep(limit);
                super::output::tell("something is blocked for good and is left behind");
                std::process::exit(1);
            });
        }
        None if first.elapsed() < ONE_PRESS => {}
        None => std::process::exit(130),
    })?;
    Ok(async {
        // Dropped, too, it is the end.
        let _ = received.await;
    })
}
