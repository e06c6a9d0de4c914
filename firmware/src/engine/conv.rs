//! Convolutions over all channels of a group, and fully connected layers as their special case.
//!
//! The windows of four pixels at a time are gathered into scratch as int16 columns; then every pair
//! of rows of weights passes over the four columns at once, so that a weight is widened once for
//! four products and a value once for two. With a fused pool the four pixels are those of one
//! window of the pool; the greatest of the four sums is requantised, which gives the same as
//! pooling afterwards because requantisation never decreases.

use super::kernels::{self, Block};
use super::requantize::Requantize;
use crate::image::{COLUMNS, Channel, Kind, OpRecord, packing};

/// `scratch` is what [`OpRecord::scratch_needed`] says; `None` if a slice is too short.
pub(crate) fn conv(
    op: &OpRecord,
    input: &[i8],
    weights: &[i8],
    channels: &[Channel],
    output: &mut [i8],
    scratch: &mut [i16],
) -> Option<()> {
    let (groups, taps, outputs) = op.rows();
    let row_len = packing::row_len(taps);
    let all = usize::from(op.output.channels);
    let mut rows = weights.chunks_exact(packing::rows_len(taps, outputs));
    let mut channels = channels.chunks_exact(packing::channels_len(outputs));
    for group in 0..groups {
        let output = output.get_mut(group * outputs..)?;
        let layer = Layer {
            patch: Patch::of(op, input, group),
            taps,
            row_len,
            rows: rows.next()?,
            channels: channels.next()?,
            outputs,
            requantize: Requantize::of(op),
        };
        let size = [op.output.height, op.output.width].map(usize::from);
        if op.pool == 2 {
            layer.run_pooled(size, output, all, scratch)?;
        } else {
            layer.run(size, output, all, scratch)?;
        }
    }
    Some(())
}

/// One group of a convolution.
struct Layer<'a> {
    patch: Patch<'a>,
    taps: usize,
    row_len: usize,
    rows: &'a [i8],
    channels: &'a [Channel],
    outputs: usize,
    requantize: Requantize,
}

impl Layer<'_> {
    /// Output pixel `i` of `height x width` starts at `output[i * stride]`.
    fn run(
        &self,
        [height, width]: [usize; 2],
        output: &mut [i8],
        stride: usize,
        scratch: &mut [i16],
    ) -> Option<()> {
        let (mut y, mut x) = (0, 0);
        let mut next = || {
            let pixel = [y, x];
            x += 1;
            if x == width {
                (y, x) = (y + 1, 0);
            }
            pixel
        };
        let pixels = height * width;
        let whole = pixels / COLUMNS * COLUMNS;
        for first in (0..whole).step_by(COLUMNS) {
            let columns = scratch.get_mut(..COLUMNS * self.row_len)?;
            for column in 0..COLUMNS {
                self.patch
                    .gather(next(), column, COLUMNS, self.taps, columns)?;
            }
            kernels::four(
                &self.block(columns),
                output.get_mut(first * stride..)?,
                stride,
            )?;
        }
        for pixel in whole..pixels {
            let columns = scratch.get_mut(..self.row_len)?;
            self.patch.gather(next(), 0, 1, self.taps, columns)?;
            kernels::one(&self.block(columns), output.get_mut(pixel * stride..)?)?;
        }
        Some(())
    }

    /// Like `run`, `height` and `width` being those after the pool.
    fn run_pooled(
        &self,
        [height, width]: [usize; 2],
        output: &mut [i8],
        stride: usize,
        scratch: &mut [i16],
    ) -> Option<()> {
        let columns = scratch.get_mut(..COLUMNS * self.row_len)?;
        for y in 0..height {
            for x in 0..width {
                for column in 0..COLUMNS {
                    let pixel = [y * 2 + column / 2, x * 2 + column % 2];
                    self.patch
                        .gather(pixel, column, COLUMNS, self.taps, columns)?;
                }
                let output = output.get_mut((y * width + x) * stride..)?;
                kernels::pooled(&self.block(columns), output)?;
            }
        }
        Some(())
    }

    fn block<'b>(&'b self, columns: &'b [i16]) -> Block<'b> {
        Block {
            rows: self.rows,
            channels: self.channels,
            columns,
            row_len: self.row_len,
            outputs: self.outputs,
            requantize: self.requantize,
        }
    }
}

/// The input as the windows of one group see it.
struct Patch<'a> {
    input: &'a [i8],
    height: usize,
    width: usize,
    /// Channels of the whole input.
    channels: usize,
    /// Channels of the group.
    inputs: usize,
    kernel: [usize; 2],
    stride: [usize; 2],
    /// At the top and left.
    pads: [usize; 2],
    zero_point: i8,
}

impl<'a> Patch<'a> {
    /// `input` of group `group`.
    fn of(op: &OpRecord, input: &'a [i8], group: usize) -> Self {
        if op.kind() == Some(Kind::FullyConnected) {
            return Self {
                input,
                height: 1,
                width: 1,
                channels: input.len(),
                inputs: input.len(),
                kernel: [1; 2],
                stride: [1; 2],
                pads: [0; 2],
                zero_point: 0,
            };
        }
        let channels = usize::from(op.input.channels);
        let inputs = channels / usize::from(op.groups.max(1));
        let [top, left, ..] = op.pads.map(usize::from);
        Self {
            input: input.get(group * inputs..).unwrap_or_default(),
            height: op.input.height.into(),
            width: op.input.width.into(),
            channels,
            inputs,
            kernel: op.kernel.map(usize::from),
            stride: op.stride.map(usize::from),
            pads: [top, left],
            zero_point: op.input.zero_point,
        }
    }

    /// Writes the window of one output pixel as a column.
    fn gather(
        &self,
        [y, x]: [usize; 2],
        column: usize,
        columns: usize,
        taps: usize,
        scratch: &mut [i16],
    ) -> Option<()> {
        let row_taps = self.kernel[1] * self.inputs;
        // The window in coordinates that start with the padding.
        let (top, left) = (y * self.stride[0], x * self.stride[1]);
        let inside = |kx: usize| (self.pads[1]..self.pads[1] + self.width).contains(&(left + kx));
        let whole = inside(0) && inside(self.kernel[1] - 1) && self.inputs == self.channels;
        let mut widen =
            |values: &[i8], first| kernels::widen(values, first, column, columns, taps, scratch);
        for ky in 0..self.kernel[0] {
            let first = ky * row_taps;
            let Some(row) = (top + ky)
                .checked_sub(self.pads[0])
                .filter(|&row| row < self.height)
            else {
                fill(self.zero_point, row_taps, first, &mut widen)?;
                continue;
            };
            let row = row * self.width * self.channels;
            if whole {
                let start = row + (left - self.pads[1]) * self.channels;
                widen(self.input.get(start..)?.get(..row_taps)?, first)?;
                continue;
            }
            for kx in 0..self.kernel[1] {
                let first = first + kx * self.inputs;
                if inside(kx) {
                    let start = row + (left + kx - self.pads[1]) * self.channels;
                    widen(self.input.get(start..)?.get(..self.inputs)?, first)?;
                } else {
                    fill(self.zero_point, self.inputs, first, &mut widen)?;
                }
            }
        }
        Some(())
    }
}

/// Writes `count` taps of one value.
fn fill(
    value: i8,
    count: usize,
    mut first: usize,
    mut widen: impl FnMut(&[i8], usize) -> Option<()>,
) -> Option<()> {
    let values = [value; 64];
    let end = first + count;
    while first < end {
        let run = values.len().min(end - first);
        widen(&values[..run], first)?;
        first += run;
    }
    Some(())
}
