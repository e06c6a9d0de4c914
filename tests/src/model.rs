//! Images of the model of block means.

use bytemuck::bytes_of;
use sha2::{Digest, Sha256};
use sudal::engine::QuantizedModel;
use sudal::export::calibration::{measure, with_calibration};
use sudal::measure::Embeddings;
use sudal_firmware::image::{CRC_START, HASH_START, Header, crc};
use sudal_fuzz::block_means;

use crate::picture;

/// The image of [`block_means`] with the right hash and a self-test, as an update has to have.
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

/// The image of [`block_means`], calibrated on classes of [`picture`] from 1,000 on.
#[must_use]
pub fn calibrated_block_means(name: &str) -> Vec<u8> {
    let image = block_means(name);
    let pictures: Vec<Vec<u8>> = (1000..1020)
        .flat_map(|class| (0..26).map(move |number| picture(class, number)))
        .collect();
    let model = QuantizedModel::new(&image).unwrap();
    let values = model.embed(&pictures).unwrap().concat();
    let values = values.into_iter().map(f32::from).collect();
    let embeddings = Embeddings::new(49, &[26; 20], values);
    with_calibration(&image, &measure(&embeddings, 0).unwrap()).unwrap()
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
