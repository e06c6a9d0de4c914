//! Operations that follow one another, run one after the other and by rows.

use heapless::Vec;

use super::{Random, Trial, TrialError};
use crate::engine;
use crate::image::{
    CRC_START, Channel, Header, Kind, LUT_LEN, MAGIC, Model, OpRecord, SCRATCH_ALIGN,
    SECTION_ALIGN, Tensor, VERSION, crc, overlap_offset, packing,
};

/// Most operations of a trial.
const MOST: usize = 5;

/// Operations of which each reads the output of the one before.
pub type Chain = Vec<OpRecord, MOST>;

/// Where the tensors of a [`Chain`] lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// The operations run one after the other.
    Whole,
    /// They run by rows, as many as [`OpRecord::by_rows`] says; the output has its own place.
    Rows,
    /// The same, the output over the input with just the offset that it needs.
    RowsInPlace,
}

/// The shapes of a random chain.
#[must_use]
pub fn random_chain(random: &mut Random) -> Chain {
    let mut chain = Chain::new();
    let mut input = Tensor {
        height: random.between(3, 16) as u16,
        width: random.between(1, 9) as u16,
        channels: random.between(1, 9) as u16,
        zero_point: random.between(-128, 127) as i8,
        ..Tensor::default()
    };
    for _ in 0..random.between(2, MOST as i64) {
        let op = operation(input, random);
        input = op.output;
        if chain.push(op).is_err() {
            break;
        }
    }
    let last = chain.len() - 1;
    for op in &mut chain[..last] {
        op.by_rows = random.between(1, 4) as u8;
    }
    chain
}

/// A random operation on an input.
fn operation(input: Tensor, random: &mut Random) -> OpRecord {
    let kinds = [
        Kind::Conv2d,
        Kind::Conv2d,
        Kind::Depthwise,
        Kind::MaxPool,
        Kind::AveragePool,
    ];
    let kind = kinds[random.between(0, 4) as usize];
    let mut draw = |low: i64, high: i64| random.between(low, high) as u8;
    let sides = [input.height, input.width].map(i64::from);
    let (kernel, stride, pads) = match draw(0, 3) {
        0 if sides.iter().all(|&side| side > 1) => {
            let side = match kind {
                Kind::Depthwise => 3 + 2 * draw(0, 2),
                _ => 3,
            };
            ([side; 2], [draw(1, 2); 2], [side / 2; 4])
        }
        1 => ([1; 2], [1; 2], [0; 4]),
        _ => {
            let kernel = sides.map(|side| draw(1, side.min(5)));
            let pads = [0, 1, 0, 1].map(|side: usize| draw(0, i64::from(kernel[side]) - 1));
            (kernel, [draw(1, 3), draw(1, 3)], pads)
        }
    };
    let side = |i: usize, len: u16| {
        let padded = len + u16::from(pads[i]) + u16::from(pads[i + 2]);
        (padded - u16::from(kernel[i])) / u16::from(stride[i]) + 1
    };
    let mut op = OpRecord {
        kind: kind as u8,
        groups: 1,
        kernel,
        stride,
        pads,
        input,
        output: Tensor {
            height: side(0, input.height),
            width: side(1, input.width),
            zero_point: random.between(-128, 127) as i8,
            ..input
        },
        act_min: random.between(-128, -60) as i8,
        act_max: random.between(60, 127) as i8,
        pre_shift: random.between(0, 6) as u8,
        ..bytemuck::Zeroable::zeroed()
    };
    if kind == Kind::Conv2d {
        let even = input.channels.is_multiple_of(2);
        op.groups = 1 + u16::from(even && random.bits() & 1 == 0);
        op.output.channels = op.groups * random.between(1, 5) as u16;
        if op.output.height > 1 && op.output.width > 1 && random.bits() & 1 == 0 {
            op.pool = 2;
            (op.output.height, op.output.width) = (op.output.height / 2, op.output.width / 2);
        }
    }
    let widest = match kind {
        Kind::AveragePool => i64::from(i32::MAX) >> op.pre_shift,
        _ => ((1 << 27) >> op.pre_shift) / (1 + op.taps().isqrt() as i64),
    };
    op.multiplier = random.between(widest / 8, widest) as i32;
    if kind.moves() {
        op.output.zero_point = input.zero_point;
    }
    op
}

impl<const N: usize> Trial<N> {
    /// Runs a chain one operation after the other and by rows, in both layouts, over content drawn
    /// from `seed`.
    ///
    /// # Errors
    /// [`TrialError::Mismatch`] if the three do not give the same, the others if the chain is
    /// invalid or too large.
    pub fn run_chain(&mut self, chain: &Chain, seed: u64) -> Result<(), TrialError> {
        let len = chain.last().map_or(0, |op| op.output.len());
        for layout in [Layout::Whole, Layout::Rows, Layout::RowsInPlace] {
            let image_len = self.write_chain(chain, layout, &mut Random::new(seed))?;
            let model = Model::parse(&self.image.0[..image_len])?;
            let input_len = model.input_len();
            let random = &mut Random::new(seed ^ 1);
            for byte in &mut self.frame[..input_len] {
                *byte = random.bits() as u8;
            }
            self.arena.0.fill(0x55);
            let arena: &mut [u64] = bytemuck::cast_slice_mut(&mut self.arena.0);
            let frame = &self.frame[..input_len];
            let patches = (model.header().patches_op as usize).checked_sub(1);
            let mut computed = None;
            engine::run_observed(&model, frame, arena, |index, output| {
                if patches == Some(index) {
                    computed = Some(crc(bytemuck::cast_slice(output)));
                }
            })?;
            let sum = |patches| crc(bytemuck::cast_slice(patches));
            if engine::patches(&model, arena).map(sum) != computed {
                return Err(TrialError::Patches);
            }
            let output = engine::run(&model, frame, arena)?;
            let expected = self.output.get_mut(..len).ok_or(TrialError::TooLarge)?;
            if layout == Layout::Whole {
                expected.copy_from_slice(output);
            }
            let differ = |(have, need): (&i8, &i8)| have != need;
            if let Some(index) = output.iter().zip(&*expected).position(differ) {
                return Err(TrialError::Mismatch {
                    index,
                    have: output[index],
                    need: expected[index],
                });
            }
        }
        Ok(())
    }

    /// Runs `count` random chains, see [`Trial::run_chain`].
    ///
    /// # Errors
    /// The number of the first chain that failed and what was wrong.
    pub fn run_chains(&mut self, count: u64, seed: u64) -> Result<(), (u64, TrialError)> {
        let random = &mut Random::new(seed);
        for number in 0..count {
            let chain = random_chain(random);
            self.run_chain(&chain, random.bits())
                .map_err(|error| (number, error))?;
        }
        Ok(())
    }

    /// Writes the image of a chain and gives its length. The content drawn from `random` does not
    /// depend on the layout.
    ///
    /// # Errors
    /// [`TrialError::TooLarge`].
    pub fn write_chain(
        &mut self,
        chain: &Chain,
        layout: Layout,
        random: &mut Random,
    ) -> Result<usize, TrialError> {
        let mut ops = chain.clone();
        let arena_len = lay_out(&mut ops, layout);
        let (Some(first), Some(last)) = (ops.first(), ops.last()) else {
            return Err(TrialError::TooLarge);
        };
        let (input, output) = (first.input, last.output);
        let mut end = size_of::<Header>() + size_of_val(&ops[..]);
        let mut section = |image: &mut [u8; N], bytes: &mut dyn Iterator<Item = u8>| {
            let start = end.next_multiple_of(SECTION_ALIGN);
            end = start;
            for byte in bytes {
                *image.get_mut(end).ok_or(TrialError::TooLarge)? = byte;
                end += 1;
            }
            Ok::<u32, TrialError>(start as u32)
        };
        let image = &mut self.image.0;
        image.fill(0);
        let lut = section(image, &mut (0..LUT_LEN).map(|level| level as u8))?;
        for op in ops.iter_mut().filter(|op| op.taps() > 0) {
            op.weights = section(image, &mut core::iter::repeat_n(0, op.weights_len()))?;
            let (groups, taps, outputs) = op.rows();
            for index in 0..op.taps() * usize::from(op.output.channels) {
                let (group, row) = (index / taps / outputs, index / taps % outputs);
                let at = match op.kind() {
                    Some(Kind::Depthwise) => index,
                    _ => {
                        group * (op.weights_len() / groups)
                            + packing::row_index(taps, row, index % taps)
                    }
                };
                image[op.weights as usize + at] = random.between(-127, 127) as u8;
            }
            let mut channels = (0..op.channels_len()).flat_map(|_| {
                let channel = Channel {
                    bias: random.between(-4096, 4096) as i32,
                    multiplier: op.multiplier,
                };
                bytemuck::cast::<_, [u8; 8]>(channel)
            });
            op.channels = section(image, &mut channels)?;
        }
        for op in &mut ops {
            *op = op.as_read();
        }
        let mut header = Header {
            magic: MAGIC,
            version: VERSION,
            header_len: size_of::<Header>() as u16,
            image_len: end as u32,
            input_height: input.height,
            input_width: input.width * input.channels,
            input_channels: 1,
            embedding_len: output.len() as u16,
            input_lut: lut,
            input_offset: input.offset,
            output_offset: output.offset,
            arena_len: arena_len as u32,
            ops: size_of::<Header>() as u32,
            op_count: ops.len() as u32,
            output_scale: 1.0,
            // Where there is a whole of it, the output of any but the last.
            patches_op: match layout {
                Layout::Whole => random.between(1, ops.len() as i64 - 1) as u32,
                _ => 0,
            },
            patches_scale: 1.0,
            ..bytemuck::Zeroable::zeroed()
        };
        if arena_len > N || input.len() > N {
            return Err(TrialError::TooLarge);
        }
        let records: &[u8] = bytemuck::cast_slice(&ops);
        image[size_of::<Header>()..][..records.len()].copy_from_slice(records);
        image[..size_of::<Header>()].copy_from_slice(bytemuck::bytes_of(&header));
        header.crc = crc(&image[CRC_START..end]);
        image[..size_of::<Header>()].copy_from_slice(bytemuck::bytes_of(&header));
        Ok(end)
    }
}

/// Gives each tensor and scratch its place; the bytes of the arena.
fn lay_out(ops: &mut Chain, layout: Layout) -> usize {
    let align = |bytes: usize| bytes.next_multiple_of(SCRATCH_ALIGN);
    let last = ops.len() - 1;
    if layout == Layout::Whole {
        for op in ops.iter_mut() {
            op.by_rows = 0;
        }
    }
    let (input, output) = (ops[0].input.len(), ops[last].output.len());
    let start = match layout {
        Layout::RowsInPlace => align(overlap_offset(ops)),
        _ => 0,
    };
    ops[0].input.offset = start as u32;
    let mut end = align(start + input);
    if layout == Layout::RowsInPlace {
        end = end.max(align(output));
    }
    for index in 0..ops.len() {
        let between = match ops.get(index + 1) {
            Some(next) if layout != Layout::Whole => ops[index].window(next),
            _ => ops[index].output,
        };
        if index == last && layout == Layout::RowsInPlace {
            ops[index].output.offset = 0;
        } else {
            ops[index].output.offset = end as u32;
            end += align(between.len());
        }
        if index < last {
            ops[index + 1].input = ops[index].output;
        }
    }
    let mut arena = end;
    for op in ops {
        op.scratch = end as u32;
        op.scratch_len = op.scratch_needed() as u32;
        arena = arena.max(end + op.scratch_needed());
    }
    arena
}
