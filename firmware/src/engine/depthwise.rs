//! Convolution of each channel by itself.
//!
//! Four channels at a time are widened into int16 planes, a ring of as many rows as the window is
//! high, padding included; the filters then run along the rows. An input row is widened before the
//! output row of the same number is written, so the output may take the input's place.

use super::elementwise::Place;
use super::kernels::{self, Filters, Rows, packed_len};
use super::requantize::Requantize;
use crate::image::{Channel, OpRecord, PLANES};

/// `scratch` is what [`OpRecord::scratch_needed`] says; `None` if a slice is too short.
pub(crate) fn depthwise(
    op: &OpRecord,
    place: Place<'_>,
    weights: &[i8],
    channels: &[Channel],
    scratch: &mut [i16],
) -> Option<()> {
    let run = match op.kernel {
        [3, 3] => with::<{ packed_len(3) }>,
        [5, 5] => with::<{ packed_len(5) }>,
        [7, 7] => with::<{ packed_len(7) }>,
        _ => with::<0>,
    };
    run(op, place, weights, channels, scratch)
}

/// Not inlined: only the largest windows want the most room for packed weights on the stack.
#[inline(never)]
fn with<const N: usize>(
    op: &OpRecord,
    place: Place<'_>,
    weights: &[i8],
    channels: &[Channel],
    scratch: &mut [i16],
) -> Option<()> {
    run(op, place, weights, channels, scratch, &mut [0; N])
}

#[inline(never)]
fn run(
    op: &OpRecord,
    mut place: Place<'_>,
    weights: &[i8],
    channels: &[Channel],
    scratch: &mut [i16],
    packed: &mut [u32],
) -> Option<()> {
    // Rows are written over but for the padding beside them, which so is there for all channels.
    let rows = op.padded_width() * usize::from(op.kernel[0]);
    let planes = scratch.get_mut(..rows * channels.len().min(PLANES))?;
    planes.fill(op.input.zero_point.into());
    let mut first = 0;
    for channels in channels.chunks(PLANES) {
        let filters = Filters {
            weights: weights.get(first..)?,
            step: op.input.channels.into(),
            kernel: op.kernel.map(usize::from),
            stride: match op.output.width {
                1 => 1,
                _ => op.stride[1].into(),
            },
            channels,
            requantize: Requantize::of(op),
        };
        kernels::pack(&filters, packed)?;
        by_rows(op, &mut place, first, &filters, packed, scratch)?;
        first += channels.len();
    }
    Some(())
}

/// The channels of `filters`, the first of which is number `first`.
fn by_rows(
    op: &OpRecord,
    place: &mut Place<'_>,
    first: usize,
    filters: &Filters<'_>,
    packed: &[u32],
    scratch: &mut [i16],
) -> Option<()> {
    let [top, left, ..] = op.pads.map(usize::from);
    let (height, width) = (usize::from(op.input.height), usize::from(op.input.width));
    let (window, down) = (usize::from(op.kernel[0]), usize::from(op.stride[0]));
    let (step, outputs) = (filters.step, usize::from(op.output.width));
    let pitch = op.padded_width();
    let plane = pitch * window;
    if plane == 0 || step == 0 {
        return None;
    }
    let planes = scratch.get_mut(..plane * filters.channels.len())?;
    let zero_point = i16::from(op.input.zero_point);

    // Rows count from the first of the padding. `loaded` is the next one to load into `slot`,
    // `start` the window's first, which lies in slot `begin`.
    let (mut loaded, mut slot) = (0, 0);
    let (mut start, mut begin) = (0, 0);
    for y in 0..usize::from(op.output.height) {
        while loaded < start + window {
            match loaded.checked_sub(top).filter(|&row| row < height) {
                Some(row) => {
                    let input = place.input().get(row * width * step + first..)?;
                    kernels::spread(input, step, planes, plane, slot * pitch + left, width)?;
                }
                None => {
                    for plane in planes.chunks_exact_mut(plane) {
                        plane
                            .get_mut(slot * pitch..)?
                            .get_mut(..pitch)?
                            .fill(zero_point);
                    }
                }
            }
            loaded += 1;
            slot = if slot + 1 == window { 0 } else { slot + 1 };
        }
        let rows = Rows {
            planes,
            plane,
            pitch,
            first: begin,
        };
        let output = place.output().get_mut(y * outputs * step + first..)?;
        kernels::filter(filters, packed, &rows, output, outputs)?;
        start += down;
        begin = (begin + down).checked_rem(window)?;
    }
    Some(())
}
