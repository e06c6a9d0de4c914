//! Why bytes are not a model image.

use super::check::OpFault;
use super::layout::{SECTION_ALIGN, VERSION, VIEWED};

/// Why bytes are not a model image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// The bytes do not start at a multiple of [`SECTION_ALIGN`] in memory.
    #[error("image not aligned to {SECTION_ALIGN} bytes in memory")]
    Misaligned,
    /// There are fewer bytes than the header says, or not even a header.
    #[error("image cut short: {have} bytes of {need}")]
    Truncated {
        /// Bytes that there are.
        have: usize,
        /// Bytes that there should be.
        need: usize,
    },
    /// The first bytes are not those of a model image.
    #[error("not a model image: it does not start with SUDL")]
    Magic,
    /// The layout is of another version than this crate's.
    #[error("image has layout version {0}, this firmware reads {VERSION} to {VIEWED}")]
    Version(u16),
    /// The checksum does not fit the content.
    #[error("image damaged: checksum {computed:08x}, header says {stored:08x}")]
    Checksum {
        /// Checksum in the header.
        stored: u32,
        /// Checksum of the bytes.
        computed: u32,
    },
    /// The header contradicts itself; the text names the field.
    #[error("header out of range: {0}")]
    Header(&'static str),
    /// An operation cannot be run.
    #[error("operation {index}: {fault}")]
    Op {
        /// Number of the operation, counted from 0.
        index: usize,
        /// What is wrong with it.
        fault: OpFault,
    },
}
