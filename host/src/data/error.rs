//! Why pictures could not be had.

use std::{io, path::PathBuf};

use super::picture::FORMATS;

/// Why pictures could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// A file or folder could not be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file, as `archive.zip/inner/name` when it lies in an archive.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A picture could not be written.
    #[error("cannot write {path}: {source}; check that the folder exists and can be written to")]
    Write {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: image::ImageError,
    },
    /// An archive is broken or not a zip.
    #[error("{path} is not a readable zip archive: {source}; fetch or pack it again")]
    Archive {
        /// The archive, or the entry in it.
        path: PathBuf,
        /// What is wrong with it.
        source: zip::result::ZipError,
    },
    /// A picture is broken or of a kind that is not read.
    #[error("cannot decode {path}: {source}; it must be a whole {FORMATS} picture")]
    Decode {
        /// The picture.
        path: PathBuf,
        /// What is wrong with it.
        source: image::ImageError,
    },
    /// A file is larger than any picture here may be.
    #[error("{path} is larger than {limit} bytes, too large for a picture")]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The greatest length, in bytes.
        limit: u64,
    },
    /// The contents are not laid out as they must be.
    #[error("{path}: {problem}")]
    Layout {
        /// The file, folder or archive.
        path: PathBuf,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// A picture's pixels do not fill its size, or the size is zero.
    #[error("a picture of {width} x {height} needs {} pixels, at least one; {pixels} given", u64::from(*width) * u64::from(*height))]
    Size {
        /// Width, in pixels.
        width: u32,
        /// Height, in pixels.
        height: u32,
        /// Number of pixels given.
        pixels: usize,
    },
    /// A class that does not exist was asked for by name.
    #[error("no class {name:?}; there are {}", have.join(", "))]
    NoClass {
        /// The name asked for.
        name: String,
        /// The names that there are.
        have: Vec<String>,
    },
    /// A picture that does not exist was asked for.
    #[error("no picture {index} in class {class}: {have} classes, {pictures} pictures in this one")]
    NoPicture {
        /// The class asked for.
        class: usize,
        /// The picture asked for.
        index: usize,
        /// Number of classes.
        have: usize,
        /// Number of pictures in that class.
        pictures: usize,
    },
}

impl DataError {
    pub(super) fn layout(path: impl Into<PathBuf>, problem: impl Into<String>) -> Self {
        Self::Layout {
            path: path.into(),
            problem: problem.into(),
        }
    }
}
