//! From a camera's bytes to a picture.

use std::borrow::Cow;

use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;

use super::WebcamError;
use crate::data::{Colors, Raster, jpeg};
use crate::device::{Geometry, Picture, PixelFormat};

/// What a picture's bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// A byte a pixel.
    Grey,
    /// Two bytes a pixel, the first its brightness.
    Yuyv,
    /// JPEG.
    Jpeg,
}

impl Format {
    /// The formats that are read, best first, by their four letters: what loses nothing, and takes no
    /// time to decode, before what does.
    const KNOWN: [([u8; 4], Self); 4] = [
        (*b"GREY", Self::Grey),
        (*b"YUYV", Self::Yuyv),
        (*b"MJPG", Self::Jpeg),
        (*b"JPEG", Self::Jpeg),
    ];

    /// What the four letters stand for.
    pub(super) fn of(letters: [u8; 4]) -> Option<Self> {
        let mut known = Self::KNOWN.into_iter();
        known
            .find(|(name, _)| *name == letters)
            .map(|known| known.1)
    }

    /// The best of what a camera has.
    pub(super) fn best(offered: &[[u8; 4]]) -> Option<[u8; 4]> {
        let mut known = Self::KNOWN.into_iter().map(|(name, _)| name);
        known.find(|name| offered.contains(name))
    }
}

/// A picture of `size`, `(width, height)` in pixels, whose rows begin `stride` bytes apart, or as close as they can
/// where that is less; its brightness or its colours. JPEG has a size of its own.
pub(super) fn decode(
    format: Format,
    size: (u32, u32),
    stride: u32,
    bytes: &[u8],
    colors: Colors,
) -> Result<Raster, WebcamError> {
    let step = match format {
        Format::Grey => 1,
        Format::Yuyv => 2,
        Format::Jpeg => {
            let bytes = with_tables(bytes)?;
            let picture = jpeg::decode(&bytes)?;
            let (width, height) = (picture.width(), picture.height());
            let pixels = match colors {
                Colors::Grey => picture.into_luma8().into_raw(),
                Colors::Rgb => picture.into_rgb8().into_raw(),
            };
            return Ok(Raster {
                width,
                height,
                colors,
                pixels,
            });
        }
    };
    let (width, height) = (size.0 as usize, size.1 as usize);
    let row = width * step;
    let stride = row.max(stride as usize);
    let need = (height.max(1) - 1) * stride + row;
    let short = WebcamError::Short {
        have: bytes.len(),
        need,
    };
    if bytes.len() < need {
        return Err(short);
    }
    let rows = bytes.chunks(stride.max(1)).take(height);
    if let (Format::Yuyv, Colors::Rgb) = (format, colors) {
        let picture = Picture {
            geometry: Geometry {
                width: width as u16,
                height: height as u16,
                format: PixelFormat::Yuyv,
            },
            pixels: rows.flat_map(|line| &line[..row]).copied().collect(),
        };
        return picture.decoded().ok_or(short);
    }
    let pixels = rows.flat_map(|line| line[..row].iter().step_by(step).copied());
    let grey = Raster::new(size.0, size.1, pixels.collect()).map_err(|_| short)?;
    Ok(grey.to(colors))
}

/// Markers of a JPEG's Huffman tables, and of the pixels, before which all else stands.
const TABLES: u8 = 0xc4;
const PIXELS: u8 = 0xda;

/// The segments of a JPEG up to its pixels, each with its marker.
fn segments(bytes: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let mut rest = bytes.get(2..).unwrap_or_default();
    std::iter::from_fn(move || {
        let &[0xff, marker, high, low, ..] = rest else {
            return None;
        };
        let len = 2 + usize::from(u16::from_be_bytes([high, low]));
        let (segment, after) = rest.split_at_checked(len)?;
        rest = if marker == PIXELS { &[] } else { after };
        Some((marker, segment))
    })
}

/// A JPEG with Huffman tables. Motion JPEG may leave them out where they are the standard's, which
/// are those that the encoder here writes.
fn with_tables(bytes: &[u8]) -> Result<Cow<'_, [u8]>, WebcamError> {
    let is_jpeg = bytes.starts_with(&[0xff, 0xd8]);
    if !is_jpeg || segments(bytes).any(|(marker, _)| marker == TABLES) {
        return Ok(bytes.into());
    }
    let mut standard = Vec::new();
    JpegEncoder::new(&mut standard).encode(&[0; 3], 1, 1, ExtendedColorType::Rgb8)?;
    let tables = segments(&standard).filter(|(marker, _)| *marker == TABLES);
    let mut whole = bytes[..2].to_vec();
    whole.extend(tables.flat_map(|(_, segment)| segment));
    whole.extend(&bytes[2..]);
    Ok(whole.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_format_is_chosen() {
        for (offered, best) in [
            (&[*b"MJPG", *b"YUYV"][..], Some(*b"YUYV")),
            (&[*b"H264", *b"MJPG"], Some(*b"MJPG")),
            (&[*b"YUYV", *b"GREY"], Some(*b"GREY")),
            (&[*b"NV12", *b"H264"], None),
            (&[], None),
        ] {
            assert_eq!(Format::best(offered), best);
            assert!(best.is_none_or(|best| Format::of(best).is_some()));
        }
        assert_eq!(Format::of(*b"NV12"), None);
    }

    #[test]
    fn brightness_is_taken_and_padding_left() {
        let yuyv = [1, 99, 2, 99, 0, 0, 3, 99, 4, 99];
        let picture = decode(Format::Yuyv, (2, 2), 6, &yuyv, Colors::Grey).unwrap();
        assert_eq!((picture.width, picture.height), (2, 2));
        assert_eq!(picture.pixels, [1, 2, 3, 4]);
        // Some drivers say nothing of the stride.
        let picture = decode(
            Format::Grey,
            (3, 2),
            0,
            &[1, 2, 3, 4, 5, 6, 7],
            Colors::Grey,
        )
        .unwrap();
        assert_eq!(picture.pixels, [1, 2, 3, 4, 5, 6]);
        for (format, need) in [(Format::Yuyv, 10), (Format::Grey, 8)] {
            let given = |have| decode(format, (2, 2), 6, &yuyv[..have], Colors::Grey);
            assert!(given(need).is_ok());
            assert!(matches!(given(need - 1), Err(WebcamError::Short { .. })));
        }
        assert!(decode(Format::Grey, (0, 0), 0, &[], Colors::Grey).is_err());
    }

    fn jpeg() -> Vec<u8> {
        let colours: Vec<u8> = (0..48 * 32).flat_map(|i| [(i % 48 * 5) as u8; 3]).collect();
        let mut bytes = Vec::new();
        JpegEncoder::new_with_quality(&mut bytes, 90)
            .encode(&colours, 48, 32, ExtendedColorType::Rgb8)
            .unwrap();
        bytes
    }

    /// The same without its Huffman tables, as webcams send it.
    fn motion_jpeg() -> Vec<u8> {
        let bytes = jpeg();
        let ahead: usize = segments(&bytes).map(|(_, segment)| segment.len()).sum();
        let mut short = bytes[..2].to_vec();
        let kept = segments(&bytes).filter(|(marker, _)| *marker != TABLES);
        short.extend(kept.flat_map(|(_, segment)| segment));
        short.extend(&bytes[2 + ahead..]);
        assert!(short.len() < bytes.len() - 400);
        short
    }

    #[test]
    fn jpegs_are_decoded_with_and_without_their_tables() {
        for bytes in [jpeg(), motion_jpeg()] {
            let picture = decode(Format::Jpeg, (0, 0), 0, &bytes, Colors::Grey).unwrap();
            assert_eq!((picture.width, picture.height), (48, 32));
            for (i, pixel) in picture.pixels.iter().enumerate() {
                assert!(pixel.abs_diff((i % 48 * 5) as u8) < 12);
            }
        }
        assert!(decode(Format::Jpeg, (0, 0), 0, b"no picture", Colors::Grey).is_err());
        for length in [100, jpeg().len() - 40, jpeg().len() - 2] {
            assert!(decode(Format::Jpeg, (0, 0), 0, &jpeg()[..length], Colors::Grey).is_err());
        }
    }
}
