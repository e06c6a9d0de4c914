//! The settings with which a run can be carried out at all.

use std::fmt::Debug;

use super::config::TrainConfig;
use super::distilled::Distilled;
use super::error::TrainError;
use super::learner::Learner;
use super::maml::Maml;
use super::mann::Mann;
use super::meta_transfer::MetaTransfer;
use super::prototypical::Prototypical;
use super::reptile::Reptile;
use super::siamese::Siamese;
use super::transfer::Transfer;

/// Most steps inside a task: each is kept until the gradient is known.
const STEPS: usize = 1000;
/// Greatest step of gradient descent inside a task.
const RATE: f32 = 1000.0;
/// Most rows, columns, units and heads of a memory-augmented network.
const MEMORY: usize = 4096;

impl TrainConfig {
    /// Whether a run can have these settings, whatever its data.
    ///
    /// # Errors
    /// [`TrainError`], which of them is out of bounds and what they are.
    pub fn check(&self) -> Result<(), TrainError> {
        // Adam moves each weight by about so much in a step.
        within("the learning rate", self.schedule.peak, 1e-12, 10.0)?;
        within("the decay of the average", self.averaging, 0.0, 1.0 - 1e-9)?;
        for (what, count) in [
            ("the number of classes of an episode", self.way),
            ("the number of support pictures", self.support),
            ("the number of query pictures", self.query),
        ] {
            within(what, count, 1, 1 << 20)?;
        }
        within("the number of episodes of a step", self.tasks, 1, 1000)?;
        within("the number of episodes", self.episodes, 0, 1 << 40)?;
        within("the contrast", self.contrast, 0, 255)?;
        let changes = self.augment;
        for change in [
            changes.rotate,
            changes.scale,
            changes.shear,
            changes.shift,
            changes.light,
        ] {
            within("a change of the training pictures", change, 0.0, 360.0)?;
        }
        self.check_learner()
    }

    fn check_learner(&self) -> Result<(), TrainError> {
        match &self.learner {
            Learner::Scratch(_) => Err(TrainError::NothingToTrain(self.learner.name())),
            Learner::Prototypical(Prototypical { shots }) => self.check_shots(shots),
            Learner::Maml(Maml {
                steps,
                test_steps,
                rate,
                head_rate,
                shots,
                ..
            }) => {
                check_task((*steps, *test_steps), (*rate, *head_rate))?;
                self.check_shots(shots)
            }
            Learner::Reptile(Reptile {
                steps,
                test_steps,
                rate,
                head_rate,
                ..
            }) => check_task((*steps, *test_steps), (*rate, *head_rate)),
            Learner::MetaTransfer(MetaTransfer {
                way,
                steps,
                test_steps,
                head_rate,
                ..
            }) => {
                within("the number of classes of a task", *way, 1, 1 << 20)?;
                check_task((*steps, *test_steps), (0.0, *head_rate))
            }
            Learner::Distilled(Distilled {
                temperature,
                labels,
                shots,
                ..
            }) => {
                within("the temperature", *temperature, 1e-3, 1e3)?;
                within("the weight of the labels", *labels, 0.0, 1e3)?;
                self.check_shots(shots)
            }
            Learner::Patches(patches) => {
                if patches.teacher == 0 && patches.flaws <= 0.0 {
                    return Err(TrainError::NothingToLearnFrom);
                }
                within("the temperature", patches.temperature, 1e-3, 1e3)?;
                for (what, weight) in [
                    ("the weight of drawn flaws", patches.flaws),
                    ("the weight of whole pictures", patches.pictures),
                    ("the weight of the labels", patches.labels),
                ] {
                    within(what, weight, 0.0, 1e3)?;
                }
                self.check_shots(&patches.shots)
            }
            Learner::Mann(mann) => self.check_memory(mann),
            Learner::Siamese(Siamese::Contrastive { margin }) => {
                within("the margin", *margin, 1e-6, 1e6)
            }
            Learner::Transfer(Transfer::FineTuned { steps, rate }) => {
                within("the number of steps on a new task", *steps, 0, STEPS)?;
                within("the learning rate on a new task", *rate, 0.0, 10.0)
            }
            Learner::Siamese(Siamese::Logistic) | Learner::Transfer(Transfer::Frozen) => Ok(()),
        }
    }

    fn check_shots(&self, shots: &[usize]) -> Result<(), TrainError> {
        if shots.is_empty() || shots.iter().any(|&shot| shot == 0 || shot > self.support) {
            return Err(TrainError::Shots(self.support));
        }
        Ok(())
    }

    fn check_memory(&self, mann: &Mann) -> Result<(), TrainError> {
        for (what, count) in [
            ("the number of units", mann.units),
            ("the number of slots", mann.slots),
            ("the width of a slot", mann.width),
            ("the number of heads", mann.heads),
            ("the number of classes of a sequence", mann.classes),
            ("the number of groupings", mann.groupings),
            ("the number of passes", mann.passes),
        ] {
            within(what, count, 1, MEMORY)?;
        }
        within("the number of written slots", mann.written, 1, mann.slots)?;
        within("the decay of a slot's usage", mann.decay, 0.0, 1.0)?;
        if self.way < mann.classes {
            return Err(TrainError::Narrow {
                method: mann.name(),
                needed: mann.classes,
                way: self.way,
            });
        }
        Ok(())
    }
}

/// What gradient descent inside a task can have.
fn check_task(
    (steps, test_steps): (usize, usize),
    (rate, head_rate): (f32, f32),
) -> Result<(), TrainError> {
    within("the number of steps inside a task", steps, 1, STEPS)?;
    within("the number of steps on a new task", test_steps, 1, STEPS)?;
    within("the size of a step inside a task", rate, 0.0, RATE)?;
    within("the size of a head's step", head_rate, 0.0, RATE)
}

/// What is not a number is never within.
fn within<T: PartialOrd + Debug>(
    what: &'static str,
    value: T,
    low: T,
    high: T,
) -> Result<(), TrainError> {
    if low <= value && value <= high {
        return Ok(());
    }
    Err(TrainError::Setting {
        what,
        value: format!("{value:?}"),
        low: format!("{low:?}"),
        high: format!("{high:?}"),
    })
}
