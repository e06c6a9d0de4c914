//! The part of the protocol that locks a device and brings it another model image.

use serde::{Deserialize, Serialize};

use super::{Check, InspectionRequest, ModelFault, Request};
use crate::image::signature::{Claim, Product};
use crate::lock::{Answer, Key, Seed};
use crate::settings::SettingsError;

/// Who may make a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anyone: it reads, or it has its own check.
    Open,
    /// Who unlocked the device, where it has a key: it changes what the device keeps.
    Guarded,
}

impl Request<'_> {
    /// Who may make this request. Without a wildcard, so that a new request has to say.
    #[must_use]
    pub const fn access(&self) -> Access {
        match self {
            Self::Info
            | Self::Frame { .. }
            | Self::Capture { .. }
            | Self::Embed
            | Self::Classify
            | Self::List { .. }
            | Self::Stats
            | Self::Record { .. }
            | Self::Boots { clear: false }
            | Self::Head { choose: None }
            | Self::Check(Check::Model)
            | Self::LeaveOneOut { .. } => Access::Open,
            Self::Enroll { .. }
            | Self::Rename { .. }
            | Self::Remove { .. }
            | Self::Reset
            | Self::Head { choose: Some(_) }
            | Self::Receive { .. }
            | Self::Restore
            | Self::Learned { .. }
            | Self::Boots { clear: true }
            | Self::Update(_)
            | Self::Decision(_)
            | Self::Check(Check::Flash) => Access::Guarded,
            Self::Lock(request) => match request {
                LockRequest::Challenge
                | LockRequest::Unlock { .. }
                | LockRequest::Lock
                | LockRequest::Provision { .. } => Access::Open,
                LockRequest::Trust { .. } | LockRequest::Bind { .. } => Access::Guarded,
            },
            Self::Inspection(request) => match request {
                InspectionRequest::Status
                | InspectionRequest::Look
                | InspectionRequest::Heat { .. }
                | InspectionRequest::Save { .. } => Access::Open,
                InspectionRequest::Good
                | InspectionRequest::Bad
                | InspectionRequest::Watch
                | InspectionRequest::Keep
                | InspectionRequest::Discard
                | InspectionRequest::Undo
                | InspectionRequest::Forget
                | InspectionRequest::Restore => Access::Guarded,
            },
        }
    }
}

/// What the host asks of the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LockRequest {
    /// Something new to answer. Answered by [`Response::Challenge`](super::Response::Challenge).
    Challenge,
    /// Unlocks until [`Lock`](Self::Lock) or until the power is off, if the answer to the last
    /// challenge is right. Answered by [`Response::Done`](super::Response::Done).
    Unlock {
        /// See [`answer`](crate::lock::answer).
        answer: Answer,
    },
    /// Locks again. Answered by [`Response::Done`](super::Response::Done).
    Lock,
    /// Gives a device its key and locks it; only while it has none. Answered by
    /// [`Response::Done`](super::Response::Done).
    Provision {
        /// The key, which can't be read back.
        key: Key,
        /// Random, other ones each time.
        seed: Seed,
    },
    /// From now on takes only model images with a signature of this Ed25519 key. Answered by
    /// [`Response::Done`](super::Response::Done).
    Trust {
        /// The public key.
        key: [u8; 32],
    },
    /// What a signed image has to say to be taken from now on; only with a trusted key. Answered by
    /// [`Response::Done`](super::Response::Done).
    Bind {
        /// The device's product; none leaves it.
        product: Option<Product>,
        /// The least counter; none leaves it.
        counter: Option<u32>,
    },
}

/// How a model image gets to the slot that does not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum UpdateRequest<'a> {
    /// Announces an image, or goes on with it. Answered by
    /// [`Response::Received`](super::Response::Received): the byte to go on from.
    Begin {
        /// Bytes of the image and its signature.
        len: u32,
        /// SHA-256 of them.
        digest: [u8; 32],
    },
    /// The next piece. Answered by [`Response::Received`](super::Response::Received).
    Chunk {
        /// Where it belongs.
        offset: u32,
        /// At most [`MAX_CHUNK`](super::MAX_CHUNK) bytes, whole words of the flash unless it is the
        /// last piece.
        chunk: &'a [u8],
    },
    /// Checks the image and, if it is good, runs it from the next start on. Answered by
    /// [`Response::Done`](super::Response::Done).
    Finish,
}

/// Where a model image lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Slot {
    /// Where it was put with the firmware.
    Factory,
    /// In the first slot for updates.
    A,
    /// In the second one.
    B,
}

/// Whether the device can be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LockState {
    /// By anyone: it has no key.
    Open,
    /// Not now.
    Locked,
    /// By anyone on the line, until it is locked again.
    Unlocked,
    /// Not at all before it is recovered: its settings can't be read.
    Unreadable,
}

/// How a device is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Protection {
    /// Whether it can be changed.
    pub lock: LockState,
    /// First eight bytes of the key whose signatures it takes; without one it takes any image.
    pub trusted: Option<[u8; 8]>,
    /// What an image has to say to be taken: its product, if the device has one, and at least this
    /// counter. Without a trusted key it says nothing.
    pub bound: Claim,
    /// What the update that runs says; none for the image it was flashed with or without a signature.
    pub claim: Option<Claim>,
    /// The image that runs.
    pub running: Slot,
    /// The image that runs from the next start on.
    pub next: Slot,
    /// What was wrong with the image that should run, if another one had to.
    pub rejected: Option<ImageFault>,
}

/// Why a model image in a slot is not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum ImageFault {
    /// The slot is erased.
    #[error("there is no image")]
    Blank,
    /// It is no image, or this firmware can't run it.
    #[error(transparent)]
    Model(#[from] ModelFault),
    /// The SHA-256 in the header is not that of the image.
    #[error("the image's hash is wrong: convert the model again")]
    Hash,
    /// The device trusts a key and the image has no signature.
    #[error("the image is not signed: sign it with `sudal sign`")]
    Unsigned,
    /// The signature is not that of the trusted key for this image.
    #[error("the image's signature is not by the key that the device trusts")]
    Signature,
    /// Without a self-test nothing tells whether it works here.
    #[error("the image has no self-test: convert the model again")]
    NoSelfTest,
    /// The golden frame gave another embedding.
    #[error("the image fails its self-test")]
    SelfTest,
    /// It is for another product, by its signature.
    #[error("the image is signed for another product than the device")]
    Product,
    /// It is older than what the device takes, by its signature.
    #[error("the image is signed with counter {counter}, the device takes none below {least}")]
    Older {
        /// The image's.
        counter: u32,
        /// The device's.
        least: u32,
    },
}

/// Why the lock refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum LockError {
    /// This changes the device, and it is locked.
    #[error("the device is locked: give its key (--key FILE, or SUDAL_KEY)")]
    Locked,
    /// The answer is not that of the device's key.
    #[error("this is not the device's key")]
    WrongKey,
    /// There is no challenge that was not answered yet.
    #[error("each answer needs a challenge of its own: ask for one first")]
    NoChallenge,
    /// There were wrong answers.
    #[error("there were wrong answers: wait {seconds} s")]
    Wait {
        /// Until the next challenge.
        seconds: u32,
    },
    /// The device has a key already.
    #[error("the device has a key already; only a recovery takes it away, with all classes")]
    HasKey,
    /// The device has no key.
    #[error("the device has no key: lock it with `sudal lock --key FILE`")]
    NoKey,
    /// These bytes are no Ed25519 public key.
    #[error("this is no sound public key")]
    PublicKey,
    /// The settings can't be read or written.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// Product and counter are what a signer says, and none is trusted.
    #[error("the device trusts no key yet: give the signer's too (`sudal trust`)")]
    NoTrust,
}

/// Why an update was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum UpdateError {
    /// More bytes than a slot has, or than were announced, or none.
    #[error("an image has to have between 1 and {room} bytes, and as many as were announced")]
    Length {
        /// Bytes that there are.
        room: u32,
    },
    /// No update was begun since the device was switched on.
    #[error("no update was begun")]
    NotBegun,
    /// The piece is not the next one.
    #[error("the next byte is number {expected}")]
    OutOfOrder {
        /// Where to go on.
        expected: u32,
    },
    /// The piece does not end on a word of the flash.
    #[error("a piece has to be whole words of {word} bytes")]
    Unaligned {
        /// Bytes of a word.
        word: u32,
    },
    /// Bytes are missing.
    #[error("the image is not whole: {received} bytes of {len} came")]
    Incomplete {
        /// Bytes that there are.
        received: u32,
        /// Bytes that were announced.
        len: u32,
    },
    /// What came is not what was announced.
    #[error("the image was damaged on the way: send it again")]
    Digest,
    /// The flash failed.
    #[error("the flash failed")]
    Flash,
    /// The image is not fit to run.
    #[error(transparent)]
    Image(#[from] ImageFault),
    /// The settings can't be read or written.
    #[error(transparent)]
    Settings(#[from] SettingsError),
}
