//! The thread of a device: frames, decisions, and what pages want of it.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use sudal_firmware::decision::{Basis, Outlier};
use sudal_firmware::heads::Role;

use super::decision::voting;
use super::heartbeat::Activity;
use super::hub::{Answer, Command, Hub, Queued};
use super::panics::catch_panic;
use super::parts::{Parts, Seen};
use super::state::{ClassState, Link, Shown};
use super::undo_stack::{Lesson, UndoStack};
use super::watch_error::WatchError;
use super::{Belongs, Call, Decision, DeviceOptions, FrameSource, Measure, Vote, picture};
use crate::data::Gray;
use crate::device::{
    self, Board, Client, ClientError, DeviceError, Head, Hold, Info, InspectionInfo, Judgement,
    Link as Line, LockState, Purpose, RetryPolicy,
};
use crate::report;

/// Before a lost device is tried again, at first and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// Longest time without a sign of life while nothing is to be done.
const BEAT: Duration = Duration::from_secs(1);
/// How long classes have to be left alone before it is asked how well they are told apart.
const QUIET: Duration = Duration::from_secs(1);
/// What a device sees so long after a lesson is still what it was taught.
const LESSON: Duration = Duration::from_millis(1500);
/// A device that was silent for so long is lost.
const RETRY: RetryPolicy = RetryPolicy {
    each: Duration::from_secs(2),
    attempts: 3,
};

mod inspect;
mod lessons;
mod recent;

use recent::{Commission, Recent};

type Device = Client<Box<dyn Line>>;

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

/// A frame that does not fit the class that it was to join. It is kept, so that nothing else is
/// enrolled where an operator wants it all the same.
struct Refused {
    hold: u64,
    name: String,
    role: Role,
    /// None where the device takes its own.
    frame: Option<Gray>,
}

/// A device that answers.
struct LiveDevice {
    /// Switched off with the session where it is this process's.
    _board: Box<dyn Board>,
    /// Others can't use the board as long as it is watched.
    _hold: Hold,
    client: Device,
    info: Info,
    classes: Vec<ClassState>,
    /// What it knows of good parts.
    known: Option<InspectionInfo>,
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
        let DeviceOptions {
            board, dir, port, ..
        } = &self.options;
        let mut board = device::open_at(board, dir, port.as_deref())?;
        // What is in use by another program is tried again.
        let hold = board.hold(Purpose::Service, &mut |_| ())?;
        let mut client = board.connect()?;
        client.set_retry_policy(RETRY);
        let info = client.info()?;
        let mut live = LiveDevice {
            _board: board,
            _hold: hold,
            client,
            info,
            classes: Vec::new(),
            known: None,
        };
        live.list()?;
        live.know()?;
        self.resume(&live);
        if let Ok(model) = &live.info.model
            && let Err(error) = self.hub.runs(self.place, model.id)
        {
            // The log tells of itself.
            eprintln!("{}: {error}", self.options.name);
        }
        self.hub.change(self.place, |state| {
            state.link = Link::Up;
            state.error = None;
            state.model = live.info.model.as_ref().ok().map(|m| m.name.clone());
            state.max_classes = live.info.max_classes;
            state.max_shots = live.info.max_shots;
            state.voting = voting(live.info.decision_config.filter);
        });
        self.review = Some(Instant::now());
        self.publish(&live);
        Ok(live)
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
                    due = Instant::now() + self.options.interval;
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

    /// Asks about a frame.
    fn look(&mut self, live: &mut LiveDevice) -> Result<(), WatchError> {
        let source = &mut self.options.source;
        let class = |source: &mut FrameSource| {
            source
                .playback()
                .map(|playback| playback.class().to_owned())
        };
        let before = class(source);
        self.hub.beat(self.place, Activity::Picture);
        let pushed = self.hub.pushed(self.place);
        let number = pushed.as_ref().map(|pushed| pushed.number);
        let news = self.pushed.is_some() != number.is_some();
        if number.is_some() && self.pushed == number {
            // Its next picture is still to come.
            return Ok(());
        }
        self.pushed = number;
        let frame = match pushed {
            Some(pushed) => Ok(Some(Gray::clone(&pushed.frame))),
            None => source.advance(),
        };
        if news || before != class(&mut self.options.source) {
            self.publish(live);
        }
        let frame = frame?;
        self.hub.beat(self.place, Activity::Ask);
        let start = Instant::now();
        let frame = live.take(frame)?;
        self.show(live, &frame);
        let judgement = match live.client.judge() {
            Ok(judgement) => judgement,
            // The page says so.
            Err(ClientError::Device(DeviceError::NothingEnrolled)) => {
                self.hub.update(self.place, |state| {
                    std::mem::replace(&mut state.inspects, false)
                });
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        let micros = u32::try_from(start.elapsed().as_micros()).unwrap_or(u32::MAX);
        let (anomaly, drift) = match &judgement {
            Judgement::Class(verdict) => (verdict.anomaly, verdict.decision.drift.warning),
            Judgement::Inspection(anomaly) => (Some(*anomaly), false),
        };
        self.teaching = self.teaching.filter(|until| Instant::now() < *until);
        let teaching = self.teaching.is_some();
        self.hub.update(self.place, |state| {
            let before = (state.drift, state.inspects, state.teaching);
            let now = (drift, anomaly.is_some(), teaching);
            (state.drift, state.inspects, state.teaching) = now;
            before != now
        });
        let mut seen = None;
        let mut flawed_percent = None;
        if let Some(anomaly) = anomaly {
            let heat = live.client.heatmap(&anomaly)?;
            let capacity = live.info.frame_capacity as usize;
            if let Some(view) = device::seen(&frame, capacity, &live.info) {
                if !anomaly.is_good() {
                    let size = [heat.height, heat.width];
                    flawed_percent = Some(report::flawed_percent(&view, size, &heat.values));
                    self.hub
                        .show(self.place, picture::heated(&view, &heat, picture::LIVE));
                }
                seen = Some((view, heat));
            }
        }
        let small = picture::small(seen.as_ref().map_or(&frame, |(view, _)| view));
        let time = self.hub.log.now().wall;
        let decision = Decision {
            flawed_percent,
            ..live.decision(&self.options.name, judgement, micros, time)
        };
        let part = if teaching {
            self.parts.forget();
            Seen::Nothing
        } else {
            self.parts.see(&frame, decision.shown())
        };
        self.hub.beat(self.place, Activity::Log);
        let id = self.hub.decide(self.place, decision, part, &small, seen);
        let capacity = live.info.frame_capacity as usize;
        self.recent.push(id, &frame, capacity);
        self.watch_good(live)
    }

    /// The next picture of what is in view; none where the device takes its own.
    fn same(&mut self) -> Result<Option<Gray>, WatchError> {
        match self.hub.pushed(self.place) {
            Some(pushed) => Ok(Some(Gray::clone(&pushed.frame))),
            None => self.options.source.same(),
        }
    }

    /// Shows pages a frame, and what of it is looked at.
    fn show(&self, live: &LiveDevice, frame: &Gray) {
        let part = picture::looked_at(frame, &live.info);
        self.hub.update(self.place, |state| {
            std::mem::replace(&mut state.cropped, part.is_some()) != part.is_some()
        });
        self.hub.show(self.place, picture::live(frame, part));
    }

    fn handle(&mut self, live: &mut LiveDevice, command: Command) -> Result<Answer, WatchError> {
        match (command, self.options.source.playback()) {
            (Command::Stay { stay }, Some(playback)) => playback.set_stay(stay),
            (Command::Skip, Some(playback)) => playback.skip(),
            (Command::Trigger, _) => self.parts.trigger(live.info.decision_config.filter.window),
            (Command::Stay { .. } | Command::Skip, None) => {}
            (Command::Gallery { id }, _) => return self.gallery(live, id),
            (command, _) => {
                self.unlock(live)?;
                let done = self.apply(live, command);
                self.review = Some(Instant::now() + QUIET);
                let listed = live.list().and_then(|()| live.know());
                let locked = self.lock(live);
                let done = done?;
                listed?;
                locked?;
                return Ok(done);
            }
        }
        Ok(Answer::default())
    }

    /// Changes what the device was taught.
    fn apply(&mut self, live: &mut LiveDevice, command: Command) -> Result<Answer, WatchError> {
        if !matches!(
            command,
            Command::Enroll { .. } | Command::EnrollAnyway { .. }
        ) {
            // Its class may be another one now, or gone.
            self.refused = None;
        }
        let mut class = match &command {
            Command::Remove { id } | Command::Role { id, .. } => Some(live.name(*id)),
            Command::Undo => self.undo_stack.last().map(|undo| undo.name),
            _ => None,
        };
        let client = &mut live.client;
        match command {
            Command::Good { .. }
            | Command::Bad { .. }
            | Command::Commission { .. }
            | Command::KeepCommission
            | Command::DiscardCommission
            | Command::Forget => {
                self.inspection(live, command)?;
                return Ok(Answer::default());
            }
            Command::Correct {
                picture,
                name,
                role,
            } => return self.correct(live, picture, (&name, role)),
            Command::Import {
                frame,
                name,
                role,
                hold,
            } => {
                let lesson = Lesson {
                    name: &name,
                    role,
                    hold: Some(hold),
                    fit: true,
                };
                return self.import(live, frame, lesson);
            }
            Command::RemoveShot { id, key } => return self.remove_shot(live, id, &key),
            Command::Enroll { name, hold, role } => {
                self.teaching = Some(Instant::now() + LESSON);
                self.hub.beat(self.place, Activity::Picture);
                let given = self.same()?;
                self.hub.beat(self.place, Activity::Ask);
                let takes_its_own = given.is_none();
                let frame = live.take(given)?;
                self.show(live, &frame);
                let lesson = Lesson {
                    name: &name,
                    role,
                    hold: Some(hold),
                    fit: true,
                };
                let mut enrolled = self.undo_stack.enroll(&mut live.client, lesson);
                let far = matches!(
                    enrolled.as_ref().err().and_then(WatchError::outlier),
                    Some(Outlier::Far { .. })
                );
                // The shots alone say too little of what else is of a class.
                if far && live.info.decision_config.basis != Basis::Calibration {
                    let lesson = Lesson {
                        fit: false,
                        ..lesson
                    };
                    enrolled = self.undo_stack.enroll(&mut live.client, lesson);
                }
                let outlier = match enrolled {
                    Ok(shots) => return self.taught(live, name, &frame, shots),
                    Err(error) => match error.outlier() {
                        // Nothing that one would want all the same.
                        None | Some(Outlier::Repeats) => return Err(error),
                        Some(outlier) => (outlier, error),
                    },
                };
                self.refused = Some(Refused {
                    hold,
                    name,
                    role,
                    frame: (!takes_its_own).then_some(frame),
                });
                return Err(match outlier {
                    (Outlier::LooksLike { class }, _) => WatchError::LooksLike {
                        name: live.name(class),
                    },
                    (_, error) => error,
                });
            }
            Command::EnrollAnyway { hold } => {
                let refused = self.refused.take_if(|refused| refused.hold == hold);
                let Refused {
                    name, role, frame, ..
                } = refused.ok_or(WatchError::NothingRefused)?;
                let frame = live.take(frame)?;
                self.show(live, &frame);
                let lesson = Lesson {
                    name: &name,
                    role,
                    hold: None,
                    fit: false,
                };
                let shots = self.undo_stack.enroll(&mut live.client, lesson)?;
                return self.taught(live, name, &frame, shots);
            }
            Command::Undo if self.commission.is_some() && self.undo_stack.is_of_inspection() => {
                return Err(WatchError::Commissioning);
            }
            Command::Undo => self.undo_stack.undo(client)?,
            Command::Rename { from, to } => {
                self.undo_stack.rename(client, &from, &to)?;
                class = Some(to);
            }
            Command::Remove { id } => self.undo_stack.remove(client, id)?,
            Command::Role { id, role } => self.undo_stack.set_role(client, id, role)?,
            Command::Rate { parts } => client.set_rate(parts)?,
            Command::Recenter => client.recenter()?,
            Command::Uncenter => client.uncenter()?,
            Command::Stay { .. } | Command::Skip | Command::Trigger | Command::Gallery { .. } => {}
        }
        live.info = live.client.info()?;
        Ok(Answer {
            class,
            ..Answer::default()
        })
    }

    fn unlock(&self, live: &mut LiveDevice) -> Result<(), WatchError> {
        if let (LockState::Locked, Some(key)) = (live.info.protection.lock, &self.options.key) {
            live.client.unlock(key)?;
        }
        Ok(())
    }

    fn lock(&self, live: &mut LiveDevice) -> Result<(), WatchError> {
        if live.info.protection.lock == LockState::Locked && self.options.key.is_some() {
            live.client.lock()?;
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
            state.rate = live.info.decision_config.rate.parts();
            state.pushed = self.pushed.is_some();
            state.playback = playback;
        });
    }
}

impl LiveDevice {
    /// Shows the camera a frame, or takes the one that it sees.
    fn take(&mut self, frame: Option<Gray>) -> Result<Gray, WatchError> {
        if let Some(frame) = frame {
            let frame = frame.to(self.info.colors());
            self.client
                .show(&frame, self.info.frame_capacity as usize)?;
            return Ok(frame);
        }
        let picture = self.client.capture()?;
        let format = picture.geometry.format;
        picture.decoded().ok_or(WatchError::Format(format))
    }

    fn list(&mut self) -> Result<(), WatchError> {
        let model = self.info.model.as_ref().ok().map(|model| model.id);
        let classes = self.client.list()?.into_iter().map(|class| ClassState {
            usable: Some(class.model) == model,
            id: class.id,
            name: class.name,
            shots: class.shots,
            role: class.role,
        });
        self.classes = classes.collect();
        Ok(())
    }

    fn decision(&self, device: &str, judgement: Judgement, micros: u32, time: u64) -> Decision {
        let verdict = match judgement {
            Judgement::Class(verdict) => verdict,
            Judgement::Inspection(anomaly) => {
                let call = if anomaly.is_good() {
                    Call::Good
                } else {
                    Call::Flawed
                };
                return Decision {
                    device: device.to_owned(),
                    call,
                    nearest: String::new(),
                    distances: Vec::new(),
                    novelty: Some(anomaly.score),
                    threshold: Some(1.0),
                    micros,
                    vote: None,
                    time,
                    flawed_percent: None,
                    part: Belongs::Begins,
                };
            }
        };
        // Prototypes and shots are compared by squared distances.
        let squared = matches!(verdict.head, Head::Prototype | Head::Nearest);
        let measures = verdict.distances.iter().map(|distance| Measure {
            name: self.name(distance.class),
            value: if squared {
                distance.value.sqrt()
            } else {
                distance.value
            },
        });
        let mut distances: Vec<_> = measures.collect();
        distances.sort_by(|a, b| a.value.total_cmp(&b.value));
        Decision {
            device: device.to_owned(),
            call: Call::from(verdict.decision.outcome),
            nearest: verdict.name,
            distances,
            novelty: verdict.decision.novelty,
            threshold: verdict.decision.threshold,
            micros,
            vote: Vote::of(
                verdict.decision.stable,
                self.info.decision_config.filter,
                |id| self.name(id),
            ),
            time,
            flawed_percent: None,
            part: Belongs::Begins,
        }
    }

    /// Name of a class.
    fn name(&self, id: u8) -> String {
        let class = self.classes.iter().find(|class| class.id == id);
        class.map_or_else(|| format!("class {id}"), |class| class.name.clone())
    }
}
