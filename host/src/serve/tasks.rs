//! Tasks that have to continue as long as the server does.

use std::future::Future;
use std::time::Duration;

use tokio::time::sleep;

use super::panics::message;

/// Before a task that panicked is restarted.
const PAUSE: Duration = Duration::from_secs(1);

/// Runs a task of the present runtime; one that panics is restarted.
pub(super) fn supervise<F>(name: &'static str, start: impl Fn() -> F + Send + 'static)
where
    F: Future<Output = ()> + Send + 'static,
{
    tokio::spawn(async move {
        while let Err(error) = tokio::spawn(start()).await {
            let Ok(panic) = error.try_into_panic() else {
                return;
            };
            let why = message(&*panic);
            eprintln!("{name} failed ({why}) and is restarted: please report it");
            sleep(PAUSE).await;
        }
    });
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::Notify;

    use super::*;

    #[tokio::test]
    async fn a_task_that_panics_is_restarted() {
        let starts = Arc::new(AtomicUsize::new(0));
        let done = Arc::new(Notify::new());
        let (counted, tell) = (Arc::clone(&starts), Arc::clone(&done));
        supervise("this test", move || {
            let (starts, done) = (Arc::clone(&counted), Arc::clone(&tell));
            async move {
                if starts.fetch_add(1, Ordering::Relaxed) < 2 {
                    panic!("on purpose");
                }
                done.notify_one();
            }
        });
        done.notified().await;
        assert_eq!(starts.load(Ordering::Relaxed), 3);
    }
}
