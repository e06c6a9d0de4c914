use bytemuck::{Zeroable, bytes_of};
use sudal_firmware::image::{
    CRC_START, Header, Kind, LUT_LEN, MAGIC, OpRecord, SECTION_ALIGN, TENSOR_ALIGN, Tensor,
    VERSION, crc,
};

/// The image of a model whose embedding is the mean of each 4 x 4 block of a 28 x 28 picture: no
/// training, 49 values, and far enough from constant to tell classes apart. `name` changes its
/// identity.
#[must_use]
pub fn block_means(name: &str) -> Vec<u8> {
    let input = tensor(0, 28, 28);
    let pooled = tensor(784, 7, 7);
    let flat = Tensor {
        height: 1,
        width: 1,
        channels: 49,
        ..tensor(784 + 52, 1, 1)
    };
    let pool = OpRecord {
        kind: Kind::AveragePool as u8,
        act_min: i8::MIN,
        act_max: i8::MAX,
        groups: 1,
        kernel: [4, 4],
        stride: [4, 4],
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
        groups: 1,
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
        input_height: 28,
        input_width: 28,
        input_channels: 1,
        embedding_len: 49,
        input_lut: lut as u32,
        input_offset: 0,
        output_offset: flat.offset,
        arena_len: (flat.offset + 49).next_multiple_of(8),
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

fn tensor(offset: u32, height: u16, width: u16) -> Tensor {
    assert!((offset as usize).is_multiple_of(TENSOR_ALIGN));
    Tensor {
        offset,
        height,
        width,
        channels: 1,
        zero_point: -128,
        reserved: 0,
    }
}
