//! Labelled pictures: from a folder or zip, from Omniglot, or drawn by the built-in generators.
//!
//! A [`Dataset`] knows its classes and reads a picture when asked; [`Dataset::load`] reads them all
//! at one size into a [`Loaded`], which is what training and evaluation work on.

pub mod crops;
mod dataset;
mod drawn;
mod error;
mod files;
pub mod folder;
mod gray;
mod loaded;
pub mod omniglot;
pub mod parts;
pub mod surfaces;

pub use dataset::Dataset;
pub use error::DataError;
pub use gray::Gray;
pub use loaded::Loaded;

/// The folder of real data for tests: `SUDAL_DATA`, else `../shared/data` beside the workspace.
#[cfg(test)]
pub(crate) fn test_data(name: &str) -> Option<std::path::PathBuf> {
    let root = std::env::var_os("SUDAL_DATA").map_or_else(
        || std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"),
        Into::into,
    );
    let path = root.join(name);
    if !path.exists() {
        println!("skipped: no {} (set SUDAL_DATA)", path.display());
        return None;
    }
    Some(path)
}
