//! Pictures that a person gives, decoded in one place: whole or refused, upright, of bounded size.

use std::io::Cursor;

use image::{
    DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, ImageResult,
    error::DecodingError, metadata::Orientation,
};

use super::Colors;
use super::jpeg;
use super::limits::limits;

/// What is read, for messages.
pub(super) const FORMATS: &str = "PNG, JPEG, BMP, TIFF or WebP";
/// What shows through where a picture is transparent: white, as of paper.
const GROUND: u32 = 255;

/// Whether a file is a picture of a kind that is read, by its name.
pub(super) fn is_picture(file: &str) -> bool {
    has_extension(file, &["png", "jpg", "jpeg", "bmp", "tif", "tiff", "webp"])
}

/// Whether a file is a picture of a kind that is not read, by its name.
pub(super) fn is_foreign_picture(file: &str) -> bool {
    let extensions = [
        "avif", "cr2", "dcm", "dng", "gif", "heic", "heif", "ico", "jfif", "jp2", "jxl", "nef",
        "pbm", "pgm", "ppm", "psd", "raw", "svg", "tga",
    ];
    has_extension(file, &extensions)
}

fn has_extension(file: &str, extensions: &[&str]) -> bool {
    let extension = file.rsplit_once('.').map(|(_, e)| e.to_ascii_lowercase());
    extension.is_some_and(|extension| extensions.contains(&extension.as_str()))
}

/// Decodes a picture, upright as its camera says, in the colours and transparency of the file.
pub(super) fn decode(bytes: &[u8]) -> ImageResult<DynamicImage> {
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format()?;
    match reader.format() {
        Some(ImageFormat::Jpeg) => return jpeg::decode(bytes),
        Some(ImageFormat::WebP) if is_cut_webp(bytes) => {
            let problem = "it ends before the picture does";
            let error = DecodingError::new(ImageFormat::WebP.into(), problem);
            return Err(ImageError::Decoding(error));
        }
        _ => {}
    }
    reader.limits(limits());
    let mut decoder = reader.into_decoder()?;
    limits().reserve(decoder.total_bytes())?;
    // What can't be read of the orientation is none.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

/// The pixels of a picture, over a white ground where it is transparent.
pub(super) fn flatten(picture: DynamicImage, colors: Colors) -> Vec<u8> {
    let over = |level: u8, alpha: u8| {
        let (level, alpha) = (u32::from(level), u32::from(alpha));
        ((level * alpha + GROUND * (255 - alpha) + 127) / 255) as u8
    };
    match (colors, picture.color().has_alpha()) {
        (Colors::Grey, false) => picture.into_luma8().into_raw(),
        (Colors::Rgb, false) => picture.into_rgb8().into_raw(),
        (Colors::Grey, true) => {
            let picture = picture.into_luma_alpha8();
            let pixels = picture.pixels();
            pixels
                .map(|&image::LumaA([level, alpha])| over(level, alpha))
                .collect()
        }
        (Colors::Rgb, true) => {
            let picture = picture.into_rgba8();
            let pixels = picture.pixels();
            let over = |&image::Rgba([r, g, b, alpha]): &image::Rgba<u8>| {
                [r, g, b].map(|level| over(level, alpha))
            };
            pixels.flat_map(over).collect()
        }
    }
}

/// Whether a WebP file is shorter than it says.
fn is_cut_webp(bytes: &[u8]) -> bool {
    let length = bytes.get(4..8).and_then(|length| length.try_into().ok());
    length.is_none_or(|length| bytes.len() < 8 + u32::from_le_bytes(length) as usize)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use image::{ExtendedColorType, ImageEncoder, codecs};

    use super::*;
    use crate::data::{DataError, Raster};

    const KINDS: [ImageFormat; 5] = [
        ImageFormat::Png,
        ImageFormat::Jpeg,
        ImageFormat::Bmp,
        ImageFormat::Tiff,
        ImageFormat::WebP,
    ];

    fn encode(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    fn read(bytes: &[u8]) -> Result<Raster, DataError> {
        Raster::decode(bytes, Path::new("a.png"), Colors::Grey)
    }

    /// A picture that is brighter to the right and to the bottom.
    fn slope(width: u32, height: u32) -> DynamicImage {
        let level = |x: u32, y: u32| (60 + 100 * x / width + 60 * y / height) as u8;
        DynamicImage::from(image::RgbImage::from_fn(width, height, |x, y| {
            image::Rgb([level(x, y); 3])
        }))
    }

    #[test]
    fn every_kind_is_read() {
        let picture = slope(40, 24);
        let expected = picture.to_luma8();
        for format in KINDS {
            let read = read(&encode(&picture, format)).unwrap();
            assert_eq!((read.width, read.height), (40, 24));
            let most = if format == ImageFormat::Jpeg { 6 } else { 1 };
            for (read, expected) in read.pixels.iter().zip(expected.iter()) {
                assert!(
                    read.abs_diff(*expected) <= most,
                    "{format:?}: {read}, {expected}"
                );
            }
        }
        for (name, is) in [
            ("a.PNG", true),
            ("a.jpeg", true),
            ("a.tif", true),
            ("a.webp", true),
            ("a.bmp", true),
            ("a.heic", false),
            ("png", false),
        ] {
            assert_eq!(is_picture(name), is, "{name}");
        }
    }

    /// A TIFF block that says how the camera was held, as EXIF has it.
    fn exif(orientation: u8) -> Vec<u8> {
        let mut block = b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
        block.extend([orientation, 0, 0, 0, 0, 0, 0]);
        block
    }

    #[test]
    fn a_picture_comes_upright_as_its_camera_says() {
        let upright = slope(48, 24).into_luma8();
        // What a camera stores that was turned to the left, to the right and upside down.
        let turned = [
            (1, upright.clone()),
            (3, image::imageops::rotate180(&upright)),
            (6, image::imageops::rotate270(&upright)),
            (8, image::imageops::rotate90(&upright)),
            (2, image::imageops::flip_horizontal(&upright)),
        ];
        for (orientation, stored) in turned {
            let (width, height) = stored.dimensions();
            let mut jpeg = Vec::new();
            let mut encoder = codecs::jpeg::JpegEncoder::new_with_quality(&mut jpeg, 95);
            encoder.set_exif_metadata(exif(orientation)).unwrap();
            encoder
                .write_image(&stored, width, height, ExtendedColorType::L8)
                .unwrap();
            let mut png = Vec::new();
            let mut encoder = codecs::png::PngEncoder::new(&mut png);
            encoder.set_exif_metadata(exif(orientation)).unwrap();
            encoder
                .write_image(&stored, width, height, ExtendedColorType::L8)
                .unwrap();
            for bytes in [jpeg, png] {
                let read = read(&bytes).unwrap();
                assert_eq!((read.width, read.height), (48, 24), "{orientation}");
                let close = read.pixels.iter().zip(upright.iter());
                assert!(
                    close.clone().all(|(a, b)| a.abs_diff(*b) <= 6),
                    "{orientation}"
                );
            }
        }
    }

    #[test]
    fn what_is_transparent_is_white_whatever_colour_it_hides() {
        for format in [
            ImageFormat::Png,
            ImageFormat::WebP,
            ImageFormat::Tiff,
            ImageFormat::Bmp,
        ] {
            for hidden in [0, 128, 255] {
                let pixel = |x, _| match x {
                    0 => image::Rgba([40, 40, 40, 255]),
                    1 => image::Rgba([0, 0, 0, 51]),
                    _ => image::Rgba([hidden, hidden, hidden, 0]),
                };
                let picture = DynamicImage::from(image::RgbaImage::from_fn(3, 1, pixel));
                let read = read(&encode(&picture, format)).unwrap();
                assert_eq!(read.pixels, [40, 204, 255], "{format:?}, {hidden}");
            }
        }
        let deep = image::ImageBuffer::from_fn(1, 1, |_, _| image::LumaA([0u16, 0]));
        assert_eq!(
            read(&encode(&DynamicImage::from(deep), ImageFormat::Png))
                .unwrap()
                .pixels,
            [255]
        );
    }

    #[test]
    fn a_picture_that_is_cut_is_refused_or_whole() {
        let picture = slope(64, 48);
        for format in KINDS {
            let bytes = encode(&picture, format);
            let whole = read(&bytes).unwrap();
            for length in 0..bytes.len() {
                match read(&bytes[..length]) {
                    Ok(read) => assert_eq!(read, whole, "{format:?}, {length} of {}", bytes.len()),
                    Err(error) => assert!(error.to_string().contains("a.png"), "{error}"),
                }
            }
        }
    }

    #[test]
    fn what_follows_the_end_of_a_jpeg_does_not_matter() {
        let whole = encode(&slope(64, 64), ImageFormat::Jpeg);
        let mut more = whole.clone();
        more.extend(b"more");
        assert_eq!(read(&more).unwrap(), read(&whole).unwrap());
        // Nor does the end of a preview within stand for the picture's own.
        let mut preview = whole[..2].to_vec();
        let length = 2 + whole.len() as u16;
        preview.extend([0xff, 0xe5, (length >> 8) as u8, length as u8]);
        preview.extend(&whole);
        preview.extend(&whole[2..]);
        assert_eq!(read(&preview).unwrap(), read(&whole).unwrap());
        preview.truncate(preview.len() - 2);
        let error = read(&preview).unwrap_err().to_string();
        assert!(error.contains("it ends before the picture does"), "{error}");
    }

    #[test]
    fn a_picture_that_says_it_is_huge_is_refused() {
        let mut bytes = encode(&slope(16, 16), ImageFormat::Png);
        bytes[16..24].copy_from_slice(&[0, 0, 0x7f, 0, 0, 0, 0x7f, 0]);
        assert!(read(&bytes).is_err());
        let mut bytes = encode(&slope(16, 16), ImageFormat::Bmp);
        bytes[18..22].copy_from_slice(&0x7fff_0000_u32.to_le_bytes());
        assert!(read(&bytes).is_err());
        let mut bytes = encode(&slope(16, 16), ImageFormat::Jpeg);
        let at = bytes
            .windows(2)
            .position(|pair| pair == [0xff, 0xc0])
            .unwrap();
        bytes[at + 5..at + 9].copy_from_slice(&[0xff, 0xff, 0xff, 0xff]);
        assert!(read(&bytes).is_err());
    }
}
