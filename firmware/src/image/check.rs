//! Whether an operation's record can be run, and how much memory it touches.

use core::ops::Range;

use bytemuck::Zeroable;

use super::layout::{Kind, LUT_LEN, MAX_UNIT, OpRecord, SCRATCH_ALIGN, TENSOR_ALIGN, Tensor};
use super::packing;

/// Pixels that a convolution gathers at a time.
pub(crate) const COLUMNS: usize = 4;

/// Channels that a depthwise convolution widens at a time.
pub(crate) const PLANES: usize = 4;

/// Greatest number of taps of a convolution's output: the sum of `taps` products of int8 stays
/// below 2^30.
const MAX_TAPS: usize = 1 << 16;

/// What is wrong with an operation's record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpFault {
    /// The number of the kind is unknown to this firmware.
    #[error("unknown kind of operation")]
    Kind,
    /// A tensor has a side of zero.
    #[error("empty tensor")]
    Empty,
    /// A window, step or padding is zero or too large.
    #[error("window, step or padding out of range")]
    Window,
    /// The shapes of input and output do not fit the operation.
    #[error("shapes of input and output do not fit the operation")]
    Shape,
    /// Groups do not divide the channels, or there are none.
    #[error("groups do not divide the channels")]
    Groups,
    /// A sum has more taps than an int32 can hold safely.
    #[error("too many taps in one sum")]
    Taps,
    /// The shift, a multiplier, a coefficient or the range of the output is out of range.
    #[error("requantisation out of range")]
    Requantize,
    /// A tensor or scratch is not aligned or leaves the arena.
    #[error("tensor or scratch outside the arena or not aligned")]
    Arena,
    /// The output or scratch lies over something that is still read.
    #[error("tensors overlap")]
    Overlap,
    /// The scratch is smaller than the kernel needs.
    #[error("scratch too small")]
    Scratch,
    /// Weights or channels leave the image or are not aligned.
    #[error("weights outside the image or not aligned")]
    Weights,
    /// A field is set that the operation does not read, so that something would be left undone, or
    /// the zero point of values that only move changes.
    #[error("a field is set that the operation does not read")]
    Unread,
    /// A channel is read that the input does not have.
    #[error("a channel is read that the input does not have")]
    Channel,
    /// An operation is to be computed by rows, but it or the one behind it, which has to read just
    /// its output, is neither a convolution nor a pool, or too many follow one another.
    #[error("only convolutions and pools that follow one another can be computed by rows")]
    Rows,
}

impl Tensor {
    /// Number of values, and of bytes in the arena.
    #[must_use]
    pub const fn len(&self) -> usize {
        (self.height as usize)
            .saturating_mul(self.width as usize)
            .saturating_mul(self.channels as usize)
    }

    /// Whether there is no value.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Its bytes in the arena; meaningful after [`super::Model::parse`].
    #[must_use]
    pub const fn range(&self) -> Range<usize> {
        self.offset as usize..(self.offset as usize).saturating_add(self.len())
    }

    /// Whether the other has the same height, width and channels.
    #[must_use]
    pub const fn same_shape(&self, other: &Self) -> bool {
        self.height == other.height && self.width == other.width && self.channels == other.channels
    }

    fn as_read(&self) -> Self {
        Self {
            reserved: 0,
            ..*self
        }
    }

    /// Whether `output` has room for its channels and behind them those of `second`, pixel by pixel.
    fn stands_beside(&self, second: &Self, output: &Self) -> bool {
        let size = |tensor: &Self| (tensor.height, tensor.width);
        size(self) == size(second)
            && size(self) == size(output)
            && u32::from(self.channels) + u32::from(second.channels) == u32::from(output.channels)
    }

    pub(super) fn check(&self, arena: usize) -> Result<(), OpFault> {
        if self.is_empty() {
            return Err(OpFault::Empty);
        }
        if !(self.offset as usize).is_multiple_of(TENSOR_ALIGN) || self.range().end > arena {
            return Err(OpFault::Arena);
        }
        Ok(())
    }
}

impl OpRecord {
    /// What it computes; `None` for a number that this firmware does not know.
    #[must_use]
    pub const fn kind(&self) -> Option<Kind> {
        Kind::from_number(self.kind)
    }

    /// Products summed for one output value; 0 where the operation has no weights.
    #[must_use]
    pub fn taps(&self) -> usize {
        let window = usize::from(self.kernel[0]) * usize::from(self.kernel[1]);
        match self.kind() {
            Some(Kind::Conv2d) => {
                window * (usize::from(self.input.channels) / usize::from(self.groups.max(1)))
            }
            Some(Kind::Depthwise) => window,
            Some(Kind::FullyConnected) => self.input.len(),
            _ => 0,
        }
    }

    /// Multiplications with weights in one run, those that a fused pool discards included.
    #[must_use]
    pub fn macs(&self) -> u64 {
        let window = u64::from(self.pool.max(1));
        self.output.len() as u64 * window * window * self.taps() as u64
    }

    /// Groups of packed weights: of each the taps and the output channels.
    pub(crate) fn rows(&self) -> (usize, usize, usize) {
        let groups = match self.kind() {
            Some(Kind::Conv2d) => usize::from(self.groups.max(1)),
            _ => 1,
        };
        (
            groups,
            self.taps(),
            usize::from(self.output.channels) / groups,
        )
    }

    /// Bytes of the weights in the image.
    #[must_use]
    pub fn weights_len(&self) -> usize {
        match self.kind() {
            Some(Kind::Conv2d | Kind::FullyConnected) => {
                let (groups, taps, channels) = self.rows();
                groups.saturating_mul(packing::rows_len(taps, channels))
            }
            Some(Kind::Depthwise) => self.taps() * usize::from(self.output.channels),
            Some(Kind::Table) => LUT_LEN,
            Some(Kind::Gather) => 2 * usize::from(self.output.channels),
            _ => 0,
        }
    }

    /// Number of [`super::Channel`]s in the image.
    #[must_use]
    pub fn channels_len(&self) -> usize {
        match self.kind() {
            Some(Kind::Conv2d | Kind::FullyConnected) => {
                let (groups, _, channels) = self.rows();
                groups * packing::channels_len(channels)
            }
            Some(Kind::Depthwise) => usize::from(self.output.channels),
            _ => 0,
        }
    }

    /// Bytes of working memory that the kernel needs.
    #[must_use]
    pub fn scratch_needed(&self) -> usize {
        let bytes = match self.kind() {
            // Int16 columns of the pixels computed together.
            Some(Kind::Conv2d) => packing::row_len(self.taps()).saturating_mul(COLUMNS * 2),
            Some(Kind::FullyConnected) => packing::row_len(self.taps()).saturating_mul(2),
            // As many int16 rows as the window is high, with their padding.
            Some(Kind::Depthwise) => PLANES * 2 * usize::from(self.kernel[0]) * self.padded_width(),
            _ => 0,
        };
        bytes.next_multiple_of(SCRATCH_ALIGN)
    }

    /// Columns of a row with its padding, rounded up to an even number.
    pub(crate) fn padded_width(&self) -> usize {
        let [_, left, _, right] = self.pads.map(usize::from);
        (left + usize::from(self.input.width) + right).next_multiple_of(2)
    }

    /// The record as its operation reads it: all that it does not read zero, and where values only
    /// move the output's zero point that of the input.
    #[must_use]
    pub(crate) fn as_read(&self) -> Self {
        let mut read = Self {
            kind: self.kind,
            pool: self.pool,
            act_min: self.act_min,
            act_max: self.act_max,
            by_rows: self.by_rows,
            input: self.input.as_read(),
            output: self.output.as_read(),
            ..Zeroable::zeroed()
        };
        let Some(kind) = self.kind() else {
            return read;
        };
        if kind == Kind::Conv2d {
            read.groups = self.groups;
        }
        if self.has_rows() {
            read.kernel = self.kernel;
            read.pads = self.pads;
        }
        if self.has_rows() || kind == Kind::Upsample {
            read.stride = self.stride;
        }
        if self.has_weights() {
            read.weights = self.weights;
            read.channels = self.channels;
            read.scratch = self.scratch;
            read.scratch_len = self.scratch_len;
        }
        if matches!(kind, Kind::Table | Kind::Gather) {
            read.weights = self.weights;
        }
        if self.has_weights() || matches!(kind, Kind::AveragePool | Kind::Add | Kind::Multiply) {
            read.pre_shift = self.pre_shift;
        }
        if matches!(
            kind,
            Kind::AveragePool | Kind::Add | Kind::Normalize | Kind::Multiply
        ) {
            read.multiplier = self.multiplier;
        }
        if kind == Kind::Add {
            read.coefficients = self.coefficients;
        }
        if kind.reads_two() {
            read.second = self.second.as_read();
        }
        if kind.moves() {
            read.output.zero_point = self.input.zero_point;
            if kind.reads_two() {
                read.second.zero_point = self.input.zero_point;
            }
        }
        read
    }

    fn has_weights(&self) -> bool {
        matches!(
            self.kind(),
            Some(Kind::Conv2d | Kind::Depthwise | Kind::FullyConnected)
        )
    }

    /// Checks everything but the content of the image behind the record.
    pub(crate) fn check(&self, arena: usize) -> Result<Kind, OpFault> {
        let kind = self.kind().ok_or(OpFault::Kind)?;
        if self.by_rows != 0 {
            return Err(OpFault::Rows);
        }
        self.input.check(arena)?;
        self.output.check(arena)?;
        if kind.reads_two() {
            self.second.check(arena)?;
        }
        self.check_shape(kind)?;
        self.check_numbers(kind)?;
        self.check_memory(kind, arena)?;
        Ok(kind)
    }

    pub(super) fn check_shape(&self, kind: Kind) -> Result<(), OpFault> {
        let (input, output) = (&self.input, &self.output);
        match (kind, self.pool) {
            (_, 0) | (Kind::Conv2d, 2) => {}
            _ => return Err(OpFault::Window),
        }
        let fits = match kind {
            Kind::Conv2d | Kind::Depthwise | Kind::MaxPool | Kind::AveragePool => {
                let mut size = self.window_output().ok_or(OpFault::Window)?;
                if self.pool == 2 {
                    size = size.map(|side| side / 2);
                }
                size == [usize::from(output.height), usize::from(output.width)]
                    && (kind == Kind::Conv2d || input.channels == output.channels)
            }
            Kind::FullyConnected => output.height == 1 && output.width == 1,
            Kind::Add => input.same_shape(&self.second) && input.same_shape(output),
            Kind::Clamp | Kind::Normalize | Kind::Table => input.same_shape(output),
            Kind::Concat => input.stands_beside(&self.second, output),
            Kind::Multiply => {
                let each = self.second.len() == usize::from(input.channels)
                    && self.second.channels == input.channels;
                input.same_shape(output) && (each || self.second.same_shape(input))
            }
            Kind::Gather => (input.height, input.width) == (output.height, output.width),
            Kind::Flatten => output.len() == input.len() && output.height == 1 && output.width == 1,
            Kind::Upsample => {
                let [down, right] = self.stride.map(usize::from);
                if down == 0 || right == 0 {
                    return Err(OpFault::Window);
                }
                usize::from(input.height) * down == usize::from(output.height)
                    && usize::from(input.width) * right == usize::from(output.width)
                    && input.channels == output.channels
            }
        };
        if !fits {
            return Err(OpFault::Shape);
        }
        if kind == Kind::Conv2d
            && (self.groups == 0
                || !input.channels.is_multiple_of(self.groups)
                || !output.channels.is_multiple_of(self.groups))
        {
            return Err(OpFault::Groups);
        }
        if self.taps() > MAX_TAPS {
            return Err(OpFault::Taps);
        }
        Ok(())
    }

    /// Height and width before a fused pool, `None` where the window does not fit.
    fn window_output(&self) -> Option<[usize; 2]> {
        let [top, left, bottom, right] = self.pads.map(usize::from);
        let side = |input: u16, before: usize, after: usize, kernel: u8, stride: u8| {
            let (kernel, stride) = (usize::from(kernel), usize::from(stride));
            if stride == 0 || before >= kernel || after >= kernel {
                return None;
            }
            let room = (usize::from(input) + before + after).checked_sub(kernel)?;
            Some(room / stride + 1)
        };
        Some([
            side(
                self.input.height,
                top,
                bottom,
                self.kernel[0],
                self.stride[0],
            )?,
            side(
                self.input.width,
                left,
                right,
                self.kernel[1],
                self.stride[1],
            )?,
        ])
    }

    /// Checks the numbers of the record, and that none is set that would be left unread.
    pub(super) fn check_numbers(&self, kind: Kind) -> Result<(), OpFault> {
        if self.as_read() != *self {
            return Err(OpFault::Unread);
        }
        let add = kind != Kind::Add
            || self
                .coefficients
                .iter()
                .all(|value| (0..=0x7fff).contains(value));
        let unit = kind != Kind::Normalize || self.multiplier <= MAX_UNIT;
        let fits = add && unit;
        if self.pre_shift > 15 || self.multiplier < 0 || self.act_min > self.act_max || !fits {
            return Err(OpFault::Requantize);
        }
        Ok(())
    }

    /// The bytes of working memory that the kernel uses.
    pub(super) fn check_scratch(&self, arena: usize) -> Result<Range<usize>, OpFault> {
        let needed = self.scratch_needed();
        if (self.scratch_len as usize) < needed {
            return Err(OpFault::Scratch);
        }
        let scratch = match needed {
            0 => 0..0,
            _ => self.scratch as usize..(self.scratch as usize).saturating_add(needed),
        };
        if scratch.end > arena || !scratch.start.is_multiple_of(SCRATCH_ALIGN) {
            return Err(OpFault::Arena);
        }
        Ok(scratch)
    }

    fn check_memory(&self, kind: Kind, arena: usize) -> Result<(), OpFault> {
        let scratch = self.check_scratch(arena)?;
        let output = self.output.range();
        let read = |tensor: &Tensor| {
            let in_place = kind.in_place()
                && tensor.offset == self.output.offset
                && tensor.same_shape(&self.output);
            let range = tensor.range();
            !overlap(&range, &scratch) && (in_place || !overlap(&range, &output))
        };
        if !read(&self.input)
            || (kind.reads_two() && !read(&self.second))
            || overlap(&output, &scratch)
        {
            return Err(OpFault::Overlap);
        }
        Ok(())
    }
}

pub(super) fn overlap(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start < b.end && b.start < a.end
}
