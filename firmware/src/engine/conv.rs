//! Convolutions over all channels of a group, and fully connected layers as their special case.
//!
//! The windows of four pixels at a time are gathered into scratch as int16 columns; then every pair
//! of rows of weights passes over the four columns at once, so that a weight is widened once for
//! four products and a value once for two. With a fused pool the four pixels are those of one
//! window of the pool; the greatest of the four sums is requantised, which gives the same as
//! pooling afterwards because requantisation never decreases.

use super::kernels::{self, Block, Pixels, Shape, Taps, Windows};
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
    let rows_len = packing::rows_len(taps, outputs);
    let channels_len = packing::channels_len(outputs);
    if rows_len == 0 || channels_len == 0 {
        return None;
    }
    let mut rows = weights.chunks_exact(rows_len);
    let mut channels = channels.chunks_exact(channels_len);
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
        let pixels = height * width;
        let done = match self.patch.pixels(pixels) {
            Some(pixels) => kernels::pointwise(&self.block(&[]), &pixels, output, stride, scratch)?,
            None => 0,
        };
        if done == pixels {
            return Some(());
        }
        let (mut y, mut x) = (done.checked_div(width)?, done.checked_rem(width)?);
        let mut next = || {
            let pixel = [y, x];
            x += 1;
            if x == width {
                (y, x) = (y + 1, 0);
            }
            pixel
        };
        let mut table = Taps::NONE;
        let mut stage = Stage {
            taps: [0; STAGED],
            windows: Windows::of(self.patch.shape, self.taps, &mut table),
        };
        let whole = pixels / COLUMNS * COLUMNS;
        for first in (done..whole).step_by(COLUMNS) {
            let columns = scratch.get_mut(..COLUMNS * self.row_len)?;
            let four = [(); COLUMNS].map(|()| next());
            self.patch.gather(four, self.taps, &mut stage, columns)?;
            kernels::gemm_x4(
                &self.block(columns),
                output.get_mut(first * stride..)?,
                stride,
            )?;
        }
        for pixel in whole..pixels {
            let columns = scratch.get_mut(..self.row_len)?;
            self.patch
                .gather([next()], self.taps, &mut stage, columns)?;
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
        let mut table = Taps::NONE;
        let mut stage = Stage {
            taps: [0; STAGED],
            windows: Windows::of(self.patch.shape, self.taps, &mut table),
        };
        for y in 0..height {
            for x in 0..width {
                let (top, left) = (y * 2, x * 2);
                let window = [
                    [top, left],
                    [top, left + 1],
                    [top + 1, left],
                    [top + 1, left + 1],
                ];
                self.patch.gather(window, self.taps, &mut stage, columns)?;
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

/// Taps of a window up to which it is put in order on the stack.
const STAGED: usize = 64;

/// What gathering needs in addition to the input.
struct Stage<'a> {
    /// A window in the order of its taps.
    taps: [i16; STAGED],
    windows: Option<Windows<'a>>,
}

/// The input as the windows of one group see it.
///
/// Positions of windows are counted with the padding: row 0 is the padding's first.
struct Patch<'a> {
    shape: Shape<'a>,
    stride: [usize; 2],
    /// Whether the window is one pixel and there is no padding.
    pointwise: bool,
}

impl<'a> Patch<'a> {
    /// `input` of group `group`.
    fn of(op: &OpRecord, input: &'a [i8], group: usize) -> Self {
        if op.kind() == Some(Kind::FullyConnected) {
            return Self {
                shape: Shape {
                    input,
                    height: 1,
                    width: 1,
                    channels: input.len(),
                    inputs: input.len(),
                    kernel: [1; 2],
                    pads: [0; 2],
                    zero_point: 0,
                },
                stride: [1; 2],
                pointwise: true,
            };
        }
        let channels = usize::from(op.input.channels);
        let inputs = channels / usize::from(op.groups.max(1));
        let [top, left, ..] = op.pads.map(usize::from);
        Self {
            shape: Shape {
                input: input.get(group * inputs..).unwrap_or_default(),
                height: op.input.height.into(),
                width: op.input.width.into(),
                channels,
                inputs,
                kernel: op.kernel.map(usize::from),
                pads: [top, left],
                zero_point: op.input.zero_point,
            },
            stride: op.stride.map(usize::from),
            pointwise: op.kernel == [1, 1] && op.pads == [0; 4],
        }
    }

    /// The input's pixels, as many as there are output pixels, if they are the windows as they lie.
    fn pixels(&self, count: usize) -> Option<Pixels<'_>> {
        let as_they_lie = self.pointwise && self.stride == [1; 2];
        as_they_lie.then_some(Pixels {
            input: self.shape.input,
            taps: self.shape.inputs,
            step: self.shape.channels,
            count,
        })
    }

    /// Writes the windows of `N` output pixels as columns.
    #[inline(never)]
    fn gather<const N: usize>(
        &self,
        pixels: [[usize; 2]; N],
        taps: usize,
        stage: &mut Stage<'_>,
        scratch: &mut [i16],
    ) -> Option<()> {
        let corners = pixels.map(|[y, x]| [y * self.stride[0], x * self.stride[1]]);
        if self.pointwise {
            let mut runs = [&[][..]; N];
            for (run, [y, x]) in runs.iter_mut().zip(corners) {
                let start = (y * self.shape.width + x) * self.shape.channels;
                *run = self.shape.input.get(start..start + self.shape.inputs)?;
            }
            return kernels::widen(runs, 0, taps, scratch);
        }
        if let Some(windows) = &stage.windows {
            return windows.gather(corners, scratch);
        }
        if N == COLUMNS
            && taps == 9
            && let Some(starts) = self.starts(corners)
            && let Some(()) =
                kernels::deal_nine(self.shape.input, self.shape.width, starts, scratch)
        {
            return Some(());
        }
        if self.shape.inputs.is_multiple_of(4) || taps > STAGED {
            return self.gather_runs(corners, taps, scratch);
        }
        let stage = stage.taps.get_mut(..taps)?;
        for (column, corner) in corners.into_iter().enumerate() {
            self.fill(corner, stage)?;
            kernels::deal::<N>(stage, column, scratch)?;
        }
        Some(())
    }

    /// Where windows start that lie wholly in an input of one channel.
    fn starts<const N: usize>(&self, corners: [[usize; 2]; N]) -> Option<[usize; N]> {
        let mut starts = [0; N];
        for (start, [top, left]) in starts.iter_mut().zip(corners) {
            let y = top.checked_sub(self.shape.pads[0])?;
            let x = left.checked_sub(self.shape.pads[1])?;
            let inside = y + self.shape.kernel[0] <= self.shape.height
                && x + self.shape.kernel[1] <= self.shape.width;
            if !inside || self.shape.channels != 1 {
                return None;
            }
            *start = y * self.shape.width + x;
        }
        Some(starts)
    }

    /// Goes through the windows by runs of neighbouring values, all windows at a time.
    fn gather_runs<const N: usize>(
        &self,
        corners: [[usize; 2]; N],
        taps: usize,
        scratch: &mut [i16],
    ) -> Option<()> {
        let zeros = [self.shape.zero_point; 64];
        let row_taps = self.shape.kernel[1] * self.shape.inputs;
        let whole = self.shape.inputs == self.shape.channels
            && corners
                .iter()
                .all(|&[_, left]| self.columns(left) == (0, self.shape.kernel[1]));
        for ky in 0..self.shape.kernel[0] {
            let first = ky * row_taps;
            let rows = corners.map(|[top, _]| self.row(top + ky));
            if whole && rows.iter().all(Option::is_some) {
                let mut runs = [&zeros[..]; N];
                for ((run, row), [_, left]) in runs.iter_mut().zip(rows).zip(corners) {
                    let start = row? + (left - self.shape.pads[1]) * self.shape.channels;
                    *run = self.shape.input.get(start..)?.get(..row_taps)?;
                }
                kernels::widen(runs, first, taps, scratch)?;
                continue;
            }
            for kx in 0..self.shape.kernel[1] {
                for start in (0..self.shape.inputs).step_by(zeros.len()) {
                    let len = zeros.len().min(self.shape.inputs - start);
                    let mut runs = [zeros.get(..len)?; N];
                    for ((run, row), [_, left]) in runs.iter_mut().zip(rows).zip(corners) {
                        let column = (left + kx).checked_sub(self.shape.pads[1]);
                        let column = column.filter(|&column| column < self.shape.width);
                        if let (Some(row), Some(column)) = (row, column) {
                            let start = row + column * self.shape.channels + start;
                            *run = self.shape.input.get(start..)?.get(..len)?;
                        }
                    }
                    kernels::widen(runs, first + kx * self.shape.inputs + start, taps, scratch)?;
                }
            }
        }
        Some(())
    }

    /// Writes one window in the order of its taps.
    #[inline(always)]
    fn fill(&self, [top, left]: [usize; 2], stage: &mut [i16]) -> Option<()> {
        let (channels, inputs) = (self.shape.channels, self.shape.inputs);
        let row_taps = self.shape.kernel[1] * inputs;
        if row_taps == 0 || channels == 0 {
            return None;
        }
        if inputs == channels
            && let (Some(y), Some(x)) = (
                top.checked_sub(self.shape.pads[0]),
                left.checked_sub(self.shape.pads[1]),
            )
            && y + self.shape.kernel[0] <= self.shape.height
            && x + self.shape.kernel[1] <= self.shape.width
        {
            let pitch = self.shape.width * channels;
            let mut rows = self.shape.input.get(y * pitch + x * channels..)?;
            let mut taps = stage;
            loop {
                let (to, next) = taps.split_at_mut_checked(row_taps)?;
                copy(to, rows.get(..row_taps)?);
                if next.is_empty() {
                    return Some(());
                }
                (taps, rows) = (next, rows.get(pitch..)?);
            }
        }
        let zero = i16::from(self.shape.zero_point);
        let (from, to) = self.columns(left);
        let partial = (from, to) != (0, self.shape.kernel[1]);
        let rows = stage.chunks_exact_mut(row_taps);
        for (ky, taps) in rows.enumerate() {
            let row = self.row(top + ky);
            if partial || row.is_none() {
                for tap in &mut *taps {
                    *tap = zero;
                }
            }
            let Some(row) = row else { continue };
            let start = row + (left + from - self.shape.pads[1]) * channels;
            let input = self.shape.input.get(start..)?;
            if inputs == channels {
                let taps = taps.get_mut(from * inputs..to * inputs)?;
                copy(taps, input.get(..taps.len())?);
            } else {
                let mut taps = taps.get_mut(from * inputs..to * inputs)?;
                for pixel in input.chunks(channels).take(to - from) {
                    let (to, next) = taps.split_at_mut_checked(inputs)?;
                    copy(to, pixel.get(..inputs)?);
                    taps = next;
                }
            }
        }
        Some(())
    }

    /// The window's columns that lie inside the input, from and to.
    #[inline(always)]
    fn columns(&self, left: usize) -> (usize, usize) {
        let from = self.shape.pads[1].saturating_sub(left);
        let to = (self.shape.pads[1] + self.shape.width).saturating_sub(left);
        (from, to.min(self.shape.kernel[1]))
    }

    /// Where a row starts in the input, `None` for the padding.
    #[inline(always)]
    fn row(&self, row: usize) -> Option<usize> {
        let row = row.checked_sub(self.shape.pads[0])?;
        (row < self.shape.height).then(|| row * self.shape.width * self.shape.channels)
    }
}

/// Widens values; three, as a row of 3 x 3 on one channel has, without a loop.
#[inline(always)]
fn copy(taps: &mut [i16], values: &[i8]) {
    if let (Ok(taps), Ok(values)) = (
        <&mut [i16; 3]>::try_from(&mut *taps),
        <&[i8; 3]>::try_from(values),
    ) {
        *taps = values.map(i16::from);
        return;
    }
    for (tap, &value) in taps.iter_mut().zip(values) {
        *tap = value.into();
    }
}
