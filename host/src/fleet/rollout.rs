//! A roll-out to many boards: a file of what was done, and what tells whether it did good.

use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::{Deserialize, Serialize};

use super::counts::Counts;
use super::topic::Node;
use crate::atomic_file;

const SCHEMA: u32 = 1;
/// A board sees no part end where parts take so many times the frames of before.
const LONG: f64 = 5.0;

/// How far a roll-out goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// To one board.
    One,
    /// To a tenth of them.
    Tenth,
    /// To all.
    All,
}

impl Stage {
    /// In their order.
    pub const ALL: [Self; 3] = [Self::One, Self::Tenth, Self::All];

    /// How many of so many boards.
    #[must_use]
    pub fn of(self, boards: usize) -> usize {
        match self {
            Self::One => boards.min(1),
            Self::Tenth => boards.div_ceil(10),
            Self::All => boards,
        }
    }
}

/// Where a board is in a roll-out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// Nothing was done yet.
    Waiting,
    /// The order is under way.
    Sent,
    /// It is done, and parts are counted.
    Done,
    /// It is as good as before.
    Good,
    /// It failed, or is worse than before.
    Bad,
    /// It is as it was before.
    Returned,
}

/// An order to a board, by which its answer is told from those to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ordered {
    /// Its number.
    pub number: u64,
    /// Whether it is the way back.
    pub back: bool,
}

/// A board of a roll-out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Its station.
    pub station: String,
    /// Its name.
    pub board: String,
    /// Where it is.
    pub state: StepState,
    /// The last order that it was sent.
    #[serde(default)]
    pub order: Option<Ordered>,
    /// Identity of the model that it ran before.
    pub model: String,
    /// What it had counted before.
    pub before: Counts,
    /// What it had counted when the order was done.
    pub done: Option<Counts>,
    /// What it counted since.
    pub since: Counts,
    /// What is wrong.
    pub text: String,
}

/// How a roll-out ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// All boards of its last stage are as good as before.
    Complete,
    /// All boards that were changed are as before.
    TakenBack,
}

/// A roll-out, as it is kept in a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rollout {
    schema: u32,
    /// Its name.
    pub id: String,
    /// The group of stations.
    pub group: String,
    /// SHA-256 of what is rolled out, as hexadecimal digits.
    pub content: String,
    /// The boards in the order in which they are changed.
    pub boards: Vec<Step>,
    /// How it ended; none while it goes on.
    pub ended: Option<Ending>,
}

/// Why the file of a roll-out can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RolloutError {
    /// The file system refused.
    #[error("{}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is something else.
    #[error("{} is no roll-out of this program: {why}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

impl Rollout {
    /// One to these boards.
    #[must_use]
    pub fn new(id: String, group: &str, content: String, boards: Vec<Step>) -> Self {
        Self {
            schema: SCHEMA,
            id,
            group: group.to_owned(),
            content,
            boards,
            ended: None,
        }
    }

    /// Reads the file.
    ///
    /// # Errors
    /// [`RolloutError`].
    pub fn open(path: &Path) -> Result<Self, RolloutError> {
        let foreign = |why: String| RolloutError::Foreign {
            path: path.to_owned(),
            why,
        };
        let bytes = fs::read(path).map_err(|source| RolloutError::File {
            path: path.to_owned(),
            source,
        })?;
        let read: Self = serde_json::from_slice(&bytes).map_err(|e| foreign(e.to_string()))?;
        if read.schema != SCHEMA {
            return Err(foreign(format!("schema {}", read.schema)));
        }
        Ok(read)
    }

    /// Writes the file.
    ///
    /// # Errors
    /// [`RolloutError::File`].
    pub fn save(&self, path: &Path) -> Result<(), RolloutError> {
        let text = serde_json::to_string_pretty(self).map_err(io::Error::from);
        let saved = text.and_then(|text| atomic_file::replace(path, text.as_bytes()));
        saved.map_err(|source| RolloutError::File {
            path: path.to_owned(),
            source,
        })
    }

    /// The station of a board.
    #[must_use]
    pub fn node(&self, step: &Step) -> Node {
        Node {
            group: self.group.clone(),
            name: step.station.clone(),
        }
    }
}

impl Step {
    /// Judges by what the board counts `now`: as good as before from `parts` parts on, or worse by more
    /// than `margin` percent of them. Where what it says of everything is the same, it may see no part end:
    /// in five times the frames that so many parts took before it can get worse, too.
    pub fn judge(&mut self, now: Counts, parts: u64, margin: f64) {
        let Some(done) = self.done.filter(|_| self.state == StepState::Done) else {
            return;
        };
        self.since = now.since(done);
        let (before, since) = (self.before, self.since);
        let enough = since.parts >= parts;
        if enough {
            self.state = StepState::Good;
        }
        let frames = LONG * parts as f64 * before.frames as f64 / before.parts as f64;
        let long = since.parts > 0 && since.frames as f64 > frames;
        // Where nothing was counted before, there is nothing to be worse than.
        if before.parts == 0 || !(enough || long) {
            return;
        }
        let unknown = (before.percent(before.unknown), since.percent(since.unknown));
        let passed = (before.percent(before.ok), since.percent(since.ok));
        let worse = if unknown.1 > unknown.0 + margin {
            ("unknown parts rose", unknown)
        } else if passed.1 < passed.0 - margin {
            ("the yield fell", passed)
        } else {
            return;
        };
        let (what, (from, to)) = worse;
        self.state = StepState::Bad;
        self.text = format!(
            "{what} from {from:.1} to {to:.1} % of {} parts in {} frames",
            since.parts, since.frames
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(parts: u64, ok: u64, unknown: u64) -> Counts {
        Counts {
            parts,
            ok,
            unknown,
            frames: 4 * parts,
        }
    }

    fn step() -> Step {
        Step {
            station: "line".to_owned(),
            board: "press".to_owned(),
            state: StepState::Done,
            order: None,
            model: String::new(),
            before: counts(100, 90, 5),
            done: Some(counts(100, 90, 5)),
            since: Counts::default(),
            text: String::new(),
        }
    }

    #[test]
    fn a_board_is_judged_by_what_it_counted_since_and_only_by_enough() {
        let judged = |now| {
            let mut step = step();
            step.judge(now, 20, 10.0);
            (step.state, step.text)
        };
        assert_eq!(judged(counts(119, 90, 24)).0, StepState::Done);
        assert_eq!(judged(counts(120, 108, 6)).0, StepState::Good);
        let (state, text) = judged(counts(120, 105, 10));
        assert_eq!(state, StepState::Bad);
        assert_eq!(
            text,
            "unknown parts rose from 5.0 to 25.0 % of 20 parts in 80 frames"
        );
        let (state, text) = judged(counts(120, 104, 5));
        assert_eq!(state, StepState::Bad);
        assert_eq!(
            text,
            "the yield fell from 90.0 to 70.0 % of 20 parts in 80 frames"
        );
        // Another model, or another shift: it counts from nothing.
        assert_eq!(judged(counts(20, 18, 1)).0, StepState::Good);
        assert_eq!(judged(counts(20, 10, 9)).0, StepState::Bad);
        // One part that never ends, in frames that would have been a hundred parts before.
        let endless = |frames: u64, unknown: u64| Counts {
            frames: 400 + frames,
            ..counts(101, 91 - unknown, 5 + unknown)
        };
        assert_eq!(judged(endless(400, 1)).0, StepState::Done);
        let (state, text) = judged(endless(401, 1));
        assert_eq!(state, StepState::Bad);
        assert_eq!(
            text,
            "unknown parts rose from 5.0 to 100.0 % of 1 parts in 401 frames"
        );
        assert_eq!(judged(endless(9999, 0)).0, StepState::Done);
        // Too few before to be worse than.
        let mut idle = Step {
            before: Counts::default(),
            ..step()
        };
        idle.judge(counts(130, 90, 35), 20, 10.0);
        assert_eq!(idle.state, StepState::Good);
    }

    #[test]
    fn the_file_is_read_as_it_was_written_and_stages_are_what_they_say() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("rollout.json");
        let rollout = Rollout::new("r".to_owned(), "hall", "00".to_owned(), vec![step()]);
        rollout.save(&path).unwrap();
        assert_eq!(Rollout::open(&path).unwrap(), rollout);
        fs::write(&path, "{}").unwrap();
        assert!(matches!(
            Rollout::open(&path),
            Err(RolloutError::Foreign { .. })
        ));
        let of = |n| Stage::ALL.map(|stage| stage.of(n));
        assert_eq!(
            (of(0), of(1), of(100)),
            ([0, 0, 0], [1, 1, 1], [1, 10, 100])
        );
    }
}
