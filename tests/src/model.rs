use bytemuck::{Zeroable, bytes_of};
use sha2::{Digest, Sha256};
use sudal::export::quantized::QuantizedModel;
use sudal_firmware::image::{
    CRC_START, HASH_START, Header, Kind, LUT_LEN, MAGIC, OpRecord, SECTION_ALIGN, TENSOR_ALIGN,
    Tensor, VERSION, crc,
};

use crate::picture;

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

/// The same with the right hash and a self-test, as an update has to have.
#[must_use]
pub fn tested_block_means(name: &str) -> Vec<u8> {
    let mut image = block_means(name);
    let model = QuantizedModel::new(&image).unwrap();
    let frame = picture(7, 7);
    let embedding = model.embed(&[&frame]).unwrap().remove(0);
    let golden_frame = image.len();
    image.extend(&frame);
    let golden_embedding = image.len();
    assert!(golden_frame.is_multiple_of(16) && golden_embedding.is_multiple_of(16));
    image.extend(embedding.iter().map(|&value| value as u8));
    change(&mut image, |header| {
        header.golden_frame = golden_frame as u32;
        header.golden_embedding = golden_embedding as u32;
    });
    image
}

/// Changes an image's header and brings length, hash and checksum in line with the whole, as whoever
/// means harm would.
pub fn change(image: &mut [u8], edit: impl FnOnce(&mut Header)) {
    let len = image.len() as u32;
    let start = size_of::<Header>();
    let mut header: Header = bytemuck::pod_read_unaligned(&image[..start]);
    edit(&mut header);
    header.image_len = len;
    image[..start].copy_from_slice(bytes_of(&header));
    header.hash = Sha256::digest(&image[HASH_START..]).into();
    image[..start].copy_from_slice(bytes_of(&header));
    header.crc = crc(&image[CRC_START..]);
    image[..start].copy_from_slice(bytes_of(&header));
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
