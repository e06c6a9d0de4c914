//! The sign of life of a worker: while it has a trial, the journal gets a line now and then.

use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::{Value as Json, json};

use super::file;
use super::lock::Lock;
use super::replay::op;

/// A trial's attribute of the sign of life, which says how often it comes.
const ATTRIBUTE: &str = "sudal:heartbeat";
/// How many may be missing.
const MISSED: u32 = 4;

/// The attribute after `beats` signs.
pub(super) fn attribute(every: Duration, beats: u64) -> Json {
    json!({ ATTRIBUTE: { "every": every.as_secs_f64(), "beats": beats } })
}

/// How long a trial may go unheard of; none of one that gives no sign, as Optuna's own.
pub(super) fn patience(system: &serde_json::Map<String, Json>) -> Option<Duration> {
    let every = system.get(ATTRIBUTE)?["every"].as_f64()?;
    Some(
        Duration::try_from_secs_f64(every)
            .ok()?
            .saturating_mul(MISSED),
    )
}

/// What a trial that takes another's place has of its attributes.
pub(super) fn without(system: &serde_json::Map<String, Json>) -> serde_json::Map<String, Json> {
    let mut system = system.clone();
    system.remove(ATTRIBUTE);
    system
}

/// Beats until it is dropped.
#[derive(Debug)]
pub(super) struct Heartbeat {
    pub(super) stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Heartbeat {
    pub(super) fn start(path: &Path, worker: &str, trial: usize, every: Duration) -> Self {
        let (stop, stopped) = mpsc::channel();
        let (path, worker) = (path.to_owned(), worker.to_owned());
        let beat = move || {
            let mut beats = 0;
            while stopped.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                beats += 1;
                let operation = json!({
                    "op_code": op::SET_TRIAL_SYSTEM_ATTR,
                    "worker_id": worker,
                    "trial_id": trial,
                    "system_attr": attribute(every, beats),
                });
                // What keeps it from writing will be told by the next report; a beat may be missing.
                let _ = Lock::take(&path).and_then(|lock| file::append(&path, &lock, &[operation]));
            }
        };
        Self {
            stop: Some(stop),
            thread: Some(thread::spawn(beat)),
        }
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // It has no way to panic that would not be told elsewhere.
            let _ = thread.join();
        }
    }
}
