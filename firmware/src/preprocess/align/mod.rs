//! The part is brought to the middle of the picture, and turned upright.
//!
//! Where it lies is found in the picture that the model would see else, by the moments of what differs
//! from the border; then the picture is taken anew from the frame, moved and turned. All in integers,
//! and nothing is kept in between but a few numbers.

mod ground;
mod moments;
mod part;
#[cfg(test)]
mod tests;
mod threshold;
mod view;

use serde::{Deserialize, Serialize};

use super::{PreprocessError, Region};
use crate::camera::Frame;
use part::Part;
use view::View;

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

/// How many pixels of a grey picture are of a part on an even ground; none where none is found.
#[must_use]
pub fn area(picture: &[u8], width: usize) -> Option<usize> {
    let part = Part::find(picture, width, (1, 1), Align::Position)?;
    Some(part.pixels)
}

/// As [`run`](super::run), with the part that is found brought to the middle of the input and its axis
/// to the right. Where none is found, the input is what `run` makes of the region, and there is no pose.
///
/// # Errors
/// As [`run`](super::run).
pub fn run(
    frame: &Frame<'_>,
    region: Region,
    alignment: Alignment,
    shape: [usize; 3],
    input: &mut [u8],
) -> Result<Option<Pose>, PreprocessError> {
    super::run(frame, region, shape, input)?;
    if alignment.align == Align::Off {
        return Ok(None);
    }
    let [height, width, _] = shape;
    let pitch = (
        u32::from(region.width) * height as u32,
        u32::from(region.height) * width as u32,
    );
    let Some(part) = Part::find(input, width, pitch, alignment.align) else {
        return Ok(None);
    };
    let window = alignment.window.clamp(Alignment::MIN_WINDOW, 100);
    let view = View::new(region, (width, height), window, &part);
    view.fill(frame, input);
    Ok(Some(view.pose()))
}
