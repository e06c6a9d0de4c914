//! The part of the protocol that locks a device and brings it another model image.

use serde::{Deserialize, Serialize};

use crate::image::signature::{Claim, Product};
use crate::image::{ImageFault, Slot};
use crate::key::{Answer, Key, Seed};
use crate::lock::LockState;
use crate::settings::SettingsError;

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
    /// Announces an image, or continues with it. Answered by
    /// [`Response::Received`](super::Response::Received): the byte to continue from.
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

/// Why an update was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
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
        /// Where to continue.
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
