//! What is shared of a device.

use std::collections::VecDeque;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde::Serialize;
use serde_json::Value;
use sudal_firmware::preprocess::align::Alignment;
use tokio::sync::oneshot;

use super::super::DeviceOptions;
use super::super::command::{Answer, Command};
use super::super::heartbeat::{Activity, Heartbeat};
use super::super::state::{self, Counts, Link, State};
use super::super::tally::Tally;
use super::super::watch_error::{ErrorBody, WatchError};
use crate::data::Raster;
use crate::device::Heatmap;

/// Decisions of each device that a new page is told of.
const HISTORY: usize = 48;

/// A command, and where to say what came of it.
pub(in super::super) struct Queued {
    pub(in super::super) command: Command,
    pub(in super::super) answer: oneshot::Sender<Result<Answer, WatchError>>,
}

/// A frame that a browser's camera gave.
#[derive(Debug, Clone)]
pub(in super::super) struct Pushed {
    pub(in super::super) frame: Arc<Raster>,
    pub(in super::super) number: u64,
    pub(super) at: Instant,
}

/// What is known of a device.
pub(super) struct Station {
    pub(super) state: Mutex<State>,
    /// Written by the worker, judged by [`Hub::judge`].
    pub(super) heartbeat: Mutex<Heartbeat>,
    /// The newest decisions of the shift, the newest first.
    pub(super) history: Mutex<VecDeque<Value>>,
    /// The parts of the shift, or since another model was put on the device.
    pub(super) tally: Mutex<Tally>,
    pub(super) picture: Mutex<Arc<Vec<u8>>>,
    /// The frame of it, as it came.
    pub(super) frame: Mutex<Option<Arc<Raster>>>,
    /// What the model saw last, and where it is flawed.
    pub(super) heat: Mutex<Option<Arc<(Raster, Heatmap)>>>,
    pub(super) commands: Mutex<Option<SyncSender<Queued>>>,
    pub(super) pushed: Mutex<Option<Pushed>>,
    /// What was last said of a part.
    pub(super) said: Mutex<Option<state::Said>>,
}

impl Station {
    /// Of a device that is still to be connected, whose parts are counted since a time.
    pub(super) fn new(device: &DeviceOptions, since: u64, commands: SyncSender<Queued>) -> Self {
        Self {
            state: Mutex::new(State {
                name: device.name.clone(),
                board: device.board.clone(),
                link: Link::Connecting,
                error: None,
                model: None,
                model_id: None,
                firmware: String::new(),
                classes: Vec::new(),
                max_classes: 0,
                max_shots: 0,
                voting: None,
                undo: None,
                playback: None,
                cropped: false,
                region: None,
                alignment: Alignment::default().into(),
                inspects: false,
                inspection: None,
                drift: false,
                recentered: false,
                separation: None,
                counts: Counts::new(since, &Tally::default()),
                rate: 0,
                pushed: false,
                teaching: false,
                frame: 0,
                stalled: None,
            }),
            heartbeat: Mutex::new(Heartbeat::new(Instant::now(), Activity::Connect)),
            history: Mutex::default(),
            tally: Mutex::default(),
            picture: Mutex::default(),
            frame: Mutex::default(),
            heat: Mutex::default(),
            commands: Mutex::new(Some(commands)),
            pushed: Mutex::default(),
            said: Mutex::default(),
        }
    }

    pub(super) fn remember(&self, decision: Value) {
        let mut history = lock(&self.history);
        history.push_front(decision);
        history.truncate(HISTORY);
    }
}

/// What pages are told of the log.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(super) struct LogState {
    /// Why it can't be written.
    #[serde(rename = "trouble")]
    pub(super) error: Option<ErrorBody>,
    /// Decisions that wait in memory.
    pub(super) waiting: usize,
    /// Decisions for which there was no room there.
    pub(super) lost: u64,
}

/// What a worker that panicked left is still whole: it is only ever replaced.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
