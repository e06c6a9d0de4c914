//! Pools: the greatest and the mean of windows.

use core::ops::Range;

use super::elementwise;
use super::kernels::{self, LANES, Pool};
use super::requantize::Requantize;
use crate::image::OpRecord;

/// Most pixels that are summed at once.
const MOST: usize = u8::MAX as usize;

/// The greatest value of each window, held between the limits.
pub(crate) fn max_pool(op: &OpRecord, input: &[i8], output: &mut [i8]) -> Option<()> {
    let channels = usize::from(op.input.channels);
    if channels == 0 {
        return None;
    }
    let mut windows = Windows::of(op);
    for output in output.chunks_exact_mut(channels) {
        let (rows, columns) = windows.next()?;
        output.fill(op.act_min);
        for row in rows {
            let pixels = pixels(op, input, row..row + 1, &columns)?;
            for pixel in pixels.chunks_exact(channels) {
                kernels::maximum(output, pixel);
            }
        }
        if op.act_max < i8::MAX {
            elementwise::clamp(op, output);
        }
    }
    Some(())
}

/// The sum of each window over its zero point, requantised.
pub(crate) fn average_pool(op: &OpRecord, input: &[i8], output: &mut [i8]) -> Option<()> {
    let channels = usize::from(op.input.channels);
    if channels == 0 {
        return None;
    }
    let zero_point = i32::from(op.input.zero_point);
    let requantize = Requantize::of(op);
    let mut windows = Windows::of(op);
    for output in output.chunks_exact_mut(channels) {
        let (rows, columns) = windows.next()?;
        let area = rows.len() * columns.len();
        let start = -zero_point * area as i32;
        // Whole rows lie one behind the other.
        let whole = columns.len() == usize::from(op.input.width) && area <= MOST;
        let together = if whole { rows.len().max(1) } else { 1 };
        let pool = Pool {
            rows: if whole { 1 } else { rows.len() },
            columns: columns.len() * together,
            step: channels,
            pitch: usize::from(op.input.width) * channels,
            start,
            multiplier: op.multiplier,
            requantize,
        };
        let first = rows.start * pool.pitch + columns.start * channels;
        let window = input.get(first..).unwrap_or_default();
        if kernels::average(&pool, window, output) {
            continue;
        }
        for (lanes, output) in output.chunks_mut(LANES).enumerate() {
            let mut acc = [start; LANES];
            for row in rows.clone().step_by(together) {
                let pixels = pixels(op, input, row..row + together, &columns)?;
                kernels::accumulate(&mut acc, pixels.get(lanes * LANES..)?, channels);
            }
            for (out, acc) in output.iter_mut().zip(acc) {
                *out = requantize.apply(acc, op.multiplier);
            }
        }
    }
    Some(())
}

/// The pixels between two columns of one row, or of some whole rows.
fn pixels<'a>(
    op: &OpRecord,
    input: &'a [i8],
    rows: Range<usize>,
    columns: &Range<usize>,
) -> Option<&'a [i8]> {
    let (channels, width) = (op.input.channels, op.input.width);
    let start = rows.start * usize::from(width) + columns.start;
    let end = rows.end.checked_sub(1)? * usize::from(width) + columns.end;
    input.get(start * usize::from(channels)..end * usize::from(channels))
}

/// The windows of a pool in the order of its outputs, each cut to rows and columns of the input.
struct Windows<'a> {
    op: &'a OpRecord,
    y: usize,
    x: usize,
}

impl<'a> Windows<'a> {
    fn of(op: &'a OpRecord) -> Self {
        Self { op, y: 0, x: 0 }
    }

    fn side(&self, side: usize, position: usize, len: u16) -> Range<usize> {
        let start = position * usize::from(self.op.stride[side]);
        let end = start + usize::from(self.op.kernel[side]);
        let before = usize::from(self.op.pads[side]);
        start.saturating_sub(before)..end.saturating_sub(before).min(len.into())
    }
}

impl Iterator for Windows<'_> {
    type Item = (Range<usize>, Range<usize>);

    fn next(&mut self) -> Option<Self::Item> {
        let rows = self.side(0, self.y, self.op.input.height);
        let columns = self.side(1, self.x, self.op.input.width);
        self.x += 1;
        if self.x == usize::from(self.op.output.width) {
            (self.x, self.y) = (0, self.y + 1);
        }
        Some((rows, columns))
    }
}
