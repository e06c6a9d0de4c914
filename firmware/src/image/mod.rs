//! The model image: a quantised network as it lies in flash, read in place.
//!
//! All numbers are little endian. The image starts at an address that is a multiple of
//! [`SECTION_ALIGN`], with a [`Header`] of 160 bytes; it names the sections that follow in any
//! order, each starting at a multiple of [`SECTION_ALIGN`]:
//!
//! | section | content |
//! |---|---|
//! | operations | [`OpRecord`], 96 bytes each, in the order in which they run |
//! | input table | [`LUT_LEN`] int8 a channel: pixel level to quantised input |
//! | weights | int8, one section an operation, see [`packing`] |
//! | channels | [`Channel`], one section an operation |
//! | metadata | UTF-8 JSON, for people and for the host |
//! | calibration | a [`Calibration`](crate::decision::Calibration): how far pictures of a known class may lie from it |
//! | golden frame, golden embedding | a picture and what the engine makes of it, for the self-test |
//!
//! A model may give a map of [`Patches`] beside its embedding: the output of one of its operations,
//! named by [`Header::patches_op`], which stays in the arena to the end. The self-test has its checksum.
//!
//! **Quantisation.** A real value is `scale * (q - zero_point)`, `q` int8. Activations have one
//! scale and zero point a tensor; weights have one scale an output channel and no zero point. An
//! output is computed from the int32 sum `acc = bias + sum(weight * input)` by
//!
//! ```text
//! y = clamp((((acc << pre_shift) * multiplier + 2^31) >> 32) + zero_point, act_min, act_max)
//! ```
//!
//! with a product of 64 bits; padding counts as the input's zero point, which the bias has
//! subtracted for all taps, so it adds nothing. The multiplier stands for
//! `input scale * weight scale / output scale * 2^(32 - pre_shift)`. Whoever writes an image sees
//! to it that `acc << pre_shift` fits an int32 for every input.
//!
//! **Arena.** All tensors live in one arena at the offsets in the records. An operation's output
//! overlaps neither its inputs (but for those that may work in place, see [`Kind`]) nor its
//! scratch, and scratch overlaps no input; [`Model::parse`] checks this and every other promise, so
//! that running a parsed model cannot leave its memory.
//!
//! Where [`OpRecord::by_rows`] is set, an operation and the one behind it run as one, and so do up
//! to [`MAX_CHAIN`] of them: a tensor between two has the memory of [`OpRecord::window`] only, their
//! scratches may lie over each other, and the output of the last may lie over the input of the
//! first where it starts by [`overlap_offset`] before it.
//!
//! A [`signature`] may follow the image; it is no part of it, so that signing changes neither hash
//! nor identity.

mod chain;
mod check;
mod error;
mod fault;
mod layout;
mod model;
pub mod packing;
mod patches;
pub mod signature;
mod slot;
#[cfg(test)]
mod tests;

pub use crate::checksum::crc;
pub use chain::{MAX_CHAIN, overlap_offset};
pub use check::OpFault;
pub(crate) use check::{COLUMNS, PLANES};
pub use error::ImageError;
pub use fault::{ImageFault, ModelFault};
pub use layout::{
    Aligned, BALANCED, CRC_START, Channel, HASH_START, Header, Kind, LUT_LEN, MAGIC, MAX_UNIT,
    OpRecord, SCRATCH_ALIGN, SECTION_ALIGN, TENSOR_ALIGN, Tensor, VERSION, VIEWED,
};
pub use model::{Golden, Model};
pub use patches::Patches;
pub use slot::Slot;
