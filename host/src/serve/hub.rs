//! What workers, pages and the broker share.

use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::json;
use sudal_firmware::heads::Role;
use tokio::sync::{Notify, broadcast, oneshot};

use super::log::now;
use super::metrics::Metrics;
use super::state::{Counts, Link, State};
use super::trouble::Trouble;
use super::{Decision, DeviceOptions, Log, LogError};

/// Events that a slow page may lag behind.
const EVENTS: usize = 256;
/// Decisions of each device that a new page is told of.
const HISTORY: usize = 48;
/// Decisions that are read from the log at once.
const PIECE: usize = 4096;
/// Name of the number in the log that tells when the shift began.
const SHIFT: &str = "shift";

/// What a page wants of a device.
#[derive(Debug)]
pub(super) enum Wish {
    /// Take a frame and add it to a class. Frames of one hold are undone at once.
    Enroll { name: String, hold: u64 },
    /// Add the last frame of a hold that was refused as one that does not fit, all the same.
    EnrollAnyway { hold: u64 },
    /// Undo the last change.
    Undo,
    /// Give a class another name.
    Rename { from: String, to: String },
    /// Forget a class.
    Remove { id: u8 },
    /// Say what a class stands for.
    Role { id: u8, role: Role },
    /// Take the light and the camera as they are now for usual.
    Recenter,
    /// Take them as they were when the classes were taught.
    Uncenter,
    /// Keep showing the class that the camera is shown, or go on.
    Stay { stay: bool },
    /// Show the next class.
    Skip,
}

/// A wish, and where to say what came of it: the shots that the class now has, after an enrolment.
pub(super) struct Command {
    pub(super) wish: Wish,
    pub(super) answer: oneshot::Sender<Result<Option<u8>, Trouble>>,
}

struct Station {
    state: Mutex<State>,
    picture: Mutex<Arc<Vec<u8>>>,
    commands: Mutex<Option<Sender<Command>>>,
}

pub(super) struct Hub {
    pub(super) log: Log,
    pub(super) metrics: Metrics,
    /// Told when there is something new in the log.
    pub(super) logged: Notify,
    stations: Vec<Station>,
    events: Mutex<Option<broadcast::Sender<Arc<str>>>>,
}

impl Hub {
    /// A hub, and where each device's worker gets its commands from.
    pub(super) fn new(
        log: Log,
        devices: &[DeviceOptions],
    ) -> Result<(Self, Vec<Receiver<Command>>), LogError> {
        let since = match log.number(SHIFT)? {
            Some(since) => since,
            None => {
                let since = now();
                log.set_number(SHIFT, since)?;
                since
            }
        };
        let mut stations = Vec::new();
        let mut receivers = Vec::new();
        for device in devices {
            let (commands, receiver) = mpsc::channel();
            receivers.push(receiver);
            stations.push(Station {
                state: Mutex::new(State {
                    name: device.name.clone(),
                    board: device.board.clone(),
                    link: Link::Connecting,
                    trouble: None,
                    model: None,
                    classes: Vec::new(),
                    max_classes: 0,
                    max_shots: 0,
                    voting: None,
                    undo: None,
                    reel: None,
                    drift: false,
                    recentered: false,
                    separation: None,
                    counts: Counts::new(since),
                    frame: 0,
                }),
                picture: Mutex::default(),
                commands: Mutex::new(Some(commands)),
            });
        }
        let hub = Self {
            log,
            metrics: Metrics::new(),
            logged: Notify::new(),
            stations,
            events: Mutex::new(Some(broadcast::channel(EVENTS).0)),
        };
        hub.count(since)?;
        Ok((hub, receivers))
    }

    /// Counts what was decided since the shift began.
    fn count(&self, since: u64) -> Result<(), LogError> {
        let mut from = since;
        loop {
            let piece = self.log.after(from, PIECE)?;
            let Some((last, _)) = piece.last() else {
                return Ok(());
            };
            from = last + 1;
            for (_, decision) in &piece {
                for station in &self.stations {
                    let mut state = lock(&station.state);
                    if state.name == decision.device {
                        state.counts.add(decision);
                    }
                }
            }
        }
    }

    /// Begins a shift: counters start from nothing.
    pub(super) fn begin_shift(&self) -> Result<(), LogError> {
        let since = now();
        self.log.set_number(SHIFT, since)?;
        for device in 0..self.stations.len() {
            self.change(device, |state| state.counts = Counts::new(since));
        }
        Ok(())
    }

    /// When the shift began, in microseconds since 1970.
    pub(super) fn shift(&self) -> u64 {
        let first = self.stations.first();
        first.map_or(0, |station| lock(&station.state).counts.since)
    }

    /// What a page is told first: all devices, and the last decisions of each.
    pub(super) fn hello(&self) -> Result<String, LogError> {
        let mut devices = Vec::new();
        for station in &self.stations {
            let state = lock(&station.state).clone();
            let decisions: Vec<_> = self
                .log
                .newest(&state.name, state.counts.since, HISTORY)?
                .into_iter()
                .map(|(id, decision)| json!({ "id": id, "decision": decision }))
                .collect();
            devices.push(json!({ "state": state, "history": decisions }));
        }
        Ok(json!({ "type": "hello", "devices": devices }).to_string())
    }

    /// Events from now on; none when the server is ending.
    pub(super) fn events(&self) -> Option<broadcast::Receiver<Arc<str>>> {
        lock(&self.events)
            .as_ref()
            .map(broadcast::Sender::subscribe)
    }

    /// The live picture of a device, as JPEG; none if there is no such device.
    pub(super) fn picture(&self, device: usize) -> Option<Arc<Vec<u8>>> {
        let station = self.stations.get(device)?;
        Some(Arc::clone(&lock(&station.picture)))
    }

    /// Whether there is such a device.
    pub(super) fn has(&self, device: usize) -> bool {
        device < self.stations.len()
    }

    /// Has a device's worker do something, and gives where it will say what came of it.
    pub(super) fn ask(
        &self,
        device: usize,
        wish: Wish,
    ) -> Option<oneshot::Receiver<Result<Option<u8>, Trouble>>> {
        let (answer, answered) = oneshot::channel();
        let station = self.stations.get(device)?;
        let sent = lock(&station.commands)
            .as_ref()?
            .send(Command { wish, answer });
        sent.is_ok().then_some(answered)
    }

    /// Changes what pages show of a device, and tells them.
    pub(super) fn change(&self, device: usize, change: impl FnOnce(&mut State)) {
        self.update(device, |state| {
            change(state);
            true
        });
    }

    /// As [`change`](Self::change); `change` says whether there is anything new to tell.
    pub(super) fn update(&self, device: usize, change: impl FnOnce(&mut State) -> bool) {
        let Some(station) = self.stations.get(device) else {
            return;
        };
        let mut state = lock(&station.state);
        if change(&mut state) {
            self.tell(&json!({ "type": "state", "device": device, "state": *state }));
        }
    }

    /// Shows pages a frame of a device.
    pub(super) fn show(&self, device: usize, picture: Vec<u8>) {
        if let Some(station) = self.stations.get(device) {
            *lock(&station.picture) = Arc::new(picture);
            let mut state = lock(&station.state);
            state.frame += 1;
            self.metrics.frame(&state.name);
            self.tell(&json!({ "type": "frame", "device": device, "frame": state.frame }));
        }
    }

    /// Enters a decision in the log, counts it, and tells everybody.
    pub(super) fn decide(
        &self,
        device: usize,
        decision: &Decision,
        picture: &[u8],
    ) -> Result<(), LogError> {
        let id = self.log.append(decision, picture)?;
        self.metrics.decision(decision);
        if let Some(station) = self.stations.get(device) {
            let mut state = lock(&station.state);
            state.counts.add(decision);
            self.tell(&json!({
                "type": "decision",
                "device": device,
                "id": id,
                "decision": decision,
                "counts": state.counts,
            }));
        }
        self.logged.notify_one();
        Ok(())
    }

    /// Ends workers and the events of pages.
    pub(super) fn close(&self) {
        *lock(&self.events) = None;
        for station in &self.stations {
            *lock(&station.commands) = None;
        }
    }

    fn tell(&self, event: &serde_json::Value) {
        if let Some(events) = lock(&self.events).as_ref() {
            // Nobody may be watching.
            let _ = events.send(event.to_string().into());
        }
    }
}

/// What a worker that panicked left is still whole: it is only ever replaced.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
