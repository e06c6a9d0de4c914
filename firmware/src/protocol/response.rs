//! What the device answers.

use heapless::Vec;
use serde::{Deserialize, Serialize};

use super::{
    Anomaly, Decision, DecisionConfig, DecisionError, InspectionError, InspectionInfo, Protection,
    UpdateError,
};
use crate::camera::{CameraError, Geometry};
use crate::decision::{LeaveOneOut, Quality};
use crate::heads::{Head, Role};
use crate::history::Boots;
use crate::image::ModelFault;
use crate::key::Nonce;
use crate::lock::LockError;
use crate::preprocess::align::Pose;
use crate::store::{Damage, MAX_CLASSES, MAX_NAME, StoreError};

/// What the device answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Response<'a> {
    /// The request was not carried out.
    Error(DeviceError),
    /// The request was carried out.
    Done,
    /// To [`Request::Info`](super::Request::Info).
    #[serde(borrow)]
    Info(Info<'a>),
    /// To [`Request::Frame`](super::Request::Frame), [`Request::Learned`](super::Request::Learned),
    /// [`Request::Receive`](super::Request::Receive) or [`UpdateRequest`](super::UpdateRequest): bytes
    /// held from the start of the frame, the record or the image.
    Received(u32),
    /// To [`Request::Capture`](super::Request::Capture).
    Frame {
        /// Size and format of the whole frame.
        geometry: Geometry,
        /// Where the piece belongs.
        offset: u32,
        /// At most [`MAX_CHUNK`](super::MAX_CHUNK) bytes.
        chunk: &'a [u8],
    },
    /// To [`Request::Embed`](super::Request::Embed): the int8 values, as bytes.
    Embedding {
        /// The values in two's complement.
        values: &'a [u8],
        /// Ticks from the picture to the embedding.
        ticks: u32,
    },
    /// To [`Request::Classify`](super::Request::Classify).
    Classified(Verdict<'a>),
    /// To [`Request::Enroll`](super::Request::Enroll).
    Enrolled {
        /// Id of the class.
        id: u8,
        /// Its shots, this one included.
        shots: u8,
        /// Id of the class that lost a slot of the memory to this shot, if one did.
        overwritten: Option<u8>,
        /// How the shot fits its class.
        quality: Quality,
        /// As in a [`Verdict`].
        pose: Option<Pose>,
    },
    /// To [`Request::List`](super::Request::List).
    Classes {
        /// How many classes there are in all.
        total: u8,
        /// Some of them, by id.
        page: Page<'a>,
    },
    /// To [`Request::Stats`](super::Request::Stats).
    Stats(Stats),
    /// To [`Request::Head`](super::Request::Head): the head that is chosen now.
    Head(Head),
    /// To [`Request::Record`](super::Request::Record).
    Record {
        /// Bytes of the whole record.
        total: u16,
        /// At most [`MAX_CHUNK`](super::MAX_CHUNK) bytes; fewer at the end.
        chunk: &'a [u8],
    },
    /// To [`Request::Boots`](super::Request::Boots).
    Boots(Boots),
    /// To nothing: the device was just started. It comes with sequence number 0.
    Started,
    /// To [`LockRequest::Challenge`](super::LockRequest::Challenge): what to answer, once.
    Challenge(Nonce),
    /// To [`Request::Check`](super::Request::Check): all is well.
    Checked {
        /// Ticks that it took.
        ticks: u32,
    },
    /// To [`Request::LeaveOneOut`](super::Request::LeaveOneOut).
    LeftOut(LeaveOneOut),
    /// To [`InspectionRequest`](super::InspectionRequest), but for what the next three answer.
    Inspection(InspectionInfo),
    /// To [`InspectionRequest::Look`](super::InspectionRequest::Look), and to
    /// [`Request::Classify`](super::Request::Classify) where good parts were shown and no class is
    /// enrolled.
    Anomaly(Anomaly),
    /// To [`InspectionRequest::Heat`](super::InspectionRequest::Heat).
    Heat {
        /// Bytes of the whole map.
        total: u16,
        /// At most [`MAX_CHUNK`](super::MAX_CHUNK) bytes.
        chunk: &'a [u8],
    },
    /// To [`InspectionRequest::Save`](super::InspectionRequest::Save).
    Kept {
        /// Bytes of all that is kept; 0 if nothing is.
        total: u32,
        /// At most [`MAX_CHUNK`](super::MAX_CHUNK) bytes; none past the end.
        chunk: &'a [u8],
    },
    /// To [`Request::Thresholds`](super::Request::Thresholds).
    Thresholds(Thresholds),
}

/// What pictures are measured by at some rate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Thresholds {
    /// The novelty above which a picture is not of a class; without those of which nothing tells.
    pub classes: Vec<Distance, MAX_CLASSES>,
    /// The deviations of good frames above which a picture is bad; none where no good part was shown.
    pub inspection: Option<f32>,
}

/// Some enrolled classes.
pub type Page<'a> = Vec<ClassInfo<'a>, PAGE>;
const PAGE: usize = 8;

// With the longest names it fits a packet; all else of a class takes 16 bytes at most.
const _: () = assert!(PAGE * (MAX_NAME + 16) + 4 <= super::MAX_BODY);

/// Who the device is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Info<'a> {
    /// [`VERSION`](super::VERSION) of the device; first, so that every host can read it.
    pub protocol: u8,
    /// Version of the firmware crate.
    pub firmware: &'a str,
    /// Name of the board.
    pub board: &'a str,
    /// Ticks in a second.
    pub ticks_per_second: u32,
    /// Largest frame that the camera holds, in bytes.
    pub frame_capacity: u32,
    /// Working memory of the engine, in bytes.
    pub arena_capacity: u32,
    /// The model, or why there is none.
    #[serde(borrow)]
    pub model: Result<ModelInfo<'a>, ModelFault>,
    /// How many classes are enrolled, or why the store can't be used.
    pub classes: Result<u8, StoreError>,
    /// How many classes the store holds.
    pub max_classes: u8,
    /// How many shots a class holds.
    pub max_shots: u8,
    /// How queries are classified.
    pub head: Head,
    /// Slots of the memory that are in use.
    pub slots: u8,
    /// Slots of the memory.
    pub max_slots: u8,
    /// Classes of other models, which wait for their model to come back.
    pub other_models: u8,
    /// What the flash lost.
    pub damage: Damage,
    /// Who may change the device, and which image runs.
    pub protection: Protection,
    /// How it decides.
    pub decision_config: DecisionConfig,
}

/// The model that the device runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ModelInfo<'a> {
    /// Its identity: the first bytes of its hash.
    pub id: u64,
    /// Its name.
    pub name: &'a str,
    /// Columns of its input.
    pub width: u16,
    /// Rows of its input.
    pub height: u16,
    /// Channels of its input.
    pub channels: u16,
    /// Values of its embedding.
    pub dim: u16,
    /// What one step of an embedding's value is worth.
    pub scale: f32,
    /// The value that stands for 0.
    pub zero_point: i8,
    /// Bytes of memory that it needs while it runs.
    pub arena: u32,
    /// Bytes of the image.
    pub image: u32,
}

/// How far a picture is from a class, see [`Score`](crate::heads::Score).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Distance {
    /// Id of the class.
    pub class: u8,
    /// In the measure of the head.
    pub value: f32,
}

/// The class of a picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict<'a> {
    /// Name of the nearest class.
    pub name: &'a str,
    /// The nearest class and its distance.
    pub nearest: Distance,
    /// How much farther the second nearest is; none if one class is enrolled.
    pub margin: Option<f32>,
    /// Ticks from the picture to the class.
    pub ticks: u32,
    /// Distances to all classes of this model, by id.
    pub distances: Vec<Distance, MAX_CLASSES>,
    /// Whose measure it is.
    pub head: Head,
    /// Whether the picture is of that class.
    pub decision: Decision,
    /// Where the part was found that was brought to the middle; none if the frame was taken as it is.
    pub pose: Option<Pose>,
    /// What the picture shows beside the good parts that were shown, if some were.
    pub anomaly: Option<Anomaly>,
}

/// An enrolled class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassInfo<'a> {
    /// Its id.
    pub id: u8,
    /// Its name.
    pub name: &'a str,
    /// Its number of shots.
    pub shots: u8,
    /// Identity of the model that it was enrolled with. Another model can't use it.
    pub model: u64,
    /// Slots of the memory that it holds.
    pub slots: u8,
    /// What it stands for.
    pub role: Role,
}

/// What the device did since it was switched on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    /// Whole frames that were embedded.
    pub frames: u32,
    /// Frames that were classified.
    pub classified: u32,
    /// Shots that were enrolled.
    pub enrolled: u32,
    /// Packets that could not be read.
    pub malformed: u32,
    /// Packets that were answered again because the answer got lost.
    pub repeated: u32,
    /// Requests that were refused.
    pub refused: u32,
    /// Ticks of the last embedding.
    pub last_ticks: u32,
    /// Ticks of the slowest embedding.
    pub most_ticks: u32,
}

/// Why a request was not carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum DeviceError {
    /// The packet could not be read; it comes with sequence number 0.
    #[error("the device could not read the packet")]
    Malformed,
    /// There is no model to run.
    #[error(transparent)]
    Model(#[from] ModelFault),
    /// There is no picture.
    #[error(transparent)]
    Camera(#[from] CameraError),
    /// The picture can't be brought to the model's input.
    #[error("the frame can't be brought to the model's input")]
    Preprocess,
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Nothing was enrolled with this model, or all of it left the memory.
    #[error("no class is enrolled with this model: enrol one first")]
    NothingEnrolled,
    /// A capture asked for bytes past the end of the frame.
    #[error("the frame ends before this byte")]
    PastEnd,
    /// The device was given no record of its starts.
    #[error("this device keeps no record of its starts")]
    NoHistory,
    /// The lock refused.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The update was refused; the image that runs is what it was.
    #[error(transparent)]
    Update(#[from] UpdateError),
    /// The decisions are as they were.
    #[error(transparent)]
    Decision(#[from] DecisionError),
    /// The model image brings no frame to check it by.
    #[error("the model image has no self-test: convert it again")]
    NoSelfTest,
    /// The engine computes something else than the model image says.
    #[error("the model's self-test gives another embedding: flash firmware and model again")]
    SelfTest,
    /// The inspection is as it was.
    #[error(transparent)]
    Inspection(#[from] InspectionError),
}
