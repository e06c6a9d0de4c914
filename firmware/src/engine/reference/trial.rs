//! One operation with random content, run by the engine and by its scalar twin.

use super::{Operands, Random};
use crate::engine::{self, EngineError};
use crate::image::{
    Aligned, CRC_START, Channel, Header, ImageError, Kind, LUT_LEN, MAGIC, MAX_UNIT, Model,
    OpRecord, SCRATCH_ALIGN, SECTION_ALIGN, VERSION, crc, packing,
};

/// What the random content is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    /// Evenly spread, multipliers such that most outputs lie in range.
    Even,
    /// Only the least and the greatest inputs and weights, any bias, multiplier and shift.
    Extreme,
}

/// Why a trial failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrialError {
    /// The operation does not fit the trial's memory.
    #[error("operation too large for this memory")]
    TooLarge,
    /// The image made for the operation was refused.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// The engine refused the model.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The patches were not at the end what they were when they were computed.
    #[error("the patches did not stay")]
    Patches,
    /// The engine computed something else than the twin.
    #[error("output {index} is {have}, not {need}")]
    Mismatch {
        /// Number of the first output that differs.
        index: usize,
        /// What the engine computed.
        have: i8,
        /// What the twin computed.
        need: i8,
    },
}

/// Memory for trials: `N` bytes for the image, and as much for each other part.
#[derive(Clone, Debug)]
pub struct Trial<const N: usize> {
    pub(super) image: Aligned<[u8; N]>,
    pub(super) arena: Aligned<[u8; N]>,
    pub(super) frame: [u8; N],
    weights: [i8; N],
    pub(super) output: [i8; N],
    channels: [Channel; 512],
}

impl<const N: usize> Trial<N> {
    /// Empty memory.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            image: Aligned([0; N]),
            arena: Aligned([0; N]),
            frame: [0; N],
            weights: [0; N],
            output: [0; N],
            channels: [Channel {
                bias: 0,
                multiplier: 0,
            }; 512],
        }
    }

    /// Runs `shape`, of which kind, pool, window, groups and the shapes and zero points of the
    /// tensors count, in place if `in_place` and allowed; all else, limits of the output among it,
    /// is drawn from `seed`.
    ///
    /// # Errors
    /// [`TrialError::Mismatch`] if the engine is wrong, the others if `shape` is.
    pub fn run(
        &mut self,
        shape: &OpRecord,
        in_place: bool,
        values: Values,
        seed: u64,
    ) -> Result<(), TrialError> {
        let random = &mut Random::new(seed);
        let (op, input_len, arena_len) = self.lay_out(shape, in_place, values, random)?;
        self.draw(&op, input_len, values, random)?;
        let image_len = self.write(&op, input_len, arena_len)?;

        let model = Model::parse(&self.image.0[..image_len])?;
        let arena: &mut [u64] = bytemuck::cast_slice_mut(&mut self.arena.0[..arena_len]);
        let output = engine::run(&model, &self.frame[..input_len], arena)?;

        let frame: &[i8] = bytemuck::cast_slice(&self.frame[..input_len]);
        let (input, second) = frame.split_at(op.input.len());
        let operands = Operands {
            input,
            second,
            weights: &self.weights,
            channels: &self.channels,
        };
        let expected = &mut self.output[..op.output.len()];
        super::run(&op, &operands, expected);
        match output
            .iter()
            .zip(&*expected)
            .position(|(have, need)| have != need)
        {
            None => Ok(()),
            Some(index) => Err(TrialError::Mismatch {
                index,
                have: output[index],
                need: expected[index],
            }),
        }
    }

    /// Runs `count` operations of all kinds, in place where that is allowed, half of them with
    /// extreme values.
    ///
    /// # Errors
    /// The number of the first operation that failed and what was wrong; its record stands in
    /// [`Trial::image`].
    pub fn run_random(&mut self, count: u64, seed: u64) -> Result<(), (u64, TrialError)> {
        let random = &mut Random::new(seed);
        for number in 0..count {
            let Some(kind) = Kind::from_number(random.between(1, 14) as u8) else {
                continue;
            };
            let op = OpRecord::random(kind, random);
            let in_place =
                kind.in_place() && op.input.same_shape(&op.output) && random.bits() & 1 == 0;
            let values = match random.bits() & 1 {
                0 => Values::Even,
                _ => Values::Extreme,
            };
            self.run(&op, in_place, values, random.bits())
                .map_err(|error| (number, error))?;
        }
        Ok(())
    }

    /// The image that the last [`Trial::run`] made, and what was left behind it.
    #[must_use]
    pub const fn image(&self) -> &[u8; N] {
        &self.image.0
    }

    /// Completes the record: the record, the length of the input and that of the arena.
    fn lay_out(
        &self,
        shape: &OpRecord,
        in_place: bool,
        values: Values,
        random: &mut Random,
    ) -> Result<(OpRecord, usize, usize), TrialError> {
        let mut op = *shape;
        let either = matches!(op.kind(), Some(Kind::Add | Kind::Multiply))
            && op.second.same_shape(&op.output);
        let two = op.kind().is_some_and(Kind::reads_two);
        let mut end = op.input.len();
        (op.input.offset, op.second.offset) = (0, 0);
        if two {
            // The frame is one piece, so that the second tensor starts where the first one ends.
            op.input.offset = if end.is_multiple_of(4) {
                0
            } else {
                return Err(TrialError::TooLarge);
            };
            op.second.offset = end as u32;
            end += op.second.len();
        }
        let input_len = end;
        if in_place {
            let second = either && random.bits() & 1 == 1;
            op.output.offset = if second {
                op.second.offset
            } else {
                op.input.offset
            };
        } else {
            op.output.offset = end.next_multiple_of(4) as u32;
            end = op.output.range().end;
        }
        op.scratch = end.next_multiple_of(SCRATCH_ALIGN) as u32;
        op.scratch_len = op.scratch_needed() as u32;
        end = (op.scratch + op.scratch_len) as usize;
        op.pre_shift = match values {
            Values::Even => random.between(0, 6) as u8,
            Values::Extreme => random.between(0, 15) as u8,
        };
        op.multiplier = self.multiplier(&op, values, random);
        op.coefficients = [
            random.between(0, 0x7fff) as i32,
            random.between(0, 0x7fff) as i32,
        ];
        if random.bits() & 3 != 0 {
            (op.act_min, op.act_max) = (i8::MIN, i8::MAX);
        } else {
            op.act_min = random.between(-128, 127) as i8;
            op.act_max = random.between(op.act_min.into(), 127) as i8;
        }
        if end > N || op.taps() * usize::from(op.output.channels) > N || op.channels_len() > 512 {
            return Err(TrialError::TooLarge);
        }
        Ok((op.as_read(), input_len, end))
    }

    fn multiplier(&self, op: &OpRecord, values: Values, random: &mut Random) -> i32 {
        let widest = match (values, op.kind()) {
            (Values::Extreme, Some(Kind::Normalize)) => i64::from(MAX_UNIT),
            // A unit vector's values lie below 1: up to twice the range of int8.
            (_, Some(Kind::Normalize)) => 1 << 16,
            (Values::Extreme, _) => i64::from(i32::MAX),
            // Such that a sum of that many random products becomes a few hundred.
            (_, Some(Kind::Add)) => (1 << 20) >> op.pre_shift,
            (_, Some(Kind::Multiply)) => (1 << 28) >> op.pre_shift,
            (_, Some(Kind::AveragePool)) => i64::from(i32::MAX) >> op.pre_shift,
            _ => ((1 << 27) >> op.pre_shift) / (1 + op.taps().isqrt() as i64),
        };
        random.between(widest / 8, widest) as i32
    }

    /// Fills in inputs, weights and channels.
    fn draw(
        &mut self,
        op: &OpRecord,
        input_len: usize,
        values: Values,
        random: &mut Random,
    ) -> Result<(), TrialError> {
        let extreme = values == Values::Extreme;
        let mut value = |low, high| match extreme {
            true if random.bits() & 1 == 0 => low,
            true => high,
            false => random.between(low, high),
        };
        for byte in self
            .frame
            .get_mut(..input_len)
            .ok_or(TrialError::TooLarge)?
        {
            *byte = value(-128, 127) as u8;
        }
        let outputs = usize::from(op.output.channels);
        for weight in &mut self.weights[..op.taps() * outputs] {
            *weight = value(-127, 127) as i8;
        }
        if op.kind() == Some(Kind::Table) {
            for entry in self
                .weights
                .get_mut(..LUT_LEN)
                .ok_or(TrialError::TooLarge)?
            {
                *entry = value(-128, 127) as i8;
            }
        }
        if op.kind() == Some(Kind::Gather) {
            let (numbers, _) = self.weights.as_chunks_mut::<2>();
            for number in numbers.iter_mut().take(outputs) {
                let from = random.between(0, i64::from(op.input.channels) - 1) as u16;
                *number = from.to_le_bytes().map(|byte| byte as i8);
            }
        }
        if op.taps() > 0 {
            for index in 0..outputs {
                let bias = if extreme {
                    i64::from(i32::MAX)
                } else {
                    1 << 12
                };
                self.channels[index] = Channel {
                    bias: random.between(-bias, bias) as i32,
                    multiplier: self.multiplier(op, values, random),
                };
            }
        }
        Ok(())
    }

    /// Writes an image of this one operation and gives its length.
    fn write(
        &mut self,
        op: &OpRecord,
        input_len: usize,
        arena_len: usize,
    ) -> Result<usize, TrialError> {
        let ops = size_of::<Header>();
        let lut = ops + size_of::<OpRecord>();
        let weights = lut + LUT_LEN;
        let channels = (weights + op.weights_len()).next_multiple_of(SECTION_ALIGN);
        let end = channels + op.channels_len() * size_of::<Channel>();
        let image = self.image.0.get_mut(..end).ok_or(TrialError::TooLarge)?;
        image.fill(0);

        let record = OpRecord {
            weights: weights as u32,
            channels: channels as u32,
            ..*op
        }
        .as_read();
        image[ops..lut].copy_from_slice(bytemuck::bytes_of(&record));
        for (level, byte) in image[lut..weights].iter_mut().enumerate() {
            *byte = level as u8;
        }
        if matches!(op.kind(), Some(Kind::Table | Kind::Gather)) {
            let len = op.weights_len();
            let table = bytemuck::cast_slice(&self.weights[..len]);
            image[weights..weights + len].copy_from_slice(table);
        }
        let (groups, taps, outputs) = match op.kind() {
            Some(Kind::Conv2d | Kind::FullyConnected) => op.rows(),
            _ => (1, op.taps(), op.channels_len()),
        };
        let packed = packing::rows_len(taps, outputs);
        let packed_channels = packing::channels_len(outputs);
        for index in 0..groups * outputs * usize::from(taps > 0) {
            let (group, channel) = (index / outputs, index % outputs);
            let depthwise = op.kind() == Some(Kind::Depthwise);
            for tap in 0..taps {
                let to = match depthwise {
                    true => tap * outputs + channel,
                    false => group * packed + packing::row_index(taps, channel, tap),
                };
                image[weights + to] = self.weights[index * taps + tap] as u8;
            }
            let slot = if depthwise {
                index
            } else {
                group * packed_channels + channel
            };
            image[channels + slot * size_of::<Channel>()..][..size_of::<Channel>()]
                .copy_from_slice(bytemuck::bytes_of(&self.channels[index]));
        }

        let mut header = Header {
            magic: MAGIC,
            version: VERSION,
            header_len: ops as u16,
            image_len: end as u32,
            input_height: 1,
            input_width: input_len as u16,
            input_channels: 1,
            embedding_len: op.output.len() as u16,
            input_lut: lut as u32,
            input_offset: op.input.offset,
            output_offset: op.output.offset,
            arena_len: arena_len as u32,
            ops: ops as u32,
            op_count: 1,
            output_scale: 1.0,
            ..bytemuck::Zeroable::zeroed()
        };
        image[..ops].copy_from_slice(bytemuck::bytes_of(&header));
        header.crc = crc(&image[CRC_START..]);
        image[..ops].copy_from_slice(bytemuck::bytes_of(&header));
        Ok(end)
    }
}

impl<const N: usize> Default for Trial<N> {
    fn default() -> Self {
        Self::new()
    }
}
