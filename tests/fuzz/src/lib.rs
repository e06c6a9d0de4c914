//! Fuzz targets: one function for each place where sudal reads bytes that it did not write itself.
//!
//! Each takes any bytes and panics only where a promise is broken. `cargo fuzz` looks for such
//! bytes, `tests/tests/system/corpora.rs` runs those that are kept in `corpus`:
//!
//! ```text
//! rustup run nightly cargo fuzz run --fuzz-dir tests/fuzz session
//! rustup run nightly cargo fuzz run --fuzz-dir tests/fuzz --features onnx onnx
//! ```

mod flash;
mod foreign;
pub mod frame;
pub mod image;
mod model;
#[cfg(feature = "onnx")]
pub mod onnx;
pub mod session;
pub mod store;

pub use model::block_means;

/// The program of a target.
#[macro_export]
macro_rules! target {
    ($name:ident) => {
        #[cfg(fuzzing)]
        ::libfuzzer_sys::fuzz_target!(|data: &[u8]| $crate::$name::run(data));

        #[cfg(not(fuzzing))]
        fn main() {
            eprintln!("run this with `cargo fuzz run --fuzz-dir tests/fuzz`");
            std::process::exit(1);
        }
    };
}
