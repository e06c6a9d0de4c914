//! A webcam: what it sees is shown to a device's virtual camera.

mod error;
#[cfg(target_os = "linux")]
mod linux;
mod pixels;

use std::path::{Path, PathBuf};

pub use error::WebcamError;

use crate::data::{Colors, Raster};
#[cfg(target_os = "linux")]
use linux::{Stream, cameras};
#[cfg(not(target_os = "linux"))]
use nowhere::{Stream, cameras};

/// A camera of this computer. It is reopened after a failure.
pub struct Webcam {
    path: PathBuf,
    size: (u32, u32),
    stream: Option<Stream>,
    colors: Colors,
}

impl std::fmt::Debug for Webcam {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Webcam")
            .field("path", &self.path)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

impl Webcam {
    /// Opens a camera, and asks it for pictures of `size`, `(width, height)` in pixels; it may give
    /// others.
    ///
    /// # Errors
    /// Why it can't be used, and what to do.
    pub fn open(path: &Path, size: (u32, u32)) -> Result<Self, WebcamError> {
        Ok(Self {
            stream: Some(Stream::open(path, size)?),
            path: path.to_owned(),
            size,
            colors: Colors::Grey,
        })
    }

    /// Opens the first camera that there is.
    ///
    /// # Errors
    /// That there is none, else why the first can't be used.
    pub fn first(size: (u32, u32)) -> Result<Self, WebcamError> {
        let mut refused = None;
        for path in cameras() {
            match Self::open(&path, size) {
                Ok(webcam) => return Ok(webcam),
                // Cameras have devices beside that give no pictures.
                Err(error) => drop(refused.get_or_insert(error)),
            }
        }
        Err(refused.unwrap_or(WebcamError::None))
    }

    /// Says what of the pictures is wanted: brightness, as at first, or colours.
    pub fn set_colors(&mut self, colors: Colors) {
        self.colors = colors;
    }

    /// Takes a picture.
    ///
    /// # Errors
    /// Why there is none.
    pub fn take(&mut self) -> Result<Raster, WebcamError> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => Stream::open(&self.path, self.size)?,
        };
        let picture = stream.take(&self.path, self.colors)?;
        self.stream = Some(stream);
        Ok(picture)
    }
}

/// Where no webcam is read.
#[cfg(not(target_os = "linux"))]
mod nowhere {
    use super::{Colors, Path, PathBuf, Raster, WebcamError};

    pub(super) enum Stream {}

    impl Stream {
        pub(super) fn open(_: &Path, _: (u32, u32)) -> Result<Self, WebcamError> {
            Err(WebcamError::System)
        }

        pub(super) fn take(&mut self, _: &Path, _: Colors) -> Result<Raster, WebcamError> {
            match *self {}
        }
    }

    pub(super) fn cameras() -> Vec<PathBuf> {
        Vec::new()
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    fn open(path: &Path) -> WebcamError {
        Webcam::open(path, (640, 480)).unwrap_err()
    }

    #[test]
    fn what_is_no_camera_is_refused_with_what_to_do() {
        let missing = open(Path::new("/dev/video-none"));
        assert!(matches!(missing, WebcamError::Missing { .. }), "{missing}");
        assert!(missing.to_string().contains("plugged in"));
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("frame.png");
        std::fs::write(&file, "no camera").unwrap();
        for path in [Path::new("/dev/null"), &file] {
            let error = open(path);
            assert!(matches!(error, WebcamError::NoCamera { .. }), "{error}");
        }
    }

    #[test]
    fn a_camera_that_was_lost_is_reopened() {
        let mut webcam = Webcam {
            path: "/dev/video-none".into(),
            size: (640, 480),
            stream: None,
            colors: Colors::Grey,
        };
        for _ in 0..2 {
            let error = webcam.take().unwrap_err();
            assert!(matches!(error, WebcamError::Missing { .. }), "{error}");
        }
    }
}
