//! What the host asks.

use serde::{Deserialize, Serialize};

use super::{DecisionRequest, InspectionRequest, LockRequest, UpdateRequest};
use crate::camera::Geometry;
use crate::heads::Head;

/// What the host asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request<'a> {
    /// Who are you? Answered by [`Response::Info`](super::Response::Info).
    Info,
    /// A piece of a frame for the virtual camera. Answered by
    /// [`Response::Received`](super::Response::Received).
    Frame {
        /// Size and format of the whole frame.
        geometry: Geometry,
        /// Where the piece belongs.
        offset: u32,
        /// At most [`MAX_CHUNK`](super::MAX_CHUNK) bytes.
        chunk: &'a [u8],
    },
    /// A piece of a picture, from `offset` on. Offset 0 takes a new picture. Answered by
    /// [`Response::Frame`](super::Response::Frame).
    Capture {
        /// First byte wanted.
        offset: u32,
    },
    /// Takes a picture and embeds it. Answered by
    /// [`Response::Embedding`](super::Response::Embedding).
    Embed,
    /// Takes a picture and names its class. Answered by
    /// [`Response::Classified`](super::Response::Classified).
    Classify,
    /// Takes a picture and adds it to a class. Answered by
    /// [`Response::Enrolled`](super::Response::Enrolled).
    Enroll {
        /// Name of the class, which is made if there is none.
        name: &'a str,
        /// Whether a shot that does not fit its class is taken all the same.
        force: bool,
    },
    /// A page of the enrolled classes. Answered by [`Response::Classes`](super::Response::Classes).
    List {
        /// How many classes to pass over.
        skip: u8,
    },
    /// Gives a class another name. Answered by [`Response::Done`](super::Response::Done).
    Rename {
        /// Id of the class.
        id: u8,
        /// Its new name.
        name: &'a str,
    },
    /// Forgets a class. Answered by [`Response::Done`](super::Response::Done).
    Remove {
        /// Id of the class.
        id: u8,
    },
    /// Forgets all classes. Answered by [`Response::Done`](super::Response::Done).
    Reset,
    /// Counters since the device was switched on. Answered by
    /// [`Response::Stats`](super::Response::Stats).
    Stats,
    /// Chooses the head, or asks which one is chosen. Answered by
    /// [`Response::Head`](super::Response::Head).
    Head {
        /// The head from now on; none leaves it.
        choose: Option<Head>,
    },
    /// A piece of the [record](crate::store::record) of a class. Answered by
    /// [`Response::Record`](super::Response::Record).
    Record {
        /// Id of the class.
        id: u8,
        /// First byte wanted.
        offset: u16,
    },
    /// A piece of a record that is to be restored; nothing is changed yet. Answered by
    /// [`Response::Received`](super::Response::Received).
    Receive {
        /// Where the piece belongs: 0, or where the last one ended.
        offset: u16,
        /// At most [`MAX_CHUNK`](super::MAX_CHUNK) bytes.
        chunk: &'a [u8],
    },
    /// Stores the class whose record was received, in place of the one of its name. It has to be of
    /// the present model. Answered by [`Response::Enrolled`](super::Response::Enrolled).
    Restore,
    /// How often the device was started, why, and its last failure. Answered by
    /// [`Response::Boots`](super::Response::Boots).
    Boots {
        /// Whether the failure is forgotten afterwards.
        clear: bool,
    },
    /// Locks and unlocks the device, see [`LockRequest`] for the answers.
    Lock(LockRequest),
    /// Brings another model image, see [`UpdateRequest`] for the answers.
    #[serde(borrow)]
    Update(UpdateRequest<'a>),
    /// Changes how is decided, see [`DecisionRequest`].
    Decision(DecisionRequest),
    /// Checks a part of the device. Answered by [`Response::Checked`](super::Response::Checked).
    Check(Check),
    /// What would become of a class's shots if each were a new picture, see
    /// [`LeaveOneOut`](crate::decision::LeaveOneOut). Answered by
    /// [`Response::LeftOut`](super::Response::LeftOut).
    LeaveOneOut {
        /// Id of a class of the present model.
        id: u8,
    },
    /// Learns what good parts look like and inspects, see [`InspectionRequest`] for the answers.
    Inspection(InspectionRequest),
    /// A piece of what good frames taught, as [`InspectionRequest::Save`] gives it; it counts once
    /// [`InspectionRequest::Restore`] takes it. Answered by
    /// [`Response::Received`](super::Response::Received).
    Learned {
        /// Bytes of all pieces.
        total: u32,
        /// Where the piece belongs: 0, or where the last one ended.
        offset: u32,
        /// At most [`MAX_CHUNK`](super::MAX_CHUNK) bytes, of all but the last a multiple of 32.
        chunk: &'a [u8],
    },
    /// What pictures would be measured by if as many of known classes were rejected. Answered by
    /// [`Response::Thresholds`](super::Response::Thresholds).
    Thresholds {
        /// In parts of 10,000, 10..=2000.
        parts: u16,
    },
}

/// What a device can check about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Check {
    /// Runs the model on the frame that its image brings for this, and compares the embedding.
    Model,
    /// Writes the record of starts again and reads it back. Classes and settings are left alone.
    Flash,
}
