//! A part of a frame.

use serde::{Deserialize, Serialize};

use crate::frame::Frame;

/// A part of a frame, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Region {
    /// First column.
    pub left: u16,
    /// First row.
    pub top: u16,
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
}

impl Region {
    /// The whole of a frame.
    #[must_use]
    pub const fn whole(frame: &Frame<'_>) -> Self {
        Self {
            left: 0,
            top: 0,
            width: frame.geometry.width,
            height: frame.geometry.height,
        }
    }

    /// The number of one of its pixels in the frame.
    #[inline(always)]
    pub(super) fn pixel(&self, frame: &Frame<'_>, column: usize, row: usize) -> usize {
        let row = usize::from(self.top) + row;
        row * usize::from(frame.geometry.width) + usize::from(self.left) + column
    }

    /// Whether it has a pixel and none of it is outside of the frame.
    #[must_use]
    pub fn is_within(&self, frame: &Frame<'_>) -> bool {
        let fits = |first: u16, len: u16, all: u16| len > 0 && first <= all && len <= all - first;
        fits(self.left, self.width, frame.geometry.width)
            && fits(self.top, self.height, frame.geometry.height)
    }
}
