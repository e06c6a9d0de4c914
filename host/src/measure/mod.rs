//! How well embeddings serve: accuracy on episodes, errors over pairs, flaws found.
//!
//! Nothing here asks how a network was trained, or whether by this program.

pub mod anomaly;
mod evaluate;
pub mod verification;

pub use evaluate::{Accuracy, Embeddings, nearest};
