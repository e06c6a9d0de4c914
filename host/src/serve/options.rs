//! What to serve of a device.

use std::fs;
use std::path::{self, PathBuf};
use std::time::Duration;

use super::frame_source::FrameSource;
use crate::device::{Kind, LockKey};

/// A device to watch.
#[derive(Debug)]
pub struct DeviceOptions {
    /// What people call it.
    pub name: String,
    /// Its board, one of [`BOARDS`](crate::device::BOARDS).
    pub board: String,
    /// Folder of the board's state.
    pub dir: PathBuf,
    /// Serial port of a board that is plugged in; none for the only one.
    pub port: Option<PathBuf>,
    /// Key of a board that is locked.
    pub key: Option<LockKey>,
    /// What its camera sees.
    pub source: FrameSource,
    /// From one frame to the next.
    pub interval: Duration,
}

impl DeviceOptions {
    /// The board that is meant, however its folder or port is written.
    pub(super) fn place(&self) -> PathBuf {
        let written = match (&self.port, Kind::named(&self.board)) {
            (Some(port), _) => port.clone(),
            (None, Some(kind)) => PathBuf::from(kind.name()),
            (None, None) => self.dir.clone(),
        };
        fs::canonicalize(&written)
            .or_else(|_| path::absolute(&written))
            .unwrap_or(written)
    }
}
