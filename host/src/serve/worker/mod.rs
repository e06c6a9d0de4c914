//! The thread of a device: frames, decisions, and what pages want of it.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::DeviceOptions;
use super::command::Command;
use super::decision::voting;
use super::heartbeat::Activity;
use super::hub::{Hub, Queued};
use super::panics::catch_panic;
use super::parts::Parts;
use super::state::{Link, Shown};
use super::undo_stack::UndoStack;
use super::watch_error::WatchError;

/// Before a lost device is tried again, at first and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// Longest time without a sign of life while nothing is to be done.
const BEAT: Duration = Duration::from_secs(1);
mod apply;
mod inspect;
mod install;
mod lessons;
mod live;
mod look;
mod model;
mod recent;
mod teach;

use live::LiveDevice;
use recent::{Commission, Recent, Refused};

pub(super) struct Worker {
    hub: Arc<Hub>,
    place: usize,
    options: DeviceOptions,
    undo_stack: UndoStack,
    refused: Option<Refused>,
    recent: Recent,
    /// While good parts are watched.
    commission: Option<Commission>,
    parts: Parts,
    /// The last frame of a browser's camera that was looked at.
    pushed: Option<u64>,
    /// Until when frames are of what is being taught.
    teaching: Option<Instant>,
    /// When to ask how well the classes are told apart: a while after they changed.
    review: Option<Instant>,
}

impl Worker {
    pub(super) fn new(hub: Arc<Hub>, place: usize, options: DeviceOptions) -> Self {
        let each_picture = options.source.is_of_single_pictures();
        Self {
            hub,
            place,
            options,
            undo_stack: UndoStack::default(),
            refused: None,
            recent: Recent::default(),
            commission: None,
            parts: Parts::new(each_picture),
            pushed: None,
            teaching: None,
            review: None,
        }
    }

    /// Until there is nobody left who could want something.
    pub(super) fn run(mut self, commands: &Receiver<Queued>) {
        let mut pause = FIRST_PAUSE;
        loop {
            let start = Instant::now();
            // What a panic leaves half done is the session's, which ends with it.
            let done = catch_panic(|| {
                let mut live = self.connect()?;
                self.watch(&mut live, commands)
            });
            let error = match done {
                Ok(Ok(())) => return,
                Ok(Err(error)) => error,
                Err(panic) => WatchError::Panicked(panic),
            };
            if start.elapsed() > LONGEST_PAUSE {
                pause = FIRST_PAUSE;
            }
            self.hub.metrics.error(&self.options.name);
            self.hub.change(self.place, |state| {
                state.link = Link::Lost;
                state.error = Some(error.body());
            });
            let again = Instant::now() + pause;
            pause = LONGEST_PAUSE.min(2 * pause);
            loop {
                match self.next(commands, again) {
                    // Whoever asked may be gone.
                    Ok(queued) => drop(queued.answer.send(Err(WatchError::Away))),
                    Err(RecvTimeoutError::Timeout) => break,
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            }
        }
    }

    /// The next command before `due`. Those that nobody waits for any longer are passed over: whoever
    /// taught a part would not expect it to be done when another one is in view.
    fn next(&self, commands: &Receiver<Queued>, due: Instant) -> Result<Queued, RecvTimeoutError> {
        loop {
            self.hub.beat(self.place, Activity::Wait);
            let left = due.saturating_duration_since(Instant::now());
            match commands.recv_timeout(left.min(BEAT)) {
                Ok(queued) if queued.answer.is_closed() => {}
                Err(RecvTimeoutError::Timeout) if left > BEAT => {}
                next => return next,
            }
        }
    }

    fn connect(&mut self) -> Result<LiveDevice, WatchError> {
        self.hub.beat(self.place, Activity::Connect);
        let live = LiveDevice::connect(&self.options)?;
        self.resume(&live);
        self.connected(&live);
        Ok(live)
    }

    /// Tells what a device is that was just connected.
    fn connected(&mut self, live: &LiveDevice) {
        if let Ok(model) = &live.info.model
            && let Err(error) = self.hub.runs(self.place, model.id)
        {
            // The log tells of itself.
            eprintln!("{}: {error}", self.options.name);
        }
        self.learned(live, false);
        self.hub.change(self.place, |state| {
            state.link = Link::Up;
            state.error = None;
            state.model = live.info.model.as_ref().ok().map(|m| m.name.clone());
            state.model_id = live.info.model.as_ref().ok().map(|m| m.id);
            state.firmware.clone_from(&live.info.firmware);
            state.max_classes = live.info.max_classes;
            state.max_shots = live.info.max_shots;
            state.voting = voting(live.info.decision_config.filter);
        });
        self.review = Some(Instant::now());
        self.publish(live);
    }

    /// Frame after frame, with commands in between, until the device is lost or all is over.
    fn watch(
        &mut self,
        live: &mut LiveDevice,
        commands: &Receiver<Queued>,
    ) -> Result<(), WatchError> {
        let mut due = Instant::now();
        loop {
            match self.next(commands, due) {
                Ok(queued) => {
                    self.hub.beat(self.place, Activity::Ask);
                    if matches!(queued.command, Command::Trigger) {
                        due = Instant::now();
                    }
                    let answer = self.handle(live, queued.command);
                    self.publish(live);
                    match answer {
                        Err(error) if error.is_lost() => {
                            let _ = queued.answer.send(Err(WatchError::Away));
                            return Err(error);
                        }
                        // Whoever asked may be gone.
                        answer => drop(queued.answer.send(answer)),
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
                Err(RecvTimeoutError::Timeout) => {
                    // By the clock, so that a late frame makes no later ones; but none are made up for.
                    due = Instant::now().max(due + self.options.interval);
                    let outcome = self.review(live).and_then(|()| self.look(live));
                    match &outcome {
                        Err(error) if error.is_lost() => return outcome,
                        _ => self.report(outcome.err()),
                    }
                }
            }
        }
    }

    /// Says what is wrong, or that nothing is any longer.
    fn report(&self, error: Option<WatchError>) {
        if error.is_some() {
            self.hub.metrics.error(&self.options.name);
        }
        let told = error.map(|error| error.body());
        self.hub.update(self.place, |state| {
            let news = state.error != told;
            state.error = told;
            news
        });
    }

    /// Asks how well the classes are told apart, once they have not changed for a while.
    fn review(&mut self, live: &mut LiveDevice) -> Result<(), WatchError> {
        let due = self.review.take_if(|due| *due <= Instant::now());
        if due.is_some() {
            self.hub.beat(self.place, Activity::Ask);
            let separation = live.client.separation()?;
            self.hub
                .change(self.place, |state| state.separation = Some(separation));
        }
        Ok(())
    }

    /// Tells pages what the device was taught and is shown.
    fn publish(&mut self, live: &LiveDevice) {
        let inspection = self.inspected(live);
        let pushed = self.pushed.is_some();
        let playback = self
            .options
            .source
            .playback()
            .filter(|_| !pushed)
            .map(|playback| Shown {
                class: playback.class().to_owned(),
                stay: playback.stays(),
            });
        self.hub.change(self.place, |state| {
            state.classes.clone_from(&live.classes);
            state.undo = self.undo_stack.last();
            state.inspection = inspection;
            state.recentered = live.info.decision_config.recentered;
            state.teaching = self.teaching.is_some();
            state.region = live.region_in_parts();
            state.alignment = live.info.decision_config.alignment.into();
            state.rate = live.info.decision_config.rate.parts();
            state.pushed = self.pushed.is_some();
            state.playback = playback;
        });
    }
}
