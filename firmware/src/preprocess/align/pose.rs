//! How a part lies, and what is made up for of it.

use serde::{Deserialize, Serialize};

/// What is made up for of where a part lies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Align {
    /// Nothing.
    #[default]
    Off,
    /// Where it is.
    Position,
    /// Where it is, and how it is turned.
    Rotation,
}

impl Align {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Off, Self::Position, Self::Rotation];

    /// What people call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Position => "position",
            Self::Rotation => "rotation",
        }
    }
}

/// How parts are aligned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Alignment {
    /// What is made up for.
    pub align: Align,
    /// Sides of what the model sees of a part that was found, in percent of those of the region:
    /// [`MIN_WINDOW`](Self::MIN_WINDOW)..=100.
    pub window: u8,
}

impl Alignment {
    /// Smallest window, in percent.
    pub const MIN_WINDOW: u8 = 10;

    /// Whether the window has a size that is allowed.
    #[must_use]
    pub const fn is_sound(self) -> bool {
        self.window >= Self::MIN_WINDOW && self.window <= 100
    }
}

impl Default for Alignment {
    fn default() -> Self {
        Self {
            align: Align::Off,
            window: 100,
        }
    }
}

/// Where a part was found, and how it lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pose {
    /// Column of its middle in the frame, in pixels.
    pub x: u16,
    /// Row of its middle in the frame, in pixels.
    pub y: u16,
    /// Columns and rows that its axis goes to the end that reaches farther from its middle, of a length
    /// of [`Pose::UNIT`]; to the right where it was not turned.
    pub axis: (i16, i16),
}

impl Pose {
    /// Length of an axis.
    pub const UNIT: i16 = 1 << 14;
}
