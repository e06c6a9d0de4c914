//! A model that needs no training.

use bytemuck::{Zeroable, bytes_of};
use sudal_firmware::image::{
    CRC_START, Header, Kind, LUT_LEN, MAGIC, OpRecord, SECTION_ALIGN, TENSOR_ALIGN, Tensor,
    VERSION, crc,
};

/// Sides of a block.
const BLOCK: u8 = 4;

/// The image of a model whose embedding is the mean of each 4 x 4 block of a 28 x 28 picture: no
/// training, 49 values, and far enough from constant to tell classes apart. `name` changes its
/// identity.
#[must_use]
pub fn block_means(name: &str) -> Vec<u8> {
    block_means_of(name, 28)
}

/// The same for a picture of this side, in whole blocks.
pub(crate) fn block_means_of(name: &str, side: u16) -> Vec<u8> {
    let blocks = side / u16::from(BLOCK);
    let dim = blocks * blocks;
    let input = tensor(0, side, side);
    let pooled = tensor(input.len(), blocks, blocks);
    let flat = Tensor {
        channels: dim,
        ..tensor(
            input.len() + pooled.len().next_multiple_of(TENSOR_ALIGN),
            1,
            1,
        )
    };
    let pool = OpRecord {
        kind: Kind::AveragePool as u8,
        act_min: i8::MIN,
        act_max: i8::MAX,
        kernel: [BLOCK; 2],
        stride: [BLOCK; 2],
        input,
        output: pooled,
        // A sixteenth.
        multiplier: 1 << 28,
        ..OpRecord::zeroed()
    };
    let flatten = OpRecord {
        kind: Kind::Flatten as u8,
        act_min: i8::MIN,
        act_max: i8::MAX,
        input: pooled,
        output: flat,
        ..OpRecord::zeroed()
    };

    let ops = size_of::<Header>();
    let lut = ops + 2 * size_of::<OpRecord>();
    let len = lut + LUT_LEN;
    assert!(ops.is_multiple_of(SECTION_ALIGN) && lut.is_multiple_of(SECTION_ALIGN));
    let mut header = Header {
        magic: MAGIC,
        version: VERSION,
        header_len: ops as u16,
        image_len: len as u32,
        input_height: side,
        input_width: side,
        input_channels: 1,
        embedding_len: dim,
        input_lut: lut as u32,
        input_offset: 0,
        output_offset: flat.offset,
        arena_len: (flat.offset + u32::from(dim)).next_multiple_of(8),
        ops: ops as u32,
        op_count: 2,
        output_scale: 1.0 / 255.0,
        output_zero_point: -128,
        ..Header::zeroed()
    };
    header.name[..name.len()].copy_from_slice(name.as_bytes());
    header.hash[..name.len().min(8)].copy_from_slice(&name.as_bytes()[..name.len().min(8)]);

    let mut image = Vec::new();
    image.extend(bytes_of(&header));
    image.extend(bytes_of(&pool));
    image.extend(bytes_of(&flatten));
    image.extend((0..=255_u8).map(|level| level.wrapping_sub(128)));
    header.crc = crc(&image[CRC_START..]);
    image[..ops].copy_from_slice(bytes_of(&header));
    image
}

fn tensor(offset: usize, height: u16, width: u16) -> Tensor {
    assert!(offset.is_multiple_of(TENSOR_ALIGN));
    Tensor {
        offset: offset as u32,
        height,
        width,
        channels: 1,
        zero_point: -128,
        reserved: 0,
    }
}
