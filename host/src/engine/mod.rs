//! Model images on this computer: run by the firmware's own engine, and described in words.

mod benchmark;
mod quantized;
mod words;

pub use benchmark::Benchmark;
pub use quantized::QuantizedModel;
pub(crate) use words::grouped;
#[cfg(feature = "convert")]
pub(crate) use words::kernel;
pub use words::operation;
