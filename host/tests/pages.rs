//! The documents.

mod documents;
#[path = "common/plugged.rs"]
mod plugged;
