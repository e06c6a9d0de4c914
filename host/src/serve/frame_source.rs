//! Where a device's pictures come from.

use super::{Playback, Webcam};
use crate::data::{Colors, Raster};
use crate::serve::watch_error::WatchError;

/// Where a device's pictures come from.
#[derive(Debug)]
pub enum FrameSource {
    /// Its own camera.
    Camera,
    /// Pictures that its virtual camera is shown one after another.
    Playback(Playback),
    /// A camera of this computer, whose pictures its virtual camera is shown.
    Webcam(Webcam),
}

impl FrameSource {
    /// The playback, if it is one.
    pub(super) fn playback(&mut self) -> Option<&mut Playback> {
        match self {
            Self::Playback(playback) => Some(playback),
            Self::Camera | Self::Webcam(_) => None,
        }
    }

    /// Whether each of its pictures shows another part.
    pub(super) fn is_of_single_pictures(&self) -> bool {
        matches!(self, Self::Playback(playback) if playback.shows_each_once())
    }

    /// Says what of the pictures is wanted: brightness, as at first, or colours.
    pub(super) fn set_colors(&mut self, colors: Colors) {
        match self {
            Self::Camera => {}
            Self::Playback(playback) => playback.set_colors(colors),
            Self::Webcam(webcam) => webcam.set_colors(colors),
        }
    }

    /// The next picture to show; none where the device takes its own.
    pub(super) fn advance(&mut self) -> Result<Option<Raster>, WatchError> {
        Ok(match self {
            Self::Camera => None,
            Self::Playback(playback) => Some(playback.advance()?),
            Self::Webcam(webcam) => Some(webcam.take()?),
        })
    }

    /// The next picture of what is shown now.
    pub(super) fn same(&mut self) -> Result<Option<Raster>, WatchError> {
        match self {
            Self::Playback(playback) => Ok(Some(playback.same()?)),
            Self::Camera | Self::Webcam(_) => self.advance(),
        }
    }
}
