//! Convolution of each channel by itself.
//!
//! Four channels at a time are widened into int16 planes, a ring of as many rows as the window is
//! high, padding included; the filters then run along the rows. An input row is widened before the
//! output row of the same number is written, so the output may take the input's place.

use super::kernels::{self, Filter, Filters, Ring, Rows, packed_len};
use super::place::Place;
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
    let count = channels.len().min(PLANES);
    let shape = Filters {
        weights,
        step: op.input.channels.into(),
        kernel: op.kernel.map(usize::from),
        stride: match op.output.width {
            1 => 1,
            _ => op.stride[1].into(),
        },
        outputs: op.output.width.into(),
        pitch: op.padded_width(),
        channels,
        requantize: Requantize::of(op),
    };
    let plane = shape.plane();
    let scratch = scratch.get_mut(..plane * count)?;
    let ring = Ring {
        pitch: shape.pitch,
        plane,
        width: op.input.width.into(),
        row: 0,
        left: op.pads[1].into(),
        rows: 0,
    };
    let rows = rows(op);
    let done = kernels::many(&shape, &rows, &mut place, scratch, &ring, packed)?;
    if done == channels.len() {
        return Some(());
    }
    rest(op, &mut place, done, shape, scratch, &ring, packed)
}

fn rows(op: &OpRecord) -> Rows {
    Rows {
        top: op.pads[0].into(),
        height: op.input.height.into(),
        count: op.output.height.into(),
        down: op.stride[0].into(),
        zero_point: op.input.zero_point,
    }
}

/// The channels from `first` on.
#[inline(never)]
fn rest(
    op: &OpRecord,
    place: &mut Place<'_>,
    mut first: usize,
    shape: Filters<'_>,
    scratch: &mut [i16],
    ring: &Ring,
    packed: &mut [u32],
) -> Option<()> {
    let (plane, zero_point) = (ring.plane, op.input.zero_point);
    let (weights, channels) = (shape.weights, shape.channels);
    // Rows are written over but for the padding beside them, which so is there for all channels.
    kernels::fill(scratch, ring, 0..plane, zero_point)?;
    let mut filter = Filter::of(shape, packed)?;
    for some in channels.get(first..)?.chunks(PLANES) {
        filter.load(weights.get(first..)?, some)?;
        let planes = scratch.get_mut(..plane * some.len())?;
        if some.len() < channels.len().min(PLANES) {
            // The last few may lie otherwise.
            kernels::fill(planes, ring, 0..plane, zero_point)?;
        }
        if !kernels::rows(&filter, &rows(op), place, first, planes, ring)? {
            by_rows(op, place, first, &mut filter, planes, *ring)?;
        }
        first += some.len();
    }
    Some(())
}

/// The channels of `filter`, the first of which is number `first`.
#[inline(never)]
fn by_rows(
    op: &OpRecord,
    place: &mut Place<'_>,
    first: usize,
    filter: &mut Filter<'_>,
    planes: &mut [i16],
    mut ring: Ring,
) -> Option<()> {
    let (top, height) = (usize::from(op.pads[0]), usize::from(op.input.height));
    let (window, down) = (usize::from(op.kernel[0]), usize::from(op.stride[0]));
    let step = usize::from(op.input.channels);
    let row_in = usize::from(op.input.width) * step;
    let row_out = usize::from(op.output.width) * step;
    // Rows count from the first of the padding. `missing` are those under the window that are still
    // to be loaded, from `loaded` on; the window's first is `begin` of the ring.
    let (mut loaded, mut missing, mut begin) = (0, window, 0);
    let (mut from, mut to) = (first, first);
    for _ in 0..op.output.height {
        while missing > 0 {
            if loaded >= top && loaded < top + height {
                ring.rows = missing.min(top + height - loaded).min(window);
                kernels::spread(place.input().get(from..)?, step, planes, &ring)?;
                from += ring.rows * row_in;
            } else {
                ring.rows = 1;
                let row = ring.row..ring.row + ring.pitch;
                kernels::fill(planes, &ring, row, op.input.zero_point)?;
            }
            ring.advance();
            loaded += ring.rows;
            missing -= ring.rows;
        }
        filter.row(planes, begin, place.output().get_mut(to..)?)?;
        to += row_out;
        missing = down;
        begin += down;
        while begin >= window {
            begin -= window;
        }
    }
    Some(())
}
