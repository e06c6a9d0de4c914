#![no_std]
//! Few-shot vision for microcontroller cameras, the device half: no heap, and but for two of the
//! classifier heads integers only.
//!
//! The host links this same library, so whatever a board computes can be checked bit for bit.
//!
//! Each folder imports only what stands before it: pictures ([`frame`]) become a model's input
//! ([`preprocess`]), embeddings become answers ([`heads`]) and decisions ([`decision`]), a model is an
//! [`image`] that the [`engine`] runs. The [`camera`] checks its frames, [`patches`] and the [`store`] keep
//! what was taught, [`settings`], [`history`] and [`lock`] what is about the device itself. The [`protocol`]
//! speaks of all of them, and the [`device`] carries it out.

#[macro_use]
mod log;

pub mod camera;
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
pub mod settings;
pub mod store;
