//! Frames as browsers show them.

use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;

use crate::data::Gray;

/// Longest side of the live picture, in pixels.
const LIVE: u32 = 480;
/// Longest side of the picture in the log, in pixels.
const SMALL: u32 = 96;
const QUALITY: u8 = 88;

/// The live picture, as JPEG.
pub(super) fn live(picture: &Gray) -> Vec<u8> {
    jpeg(&fit(picture, LIVE))
}

/// The picture in the log, as JPEG.
pub(super) fn small(picture: &Gray) -> Vec<u8> {
    jpeg(&fit(picture, SMALL))
}

/// As it is, or smaller.
fn fit(picture: &Gray, longest: u32) -> Gray {
    let most = picture.width.max(picture.height);
    if most <= longest {
        return picture.clone();
    }
    let side = |side: u32| (u64::from(side) * u64::from(longest) / u64::from(most)) as u32;
    picture.resize(side(picture.width), side(picture.height))
}

fn jpeg(picture: &Gray) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, QUALITY);
    let (width, height) = (picture.width, picture.height);
    // It is small enough for the format, and goes to memory.
    let _ = encoder.encode(&picture.pixels, width, height, ExtendedColorType::L8);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_becomes_a_small_jpeg_of_the_same_shape() {
        for (width, height, expected) in [
            (1920, 1080, (96, 54)),
            (64, 48, (64, 48)),
            (9999, 3, (96, 1)),
        ] {
            let picture = Gray::new(width, height, vec![128; (width * height) as usize]).unwrap();
            let bytes = small(&picture);
            let read = image::load_from_memory(&bytes).unwrap();
            assert_eq!((read.width(), read.height()), expected);
        }
    }
}
