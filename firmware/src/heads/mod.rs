//! Classifier heads over one embedding: what was enrolled and the embedding of a query in, a class
//! out.
//!
//! | head | what it reads | method |
//! |---|---|---|
//! | [`Head::Prototype`] | the mean of a class's shots | Snell et al. 2017 |
//! | [`Head::Nearest`] | every shot | nearest support picture, as of a Siamese network (Koch et al. 2015) |
//! | [`Head::Memory`] | a bounded number of slots | Santoro et al. 2016, Kaiser et al. 2017 |
//! | [`Head::Linear`] | weights fitted to the shots | Raghu et al. 2020 (ANIL), from Snell's start |
//!
//! All read the same stored shots, so that the head can be changed at any time. The first two are
//! exact integers until a distance is reported; the others use `f32` with additions,
//! multiplications and divisions alone, in a fixed order, which every processor rounds the same way.

pub mod capacity;
mod class;
mod distance;
mod exp;
pub mod linear;
pub mod memory;
pub mod nearest;

pub(crate) use capacity::{IDS, SHOTS, VALUES};
pub use capacity::{MAX_CLASSES, MAX_DIM, MAX_SHOTS};
pub use class::{Class, Role};
pub use distance::{Distance, Prototype, Ranking, rank};
pub(crate) use exp::exp;

use heapless::Vec;
use serde::{Deserialize, Serialize};

/// Bytes that a name holds, in UTF-8: 32 letters of three bytes, as Hangul's are.
pub const MAX_NAME: usize = 96;

/// How queries are classified.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Head {
    /// By the nearest mean of a class's shots.
    #[default]
    Prototype,
    /// By the nearest single shot.
    Nearest,
    /// By a weighted read of the memory's slots.
    Memory,
    /// By a linear classifier that starts from the prototypes and takes a few gradient steps.
    Linear,
}

impl Head {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Prototype, Self::Nearest, Self::Memory, Self::Linear];

    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Prototype => "prototype",
            Self::Nearest => "nearest",
            Self::Memory => "memory",
            Self::Linear => "linear",
        }
    }
}

/// What a model's int8 embeddings stand for: `scale * (value - zero_point)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantization {
    /// What one step is worth.
    pub scale: f32,
    /// The value that stands for 0.
    pub zero_point: i8,
}

/// How far a query is from a class, in the measure of the head; less is nearer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// Id of the class.
    pub class: u8,
    /// Prototype and nearest: squared Euclidean distance in units of the float embedding. Linear:
    /// the same as the classifier sees it, which the gradient steps may bring below 0. Memory: the
    /// share of the read that went to other classes, 0 to 1.
    pub value: f32,
}

/// What a head makes of a query.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Of each class of the model, in the order of the classes.
    pub scores: Vec<Score, MAX_CLASSES>,
    /// Positions of the nearest and the second nearest in `scores`.
    pub ranking: Ranking,
}
