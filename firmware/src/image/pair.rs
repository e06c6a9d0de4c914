//! Images of a pointwise convolution and the depthwise convolution behind it, for tests.

extern crate std;

use std::vec::Vec;

use bytemuck::Zeroable;

use super::{
    CRC_START, Channel, Header, Kind, LUT_LEN, MAGIC, OpRecord, SECTION_ALIGN, Tensor, VERSION,
    crc, packing,
};
use crate::engine::reference::Random;

/// Where the output of the pair lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// The two run one after the other.
    Whole,
    /// By so many rows, the output behind everything else.
    Rows(u8),
    /// By so many rows, the output from the input's start.
    RowsInPlace(u8),
}

/// The shapes of a pair, its depthwise window drawn from `random`.
pub(crate) fn shapes(random: &mut Random) -> [OpRecord; 2] {
    let depthwise = OpRecord::random(Kind::Depthwise, random);
    let groups = if depthwise.input.channels.is_multiple_of(2) {
        random.between(1, 2) as u16
    } else {
        1
    };
    let pointwise = OpRecord {
        kind: Kind::Conv2d as u8,
        groups,
        kernel: [1; 2],
        stride: [1; 2],
        input: Tensor {
            channels: groups * random.between(1, 9) as u16,
            zero_point: random.between(-128, 127) as i8,
            ..depthwise.input
        },
        output: depthwise.input,
        ..OpRecord::zeroed()
    };
    [pointwise, depthwise]
}

/// Lays the pair out, fills it with values drawn from `random`, and gives the words of the image.
///
/// The values do not depend on the layout.
pub(crate) fn image(shapes: [OpRecord; 2], layout: Layout, random: &mut Random) -> Vec<u128> {
    let [mut pointwise, mut depthwise] = shapes;
    let align = |bytes: usize| bytes.next_multiple_of(8) as u32;
    let between = match layout {
        Layout::Whole => pointwise.output,
        Layout::Rows(rows) | Layout::RowsInPlace(rows) => {
            pointwise.by_rows = rows;
            pointwise.window(&depthwise)
        }
    };
    pointwise.output.offset = align(pointwise.input.len());
    let in_place = matches!(layout, Layout::RowsInPlace(_));
    if in_place {
        let behind = align(depthwise.output.len());
        pointwise.output.offset = pointwise.output.offset.max(behind);
    }
    let mut end = pointwise.output.offset + align(between.len());
    if !in_place {
        depthwise.output.offset = end;
        end += align(depthwise.output.len());
    }
    depthwise.input = pointwise.output;
    let mut image: Vec<u8> = std::vec![0; size_of::<Header>()];
    let mut section = |bytes: &[u8]| {
        image.resize(image.len().next_multiple_of(SECTION_ALIGN), 0);
        image.extend_from_slice(bytes);
        (image.len() - bytes.len()) as u32
    };
    let arena = end + 8 * 1024;
    for op in [&mut pointwise, &mut depthwise] {
        op.scratch = end;
        op.scratch_len = op.scratch_needed() as u32;
        op.pre_shift = random.between(0, 6) as u8;
        (op.act_min, op.act_max) = (-120, random.between(100, 127) as i8);
        let (groups, taps, outputs) = op.rows();
        let mut weights = std::vec![0u8; op.weights_len()];
        for index in 0..op.taps() * usize::from(op.output.channels) {
            let (group, row, tap) = (index / taps / outputs, index / taps % outputs, index % taps);
            let at = match op.kind() {
                Some(Kind::Depthwise) => index,
                _ => group * (weights.len() / groups) + packing::row_index(taps, row, tap),
            };
            weights[at] = random.between(-127, 127) as u8;
        }
        let widest = ((1 << 27) >> op.pre_shift) / (1 + op.taps().isqrt() as i64);
        let channels: Vec<Channel> = (0..op.channels_len())
            .map(|_| Channel {
                bias: random.between(-4096, 4096) as i32,
                multiplier: random.between(widest / 8, widest) as i32,
            })
            .collect();
        op.weights = section(&weights);
        op.channels = section(bytemuck::cast_slice(&channels));
    }
    let lut: Vec<u8> = (0..=255).collect();
    assert_eq!(lut.len(), LUT_LEN);
    let mut header = Header {
        magic: MAGIC,
        version: VERSION,
        header_len: size_of::<Header>() as u16,
        input_height: 1,
        input_width: pointwise.input.len() as u16,
        input_channels: 1,
        embedding_len: depthwise.output.len() as u16,
        input_lut: section(&lut),
        input_offset: pointwise.input.offset,
        output_offset: depthwise.output.offset,
        arena_len: arena,
        ops: section(bytemuck::cast_slice(&[pointwise, depthwise])),
        op_count: 2,
        output_scale: 1.0,
        ..Header::zeroed()
    };
    header.image_len = image.len() as u32;
    image[..size_of::<Header>()].copy_from_slice(bytemuck::bytes_of(&header));
    header.crc = crc(&image[CRC_START..]);
    image[..size_of::<Header>()].copy_from_slice(bytemuck::bytes_of(&header));
    let mut words = std::vec![0; image.len().div_ceil(16)];
    bytemuck::cast_slice_mut(&mut words)[..image.len()].copy_from_slice(&image);
    words
}
