//! Inspection by patches, measured: a few good pictures of a product are taught, and good and flawed ones
//! shown, by the firmware's own code.

mod error;
mod examples;
mod found;
mod looked;
mod measure;
mod scores;

pub use error::FlawsError;
pub use examples::{Example, Examples};
pub use found::{Found, Missed, Plain, over_products};
pub use looked::Looked;
pub use measure::Line;
