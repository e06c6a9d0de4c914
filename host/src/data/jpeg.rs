//! JPEG pictures, whole and sound ones alone: what can't be read of them is not painted grey.

use image::{
    DynamicImage, GrayImage, ImageError, ImageFormat, ImageResult, RgbImage, error::DecodingError,
    metadata::Orientation,
};
use zune_jpeg::{
    JpegDecoder,
    zune_core::{bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions},
};

use super::limits::{SIDE, limits};

/// Decodes a JPEG, upright as its camera says.
pub(crate) fn decode(bytes: &[u8]) -> ImageResult<DynamicImage> {
    if !has_end(bytes) {
        return Err(broken("it ends before the picture does"));
    }
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(SIDE as usize)
        .set_max_height(SIDE as usize);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(broken)?;
    let is_grey = decoder.input_colorspace() == Some(ColorSpace::Luma);
    let (color, channels) = match is_grey {
        true => (ColorSpace::Luma, 1),
        false => (ColorSpace::RGB, 3),
    };
    decoder.set_options(options.jpeg_set_out_colorspace(color));
    let (width, height) = decoder.dimensions().unwrap_or_default();
    limits().reserve(width as u64 * height as u64 * channels)?;
    let pixels = decoder.decode().map_err(broken)?;
    let (width, height) = (width as u32, height as u32);
    let picture = match is_grey {
        true => GrayImage::from_raw(width, height, pixels).map(DynamicImage::from),
        false => RgbImage::from_raw(width, height, pixels).map(DynamicImage::from),
    };
    let mut picture = picture.ok_or_else(|| broken("it has too few pixels"))?;
    let orientation = decoder
        .exif()
        .and_then(|exif| Orientation::from_exif_chunk(exif));
    picture.apply_orientation(orientation.unwrap_or(Orientation::NoTransforms));
    Ok(picture)
}

fn broken(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ImageError {
    ImageError::Decoding(DecodingError::new(ImageFormat::Jpeg.into(), why))
}

/// Whether the marker is there that ends the picture. A preview's within it does not count, and what
/// follows does not matter.
fn has_end(bytes: &[u8]) -> bool {
    let mut rest = bytes.get(2..).unwrap_or_default();
    loop {
        // Between segments, and in the pixels: no stuffed byte, fill byte or restart.
        let is_marker =
            |pair: &[u8]| pair[0] == 0xff && !matches!(pair[1], 0 | 1 | 0xd0..=0xd8 | 0xff);
        let Some(at) = rest.windows(2).position(is_marker) else {
            return false;
        };
        if rest[at + 1] == 0xd9 {
            return true;
        }
        let Some(&[high, low]) = rest.get(at + 2..at + 4) else {
            return false;
        };
        let after = at + 2 + usize::from(u16::from_be_bytes([high, low]));
        rest = rest.get(after..).unwrap_or_default();
    }
}
