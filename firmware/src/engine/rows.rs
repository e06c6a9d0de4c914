//! A pointwise convolution computed by rows, as the depthwise convolution behind it asks for them.
//!
//! Between the two stands a window of the rows that a few rows of the output read. For these the
//! rows of the window still wanted move up, the pointwise kernel computes the next ones behind
//! them, and the depthwise kernel runs over the window as over a picture without padding above and
//! below. The output may follow the input in the same memory.

use core::ops::Range;

use super::elementwise::{self, Place};
use super::{conv, depthwise, scratch, split};
use crate::image::{Model, OpRecord, Tensor};

/// `None` if a record points outside the memory.
pub(crate) fn run(
    model: &Model<'_>,
    pointwise: &OpRecord,
    depthwise: &OpRecord,
    arena: &mut [i8],
) -> Option<()> {
    let weights = [model.weights(pointwise)?, model.weights(depthwise)?];
    let channels = [model.channels(pointwise)?, model.channels(depthwise)?];
    let window = pointwise.window(depthwise);
    let height = usize::from(window.height);
    let [top, down, by] =
        [depthwise.pads[0], depthwise.stride[0], pointwise.by_rows].map(usize::from);
    let pitch = usize::from(window.width) * usize::from(window.channels);
    let mut of_window = *depthwise;
    of_window.input = window;
    (of_window.pads[0], of_window.pads[2]) = (0, 0);

    let all = usize::from(depthwise.output.height);
    for y in (0..all).step_by(by.max(1)) {
        let outputs = by.min(all - y);
        // Rows of the padded picture from `start`; `count` of the picture itself from `first`,
        // which go into the window from `slot`.
        let start = y * down;
        let kept = match y {
            0 => 0,
            _ => height.saturating_sub(by * down),
        };
        let first = (start + kept).saturating_sub(top);
        let count = depthwise.rows_until(y + outputs - 1).saturating_sub(first);
        let slot = match count {
            0 => height,
            _ => first + top - start,
        };

        let place = arena.get_mut(window.range())?;
        move_up(place, pitch * down * by, pitch, kept)?;
        for padding in [kept..slot, slot + count..height] {
            place
                .get_mut(padding.start * pitch..padding.end * pitch)?
                .fill(depthwise.input.zero_point);
        }
        if count > 0 {
            let mut of_rows = *pointwise;
            (of_rows.input.height, of_rows.output.height) = (count as u16, count as u16);
            let from = rows(&pointwise.input, first, count);
            let to = rows(&window, slot, count);
            let [input, output, scratch] = split(arena, [from, to, scratch(pointwise)])?;
            let scratch = bytemuck::try_cast_slice_mut(scratch).ok()?;
            conv::conv(&of_rows, input, weights[0], channels[0], output, scratch)?;
        }
        of_window.output.height = outputs as u16;
        let to = rows(&depthwise.output, y, outputs);
        let [window, output, scratch] = split(arena, [window.range(), to, scratch(depthwise)])?;
        let scratch = bytemuck::try_cast_slice_mut(scratch).ok()?;
        let place = Place::Apart(window, output);
        depthwise::depthwise(&of_window, place, weights[1], channels[1], scratch)?;
    }
    Some(())
}

/// Where `count` rows of a tensor lie in the arena.
fn rows(tensor: &Tensor, first: usize, count: usize) -> Range<usize> {
    let pitch = usize::from(tensor.width) * usize::from(tensor.channels);
    let start = tensor.offset as usize + first * pitch;
    start..start + count * pitch
}

/// Moves `count` rows of `pitch` values up by `by` values, to the start of the window.
fn move_up(window: &mut [i8], by: usize, pitch: usize, count: usize) -> Option<()> {
    for row in 0..count {
        let (to, from) = window.split_at_mut_checked(row * pitch + by)?;
        elementwise::copy(
            to.get_mut(row * pitch..)?.get_mut(..pitch)?,
            from.get(..pitch)?,
        );
    }
    Some(())
}
