//! Where a device's pictures come from.

use super::{Reel, Webcam};
use crate::data::Gray;
use crate::serve::trouble::Trouble;

/// Where a device's pictures come from.
#[derive(Debug)]
pub enum Source {
    /// Its own camera.
    Camera,
    /// Pictures that its virtual camera is shown one after another.
    Reel(Reel),
    /// A camera of this computer, whose pictures its virtual camera is shown.
    Webcam(Webcam),
}

impl Source {
    /// The reel, if it is one.
    pub(super) fn reel(&mut self) -> Option<&mut Reel> {
        match self {
            Self::Reel(reel) => Some(reel),
            Self::Camera | Self::Webcam(_) => None,
        }
    }

    /// Whether each of its pictures shows another part.
    pub(super) fn is_of_single_pictures(&self) -> bool {
        matches!(self, Self::Reel(reel) if reel.shows_each_once())
    }

    /// The next picture to show; none where the device takes its own.
    pub(super) fn advance(&mut self) -> Result<Option<Gray>, Trouble> {
        Ok(match self {
            Self::Camera => None,
            Self::Reel(reel) => Some(reel.advance()?),
            Self::Webcam(webcam) => Some(webcam.take()?),
        })
    }

    /// The next picture of what is shown now.
    pub(super) fn same(&mut self) -> Result<Option<Gray>, Trouble> {
        match self {
            Self::Reel(reel) => Ok(Some(reel.same()?)),
            Self::Camera | Self::Webcam(_) => self.advance(),
        }
    }
}
