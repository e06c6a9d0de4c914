//! A study that several workers share, on one machine or many: a file in the format of Optuna's
//! `JournalStorage`, so that Optuna's own workers and `optuna-dashboard` take part in it.
//!
//! All that a worker decides, such as which trial is its own, it decides and writes while it holds
//! the journal's lock. A worker gives a sign of life; when it gives none any more, its trial is
//! marked as failed and put in the queue again, as Optuna's `RetryHeartbeatStaleTrialCallback` does.

mod distribution;
mod file;
mod heartbeat;
mod lock;
mod operation;
mod replay;
mod trials;

use std::path::Path;
use std::time::Duration;

use serde_json::{Value as Json, json};

use self::file::JournalFile;
use self::heartbeat::Heartbeat;
use self::operation::Writer;
use self::replay::{RecordedTrial, Replay, State, op};
use self::trials::{ids, lost, queued, trials};
use super::error::TuneError;
use super::journal::same;
use super::setup::Setup;
use super::suggest::suggest;
use super::trial::{Running, Trial, TrialStatus};

/// A study's attribute of its setup.
const SETUP: &str = "sudal:setup";
/// How often the trial of a worker that died is tried again.
const RETRIES: usize = 3;
/// Optuna's number of a direction.
const MAXIMIZE: u64 = 2;

/// A worker's part in a shared study.
#[derive(Debug)]
pub(super) struct Shared {
    file: JournalFile,
    replay: Replay,
    writer: Writer,
    study: usize,
    every: Duration,
    /// The trial that is this worker's.
    own: Option<(usize, Heartbeat)>,
}

/// What there is to do.
pub(super) enum Next {
    Trial(Running),
    /// Other workers are at the last trials.
    Wait,
    Done,
}

impl Shared {
    /// Takes part in the study `name`, made if need be, and gives a sign of life every `every`.
    pub(super) fn join(
        path: &Path,
        name: &str,
        setup: &Setup,
        every: Duration,
    ) -> Result<Self, TuneError> {
        let mut shared = Self {
            file: JournalFile::open(path)?,
            replay: Replay::default(),
            writer: Writer::new(),
            study: 0,
            every,
            own: None,
        };
        let json = serde_json::to_value(setup).map_err(|e| shared.file.refused(e.into()))?;
        shared.change(|replay, writer| {
            let mut operations = Vec::new();
            let id = replay.named(name).unwrap_or_else(|| {
                let fields = json!({ "study_name": name, "directions": [MAXIMIZE] });
                operations.push(writer.operation(op::CREATE_STUDY, fields));
                replay.studies.len()
            });
            let study = replay.studies.get(id);
            let other = study.is_some_and(|s| s.directions != json!([MAXIMIZE]));
            if !other && study.is_none_or(|s| !s.user.contains_key(SETUP)) {
                let fields = json!({ "study_id": id, "user_attr": { SETUP: json } });
                operations.push(writer.operation(op::SET_STUDY_USER_ATTR, fields));
            }
            (operations, ())
        })?;
        let (id, study) = match shared.replay.named(name) {
            Some(id) => (id, &shared.replay.studies[id]),
            None => return Err(shared.deleted(name)),
        };
        if study.directions != json!([MAXIMIZE]) {
            return Err(TuneError::Direction {
                path: path.to_owned(),
                study: name.to_owned(),
            });
        }
        let there = serde_json::from_value::<Setup>(study.user[SETUP].clone());
        let there = there.map_err(|e| shared.file.refused(e.into()))?;
        let asked = serde_json::from_str::<Setup>(&json.to_string());
        let asked = asked.map_err(|e| shared.file.refused(e.into()))?;
        same(path, &there, &asked)?;
        shared.study = id;
        Ok(shared)
    }

    /// Takes a trial: one that waits, else a new one while there are fewer than `wanted`.
    pub(super) fn next(&mut self, setup: &Setup, wanted: usize) -> Result<Next, TuneError> {
        self.sync()?;
        self.take_over()?;
        for dimension in setup.space.dimensions() {
            let asked = distribution::distribution(&dimension.range);
            if let Some(there) = self.replay.distribution(self.study, &dimension.name)
                && !serde_json::from_str(&asked).is_ok_and(|a| distribution::compatible(there, &a))
            {
                return Err(TuneError::Other {
                    path: self.file.path().to_owned(),
                    what: dimension.name.clone(),
                    there: there.to_string(),
                    asked,
                });
            }
        }
        let (study, every) = (self.study, self.every);
        let took = self.change(|replay, writer| {
            let all = ids(replay, study);
            let lost = lost(replay, study);
            let counts = |t: &&usize| {
                let trial = &replay.trials[**t];
                trial.state != State::Waiting && !lost.contains(&trial.number)
            };
            if all.iter().filter(counts).count() >= wanted {
                return (Vec::new(), None);
            }
            let ended = trials(replay, study, setup);
            let waiting = all
                .iter()
                .find(|t| replay.trials[**t].state == State::Waiting);
            let (id, number) = match waiting {
                Some(id) => (*id, replay.trials[*id].number),
                None => (replay.trials.len(), all.len()),
            };
            let mut params = suggest(setup, number, &ended);
            let operations = match waiting {
                Some(id) => {
                    params = queued(&replay.trials[*id], setup, params);
                    writer.take(*id, &replay.trials[*id], setup, &params, every)
                }
                None => vec![writer.create(study, setup, &params, every)],
            };
            (operations, Some((id, number, params)))
        })?;
        if self.replay.studies[self.study].deleted {
            return Err(self.deleted(&self.replay.studies[self.study].name));
        }
        if let Some((id, number, params)) = took {
            let worker = self.writer.worker();
            let heart = Heartbeat::start(self.file.path(), worker, id, self.every);
            self.own = Some((id, heart));
            return Ok(Next::Trial(Running {
                number: number as u64,
                seed: setup.seed,
                params,
                reports: Vec::new(),
            }));
        }
        let waits = |t: &usize| {
            let trial = &self.replay.trials[*t];
            trial.state == State::Running && heartbeat::patience(&trial.system).is_some()
        };
        let wait = ids(&self.replay, self.study).iter().any(waits);
        Ok(if wait { Next::Wait } else { Next::Done })
    }

    /// Puts the trials of workers that are gone in the queue again.
    fn take_over(&mut self) -> Result<(), TuneError> {
        let stale = |trial: &RecordedTrial| {
            let patience = heartbeat::patience(&trial.system);
            trial.state == State::Running && patience.is_some_and(|p| trial.heard.elapsed() > p)
        };
        let study = self.study;
        let found = ids(&self.replay, study)
            .iter()
            .any(|t| stale(&self.replay.trials[*t]));
        if !found {
            return Ok(());
        }
        self.change(|replay, writer| {
            let stale = ids(replay, study)
                .iter()
                .filter(|t| stale(&replay.trials[**t]));
            let operations = stale.flat_map(|t| {
                let again = replay.trials[*t].history().len() < RETRIES;
                writer.fail(study, *t, &replay.trials[*t], again)
            });
            (operations.collect(), ())
        })
    }

    /// Shows what a trial reported, and sees what others did.
    pub(super) fn share(&mut self, running: &Running) -> Result<(), TuneError> {
        let Some((id, _)) = self.own else {
            return Ok(());
        };
        self.change(|replay, writer| (writer.reports(id, &replay.trials[id], running), ()))
    }

    /// Whether the running trial is this worker's no more.
    pub(super) fn was_taken(&self) -> bool {
        let own = self.own.as_ref();
        own.is_some_and(|(id, _)| self.replay.trials[*id].state.ended())
    }

    /// Ends the trial, unless another did.
    pub(super) fn tell(
        &mut self,
        running: &Running,
        outcome: TrialStatus,
        seconds: f64,
    ) -> Result<(), TuneError> {
        let (id, heart) = self.own.take().expect("a trial was asked for");
        drop(heart);
        self.change(|replay, writer| {
            let trial = &replay.trials[id];
            if trial.state.ended() {
                return (Vec::new(), ());
            }
            let mut operations = writer.reports(id, trial, running);
            operations.extend(writer.end(id, running, outcome, seconds));
            (operations, ())
        })
    }

    /// Puts the running trial in the queue again.
    pub(super) fn give_back(&mut self) -> Result<(), TuneError> {
        let Some((id, heart)) = self.own.take() else {
            return Ok(());
        };
        drop(heart);
        let study = self.study;
        self.change(|replay, writer| {
            let trial = &replay.trials[id];
            match trial.state.ended() {
                true => (Vec::new(), ()),
                false => (writer.fail(study, id, trial, true), ()),
            }
        })
    }

    /// The trials that ended, in their order.
    pub(super) fn trials(&self, setup: &Setup) -> Vec<Trial> {
        trials(&self.replay, self.study, setup)
    }

    fn sync(&mut self) -> Result<(), TuneError> {
        for operation in self.file.news()? {
            self.replay.apply(&operation);
        }
        Ok(())
    }

    /// Decides on operations and writes them while nobody else writes.
    fn change<T>(
        &mut self,
        decide: impl FnOnce(&Replay, &Writer) -> (Vec<Json>, T),
    ) -> Result<T, TuneError> {
        let lock = self.file.lock()?;
        self.sync()?;
        let (operations, decided) = decide(&self.replay, &self.writer);
        if !operations.is_empty() {
            self.file.append(&lock, &operations)?;
        }
        drop(lock);
        self.sync()?;
        Ok(decided)
    }

    fn deleted(&self, name: &str) -> TuneError {
        TuneError::Deleted {
            path: self.file.path().to_owned(),
            study: name.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
