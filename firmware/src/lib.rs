//! Few-shot vision for microcontroller cameras, the device half: no heap, and but for two of the
//! classifier heads integers only.
//!
//! ```
//! use sudal_firmware::engine;
//! use sudal_firmware::heads::{Head, Quantization};
//! use sudal_firmware::image::{Aligned, Model};
//! use sudal_firmware::store::Known;
//!
//! // A model image, read in place.
//! static IMAGE: &Aligned<[u8]> = &Aligned(*include_bytes!(concat!(
//!     env!("CARGO_MANIFEST_DIR"),
//!     "/../models/parts.sudal"
//! )));
//! let model = Model::parse(&IMAGE.0)?;
//! let mut arena = vec![0; model.arena_words()];
//! let mut embed = |picture: &[u8]| engine::run(&model, picture, &mut arena).map(<[i8]>::to_vec);
//!
//! // Two classes of one picture each: upright stripes so wide, from a column on.
//! let [_, width, _] = model.input_shape();
//! let stripes = |wide: usize, from: usize| -> Vec<u8> {
//!     let level = |i: usize| ((i % width + from) / wide % 2 * 200) as u8;
//!     (0..model.input_len()).map(level).collect()
//! };
//! let mut known = Known::new();
//! known.enroll("fine", model.id(), &embed(&stripes(4, 0))?)?;
//! known.enroll("coarse", model.id(), &embed(&stripes(16, 0))?)?;
//!
//! // Which of them is a new picture of?
//! let quantization = Quantization {
//!     scale: model.output_scale(),
//!     zero_point: model.header().output_zero_point as i8,
//! };
//! let query = embed(&stripes(16, 3))?;
//! let answer = known.classify(Head::Prototype, &query, model.id(), quantization).unwrap();
//! assert_eq!(known.classes()[answer.ranking.first].name, "coarse");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A board brings a camera, flash and a serial line, see [`device::Resources`]; [`docs::porting`] says how. The
//! directory `examples` has programs for a computer.
//!
//! The host links this same library, so whatever a board computes can be checked bit for bit.
//!
//! Each folder imports only what stands before it: pictures ([`frame`]) become a model's input
//! ([`preprocess`]), embeddings become answers ([`heads`]) and decisions ([`decision`]), a model is an
//! [`image`] that the [`engine`] runs. The [`camera`] checks its frames, [`patches`] and the [`store`] keep
//! what was taught, [`settings`], [`history`] and [`lock`] what is about the device itself. The [`protocol`]
//! speaks of all of them, and the [`device`] carries it out.

#![no_std]

#[macro_use]
mod log;
#[cfg(dsp)]
#[macro_use]
mod processor;

pub mod camera;
mod checksum;
pub mod clock;
pub mod decision;
pub mod device;
pub mod docs;
pub mod engine;
pub mod frame;
pub mod heads;
pub mod history;
pub mod image;
pub mod io;
pub mod key;
pub mod lock;
pub mod patches;
pub mod preprocess;
pub mod protocol;
mod random;
pub mod settings;
pub mod store;
