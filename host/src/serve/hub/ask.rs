//! Commands on their way to a worker, and whether it is heard of.

use std::net::IpAddr;
use std::sync::mpsc::TrySendError;
use std::time::Instant;

use tokio::sync::oneshot;

use super::super::audit::Note;
use super::super::command::{Answer, Command};
use super::super::heartbeat::{Activity, Heartbeat, Stalled};
use super::super::watch_error::WatchError;
use super::Hub;
use super::station::{Queued, lock};

impl Hub {
    /// Whether there is such a device.
    pub(in super::super) fn has(&self, device: usize) -> bool {
        device < self.stations.len()
    }

    /// Has a device's worker do something, and gives where it will say what came of it.
    pub(in super::super) fn ask(
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
    pub(in super::super) fn stalled(&self, device: usize) -> Option<Stalled> {
        lock(&self.stations.get(device)?.state).stalled
    }

    /// A worker is alive, and about to do this.
    pub(in super::super) fn beat(&self, device: usize, activity: Activity) {
        if let Some(station) = self.stations.get(device) {
            *lock(&station.heartbeat) = Heartbeat::new(Instant::now(), activity);
        }
    }

    /// Tells which workers were not heard of for too long: they can't tell it themselves.
    pub(in super::super) fn judge(&self) {
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

    /// Notes what was done to a device, and who says that they did it. Of triggers of one and the same the
    /// first in a minute.
    pub(in super::super) fn note(
        &self,
        device: usize,
        who: String,
        (what, picture): (&str, Option<u64>),
        answer: &Answer,
    ) {
        let Some(station) = self.stations.get(device) else {
            return;
        };
        let device = lock(&station.state).name.clone();
        if what == "trigger" && !self.is_first(format!("{what} {device} {who}")) {
            return;
        }
        self.enter(Note {
            who,
            device,
            class: answer.class.clone().unwrap_or_default(),
            picture,
            shots: answer.shots,
            ..Note::of(what)
        });
    }

    /// Notes that somebody signed in or out at a computer, or was refused there: of these the first in a
    /// minute, so that whoever tries again and again fills no log.
    pub(in super::super) fn note_session(&self, what: &str, who: &str, computer: IpAddr) {
        let computer = computer.to_canonical().to_string();
        if what == "sign-in-refused" && !self.is_first(format!("{what} {computer} {who}")) {
            return;
        }
        self.enter(Note {
            who: who.to_owned(),
            computer,
            ..Note::of(what)
        });
    }

    /// Notes that a shift ended and the next began.
    pub(in super::super) fn note_shift(&self, who: &str) {
        for what in ["end-shift", "begin-shift"] {
            self.enter(Note {
                who: who.to_owned(),
                ..Note::of(what)
            });
        }
    }

    fn is_first(&self, key: String) -> bool {
        self.repeated.take(key, Instant::now()).is_ok()
    }

    fn enter(&self, note: Note) {
        let note = Note {
            time: self.log.now().wall,
            ..note
        };
        if let Err(error) = self.log.note(&note) {
            let Note { device, what, .. } = &note;
            eprintln!("{device}: {what} was done and could not be noted: {error}");
        }
    }
}
