//! What goes into a memory, and what comes out of it.

use serde::{Deserialize, Serialize};

use super::{Light, Map, Shape};

/// What is seen of one frame.
#[derive(Debug, Clone, Copy)]
pub struct Sight<'a> {
    /// Its patches.
    pub map: Map<'a>,
    /// Its embedding, at most [`MAX_DIM`](crate::heads::MAX_DIM) values; empty if there is none.
    pub embedding: &'a [i8],
    /// The brightness of the model's input before its contrast was changed.
    pub light: Light,
}

/// With which of the stored patches a patch is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Search {
    /// With all.
    Free,
    /// With those within two rows and columns of its place, for parts that lie the same way.
    Place,
}

/// Why a frame was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MemoryError {
    /// The memory holds maps of another shape.
    #[error("a map of {have:?} among maps of {want:?}: another model? forget the product first")]
    Shape {
        /// Of the frame.
        have: Shape,
        /// Of the memory.
        want: Shape,
    },
    /// No good frame was taught yet.
    #[error("no good frame was taught yet")]
    Empty,
    /// The buffer for the heat map is not as long as the map.
    #[error("the map has {need} places, the buffer for its heat {have}")]
    Heat {
        /// Values of the buffer.
        have: usize,
        /// Places of the map.
        need: usize,
    },
}

/// What is found in a frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Finding {
    /// 0 like the average good frame, 1 at the threshold, more is bad; may be below 0.
    pub score: f32,
    /// The witnesses together, in deviations of good frames: what `score` is without the threshold.
    pub deviations: f32,
    /// How unusual the worst patches are, in deviations of good frames.
    pub patches: f32,
    /// How unusual the whole embedding is; 0 while fewer than two frames tell.
    pub whole: f32,
    /// How unusual the brightness is.
    pub light: f32,
    /// Squared distance above which a patch is of a flaw, in the units of the heat map.
    pub limit: u32,
    /// The place of the worst patch, row by row.
    pub worst: u8,
    /// With what patches were compared.
    pub search: Search,
}

impl Finding {
    /// Whether the frame is good.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.score <= 1.0
    }
}
