//! The part is brought to the middle of the picture, and turned upright.
//!
//! Where it lies is found in the picture that the model would see else, by the moments of what differs
//! from the border; then the picture is taken again from the frame, moved and turned. All in integers,
//! and nothing is kept in between but a few numbers.

mod ground;
mod levels;
mod moments;
mod part;
mod pose;
mod samples;
#[cfg(test)]
mod tests;
mod threshold;
mod view;
mod walk;

pub use pose::{Align, Alignment, Pose};

use super::{PreprocessError, Region};
use crate::frame::Frame;
use part::Part;
use view::View;

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
    if alignment.align == Align::Off {
        super::run(frame, region, shape, input)?;
        return Ok(None);
    }
    let [height, width, channels] = shape;
    super::check_channels(frame.geometry, channels)?;
    // A part is found by brightness.
    let grey = input.len() / channels.max(1);
    let grey = input.get_mut(..grey).unwrap_or(&mut []);
    super::run(frame, region, [height, width, 1], grey)?;
    let pitch = (
        u32::from(region.width) * height as u32,
        u32::from(region.height) * width as u32,
    );
    let Some(part) = Part::find(grey, width, pitch, alignment.align) else {
        if channels > 1 {
            super::run(frame, region, shape, input)?;
        }
        return Ok(None);
    };
    let window = alignment.window.clamp(Alignment::MIN_WINDOW, 100);
    let view = View::new(region, (width, height), window, &part);
    view.take(frame, channels, input);
    Ok(Some(view.pose()))
}
