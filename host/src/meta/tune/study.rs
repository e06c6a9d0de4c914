//! The search as a whole.

use std::path::Path;

use super::error::TuneError;
use super::halving::Halving;
use super::journal::Journal;
use super::setup::Setup;
use super::suggest::suggest;
use super::trial::{Running, Trial, TrialStatus, best};

/// A search under way.
#[derive(Debug)]
pub struct Study {
    setup: Setup,
    trials: Vec<Trial>,
    journal: Option<Journal>,
}

impl Study {
    /// A study that is kept nowhere.
    ///
    /// # Errors
    /// When the space is empty or the first settings are not of it.
    pub fn new(setup: Setup) -> Result<Self, TuneError> {
        setup.check()?;
        Ok(Self {
            setup,
            trials: Vec::new(),
            journal: None,
        })
    }

    /// A study that is kept in the new file `path`.
    ///
    /// # Errors
    /// As [`Study::new`], and when the file exists or cannot be written.
    pub fn create(path: &Path, setup: Setup) -> Result<Self, TuneError> {
        let mut study = Self::new(setup)?;
        study.journal = Some(Journal::create(path, &study.setup)?);
        Ok(study)
    }

    /// Continues with the study in `path`, and says which line of it was not written to its end and
    /// is left out.
    ///
    /// # Errors
    /// As [`Study::new`]; when the file cannot be read, is damaged, was set up otherwise or another
    /// process writes to it.
    pub fn open(path: &Path, setup: Setup) -> Result<(Self, Option<usize>), TuneError> {
        let mut study = Self::new(setup)?;
        let held = Journal::open(path, &study.setup)?;
        study.trials = held.trials;
        study.journal = Some(held.journal);
        Ok((study, held.torn))
    }

    /// The next trial.
    pub fn ask(&self) -> Running {
        Running {
            number: self.trials.len() as u64,
            seed: self.setup.seed,
            params: suggest(&self.setup, &self.trials),
            reports: Vec::new(),
        }
    }

    /// Whether the trial, by what it reported, is not worth continuing with.
    pub fn should_stop(&self, running: &Running) -> bool {
        let lost = running.reports.iter().any(|(_, v)| !v.is_finite());
        let stops = |rule: Halving| rule.stops(&self.trials, running);
        lost || self.setup.pruning.is_some_and(stops)
    }

    /// Keeps a trial that ended after `seconds`. One that reported what is no number has failed
    /// whatever `outcome` says, so has one that finished and reported nothing.
    ///
    /// # Errors
    /// When the file cannot be written.
    ///
    /// # Panics
    /// When it is not the trial that was asked for last.
    pub fn tell(
        &mut self,
        mut running: Running,
        outcome: TrialStatus,
        seconds: f64,
    ) -> Result<&Trial, TuneError> {
        let number = self.trials.len();
        assert_eq!(
            running.number, number as u64,
            "trials are recorded in order"
        );
        let reported = running.reports.len();
        running.reports.retain(|(_, v)| v.is_finite());
        let (lost, none) = (running.reports.len() < reported, running.reports.is_empty());
        let trial = Trial {
            number: running.number,
            outcome: if lost || (none && outcome == TrialStatus::Finished) {
                TrialStatus::Failed
            } else {
                outcome
            },
            value: best(&running.reports),
            params: running.params,
            reports: running.reports,
            seed: running.seed,
            seconds,
        };
        let trial = match &mut self.journal {
            None => trial,
            Some(journal) => journal.add(&trial)?,
        };
        self.trials.push(trial);
        Ok(&self.trials[number])
    }

    /// The trials that ended, in their order.
    pub fn trials(&self) -> &[Trial] {
        &self.trials
    }

    /// How the search was set up.
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// The finished trial of the greatest value, the first of equals.
    pub fn best(&self) -> Option<&Trial> {
        let finished = |t: &&Trial| t.outcome == TrialStatus::Finished;
        let better = |a: &Trial, b: &Trial| match (a.value, b.value) {
            (Some(a), Some(b)) => a > b,
            _ => false,
        };
        self.trials
            .iter()
            .filter(finished)
            .reduce(|best, trial| if better(trial, best) { trial } else { best })
    }

    /// The greatest value of a finished trial so far, after each trial.
    pub fn best_so_far(&self) -> Vec<Option<f64>> {
        let mut best: Option<f64> = None;
        let after = |trial: &Trial| {
            if trial.outcome == TrialStatus::Finished {
                best = [best, trial.value].into_iter().flatten().reduce(f64::max);
            }
            best
        };
        self.trials.iter().map(after).collect()
    }
}
