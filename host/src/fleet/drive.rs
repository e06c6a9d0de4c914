//! Carries a roll-out out.

use std::path::Path;
use std::time::{Duration, Instant};

use super::counts::Counts;
use super::files::{DriveError, Files, identity};
use super::order::{Order, Progress};
use super::payload::now;
use super::rollout::{Ending, Ordered, Rollout, Stage, Step, StepState};
use super::view::{Board, Fleet};
use super::watch::Watch;
use crate::device::SigningKey;

/// Between two looks at what boards say.
const LOOK: Duration = Duration::from_millis(200);
/// Before an order that nobody answered is sent again.
const AGAIN: Duration = Duration::from_secs(15);

/// Carries a roll-out out.
pub struct Drive<'a> {
    /// The stations.
    pub watch: &'a Watch,
    /// Signs the orders.
    pub key: &'a SigningKey,
    /// What is rolled out.
    pub files: &'a Files,
    /// Where what was done is kept.
    pub state: &'a Path,
    /// Parts of each board that tell whether it did good.
    pub parts: u64,
    /// How much worse a share may be, in percent of the parts.
    pub margin: f64,
    /// How long boards may take for one stage.
    pub limit: Duration,
    /// Whether to stop.
    pub stop: &'a dyn Fn() -> bool,
    /// Told how many boards are through, of how many.
    pub progress: &'a dyn Fn(usize, usize),
}

impl Drive<'_> {
    /// A roll-out to all boards that are there now.
    ///
    /// # Errors
    /// [`DriveError::Nobody`], [`DriveError::NoWayBack`].
    pub fn plan(&self) -> Result<Rollout, DriveError> {
        let group = self.watch.group();
        let before = identity(self.files.before.as_deref())?;
        let rows = self.watch.fleet().rows().into_iter();
        let mut boards = Vec::new();
        for row in rows.filter(|row| row.online && row.group == group) {
            if let Some(before) = before.as_ref().filter(|before| **before != row.model_id) {
                return Err(DriveError::NoWayBack {
                    station: row.station,
                    board: row.board,
                    runs: row.model_id,
                    before: before.clone(),
                });
            }
            boards.push(Step {
                station: row.station,
                board: row.board,
                state: StepState::Waiting,
                order: None,
                model: row.model_id,
                before: Counts::default(),
                done: None,
                since: Counts::default(),
                text: String::new(),
            });
        }
        if boards.is_empty() {
            return Err(DriveError::Nobody(group.to_owned()));
        }
        let id = format!("{:016x}", rand::random::<u64>());
        Ok(Rollout::new(id, group, self.files.content(), boards))
    }

    /// Goes on up to a stage. Where a board fails or gets worse, takes all back.
    ///
    /// # Errors
    /// [`DriveError`]; what was done is kept.
    pub fn forward(&self, rollout: &mut Rollout, until: Stage) -> Result<(), DriveError> {
        if rollout.content != self.files.content() || rollout.group != self.watch.group() {
            return Err(DriveError::Other);
        }
        if rollout.ended == Some(Ending::TakenBack) {
            return Err(DriveError::Over);
        }
        for stage in Stage::ALL.into_iter().filter(|stage| *stage <= until) {
            let through = self.stage(rollout, stage.of(rollout.boards.len()));
            rollout.save(self.state)?;
            if !through? {
                return self.back(rollout);
            }
        }
        rollout.ended = Some(Ending::Complete);
        Ok(rollout.save(self.state)?)
    }

    /// Brings the first `count` boards through; false where one is bad.
    fn stage(&self, rollout: &mut Rollout, count: usize) -> Result<bool, DriveError> {
        let began = Instant::now();
        let mut sent = sent(&rollout.boards[..count], false);
        loop {
            let fleet = self.watch.fleet();
            let before = rollout.clone();
            for (at, sent) in sent.iter_mut().enumerate() {
                self.advance(rollout, at, &fleet, sent, false)?;
                let node = rollout.node(&rollout.boards[at]);
                let step = &mut rollout.boards[at];
                if let Some(board) = fleet.board(&node, &step.board) {
                    step.judge(Counts::of(board), self.parts, self.margin);
                }
            }
            if *rollout != before {
                rollout.save(self.state)?;
            }
            let of = |state| {
                rollout.boards[..count]
                    .iter()
                    .filter(|s| s.state == state)
                    .count()
            };
            (self.progress)(of(StepState::Good), rollout.boards.len());
            if of(StepState::Bad) > 0 {
                return Ok(false);
            }
            let left = count - of(StepState::Good);
            if left == 0 {
                return Ok(true);
            }
            self.pause(began, left)?;
        }
    }

    /// Brings all boards back that were changed.
    ///
    /// # Errors
    /// [`DriveError`]; what was done is kept.
    pub fn back(&self, rollout: &mut Rollout) -> Result<(), DriveError> {
        let began = Instant::now();
        let mut sent = sent(&rollout.boards, true);
        loop {
            let fleet = self.watch.fleet();
            let before = rollout.clone();
            for (at, sent) in sent.iter_mut().enumerate() {
                self.advance(rollout, at, &fleet, sent, true)?;
            }
            if *rollout != before {
                rollout.save(self.state)?;
            }
            let changed = |s: &&Step| !matches!(s.state, StepState::Waiting | StepState::Returned);
            let left = rollout.boards.iter().filter(changed).count();
            (self.progress)(rollout.boards.len() - left, rollout.boards.len());
            if left == 0 {
                rollout.ended = Some(Ending::TakenBack);
                return Ok(rollout.save(self.state)?);
            }
            self.pause(began, left)?;
        }
    }

    fn pause(&self, began: Instant, left: usize) -> Result<(), DriveError> {
        if (self.stop)() {
            return Err(DriveError::Stopped);
        }
        if began.elapsed() > self.limit {
            return Err(DriveError::Late(left));
        }
        self.watch.wait(LOOK, |_| false);
        Ok(())
    }

    /// Sends a board its order, or sees what became of it.
    fn advance(
        &self,
        rollout: &mut Rollout,
        at: usize,
        fleet: &Fleet,
        sent: &mut Option<Instant>,
        back: bool,
    ) -> Result<(), DriveError> {
        let step = &rollout.boards[at];
        let node = rollout.node(step);
        let ahead = match back {
            false => matches!(step.state, StepState::Waiting | StepState::Sent),
            true => !matches!(step.state, StepState::Waiting | StepState::Returned),
        };
        let Some(board) = fleet.board(&node, &step.board).filter(|_| ahead) else {
            return Ok(());
        };
        let ordered = step.order.filter(|order| order.back == back);
        match (answer(board), ordered) {
            // Whichever it is: it takes no other meanwhile.
            (Some((_, Progress::Running)), _) => return Ok(()),
            (Some((number, progress)), Some(order)) if number == order.number => match progress {
                Progress::Done => return self.answered(rollout, at, board, back),
                Progress::Failed | Progress::Refused => {
                    failed(&mut rollout.boards[at], board, back);
                    // The way back is tried again.
                    if !back {
                        return Ok(());
                    }
                }
                _ => {}
            },
            _ => {}
        }
        if sent.is_some_and(|at| at.elapsed() < AGAIN) {
            return Ok(());
        }
        let step = &mut rollout.boards[at];
        if step.state == StepState::Waiting {
            step.before = Counts::of(board);
            step.state = StepState::Sent;
        }
        let last = step.order.map_or(0, |order| order.number);
        let number = now().max(last + 1);
        step.order = Some(Ordered { number, back });
        // Kept before anything is changed.
        rollout.save(self.state)?;
        let step = &rollout.boards[at];
        let image = if back {
            &self.files.before
        } else {
            &self.files.image
        };
        let order = Order {
            to: vec![node.group.clone(), node.name.clone(), step.board.clone()],
            rollout: rollout.id.clone(),
            number,
            back,
            image: image.clone().unwrap_or_default(),
            backup: self.files.backup.clone().unwrap_or_default(),
        };
        if self.watch.order(&node, &step.board, order.sign(self.key)) {
            *sent = Some(Instant::now());
        }
        Ok(())
    }

    fn answered(
        &self,
        rollout: &mut Rollout,
        at: usize,
        board: &Board,
        back: bool,
    ) -> Result<(), DriveError> {
        let wanted = identity(if back {
            self.files.before.as_deref()
        } else {
            self.files.image.as_deref()
        })?;
        let step = &mut rollout.boards[at];
        // It may not have said so yet.
        if wanted.is_some_and(|wanted| wanted != board.text("Model/Hash")) {
            return Ok(());
        }
        if back {
            step.state = StepState::Returned;
        } else {
            step.state = StepState::Done;
            step.done = Some(Counts::of_order(board));
        }
        Ok(())
    }
}

/// When boards were sent their orders, by a run that was cut off too: their answers may be under way.
fn sent(boards: &[Step], back: bool) -> Vec<Option<Instant>> {
    let ordered = |step: &Step| step.order.is_some_and(|order| order.back == back);
    let sent = boards.iter().map(|step| ordered(step).then(Instant::now));
    sent.collect()
}

fn failed(step: &mut Step, board: &Board, back: bool) {
    const WAY: &str = "the way back: ";
    step.state = StepState::Bad;
    let why = board.text("Order/Text");
    // Why it is taken back stays.
    step.text = match (back, step.text.split(WAY).next()) {
        (true, Some(cause)) => format!("{}; {WAY}{why}", cause.trim_end_matches("; ")),
        _ => why.to_owned(),
    };
}

/// What a board says of its last order, and the number of that.
fn answer(board: &Board) -> Option<(u64, Progress)> {
    let progress = Progress::named(board.text("Order/State"))?;
    Some((board.count("Order/Number"), progress))
}
