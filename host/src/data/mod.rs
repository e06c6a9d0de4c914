//! Labelled pictures: from a folder or zip, from Omniglot, or drawn by the built-in generators.
//!
//! A [`Dataset`] knows its classes and reads a picture when asked; [`Dataset::load`] reads them all
//! at one size into a [`Loaded`], which is what training and evaluation work on.

pub mod blemish;
pub mod crops;
#[cfg(test)]
mod damage;
mod dataset;
mod drawn;
mod error;
mod files;
pub mod folder;
mod found;
pub(crate) mod jpeg;
mod kept;
mod layout;
mod limits;
mod loaded;
pub mod mvtec;
pub mod omniglot;
pub mod parts;
mod picture;
mod raster;
mod reading;
mod size;
pub mod surfaces;
mod tint;
mod zip_names;

pub use dataset::Dataset;
pub use error::DataError;
pub use found::{Found, LeftOut, Why};
pub use loaded::Loaded;
pub use raster::Raster;
pub use size::{Colors, Size};
pub use sudal_firmware::preprocess::Fit;

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
