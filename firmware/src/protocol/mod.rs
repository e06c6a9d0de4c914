//! What the host asks and the device answers, and how that goes over a serial line.
//!
//! Every [`Request`] has one [`Response`]. Each travels in a [packet]: a sequence number, the
//! `postcard` encoding and a CRC-32, wrapped by COBS between zero bytes. The host numbers its
//! requests; a device that sees the same request again repeats its answer and does nothing else,
//! so that a request whose answer got lost can be sent again safely.
//!
//! The order of variants and fields is the wire format: new variants go to the end, and any other
//! change raises [`VERSION`].

mod access;
mod decision;
mod guard;
mod inspection;
pub mod packet;
mod request;
mod response;

pub use crate::image::{ImageFault, ModelFault, Slot};
pub use crate::lock::{LockError, LockState};
pub use access::Access;
pub use decision::{Decision, DecisionConfig, DecisionError, DecisionRequest, DriftInfo};
pub use guard::{LockRequest, Protection, UpdateError, UpdateRequest};
pub use inspection::{Anomaly, InspectionError, InspectionInfo, InspectionRequest};
pub use request::{Check, Request};
pub use response::{
    ClassInfo, DeviceError, Distance, Info, ModelInfo, Page, Response, Stats, Thresholds, Verdict,
};

/// Version of the wire format.
pub const VERSION: u8 = 9;

/// Most bytes of a frame or a record in one packet.
pub const MAX_CHUNK: usize = 1024;

/// Most bytes of an encoded request or response.
pub const MAX_BODY: usize = MAX_CHUNK + 64;
