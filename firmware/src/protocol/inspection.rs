//! The part of the protocol that inspects: good frames of a product are kept, patch by patch, and a
//! frame is held to them.

use serde::{Deserialize, Serialize};

use crate::patches::Search;

/// What the host asks of the inspection.
///
/// What is learned counts at once, and is kept in flash by [`Keep`](Self::Keep): frames that belong
/// together are kept together or not at all, whenever the power is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum InspectionRequest {
    /// What is known. Answered, as most are, by
    /// [`Response::Inspection`](super::Response::Inspection).
    Status,
    /// Takes a picture of a good part and learns it.
    Good,
    /// Takes a picture of a bad part and learns its most suspicious patches as flaws.
    Bad,
    /// Takes a picture of a good part of a running line and counts its score, from which the
    /// threshold then comes.
    Watch,
    /// Keeps what was learned in flash.
    Keep,
    /// Forgets what was learned since it was kept last.
    Discard,
    /// Goes back to what was kept before the last [`Keep`](Self::Keep).
    Undo,
    /// Forgets all good frames, flaws and scores.
    Forget,
    /// Takes a picture and inspects it. Answered by
    /// [`Response::Anomaly`](super::Response::Anomaly).
    Look,
    /// A piece of the heat map of the last picture that was inspected: for each place, row by row, a
    /// little-endian `u16`, its distance from the good ones in 256ths of the one that makes it a
    /// flaw. Answered by [`Response::Heat`](super::Response::Heat).
    Heat {
        /// First byte wanted.
        offset: u16,
    },
    /// A piece of what is kept in flash: the model's identity, little-endian, and the bytes of the
    /// [`Memory`](crate::patches::Memory). Answered by [`Response::Kept`](super::Response::Kept).
    Save {
        /// First byte wanted.
        offset: u32,
    },
    /// Keeps what came in [pieces](super::Request::Learned) in place of all that was learned, if it is
    /// whole and of the present model.
    Restore,
}

/// What the inspection knows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InspectionInfo {
    /// Good frames that were learned.
    pub frames: u32,
    /// Patches of them that are stored.
    pub patches: u16,
    /// Patches that there is room for, as far as is known before the first frame.
    pub room: u16,
    /// Patches of flaws.
    pub flaws: u16,
    /// Good frames whose scores were counted by [`InspectionRequest::Watch`].
    pub watched: u32,
    /// Whether something was learned that is not kept in flash.
    pub unsaved: bool,
    /// Whether there is something to go back to by [`InspectionRequest::Undo`].
    pub can_undo: bool,
    /// Bad frames that were learned.
    pub bad: u32,
    /// Bytes that all of it takes in flash.
    pub bytes: u32,
    /// Bytes that it may take.
    pub max_bytes: u32,
    /// Whether the model gives patches.
    pub has_patches: bool,
    /// Whether what was learned is of another model.
    pub is_foreign: bool,
}

/// What was found in a picture.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Anomaly {
    /// 0 like the average good frame, 1 at the threshold, more is bad.
    pub score: f32,
    /// How unusual the worst patches are, in deviations of good frames.
    pub patches: f32,
    /// How unusual the whole embedding is, likewise.
    pub whole: f32,
    /// How unusual the brightness is, likewise.
    pub light: f32,
    /// Rows and columns of the heat map.
    pub size: [u8; 2],
    /// Row and column of its greatest value.
    pub worst: [u8; 2],
    /// Places that are of a flaw.
    pub flawed: u16,
    /// With which good patches the picture's were compared.
    pub search: Search,
    /// Ticks from the picture to the verdict; none where it is told with a class.
    pub ticks: u32,
    /// How unusual all of it is, likewise: `score` is this over the threshold.
    pub deviations: f32,
}

impl Anomaly {
    /// Whether the picture is of a good part.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.score <= 1.0
    }
}

/// Why a request about inspection was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum InspectionError {
    /// The board gives it no memory.
    #[error("this board has no memory for inspection by patches")]
    NoMemory,
    /// The model has no map of patches.
    #[error(
        "the model gives no patches: `sudal flash flaws` puts one on the board that does, `sudal patches` adds them to a network"
    )]
    NoPatches,
    /// Nothing was learned.
    #[error("no good part was shown yet: show some by `sudal good`")]
    NothingLearned,
    /// What was learned is of another model.
    #[error(
        "what was learned is of another model: `sudal inspection --forget`, or flash that model"
    )]
    OtherModel,
    /// There is nothing to go back to.
    #[error("nothing is kept from before")]
    NothingToUndo,
    /// The flash failed or refused; what was kept before still is.
    #[error("the flash failed")]
    Flash,
    /// What came is cut short, changed or no memory of good frames; what was kept before still is.
    #[error("what came is no memory of good frames, or a damaged one")]
    Damaged,
    /// A piece does not continue what came.
    #[error("the next piece has to start at byte {expected}")]
    OutOfOrder {
        /// Bytes that came.
        expected: u32,
    },
}
