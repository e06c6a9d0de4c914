//! From a trained network to files: ONNX for everybody, a model image for the board.
//!
//! [`onnx::write`] turns a [`Graph`](crate::nets::graph::Graph) into an ONNX file of standard
//! operators, [`verify::verify`] runs that file in two other runtimes and compares, [`float`]
//! evaluates any ONNX file, [`whiten::whiten`] puts a last layer behind one, [`patches::add_patches`] gives
//! it a second output, and [`convert::convert`] quantises one to the int8 image which the
//! firmware reads in place.
//!
//! # What an exported file says
//!
//! The input `image` is `[N, channels, height, width]` in float32, pixels already normalised; the
//! output `embedding` is `[N, length]`; a second output `patches`, where there is one, is `[N, channels,
//! height, width]`. How a pixel 0..=255 becomes the input is in the file's
//! `metadata_props`: `(pixel / 255 - sudal.mean) / sudal.std`. Beside them stand `sudal.name`,
//! `sudal.data`, `sudal.split`, `sudal.seed` and `sudal.version`.

#[cfg(feature = "train")]
pub mod benchmark;
pub mod calibration;
pub mod convert;
pub mod float;
pub mod grey;
pub mod metadata;
pub mod onnx;
pub mod patches;
mod proto;
pub mod runtime;
pub mod signature;
pub mod standardize;
#[cfg(test)]
mod tests;
mod tract;
pub mod validate;
pub mod verify;
pub mod views;
pub mod whiten;

pub use metadata::Metadata;
