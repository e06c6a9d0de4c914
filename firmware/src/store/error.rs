//! Why the store refused.

use serde::{Deserialize, Serialize};

use super::record::Unread;
use super::sectors::MapError;
use crate::heads::MAX_NAME;

/// Why the store refused. In each case it still holds what it held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum StoreError {
    /// The contents can't be read or repaired; only a reset helps.
    #[error("the store is corrupt: reset it and enrol again")]
    Corrupt,
    /// The flash failed or refused.
    #[error("the flash failed")]
    Flash,
    /// There are [`MAX_CLASSES`](super::MAX_CLASSES) classes.
    #[error("the store is full: remove a class first")]
    ClassesFull,
    /// The class has [`MAX_SHOTS`](super::MAX_SHOTS) shots.
    #[error("the class is full: it has all the shots that the device has room for")]
    ShotsFull,
    /// The flash has no room left.
    #[error("the flash is full: remove a class first")]
    FlashFull,
    /// Empty, longer than [`MAX_NAME`] bytes, or with control characters.
    #[error("a name has to have between 1 and {MAX_NAME} bytes, none of a control character")]
    Name,
    /// Another class of the same model has this name.
    #[error("another class has this name")]
    NameTaken,
    /// Fewer sectors than [`Store::MIN_SECTORS`](super::Store::MIN_SECTORS).
    #[error("the flash is too small for the store")]
    TooSmall,
    /// Written by a firmware that is newer than this one.
    #[error(
        "the store has a format that this firmware does not know: update it, or reset the store"
    )]
    Format,
    /// No class has this id.
    #[error("no class has this id")]
    NoSuchClass,
    /// The embedding has no value, or more than [`MAX_DIM`](super::MAX_DIM), or another number than the
    /// class's shots.
    #[error(
        "an embedding has to have at least one value, no more than the device has room for, and as many as the other shots of its class"
    )]
    Embedding,
    /// A piece of a class came out of order.
    #[error("the device expects byte {expected} of the class")]
    OutOfOrder {
        /// First byte of the piece that it expects.
        expected: u16,
    },
    /// The bytes are not those of a class.
    #[error("this is not a class")]
    Record,
    /// The class was enrolled with another model.
    #[error("the class belongs to another model")]
    OtherModel,
    /// A class has an id, shots or values beyond what the firmware was built for.
    #[error(
        "the store or the class is larger than this firmware was built for: flash one with as much room as before, or reset the store"
    )]
    Capacity,
}

impl From<Unread> for StoreError {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::Malformed => Self::Record,
            Unread::TooLarge => Self::Capacity,
        }
    }
}

impl<E> From<MapError<E>> for StoreError {
    fn from(error: MapError<E>) -> Self {
        use sequential_storage::Error;
        match error {
            Error::Storage { .. } => Self::Flash,
            Error::FullStorage | Error::ItemTooBig => Self::FlashFull,
            // The room is for the largest item of this build.
            Error::BufferTooSmall(_) => Self::Capacity,
            _ => Self::Corrupt,
        }
    }
}
