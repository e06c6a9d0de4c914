//! What pictures of one set have in common: their size, and what a pixel holds.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a pixel holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Colors {
    /// Its brightness.
    #[default]
    Grey,
    /// Red, green and blue.
    Rgb,
}

impl Colors {
    /// Values of a pixel.
    #[must_use]
    pub const fn channels(self) -> usize {
        match self {
            Self::Grey => 1,
            Self::Rgb => 3,
        }
    }

    /// Of so many channels; `None` but for one and three.
    #[must_use]
    pub const fn of(channels: usize) -> Option<Self> {
        match channels {
            1 => Some(Self::Grey),
            3 => Some(Self::Rgb),
            _ => None,
        }
    }
}

/// The size of pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Width, in pixels.
    pub width: u32,
    /// Height, in pixels.
    pub height: u32,
    /// What a pixel holds.
    pub colors: Colors,
}

impl Size {
    /// Values of a picture: `height * width * channels`.
    #[must_use]
    pub const fn values(self) -> usize {
        self.width as usize * self.height as usize * self.colors.channels()
    }

    /// Width and height, in pixels.
    #[must_use]
    pub const fn sides(self) -> (u32, u32) {
        (self.width, self.height)
    }
}

/// As `64x64, grey`.
impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let colors = match self.colors {
            Colors::Grey => "grey",
            Colors::Rgb => "with colours",
        };
        write!(f, "{}x{}, {colors}", self.width, self.height)
    }
}

/// Grey ones of a width and height.
impl From<(u32, u32)> for Size {
    fn from((width, height): (u32, u32)) -> Self {
        let colors = Colors::Grey;
        Self {
            width,
            height,
            colors,
        }
    }
}
