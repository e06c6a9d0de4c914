//! Why a model image is not run.

use serde::{Deserialize, Serialize};

/// Why the device has no model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ModelFault {
    /// No image was flashed, or it is damaged.
    #[error("there is no sound model image: flash one")]
    Image,
    /// The image is sound and needs more memory than this firmware gives.
    #[error("the model needs {needed} bytes of memory, this firmware gives {given}")]
    Arena {
        /// Bytes that the model asks for.
        needed: u32,
        /// Bytes that there are.
        given: u32,
    },
    /// The embedding has more values than the store keeps.
    #[error("the model's embedding has {dim} values, more than this firmware stores")]
    Embedding {
        /// Values of the embedding.
        dim: u16,
    },
    /// The input has more bytes than this firmware has room for.
    #[error("the model's input has {needed} bytes, this firmware has room for {given}")]
    Input {
        /// Bytes of the input.
        needed: u32,
        /// Bytes that there are.
        given: u32,
    },
    /// The input has other channels than frames are read for.
    #[error(
        "the model sees {channels} channels: this firmware reads one, or three where it was built with colours"
    )]
    Channels {
        /// Channels of the input.
        channels: u16,
    },
}

/// Why a model image in a slot is not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
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
