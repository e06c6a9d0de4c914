//! The engine for programs in C: a model image is loaded, frames become embeddings, embeddings are
//! enrolled and classified.
//!
//! `include/sudal.h` is made from this and says what each function does; `docs/c.md` of the firmware
//! says how to build and to link it. There is no heap: all of it lives in the caller's memory.

#![cfg_attr(target_os = "none", no_std)]

mod classes;
mod frame;
mod instance;
mod model;
#[cfg(target_os = "none")]
mod panic;
mod status;

pub use classes::{
    SUDAL_NAME, SudalAnswer, SudalClass, SudalHead, SudalScore, sudal_class, sudal_classify,
    sudal_clear, sudal_enroll,
};
pub use frame::{SudalFormat, SudalFrame, sudal_embed, sudal_embed_shot};
pub use instance::{Sudal, sudal_memory, sudal_open};
pub use model::{SUDAL_MODEL_NAME, SudalModel, sudal_model, sudal_self_test};
pub use status::{SudalStatus, sudal_message};
