//! The part of the protocol that decides: whether a picture is of a known class, and who may say so.

use serde::{Deserialize, Serialize};

use crate::decision::{Basis, Filter, Outcome, Outlier, Rate, Stable};
use crate::heads::Role;
use crate::preprocess::align::Alignment;
use crate::preprocess::{Fit, Region};
use crate::settings::SettingsError;

/// What is decided of a picture, beside its nearest class.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// Of this picture.
    pub outcome: Outcome,
    /// How new it is to the class that the head names: its squared distance to the class's mean over
    /// the one that pictures of the class have on average, so 1 is usual. None while nothing tells.
    pub novelty: Option<f32>,
    /// The novelty above which it is [`Outcome::Unknown`]; without one it never is.
    pub threshold: Option<f32>,
    /// What the threshold rests on.
    pub basis: Basis,
    /// Its novelty for the class that the head names second.
    pub second: Option<f32>,
    /// Of the last pictures together.
    pub stable: Stable,
    /// Whether light or camera have changed.
    pub drift: DriftInfo,
    /// Of this picture at a rate at which it is accepted and has no flaw, see
    /// [`Request::Thresholds`](super::Request::Thresholds).
    pub accepted: Outcome,
}

/// Whether light or camera have changed since the classes were last changed, the device was
/// re-centred or switched on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DriftInfo {
    /// Pictures that counted.
    pub frames: u16,
    /// The novelty of their mean; none before there are enough.
    pub score: Option<f32>,
    /// Whether that is more than a picture may have: enrol again, mend the light or re-centre.
    pub warning: bool,
}

/// How a device decides.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DecisionConfig {
    /// How many pictures of known classes may be rejected.
    pub rate: Rate,
    /// How a stable decision is made.
    pub filter: Filter,
    /// The part of the frame that is looked at, none for the whole.
    pub region: Option<Region>,
    /// Whether parts are brought to the middle and upright.
    pub alignment: Alignment,
    /// What thresholds rest on.
    pub basis: Basis,
    /// Whether queries are shifted, since [`DecisionRequest::Recenter`].
    pub recentered: bool,
    /// Whether light or camera have changed.
    pub drift: DriftInfo,
    /// What is looked at of a frame or region of other proportions than the model's input.
    pub fit: Fit,
}

/// What the host asks of the decisions. Each is kept in flash, and answered by
/// [`Response::Done`](super::Response::Done).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DecisionRequest {
    /// How many pictures of known classes may be rejected.
    Rate {
        /// In parts of 10,000, 10..=2000.
        parts: u16,
    },
    /// How a stable decision is made.
    Filter(Filter),
    /// What a class stands for.
    Role {
        /// Id of the class.
        id: u8,
        /// Its role from now on.
        role: Role,
    },
    /// Shifts embeddings from now on by how far they have drifted, those of shots that are enrolled
    /// later too. [`Request::Embed`](super::Request::Embed) gives them as the model makes them.
    Recenter,
    /// Shifts embeddings no more.
    Uncenter,
    /// The part of each frame that is looked at, none for the whole.
    Region(Option<Region>),
    /// Whether parts are brought to the middle and upright.
    Align(Alignment),
    /// What is looked at of a frame or region of other proportions than the model's input.
    Fit(Fit),
}

/// Why a request about decisions was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum DecisionError {
    /// Less than 0.1 % or more than 20 %.
    #[error("a false-reject rate has to be between 0.1 % and 20 %")]
    Rate,
    /// See [`Filter::is_sound`].
    #[error("a filter has a window of 1 to 16 frames, of which more than half have to agree")]
    Filter,
    /// Too few pictures were given a class to tell how far they have drifted.
    #[error(
        "{frames} different frames were given a class, {needed} are needed: classify some known parts; \
         unknown ones do not count, so where all are unknown mend the light or enrol again"
    )]
    Frames {
        /// Pictures that counted.
        frames: u16,
        /// How many there should be.
        needed: u16,
    },
    /// The region has no pixel, or more than any frame of the camera.
    #[error("the region of interest is empty, or larger than any frame of this camera")]
    Region,
    /// The shot does not fit its class.
    #[error(transparent)]
    Outlier(#[from] Outlier),
    /// The settings can't be read or written.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// See [`Alignment::is_sound`].
    #[error("a window about a part has 10 to 100 % of the region's sides")]
    Window,
    /// The region reaches out of the frame that the camera has now.
    #[error(
        "the region of interest reaches out of the frame, which has {width}x{height} pixels: set another, or `sudal region whole`"
    )]
    OutOfFrame {
        /// Columns of the frame.
        width: u16,
        /// Its rows.
        height: u16,
    },
}
