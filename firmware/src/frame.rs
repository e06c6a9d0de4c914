//! A picture as a camera gives it.

use serde::{Deserialize, Serialize};

/// How the bytes of a frame are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PixelFormat {
    /// One byte a pixel, 0 is black and 255 is white.
    Grey8,
    /// Two bytes a pixel, little-endian, red in the five high bits.
    Rgb565,
    /// Two bytes a pixel, luma at the even bytes (YUYV order); two pixels of a row share their colours.
    Yuyv,
    /// Three bytes a pixel: red, green and blue.
    Rgb888,
}

impl PixelFormat {
    /// Bytes that one pixel takes.
    #[must_use]
    pub const fn bytes_per_pixel(self) -> usize {
        match self {
            Self::Grey8 => 1,
            Self::Rgb565 | Self::Yuyv => 2,
            Self::Rgb888 => 3,
        }
    }
}

/// Size and format of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Geometry {
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
    /// Meaning of the bytes.
    pub format: PixelFormat,
}

impl Geometry {
    /// Bytes of a whole frame.
    #[must_use]
    pub const fn len(self) -> usize {
        self.width as usize * self.height as usize * self.format.bytes_per_pixel()
    }

    /// Whether the frame has no pixel.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// A whole picture, row-major, borrowed from the camera's buffer.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// Size and format.
    pub geometry: Geometry,
    /// Exactly `geometry.len()` bytes.
    pub pixels: &'a [u8],
}
