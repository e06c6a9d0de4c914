//! Convolution of each channel by itself.
//!
//! Four channels at a time are widened into int16 planes, a ring of as many rows as the window is
//! high, padding included; the filters then run along the rows. An input row is widened before the
//! output row of the same number is written, so the output may take the input's place.

use super::elementwise::Place;
use super::kernels::{self, Filter, Rows};
use super::requantize::Requantize;
use crate::image::{Channel, OpRecord, PLANES};

/// `scratch` is what [`OpRecord::scratch_needed`] says; `None` if a slice is too short.
pub(crate) fn depthwise(
    op: &OpRecord,
    mut place: Place<'_>,
    weights: &[i8],
    channels: &[Channel],
    scratch: &mut [i16],
) -> Option<()> {
    let step = usize::from(op.input.channels);
    for (quad, channels) in channels.chunks(PLANES).enumerate() {
        planes(
            op,
            &mut place,
            weights,
            channels,
            quad * PLANES,
            step,
            scratch,
        )?;
    }
    Some(())
}

/// The channels from `first` on, at most [`PLANES`].
fn planes(
    op: &OpRecord,
    place: &mut Place<'_>,
    weights: &[i8],
    channels: &[Channel],
    first: usize,
    step: usize,
    scratch: &mut [i16],
) -> Option<()> {
    let kernel = op.kernel.map(usize::from);
    let [top, left, ..] = op.pads.map(usize::from);
    let [down, right] = op.stride.map(usize::from);
    let (height, width) = (usize::from(op.input.height), usize::from(op.input.width));
    let pitch = op.padded_width();
    let plane = pitch * kernel[0];
    let ring = scratch.get_mut(..plane * PLANES)?;
    ring.fill(op.input.zero_point.into());

    // Rows counted from the padding's first.
    let mut loaded = 0;
    for y in 0..usize::from(op.output.height) {
        let start = y * down;
        loaded = loaded.max(start);
        while loaded < start + kernel[0] {
            let slot = loaded % kernel[0] * pitch;
            let row = loaded.checked_sub(top).filter(|&row| row < height);
            for (channel, plane) in ring
                .chunks_exact_mut(plane)
                .take(channels.len())
                .enumerate()
            {
                let values = plane.get_mut(slot + left..)?.get_mut(..width)?;
                let Some(row) = row else {
                    values.fill(op.input.zero_point.into());
                    continue;
                };
                let input = place.input().get(row * width * step + first + channel..)?;
                for (value, &input) in values.iter_mut().zip(input.iter().step_by(step)) {
                    *value = input.into();
                }
            }
            loaded += 1;
        }

        let outputs = usize::from(op.output.width);
        let output = place.output().get_mut(y * outputs * step + first..)?;
        for (i, &channel) in channels.iter().enumerate() {
            let filter = Filter {
                weights: weights.get(first + i..)?,
                step,
                kernel,
                stride: right,
                channel,
                requantize: Requantize::of(op),
            };
            let rows = Rows {
                ring: ring.get(i * plane..)?,
                pitch,
                width: pitch,
                first: start % kernel[0],
            };
            let output = output.get_mut(i..)?.get_mut(..(outputs - 1) * step + 1)?;
            kernels::filter(&filter, &rows, output, step)?;
        }
    }
    Some(())
}
