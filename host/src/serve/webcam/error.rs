//! Why a webcam gives no picture.

use std::io;
use std::path::{Path, PathBuf};

/// Why a webcam gives no picture.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WebcamError {
    /// There is no camera.
    #[error("there is no camera (/dev/video*): plug one in, or give another --source")]
    None,
    /// Webcams are read on Linux only.
    #[error("webcams are read on Linux only: give another --source")]
    System,
    /// There is no such device.
    #[error("{path} is not there: is the camera plugged in? `ls /dev/video*` lists what there is")]
    Missing {
        /// The device.
        path: PathBuf,
    },
    /// The user may not read it.
    #[error(
        "{path} may not be opened: join its group (`sudo usermod -aG video $USER`) and log in again"
    )]
    Permission {
        /// The device.
        path: PathBuf,
    },
    /// Another program has it.
    #[error("{path} is in use: close the other program that reads it")]
    Busy {
        /// The device.
        path: PathBuf,
    },
    /// It is something else.
    #[error("{path} is no camera: give a device such as /dev/video0")]
    NoCamera {
        /// The file or device.
        path: PathBuf,
    },
    /// It is a video device, but none that gives pictures.
    #[error("{path} gives no pictures: cameras have several devices, try another of /dev/video*")]
    NoPictures {
        /// The device.
        path: PathBuf,
    },
    /// Its pictures can't be read.
    #[error("{path} gives {}; read are GREY, YUYV and MJPG", list(.formats))]
    Format {
        /// The device.
        path: PathBuf,
        /// The four letters of each format that it has.
        formats: Vec<String>,
    },
    /// No picture came.
    #[error("{path} sends no picture: unplug it and plug it in again")]
    Silent {
        /// The device.
        path: PathBuf,
    },
    /// A picture was cut short.
    #[error("a picture of the camera is cut short: {have} bytes of {need}")]
    Short {
        /// Bytes that came.
        have: usize,
        /// Bytes of a whole picture.
        need: usize,
    },
    /// A picture is no JPEG.
    #[error("a picture of the camera can't be decoded: {0}")]
    Decode(#[from] image::ImageError),
    /// Something else.
    #[error("{path}: {source}")]
    Device {
        /// The device.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

fn list(formats: &[String]) -> String {
    match formats {
        [] => "no format that is known".to_owned(),
        formats => formats.join(", "),
    }
}

impl WebcamError {
    /// What the system's refusal means.
    pub(super) fn refused(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match (source.kind(), source.raw_os_error()) {
            (io::ErrorKind::NotFound, _) | (_, Some(libc::ENODEV | libc::ENXIO)) => {
                Self::Missing { path }
            }
            (io::ErrorKind::PermissionDenied, _) => Self::Permission { path },
            (_, Some(libc::EBUSY)) => Self::Busy { path },
            (io::ErrorKind::IsADirectory, _) | (_, Some(libc::ENOTTY)) => Self::NoCamera { path },
            _ => Self::Device { path, source },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_say_what_to_do() {
        for (code, words) in [
            (libc::ENOENT, "plugged in"),
            (libc::ENODEV, "plugged in"),
            (libc::EACCES, "usermod"),
            (libc::EBUSY, "other program"),
            (libc::ENOTTY, "no camera"),
            (libc::EISDIR, "no camera"),
            (libc::EIO, "/dev/video7: "),
        ] {
            let source = io::Error::from_raw_os_error(code);
            let text = WebcamError::refused(Path::new("/dev/video7"), source).to_string();
            assert!(
                text.contains("/dev/video7") && text.contains(words),
                "{text}"
            );
        }
    }
}
