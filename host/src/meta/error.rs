//! Why a training run cannot start or continue.

use std::path::PathBuf;

use crate::episodes::EpisodeError;
use crate::nets::network::{Architecture, PlanError};

/// Why a run cannot start or continue.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The data cannot fill the episodes.
    #[error(transparent)]
    Episode(#[from] EpisodeError),
    /// There is no such network for the pictures.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A setting is out of bounds.
    #[error("{what} is {value}: give {low} to {high}")]
    Setting {
        /// Which.
        what: &'static str,
        /// What was given.
        value: String,
        /// The least.
        low: String,
        /// The most.
        high: String,
    },
    /// The method learns the classes of the data themselves, or from what a teacher saw of them.
    #[error(
        "{0} learns of the pictures as they are: new classes made of them are for prototypical, siamese, maml and reptile"
    )]
    OwnClasses(&'static str),
    /// The loss became infinite or not a number.
    #[error(
        "the loss became {loss} in episode {episode}: lower the learning rate, or check the data for pictures of one colour"
    )]
    Diverged {
        /// The loss.
        loss: f32,
        /// Where.
        episode: u64,
    },
    /// The weights became infinite or not numbers.
    #[error(
        "the weights are no longer finite after episode {episode}: lower the learning rate; what was kept before is whole"
    )]
    NotFinite {
        /// Episodes done.
        episode: u64,
    },
    /// The run has not reached its end.
    #[error("the run stands at episode {done} of {of}: finish it with `sudal train --resume`")]
    Unfinished {
        /// Episodes done.
        done: u64,
        /// Episodes asked for.
        of: u64,
    },
    /// The shots are not usable with n support pictures.
    #[error("give at least one shot, each from 1 to the {0} support pictures of a class")]
    Shots(usize),
    /// The method works on top of a trained network.
    #[error("{0} learns on top of a trained network: give one with --from")]
    NeedsStart(&'static str),
    /// The method learns nothing from other tasks.
    #[error(
        "{0} learns nothing before its task: there is nothing to train, measure it with `sudal bench`"
    )]
    NothingToTrain(&'static str),
    /// The method needs more classes in an episode.
    #[error(
        "{method} cuts sequences of {needed} classes out of episodes: a way of {way} is too small"
    )]
    Narrow {
        /// The method.
        method: &'static str,
        /// Classes of a sequence.
        needed: usize,
        /// Classes of an episode.
        way: usize,
    },
    /// The method makes patches of a map that the network lacks.
    #[error(
        "{0} learns patches: give a network that has a map of them, --network residual or lite, of a size that its steps divide"
    )]
    NeedsMap(&'static str),
    /// A task changes the network by passes of its own.
    #[error(
        "{0} changes the network in every task, without rounding it: leave --fake-quantize out"
    )]
    NotFakeQuantized(&'static str),
    /// White balance of pictures without colours.
    #[error(
        "white balance is of colours, and the pictures are grey: give --colour, or leave --balance out"
    )]
    NoColors,
    /// There is nothing to learn patches from.
    #[error(
        "patches are learned from a teacher, from drawn flaws or from both: give --teacher, or --flaws above 0"
    )]
    NothingToLearnFrom,
    /// A method that learns from a teacher has none.
    #[error("this run learns from a teacher: give it with --teacher")]
    NoTeacher,
    /// The teacher's embeddings are those of other pictures.
    #[error("the teacher has looked at other pictures than those of the run")]
    OtherTeacher,
    /// The network to start from is another one.
    #[error("the network to start from is not {0:?} for pictures of this size")]
    OtherStart(Architecture),
    /// The data is not what the run began with.
    #[error(
        "the run began with other pictures: a class or picture was added, taken away or changed; give it those, or begin a new run"
    )]
    OtherPictures,
    /// The checkpoint holds only the finished network.
    #[error("this file holds what was learned, not the run: there is nothing to continue with")]
    NoRun,
    /// The checkpoint could not be written or read.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

/// Why a checkpoint could not be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The file system said no.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The checkpoint.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// The file is something else, or damaged.
    #[error("{path} is no checkpoint of this version of sudal: {what}; start the run again without --resume", path = path.display())]
    Format {
        /// The checkpoint.
        path: PathBuf,
        /// What does not fit.
        what: String,
    },
}
