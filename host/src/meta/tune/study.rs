//! The search as a whole.

use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use super::error::TuneError;
use super::halving::Halving;
use super::journal::Journal;
use super::setup::Setup;
use super::shared::{Next, Shared};
use super::suggest::suggest;
use super::trial::{Running, Trial, TrialStatus, best};

/// A search under way.
#[derive(Debug)]
pub struct Study {
    setup: Setup,
    trials: Vec<Trial>,
    journal: Option<Journal>,
    pub(super) shared: Option<Shared>,
}

/// Between two looks at what other workers do.
const LOOK: Duration = Duration::from_millis(200);

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
            shared: None,
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

    /// Takes part in the study `name` of Optuna's journal `path`, which others may work on, too. Both
    /// are made if need be. Every `heartbeat` the journal gets a sign of life while a trial runs;
    /// after four of them are missing others take it over.
    ///
    /// # Errors
    /// As [`Study::new`]; when the file cannot be read or written or is no journal, and when the
    /// study there was set up otherwise or looks for the least value.
    pub fn join(
        path: &Path,
        name: &str,
        setup: Setup,
        heartbeat: Duration,
    ) -> Result<Self, TuneError> {
        let mut study = Self::new(setup)?;
        let shared = Shared::join(path, name, &study.setup, heartbeat)?;
        study.trials = shared.trials(&study.setup);
        study.shared = Some(shared);
        Ok(study)
    }

    /// The next trial while there are fewer than `wanted`; at the end of a study that is shared it
    /// waits until others are through with theirs, or until `stop`.
    ///
    /// # Errors
    /// When the file cannot be read or written, or others put something else in it.
    pub fn next(
        &mut self,
        wanted: usize,
        stop: impl Fn() -> bool,
    ) -> Result<Option<Running>, TuneError> {
        let Some(shared) = &mut self.shared else {
            return Ok((self.trials.len() < wanted).then(|| self.ask()));
        };
        loop {
            let next = shared.next(&self.setup, wanted)?;
            self.trials = shared.trials(&self.setup);
            match next {
                Next::Trial(running) => return Ok(Some(running)),
                Next::Wait if !stop() => sleep(LOOK),
                Next::Wait | Next::Done => return Ok(None),
            }
        }
    }

    /// Shows other workers what the trial reported, and sees what they did.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn share(&mut self, running: &Running) -> Result<(), TuneError> {
        if let Some(shared) = &mut self.shared {
            shared.share(running)?;
            self.trials = shared.trials(&self.setup);
        }
        Ok(())
    }

    /// Leaves a trial to other workers, who begin it again. It is lost where there are none.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn give_back(&mut self, _: Running) -> Result<(), TuneError> {
        match &mut self.shared {
            Some(shared) => shared.give_back(),
            None => Ok(()),
        }
    }

    /// The next trial of a study that is not shared.
    pub fn ask(&self) -> Running {
        Running {
            number: self.trials.len() as u64,
            seed: self.setup.seed,
            params: suggest(&self.setup, self.trials.len(), &self.trials),
            reports: Vec::new(),
        }
    }

    /// Whether the trial, by what it reported, is not worth continuing with.
    pub fn should_stop(&self, running: &Running) -> bool {
        let lost = running.reports.iter().any(|(_, v)| !v.is_finite());
        let stops = |rule: Halving| rule.stops(&self.trials, running);
        let taken = self.shared.as_ref().is_some_and(Shared::was_taken);
        lost || taken || self.setup.pruning.is_some_and(stops)
    }

    /// Keeps a trial that ended after `seconds`. One that reported what is no number has failed
    /// whatever `outcome` says, so has one that finished and reported nothing. One that another
    /// worker took over stays as it is: lost.
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
        let reported = running.reports.len();
        running.reports.retain(|(_, v)| v.is_finite());
        let (lost, none) = (running.reports.len() < reported, running.reports.is_empty());
        let outcome = if lost || (none && outcome == TrialStatus::Finished) {
            TrialStatus::Failed
        } else {
            outcome
        };
        if let Some(shared) = &mut self.shared {
            shared.tell(&running, outcome, seconds)?;
            self.trials = shared.trials(&self.setup);
            let own = self.trials.iter().find(|t| t.number == running.number);
            return Ok(own.expect("it ended, by this worker or another"));
        }
        let number = self.trials.len();
        assert_eq!(
            running.number, number as u64,
            "trials are recorded in order"
        );
        let trial = Trial {
            number: running.number,
            outcome,
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
