//! What workers, pages and the broker share.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::{Value, json};
use sudal_firmware::decision::Rate;
use sudal_firmware::heads::Role;
use tokio::sync::{Notify, broadcast, oneshot};

use super::audit::Note;
use super::heartbeat::{Activity, Heartbeat, Stalled};
use super::metrics::Metrics;
use super::parts::Seen;
use super::shift::Part;
use super::state::{self, Counts, Link, State};
use super::tally::{Tally, fails};
use super::watch_error::{ErrorBody, WatchError};
use super::{Belongs, Call, Decision, DeviceOptions, Log, LogError};
use crate::data::Gray;
use crate::device::{Backup, Heatmap};

/// Events that a slow page may lag behind.
const EVENTS: usize = 256;
/// Decisions of each device that a new page is told of.
const HISTORY: usize = 48;
/// Decisions that are read from the log at once.
const PIECE: usize = 4096;
/// Wishes that wait for a worker.
const COMMANDS: usize = 16;
/// Names of the numbers in the log that tell which is the first decision of the shift, and when it
/// began. Where ids were times one number was both.
const SHIFT: &str = "shift";
const SHIFT_TIME: &str = "shift time";
/// What comes before a device's name in those that tell which model it ran, and which decision was the
/// first with it, and when.
const MODEL: &str = "model of ";
const COUNT: &str = "count of ";
const COUNT_TIME: &str = "count time of ";

/// What a page wants of a device.
#[derive(Debug)]
pub(super) enum Command {
    /// Take a frame and add it to a class, a new one of which stands for this. Frames of one hold are
    /// undone at once.
    Enroll { name: String, hold: u64, role: Role },
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
    /// Learn the frame in view, or that of a decision, as one of a good part.
    Good { picture: Option<u64> },
    /// Learn it as one of a bad part.
    Bad { picture: Option<u64> },
    /// Watch n frames of good parts.
    Commission { frames: u32 },
    /// Keep what was watched.
    KeepCommission,
    /// Forget what was watched.
    DiscardCommission,
    /// Forget all that good and bad frames taught.
    Forget,
    /// Keep showing the class that the camera is shown, or continue.
    Stay { stay: bool },
    /// Show the next class.
    Skip,
    /// A part is in view now.
    Trigger,
    /// Teach what the picture of a decision shows: its verdict was wrong.
    Correct {
        picture: u64,
        name: String,
        role: Role,
    },
    /// Teach a picture that was brought along.
    Import {
        frame: Gray,
        name: String,
        role: Role,
        hold: u64,
    },
    /// Tell a class's shots.
    Gallery { id: u8 },
    /// Take a shot out of a class.
    RemoveShot { id: u8, key: String },
    /// How many pictures of known classes may be called unknown.
    Rate { parts: u16 },
    /// Run another model, or know what a backup holds.
    Install(Box<Install>),
}

impl Command {
    /// Under which name it is noted that this was done, and of which picture; none of what changes
    /// nothing that was taught.
    pub(super) fn note(&self) -> Option<(&'static str, Option<u64>)> {
        Some(match self {
            Self::Enroll { .. } => ("enroll", None),
            Self::EnrollAnyway { .. } => ("enroll-anyway", None),
            Self::Undo => ("undo", None),
            Self::Rename { .. } => ("rename", None),
            Self::Remove { .. } => ("remove", None),
            Self::Role { .. } => ("role", None),
            Self::Recenter => ("recenter", None),
            Self::Uncenter => ("uncenter", None),
            Self::Good { picture } => ("good", *picture),
            Self::Bad { picture } => ("bad", *picture),
            Self::KeepCommission => ("keep-commission", None),
            Self::Forget => ("forget", None),
            Self::Correct { picture, .. } => ("correct", Some(*picture)),
            Self::Import { .. } => ("import", None),
            Self::RemoveShot { .. } => ("remove-shot", None),
            Self::Rate { .. } => ("rate", None),
            Self::Install(_) => ("order", None),
            Self::Commission { .. }
            | Self::DiscardCommission
            | Self::Stay { .. }
            | Self::Skip
            | Self::Trigger
            | Self::Gallery { .. } => return None,
        })
    }
}

/// What a signed order has a device do.
#[derive(Debug)]
pub(super) struct Install {
    /// The model image to run; none for the one that runs.
    pub(super) image: Option<Vec<u8>>,
    /// What it is to be taught.
    pub(super) backup: Option<Backup>,
    /// Whether it is to be as it was before.
    pub(super) back: bool,
    /// Where that is kept: what it was taught before.
    pub(super) before: PathBuf,
}

/// What is said of a frame.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Said {
    pub(super) call: Call,
    /// Name of the class; empty where it is of none.
    pub(super) class: String,
}

/// What came of a command.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Answer {
    /// Shots that the class now has.
    pub(super) shots: Option<u8>,
    /// The class that it was about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) class: Option<String>,
    /// What was said of a picture before it was taught, and what is after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) before: Option<Said>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) after: Option<Said>,
    /// The shots of a class, by their keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) gallery: Option<Vec<String>>,
}

/// A frame that a browser's camera gave.
#[derive(Debug, Clone)]
pub(super) struct Pushed {
    pub(super) frame: Arc<Gray>,
    pub(super) number: u64,
    at: Instant,
}

/// A browser's camera that gave nothing for so long is gone.
const PUSHED: Duration = Duration::from_secs(3);

/// A command, and where to say what came of it.
pub(super) struct Queued {
    pub(super) command: Command,
    pub(super) answer: oneshot::Sender<Result<Answer, WatchError>>,
}

struct Station {
    state: Mutex<State>,
    /// Written by the worker, judged by [`Hub::judge`].
    heartbeat: Mutex<Heartbeat>,
    /// The newest decisions of the shift, the newest first.
    history: Mutex<VecDeque<Value>>,
    /// The parts of the shift, or since another model was put on the device.
    tally: Mutex<Tally>,
    picture: Mutex<Arc<Vec<u8>>>,
    /// What the model saw last, and where it is flawed.
    heat: Mutex<Option<Arc<(Gray, Heatmap)>>>,
    commands: Mutex<Option<SyncSender<Queued>>>,
    pushed: Mutex<Option<Pushed>>,
    /// What was last said of a part.
    said: Mutex<Option<state::Said>>,
}

impl Station {
    fn remember(&self, decision: Value) {
        let mut history = lock(&self.history);
        history.push_front(decision);
        history.truncate(HISTORY);
    }
}

/// Which decisions are of the shift.
#[derive(Debug, Clone, Copy)]
struct Shift {
    first: u64,
    /// When it began, in microseconds since 1970.
    since: u64,
}

/// What pages are told of the log.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
struct LogState {
    /// Why it can't be written.
    #[serde(rename = "trouble")]
    error: Option<ErrorBody>,
    /// Decisions that wait in memory.
    waiting: usize,
    /// Decisions for which there was no room there.
    lost: u64,
}

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
}

impl Hub {
    /// A hub, and where each device's worker gets its commands from.
    pub(super) fn new(
        log: Log,
        devices: &[DeviceOptions],
    ) -> Result<(Self, Vec<Receiver<Queued>>), LogError> {
        let shift = match log.number(SHIFT)? {
            Some(first) => Shift {
                first,
                since: log.number(SHIFT_TIME)?.unwrap_or(first),
            },
            None => begun(&log)?,
        };
        let mut stations = Vec::new();
        let mut receivers = Vec::new();
        for device in devices {
            let (commands, receiver) = mpsc::sync_channel(COMMANDS);
            receivers.push(receiver);
            stations.push(Station {
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
                    inspects: false,
                    inspection: None,
                    drift: false,
                    recentered: false,
                    separation: None,
                    counts: Counts::new(shift.since, &Tally::default()),
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
                heat: Mutex::default(),
                commands: Mutex::new(Some(commands)),
                pushed: Mutex::default(),
                said: Mutex::default(),
            });
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
        };
        for device in devices {
            hub.metrics.up(&device.name, false);
        }
        hub.metrics.log(true, (0, 0));
        hub.count(shift.first)?;
        Ok((hub, receivers))
    }

    /// Counts what was decided since the shift began.
    fn count(&self, first: u64) -> Result<(), LogError> {
        let names: Vec<_> = self.names();
        let mut begins = Vec::new();
        for name in &names {
            begins.push(self.counted_from(name, self.shift_now())?);
        }
        let mut from = first;
        loop {
            let piece = self.log.after(from, PIECE)?;
            let Some((last, _)) = piece.last() else {
                break;
            };
            from = last + 1;
            for (id, decision) in &piece {
                let mine = names.iter().position(|name| *name == decision.device);
                let Some(device) = mine.filter(|&device| *id >= begins[device].first) else {
                    continue;
                };
                lock(&self.stations[device].tally).add(*id, decision);
                self.stations[device].remember(json!({ "id": id, "decision": decision }));
            }
        }
        for (station, begin) in self.stations.iter().zip(begins) {
            let counts = Counts::new(begin.since, &lock(&station.tally));
            lock(&station.state).counts = counts;
        }
        Ok(())
    }

    fn names(&self) -> Vec<String> {
        let stations = self.stations.iter();
        stations
            .map(|station| lock(&station.state).name.clone())
            .collect()
    }

    fn shift_now(&self) -> Shift {
        *lock(&self.shift)
    }

    /// From where on the parts of a device count: the shift's beginning, or that of its model.
    fn counted_from(&self, name: &str, shift: Shift) -> Result<Shift, LogError> {
        let first = self.log.number(&format!("{COUNT}{name}"))?;
        let since = self.log.number(&format!("{COUNT_TIME}{name}"))?;
        Ok(match first.zip(since) {
            Some((first, since)) if first > shift.first => Shift { first, since },
            _ => shift,
        })
    }

    /// A device runs this model. Where it ran another one before, its parts are counted again.
    pub(super) fn runs(&self, device: usize, model: u64) -> Result<(), LogError> {
        let Some(station) = self.stations.get(device) else {
            return Ok(());
        };
        let name = lock(&station.state).name.clone();
        let key = format!("{MODEL}{name}");
        let before = self.log.number(&key)?;
        if before == Some(model) {
            return Ok(());
        }
        let mut numbers = vec![(key, model)];
        let begin = Shift {
            first: self.log.last() + 1,
            since: self.log.now().wall,
        };
        if before.is_some() {
            numbers.push((format!("{COUNT}{name}"), begin.first));
            numbers.push((format!("{COUNT_TIME}{name}"), begin.since));
        }
        let numbers: Vec<_> = numbers.iter().map(|(key, n)| (&**key, *n)).collect();
        self.log.set_numbers(&numbers)?;
        if before.is_some() {
            self.recount(device, begin);
        }
        Ok(())
    }

    /// Counts a device's parts from now on.
    fn recount(&self, device: usize, begin: Shift) {
        if let Some(station) = self.stations.get(device) {
            lock(&station.history).clear();
            *lock(&station.tally) = Tally::default();
            self.change(device, |state| {
                state.counts = Counts::new(begin.since, &Tally::default());
            });
        }
    }

    /// Begins a shift: counters start from nothing.
    pub(super) fn begin_shift(&self) -> Result<(), LogError> {
        let shift = begun(&self.log)?;
        *lock(&self.shift) = shift;
        for device in 0..self.stations.len() {
            self.recount(device, shift);
        }
        Ok(())
    }

    /// When the shift began, in microseconds since 1970.
    pub(super) fn shift_time(&self) -> u64 {
        lock(&self.shift).since
    }

    /// The part of the log between two times, in microseconds since 1970; of the shift if there is
    /// no first one.
    pub(super) fn part(&self, from: Option<u64>, to: Option<u64>) -> Part {
        let first = match from {
            Some(_) => 0,
            None => lock(&self.shift).first,
        };
        Part { first, from, to }
    }

    /// The first decision with the present model of each device for which that is later than the
    /// shift's first.
    pub(super) fn later(&self) -> Result<BTreeMap<String, u64>, LogError> {
        let shift = self.shift_now();
        let names = self.names().into_iter();
        names
            .map(|name| Ok((name.clone(), self.counted_from(&name, shift)?.first)))
            .collect()
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

    /// A browser's camera sees this.
    pub(super) fn push(&self, device: usize, frame: Gray) {
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

    /// Notes what was done to a device, and who says that they did it.
    pub(super) fn note(
        &self,
        device: usize,
        who: String,
        (what, picture): (&str, Option<u64>),
        answer: &Answer,
    ) {
        let Some(station) = self.stations.get(device) else {
            return;
        };
        let note = Note {
            time: self.log.now().wall,
            who,
            device: lock(&station.state).name.clone(),
            what: what.to_owned(),
            class: answer.class.clone().unwrap_or_default(),
            picture,
            shots: answer.shots,
        };
        if let Err(error) = self.log.note(&note) {
            eprintln!(
                "{}: {what} was done and could not be noted: {error}",
                note.device
            );
        }
    }

    /// How many of the shift's parts there are that a limit was known for, and how many of them would
    /// be unknown at another rate.
    pub(super) fn what_if(&self, device: usize, rate: Rate) -> Option<(usize, usize)> {
        let station = self.stations.get(device)?;
        let now = Rate::new(lock(&station.state).rate).unwrap_or_default();
        Some(lock(&station.tally).unknown_at(now, rate))
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

    /// Whether there is such a device.
    pub(super) fn has(&self, device: usize) -> bool {
        device < self.stations.len()
    }

    /// Has a device's worker do something, and gives where it will say what came of it.
    pub(super) fn ask(
        &self,
        device: usize,
        command: Command,
    ) -> Result<oneshot::Receiver<Result<Answer, WatchError>>, WatchError> {
        let (answer, answered) = oneshot::channel();
        let station = self.stations.get(device).ok_or(WatchError::Away)?;
        if let Some(stalled) = self.stalled(device) {
            return Err(stalled.into());
        }
        let commands = lock(&station.commands);
        let commands = commands.as_ref().ok_or(WatchError::Ending)?;
        match commands.try_send(Queued { command, answer }) {
            Ok(()) => Ok(answered),
            Err(TrySendError::Full(_)) => Err(WatchError::Busy),
            Err(TrySendError::Disconnected(_)) => Err(WatchError::Away),
        }
    }

    /// Whether a device's worker was not heard of for too long.
    pub(super) fn stalled(&self, device: usize) -> Option<Stalled> {
        lock(&self.stations.get(device)?.state).stalled
    }

    /// A worker is alive, and about to do this.
    pub(super) fn beat(&self, device: usize, activity: Activity) {
        if let Some(station) = self.stations.get(device) {
            *lock(&station.heartbeat) = Heartbeat::new(Instant::now(), activity);
        }
    }

    /// Tells which workers were not heard of for too long: they can't tell it themselves.
    pub(super) fn judge(&self) {
        for (device, station) in self.stations.iter().enumerate() {
            let stalled = lock(&station.heartbeat).stalled(Instant::now());
            self.update(device, |state| {
                if state.stalled == stalled {
                    return false;
                }
                match stalled {
                    Some(stalled) => {
                        self.metrics.error(&state.name);
                        eprintln!("{}: {stalled}", state.name);
                    }
                    None => eprintln!("{}: heard of again", state.name),
                }
                state.stalled = stalled;
                true
            });
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
    pub(super) fn heat(&self, device: usize) -> Option<Arc<(Gray, Heatmap)>> {
        lock(&self.stations.get(device)?.heat).clone()
    }

    /// Enters a decision in the log, counts it, and tells everybody, with whether it is on the disk. With
    /// what the model saw, where it is inspected. The decision's number.
    pub(super) fn decide(
        &self,
        device: usize,
        decision: Decision,
        part: Seen,
        picture: &[u8],
        seen: Option<(Gray, Heatmap)>,
    ) -> u64 {
        let heat = seen
            .as_ref()
            .map(|(_, heat)| super::picture::heat_bytes(heat));
        if let Some(station) = self.stations.get(device) {
            *lock(&station.heat) = seen.map(Arc::new);
        }
        let heat = heat.unwrap_or_default();
        let begun = self.stations.get(device);
        let begun = begun.and_then(|station| lock(&station.tally).last());
        let decision = &Decision {
            part: match (part, begun) {
                (Seen::Nothing, _) => Belongs::Aside,
                (Seen::Same, Some(begun)) => Belongs::To(begun),
                _ => Belongs::Begins,
            },
            ..decision
        };
        let (id, logged) = self.log.append_with(decision, picture, &heat);
        self.metrics.decision(decision);
        if let Some(station) = self.stations.get(device) {
            let mut state = lock(&station.state);
            if decision.part != Belongs::Aside {
                let (verdict, class) = match decision.shown() {
                    None => (0, ""),
                    Some((Call::Unknown, _)) => (3, ""),
                    Some((Call::Unclear, _)) => (4, ""),
                    Some((call, class)) => (if fails(call) { 2 } else { 1 }, class),
                };
                let taught = state.classes.iter().find(|taught| taught.name == class);
                *lock(&station.said) = Some(state::Said {
                    verdict,
                    class: class.to_owned(),
                    class_id: taught.map(|taught| taught.id),
                    novelty: decision.novelty,
                    threshold: decision.threshold,
                });
            }
            let mut tally = lock(&station.tally);
            tally.add(id, decision);
            state.counts = Counts::new(state.counts.since, &tally);
            drop(tally);
            station.remember(json!({ "id": id, "decision": decision }));
            self.tell(&json!({
                "type": "decision",
                "device": device,
                "id": id,
                "decision": decision,
                "logged": logged.is_ok(),
                "counts": state.counts,
            }));
        }
        self.tell_of_log(logged.err());
        self.logged.notify_one();
        self.decided.notify_one();
        id
    }

    /// Tries once more to write the decisions that wait in memory, if any do.
    pub(super) fn mend_log(&self) {
        if self.log.waiting().0 > 0 {
            self.tell_of_log(self.log.flush().err());
        }
    }

    fn tell_of_log(&self, error: Option<LogError>) {
        let (waiting, lost) = self.log.waiting();
        let error = error.map(WatchError::from);
        let state = LogState {
            error: error.as_ref().map(WatchError::body),
            waiting,
            lost,
        };
        let mut before = lock(&self.log_state);
        if *before == state {
            return;
        }
        match (&before.error, &state.error) {
            (None, Some(told)) => {
                eprintln!(
                    "{}; decisions wait in memory until it can be written",
                    told.text
                );
            }
            (Some(_), None) => eprintln!("the log is written again, {lost} decisions were lost"),
            _ => {}
        }
        self.metrics.log(state.error.is_none(), (waiting, lost));
        self.tell(&json!({ "type": "log", "log": state }));
        *before = state;
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

/// Begins a shift in the log.
fn begun(log: &Log) -> Result<Shift, LogError> {
    let shift = Shift {
        first: log.last() + 1,
        since: log.now().wall,
    };
    log.set_numbers(&[(SHIFT, shift.first), (SHIFT_TIME, shift.since)])?;
    Ok(shift)
}

/// What a worker that panicked left is still whole: it is only ever replaced.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
