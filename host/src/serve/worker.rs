//! The thread of a device: frames, decisions, and what pages want of it.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use sudal_firmware::decision::{Basis, Outlier};
use sudal_firmware::heads::Role;

use super::decision::voting;
use super::hub::{Answer, Command, Hub, Wish};
use super::panics::caught;
use super::parts::{Parts, Seen};
use super::past::{Lesson, Past};
use super::pulse::Doing;
use super::state::{Link, Shown, Taught};
use super::trouble::Trouble;
use super::{Belongs, Call, Decision, DeviceOptions, Measure, Source, Vote, picture};
use crate::data::Gray;
use crate::device::{
    self, Board, Client, ClientError, DeviceError, Head, Hold, Info, InspectionInfo, Judgement,
    Link as Line, LockState, Patience, PixelFormat, Purpose,
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
const PATIENCE: Patience = Patience {
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
    past: Past,
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
struct Session {
    /// Switched off with the session where it is this process's.
    _board: Box<dyn Board>,
    /// Others can't use the board as long as it is watched.
    _hold: Hold,
    client: Device,
    info: Info,
    classes: Vec<Taught>,
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
            past: Past::default(),
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
    pub(super) fn run(mut self, commands: &Receiver<Command>) {
        let mut pause = FIRST_PAUSE;
        loop {
            let start = Instant::now();
            // What a panic leaves half done is the session's, which ends with it.
            let done = caught(|| {
                let mut session = self.connect()?;
                self.watch(&mut session, commands)
            });
            let trouble = match done {
                Ok(Ok(())) => return,
                Ok(Err(trouble)) => trouble,
                Err(panic) => Trouble::Panicked(panic),
            };
            if start.elapsed() > LONGEST_PAUSE {
                pause = FIRST_PAUSE;
            }
            self.hub.metrics.error(&self.options.name);
            self.hub.change(self.place, |state| {
                state.link = Link::Lost;
                state.trouble = Some(trouble.told());
            });
            let again = Instant::now() + pause;
            pause = LONGEST_PAUSE.min(2 * pause);
            loop {
                match self.next(commands, again) {
                    // Whoever asked may be gone.
                    Ok(command) => drop(command.answer.send(Err(Trouble::Away))),
                    Err(RecvTimeoutError::Timeout) => break,
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            }
        }
    }

    /// The next command before `due`. Those that nobody waits for any longer are passed over: whoever
    /// taught a part would not expect it to be done when another one is in view.
    fn next(
        &self,
        commands: &Receiver<Command>,
        due: Instant,
    ) -> Result<Command, RecvTimeoutError> {
        loop {
            self.hub.beat(self.place, Doing::Wait);
            let left = due.saturating_duration_since(Instant::now());
            match commands.recv_timeout(left.min(BEAT)) {
                Ok(command) if command.answer.is_closed() => {}
                Err(RecvTimeoutError::Timeout) if left > BEAT => {}
                next => return next,
            }
        }
    }

    fn connect(&mut self) -> Result<Session, Trouble> {
        self.hub.beat(self.place, Doing::Connect);
        let DeviceOptions {
            board, dir, port, ..
        } = &self.options;
        let mut board = device::open_at(board, dir, port.as_deref())?;
        // What is in use by another program is tried again.
        let hold = board.hold(Purpose::Service, &mut |_| ())?;
        let mut client = board.connect()?;
        client.set_patience(PATIENCE);
        let info = client.info()?;
        let mut session = Session {
            _board: board,
            _hold: hold,
            client,
            info,
            classes: Vec::new(),
            known: None,
        };
        session.list()?;
        session.know()?;
        self.resume(&session);
        if let Ok(model) = &session.info.model
            && let Err(error) = self.hub.runs(self.place, model.id)
        {
            // The log tells of itself.
            eprintln!("{}: {error}", self.options.name);
        }
        self.hub.change(self.place, |state| {
            state.link = Link::Up;
            state.trouble = None;
            state.model = session.info.model.as_ref().ok().map(|m| m.name.clone());
            state.max_classes = session.info.max_classes;
            state.max_shots = session.info.max_shots;
            state.voting = voting(session.info.deciding.filter);
        });
        self.review = Some(Instant::now());
        self.publish(&session);
        Ok(session)
    }

    /// Frame after frame, with wishes in between, until the device is lost or all is over.
    fn watch(
        &mut self,
        session: &mut Session,
        commands: &Receiver<Command>,
    ) -> Result<(), Trouble> {
        let mut due = Instant::now();
        loop {
            match self.next(commands, due) {
                Ok(command) => {
                    self.hub.beat(self.place, Doing::Ask);
                    if matches!(command.wish, Wish::Trigger) {
                        due = Instant::now();
                    }
                    let answer = self.grant(session, command.wish);
                    self.publish(session);
                    match answer {
                        Err(trouble) if trouble.is_lost() => {
                            let _ = command.answer.send(Err(Trouble::Away));
                            return Err(trouble);
                        }
                        // Whoever asked may be gone.
                        answer => drop(command.answer.send(answer)),
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
                Err(RecvTimeoutError::Timeout) => {
                    due = Instant::now() + self.options.interval;
                    let outcome = self.review(session).and_then(|()| self.look(session));
                    match &outcome {
                        Err(trouble) if trouble.is_lost() => return outcome,
                        _ => self.report(outcome.err()),
                    }
                }
            }
        }
    }

    /// Says what is wrong, or that nothing is any longer.
    fn report(&self, trouble: Option<Trouble>) {
        if trouble.is_some() {
            self.hub.metrics.error(&self.options.name);
        }
        let told = trouble.map(|trouble| trouble.told());
        self.hub.update(self.place, |state| {
            let news = state.trouble != told;
            state.trouble = told;
            news
        });
    }

    /// Asks how well the classes are told apart, once they have not changed for a while.
    fn review(&mut self, session: &mut Session) -> Result<(), Trouble> {
        let due = self.review.take_if(|due| *due <= Instant::now());
        if due.is_some() {
            self.hub.beat(self.place, Doing::Ask);
            let separation = session.client.separation()?;
            self.hub
                .change(self.place, |state| state.separation = Some(separation));
        }
        Ok(())
    }

    /// Asks about a frame.
    fn look(&mut self, session: &mut Session) -> Result<(), Trouble> {
        let source = &mut self.options.source;
        let class = |source: &mut Source| source.reel().map(|reel| reel.class().to_owned());
        let before = class(source);
        self.hub.beat(self.place, Doing::Picture);
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
            self.publish(session);
        }
        let frame = frame?;
        self.hub.beat(self.place, Doing::Ask);
        let start = Instant::now();
        let frame = session.take(frame)?;
        self.show(session, &frame);
        let judgement = match session.client.judge() {
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
            let heat = session.client.heatmap(&anomaly)?;
            let capacity = session.info.frame_capacity as usize;
            if let Some(view) = device::seen(&frame, capacity, &session.info) {
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
            ..session.decision(&self.options.name, judgement, micros, time)
        };
        let part = if teaching {
            self.parts.forget();
            Seen::Nothing
        } else {
            self.parts.see(&frame, decision.told())
        };
        self.hub.beat(self.place, Doing::Log);
        let id = self.hub.decide(self.place, decision, part, &small, seen);
        let capacity = session.info.frame_capacity as usize;
        self.recent.push(id, &frame, capacity);
        self.watch_good(session)
    }

    /// The next picture of what is in view; none where the device takes its own.
    fn same(&mut self) -> Result<Option<Gray>, Trouble> {
        match self.hub.pushed(self.place) {
            Some(pushed) => Ok(Some(Gray::clone(&pushed.frame))),
            None => self.options.source.same(),
        }
    }

    /// Shows pages a frame, and what of it is looked at.
    fn show(&self, session: &Session, frame: &Gray) {
        let part = picture::looked_at(frame, &session.info);
        self.hub.update(self.place, |state| {
            std::mem::replace(&mut state.cropped, part.is_some()) != part.is_some()
        });
        self.hub.show(self.place, picture::live(frame, part));
    }

    fn grant(&mut self, session: &mut Session, wish: Wish) -> Result<Answer, Trouble> {
        match (wish, self.options.source.reel()) {
            (Wish::Stay { stay }, Some(reel)) => reel.set_stay(stay),
            (Wish::Skip, Some(reel)) => reel.skip(),
            (Wish::Trigger, _) => self.parts.trigger(session.info.deciding.filter.window),
            (Wish::Stay { .. } | Wish::Skip, None) => {}
            (Wish::Gallery { id }, _) => return self.gallery(session, id),
            (wish, _) => {
                self.unlock(session)?;
                let done = self.alter(session, wish);
                self.review = Some(Instant::now() + QUIET);
                let listed = session.list().and_then(|()| session.know());
                let locked = self.lock(session);
                let done = done?;
                listed?;
                locked?;
                return Ok(done);
            }
        }
        Ok(Answer::default())
    }

    /// Changes what the device was taught.
    fn alter(&mut self, session: &mut Session, wish: Wish) -> Result<Answer, Trouble> {
        if !matches!(wish, Wish::Enroll { .. } | Wish::EnrollAnyway { .. }) {
            // Its class may be another one now, or gone.
            self.refused = None;
        }
        let mut class = match &wish {
            Wish::Remove { id } | Wish::Role { id, .. } => Some(session.name(*id)),
            Wish::Undo => self.past.last().map(|undo| undo.name),
            _ => None,
        };
        let client = &mut session.client;
        match wish {
            Wish::Good { .. }
            | Wish::Bad { .. }
            | Wish::Commission { .. }
            | Wish::KeepCommission
            | Wish::DiscardCommission
            | Wish::Forget => {
                self.inspection(session, wish)?;
                return Ok(Answer::default());
            }
            Wish::Correct {
                picture,
                name,
                role,
            } => return self.correct(session, picture, (&name, role)),
            Wish::Import {
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
                return self.import(session, frame, lesson);
            }
            Wish::RemoveShot { id, key } => return self.remove_shot(session, id, &key),
            Wish::Enroll { name, hold, role } => {
                self.teaching = Some(Instant::now() + LESSON);
                self.hub.beat(self.place, Doing::Picture);
                let given = self.same()?;
                self.hub.beat(self.place, Doing::Ask);
                let takes_its_own = given.is_none();
                let frame = session.take(given)?;
                self.show(session, &frame);
                let lesson = Lesson {
                    name: &name,
                    role,
                    hold: Some(hold),
                    fit: true,
                };
                let mut enrolled = self.past.enroll(&mut session.client, lesson);
                let far = matches!(
                    enrolled.as_ref().err().and_then(Trouble::outlier),
                    Some(Outlier::Far { .. })
                );
                // The shots alone say too little of what else is of a class.
                if far && session.info.deciding.basis != Basis::Calibration {
                    let lesson = Lesson {
                        fit: false,
                        ..lesson
                    };
                    enrolled = self.past.enroll(&mut session.client, lesson);
                }
                let outlier = match enrolled {
                    Ok(shots) => return self.taught(session, name, &frame, shots),
                    Err(trouble) => match trouble.outlier() {
                        // Nothing that one would want all the same.
                        None | Some(Outlier::Repeats) => return Err(trouble),
                        Some(outlier) => (outlier, trouble),
                    },
                };
                self.refused = Some(Refused {
                    hold,
                    name,
                    role,
                    frame: (!takes_its_own).then_some(frame),
                });
                return Err(match outlier {
                    (Outlier::LooksLike { class }, _) => Trouble::LooksLike {
                        name: session.name(class),
                    },
                    (_, trouble) => trouble,
                });
            }
            Wish::EnrollAnyway { hold } => {
                let refused = self.refused.take_if(|refused| refused.hold == hold);
                let Refused {
                    name, role, frame, ..
                } = refused.ok_or(Trouble::NothingRefused)?;
                let frame = session.take(frame)?;
                self.show(session, &frame);
                let lesson = Lesson {
                    name: &name,
                    role,
                    hold: None,
                    fit: false,
                };
                let shots = self.past.enroll(&mut session.client, lesson)?;
                return self.taught(session, name, &frame, shots);
            }
            Wish::Undo if self.commission.is_some() && self.past.is_of_inspection() => {
                return Err(Trouble::Commissioning);
            }
            Wish::Undo => self.past.undo(client)?,
            Wish::Rename { from, to } => {
                self.past.rename(client, &from, &to)?;
                class = Some(to);
            }
            Wish::Remove { id } => self.past.remove(client, id)?,
            Wish::Role { id, role } => self.past.set_role(client, id, role)?,
            Wish::Rate { parts } => client.set_rate(parts)?,
            Wish::Recenter => client.recenter()?,
            Wish::Uncenter => client.uncenter()?,
            Wish::Stay { .. } | Wish::Skip | Wish::Trigger | Wish::Gallery { .. } => {}
        }
        session.info = session.client.info()?;
        Ok(Answer {
            class,
            ..Answer::default()
        })
    }

    fn unlock(&self, session: &mut Session) -> Result<(), Trouble> {
        if let (LockState::Locked, Some(key)) = (session.info.protection.lock, &self.options.key) {
            session.client.unlock(key)?;
        }
        Ok(())
    }

    fn lock(&self, session: &mut Session) -> Result<(), Trouble> {
        if session.info.protection.lock == LockState::Locked && self.options.key.is_some() {
            session.client.lock()?;
        }
        Ok(())
    }

    /// Tells pages what the device was taught and is shown.
    fn publish(&mut self, session: &Session) {
        let inspection = self.inspected(session);
        let pushed = self.pushed.is_some();
        let reel = self
            .options
            .source
            .reel()
            .filter(|_| !pushed)
            .map(|reel| Shown {
                class: reel.class().to_owned(),
                stay: reel.stays(),
            });
        self.hub.change(self.place, |state| {
            state.classes.clone_from(&session.classes);
            state.undo = self.past.last();
            state.inspection = inspection;
            state.recentered = session.info.deciding.recentered;
            state.teaching = self.teaching.is_some();
            state.rate = session.info.deciding.rate.parts();
            state.pushed = self.pushed.is_some();
            state.reel = reel;
        });
    }
}

impl Session {
    /// Shows the camera a frame, or takes the one that it sees.
    fn take(&mut self, frame: Option<Gray>) -> Result<Gray, Trouble> {
        if let Some(frame) = frame {
            self.client
                .show(&frame, self.info.frame_capacity as usize)?;
            return Ok(frame);
        }
        let picture = self.client.capture()?;
        let geometry = picture.geometry;
        if geometry.format != PixelFormat::Grey8 {
            return Err(Trouble::Format(geometry.format));
        }
        let (width, height) = (geometry.width.into(), geometry.height.into());
        Ok(Gray::new(width, height, picture.pixels)?)
    }

    fn list(&mut self) -> Result<(), Trouble> {
        let model = self.info.model.as_ref().ok().map(|model| model.id);
        let classes = self.client.list()?.into_iter().map(|class| Taught {
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
            vote: Vote::of(verdict.decision.stable, self.info.deciding.filter, |id| {
                self.name(id)
            }),
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
