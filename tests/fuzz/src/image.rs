//! Model images: any bytes, and with a header that is made to fit them.

use bytemuck::{bytes_of, pod_read_unaligned};
use sudal_firmware::engine;
use sudal_firmware::image::{CRC_START, Header, Model, OpRecord, crc};

/// Most bytes of an arena that a run gets.
const ARENA: usize = 16 << 10;
/// Most work of a run: an image may ask for hours of it, which is no fault of the engine's.
const WORK: u64 = 1 << 14;

/// Reads the bytes as an image, mends length and checksum and reads them again; what is accepted is
/// run.
///
/// # Panics
/// When the engine refuses a model that was accepted.
pub fn run(data: &[u8]) {
    let mut words = vec![0_u128; data.len().div_ceil(size_of::<u128>())];
    let image = &mut bytemuck::cast_slice_mut(&mut words)[..data.len()];
    image.copy_from_slice(data);
    embed(image);

    let len = size_of::<Header>();
    if image.len() < len {
        return;
    }
    let mut header: Header = pod_read_unaligned(&image[..len]);
    header.image_len = image.len() as u32;
    image[..len].copy_from_slice(bytes_of(&header));
    header.crc = crc(&image[CRC_START..]);
    image[..len].copy_from_slice(bytes_of(&header));
    embed(image);
}

fn embed(image: &[u8]) {
    let Ok(model) = Model::parse(image) else {
        return;
    };
    let work: u64 = model.ops().iter().map(work).fold(0, u64::saturating_add);
    let work = work.saturating_mul(1 + u64::from(model.header().views));
    if model.arena_len() > ARENA || model.input_len() > ARENA || work > WORK {
        return;
    }
    let frame: Vec<u8> = (0..model.input_len()).map(|i| (i * 7) as u8).collect();
    let mut arena = vec![0; model.arena_words()];
    let embedding = engine::run(&model, &frame, &mut arena).expect("it was accepted");
    assert_eq!(embedding.len(), model.embedding_len());
    let first = embedding.to_vec();
    arena.fill(u64::MAX);
    assert_eq!(engine::run(&model, &frame, &mut arena), Ok(&*first));
    let mut shot = first;
    let mut sums = vec![0; shot.len()];
    engine::shot(&model, &frame, &mut arena, &mut shot, &mut sums, || ()).expect("it was accepted");
}

/// Values that an operation reads, its window counted for each output.
fn work(op: &OpRecord) -> u64 {
    let window = u64::from(op.kernel[0]) * u64::from(op.kernel[1]);
    let pool = u64::from(op.pool.max(1)).pow(2);
    op.macs() + op.output.len() as u64 * window * pool + op.input.len() as u64
}
