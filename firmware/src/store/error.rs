//! Why the store refused.

use serde::{Deserialize, Serialize};

use super::sectors::MapError;
use crate::heads::{MAX_CLASSES, MAX_DIM, MAX_NAME, MAX_SHOTS};

/// Why the store refused. In each case it still holds what it held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum StoreError {
    /// The contents can't be read or repaired; only a reset helps.
    #[error("the store is corrupt: reset it and enrol again")]
    Corrupt,
    /// The flash failed or refused.
    #[error("the flash failed")]
    Flash,
    /// There are [`MAX_CLASSES`] classes.
    #[error("the store is full: it holds {MAX_CLASSES} classes, remove one first")]
    ClassesFull,
    /// The class has [`MAX_SHOTS`] shots.
    #[error("the class is full: it holds {MAX_SHOTS} shots")]
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
    /// The embedding has no value, or more than [`MAX_DIM`], or another number than the class's
    /// shots.
    #[error("an embedding has to have between 1 and {MAX_DIM} values, the same for all shots")]
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
}

impl<E> From<MapError<E>> for StoreError {
    fn from(error: MapError<E>) -> Self {
        use sequential_storage::Error;
        match error {
            Error::Storage { .. } => Self::Flash,
            Error::FullStorage | Error::ItemTooBig => Self::FlashFull,
            _ => Self::Corrupt,
        }
    }
}
