//! Why a product can't be measured.

use sudal_firmware::engine::EngineError;
use sudal_firmware::patches::MemoryError;

use crate::data::DataError;

/// Why a product could not be measured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FlawsError {
    /// The model gives no patches, or more than the firmware keeps.
    #[error(
        "the model gives no map of patches that the firmware can keep: `sudal patches` adds one to its ONNX file, `sudal convert` makes the image"
    )]
    Patches,
    /// The model wants another number of channels than one or three.
    #[error("the model wants pictures of {0} channels: 1 is grey, 3 has colours")]
    Channels(usize),
    /// A product lacks a kind of picture.
    #[error("{product} has {good} good and {flawed} flawed pictures in `test`: both are needed")]
    Kinds {
        /// The product.
        product: String,
        /// Good pictures.
        good: usize,
        /// Flawed ones.
        flawed: usize,
    },
    /// A picture can't be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The engine refuses a picture.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The memory refuses a picture.
    #[error(transparent)]
    Memory(#[from] MemoryError),
}
