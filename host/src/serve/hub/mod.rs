//! What workers, pages and the broker share.

mod ask;
mod count;
mod decide;
mod shift;
mod station;

use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::sync::{Notify, broadcast};

use super::access::Limit;
use super::metrics::Metrics;
use super::state::{self, Link, State};
use super::{Call, DeviceOptions, Log, LogError};
use crate::data::Raster;
use crate::device::Heatmap;
use shift::Shift;
pub(super) use station::Queued;
use station::{LogState, Pushed, Station, lock};

/// Events that a slow page may lag behind.
const EVENTS: usize = 256;
/// Commands that wait for a worker.
const COMMANDS: usize = 16;
/// A browser's camera that gave nothing for so long is gone.
const PUSHED: Duration = Duration::from_secs(3);
/// How long what comes again is noted no second time.
const REPEATED: Duration = Duration::from_secs(60);

pub(super) struct Hub {
    pub(super) log: Log,
    pub(super) metrics: Metrics,
    /// Notified when there is something new in the log, for each of two that publish.
    pub(super) logged: Notify,
    pub(super) decided: Notify,
    shift: Mutex<Shift>,
    log_state: Mutex<LogState>,
    stations: Vec<Station>,
    events: Mutex<Option<broadcast::Sender<Arc<str>>>>,
    /// What is noted once where it comes again and again.
    repeated: Limit<String>,
}

impl Hub {
    /// A hub, and where each device's worker gets its commands from.
    pub(super) fn new(
        log: Log,
        devices: &[DeviceOptions],
    ) -> Result<(Self, Vec<Receiver<Queued>>), LogError> {
        let shift = Shift::of(&log)?;
        let mut stations = Vec::new();
        let mut receivers = Vec::new();
        for device in devices {
            let (commands, receiver) = mpsc::sync_channel(COMMANDS);
            receivers.push(receiver);
            stations.push(Station::new(device, shift.since, commands));
        }
        let hub = Self {
            log,
            metrics: Metrics::new(),
            logged: Notify::new(),
            decided: Notify::new(),
            shift: Mutex::new(shift),
            log_state: Mutex::default(),
            stations,
            events: Mutex::new(Some(broadcast::channel(EVENTS).0)),
            repeated: Limit::new(1, REPEATED),
        };
        for device in devices {
            hub.metrics.up(&device.name, false);
        }
        hub.metrics.log(true, (0, 0));
        hub.count(shift.first)?;
        Ok((hub, receivers))
    }

    /// What a page is told first: all devices, and the last decisions of each.
    pub(super) fn hello(&self) -> String {
        let devices: Vec<_> = self
            .stations
            .iter()
            .map(|station| {
                let state = lock(&station.state).shown();
                json!({ "state": state, "history": *lock(&station.history) })
            })
            .collect();
        let log = lock(&self.log_state).clone();
        json!({ "type": "hello", "devices": devices, "log": log }).to_string()
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

    /// A device sees this frame.
    pub(super) fn sees(&self, device: usize, frame: &Raster) {
        if let Some(station) = self.stations.get(device) {
            *lock(&station.frame) = Some(Arc::new(frame.clone()));
        }
    }

    /// The frame that a device saw last.
    pub(super) fn frame(&self, device: usize) -> Option<Arc<Raster>> {
        lock(&self.stations.get(device)?.frame).clone()
    }

    /// A browser's camera sees this.
    pub(super) fn push(&self, device: usize, frame: Raster) {
        if let Some(station) = self.stations.get(device) {
            let mut pushed = lock(&station.pushed);
            let number = pushed.as_ref().map_or(0, |pushed| pushed.number + 1);
            *pushed = Some(Pushed {
                frame: Arc::new(frame),
                number,
                at: Instant::now(),
            });
        }
    }

    /// What a browser's camera sees, if one gives its pictures to this device.
    pub(super) fn pushed(&self, device: usize) -> Option<Pushed> {
        let station = self.stations.get(device)?;
        lock(&station.pushed)
            .clone()
            .filter(|pushed| pushed.at.elapsed() < PUSHED)
    }

    /// How many devices there are.
    pub(super) fn devices(&self) -> usize {
        self.stations.len()
    }

    /// What a PLC is told of a device.
    pub(super) fn plc(&self, device: usize) -> Option<state::Plc> {
        let station = self.stations.get(device)?;
        let up = {
            let state = lock(&station.state);
            state.link == Link::Up && state.stalled.is_none()
        };
        let tally = lock(&station.tally);
        let sum = |calls: &[Call]| calls.iter().map(|call| tally.of(*call)).sum();
        Some(state::Plc {
            up,
            parts: tally.parts,
            ok: sum(&[Call::Class, Call::Good]),
            ng: sum(&[Call::Defect, Call::Flawed, Call::Unknown, Call::Unclear]),
            last: lock(&station.said).clone(),
        })
    }

    /// What a broker is told of a device.
    pub(super) fn seen(&self, device: usize) -> state::Seen {
        let Some(station) = self.stations.get(device) else {
            return state::Seen::default();
        };
        let plc = self.plc(device).unwrap_or_default();
        let state = lock(&station.state);
        state::Seen {
            name: state.name.clone(),
            up: plc.up,
            board: state.board.clone(),
            firmware: state.firmware.clone(),
            model: state.model.clone().unwrap_or_default(),
            hash: state
                .model_id
                .map(|id| format!("{id:016x}"))
                .unwrap_or_default(),
            classes: state.classes.iter().filter(|class| class.usable).count(),
            parts: plc.parts,
            ok: plc.ok,
            ng: plc.ng,
            unknown: lock(&station.tally).of(Call::Unknown),
            frames: state.counts.frames,
        }
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
            let state = state.shown();
            self.metrics.up(&state.name, state.link == Link::Up);
            self.tell(&json!({ "type": "state", "device": device, "state": state }));
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

    /// What the model of a device saw last, and where that is flawed.
    pub(super) fn heat(&self, device: usize) -> Option<Arc<(Raster, Heatmap)>> {
        lock(&self.stations.get(device)?.heat).clone()
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
