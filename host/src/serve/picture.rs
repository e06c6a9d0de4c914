//! Frames as browsers show them.

use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;

use crate::data::Gray;
use crate::device::{self, Deciding, Fit, Info, Region};

/// Longest side of the live picture, in pixels.
const LIVE: u32 = 480;
/// Longest side of the picture in the log, in pixels.
const SMALL: u32 = 96;
const QUALITY: u8 = 88;

/// A part of a picture: its first column and row, and its size, in pixels.
pub(super) type Part = ((u32, u32), (u32, u32));

/// The live picture, as JPEG. What is beside the part that is looked at is dark.
pub(super) fn live(picture: &Gray, part: Option<Part>) -> Vec<u8> {
    match part {
        None => jpeg(&fit(picture, LIVE)),
        Some(part) => jpeg(&fit(&darkened(picture, part), LIVE)),
    }
}

/// The part of a picture that a device looks at, none for all of it.
pub(super) fn looked_at(picture: &Gray, info: &Info) -> Option<Part> {
    let model = info.model.as_ref().ok()?;
    let Deciding { region, fit, .. } = info.deciding;
    // As the device has it.
    let frame = device::shown_size(picture, info.frame_capacity as usize);
    let (corner, size) = part(
        frame,
        region,
        fit,
        (model.width.into(), model.height.into()),
    )?;
    let scale = |(x, y): (u32, u32)| {
        let by =
            |at: u32, to: u32, from: u32| (u64::from(at) * u64::from(to) / u64::from(from)) as u32;
        (
            by(x, picture.width, frame.0),
            by(y, picture.height, frame.1),
        )
    };
    Some((scale(corner), scale(size)))
}

/// The part of a frame that becomes an input of `model` pixels, none for all of it.
fn part(frame: (u32, u32), region: Option<Region>, fit: Fit, model: (u32, u32)) -> Option<Part> {
    let (corner, size) = region.map_or(((0, 0), frame), |r| {
        (
            (r.left.into(), r.top.into()),
            (r.width.into(), r.height.into()),
        )
    });
    let (inner, size) = fit.part(size, model);
    let part = ((corner.0 + inner.0, corner.1 + inner.1), size);
    (part != ((0, 0), frame)).then_some(part)
}

/// The picture, dark beside a part.
fn darkened(picture: &Gray, ((left, top), (width, height)): Part) -> Gray {
    let mut dark = picture.clone();
    let row = picture.width as usize;
    for (i, pixel) in dark.pixels.iter_mut().enumerate() {
        let (x, y) = ((i % row) as u32, (i / row) as u32);
        let is_inside = (left..left + width).contains(&x) && (top..top + height).contains(&y);
        if !is_inside {
            *pixel /= 3;
        }
    }
    dark
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
    fn what_is_not_looked_at_is_dark() {
        let region = Region {
            left: 10,
            top: 20,
            width: 40,
            height: 20,
        };
        let part = |region, fit| part((80, 60), region, fit, (64, 64));
        assert_eq!(part(None, Fit::Crop), Some(((10, 0), (60, 60))));
        assert_eq!(part(None, Fit::Squeeze), None);
        assert_eq!(part(Some(region), Fit::Crop), Some(((20, 20), (20, 20))));
        assert_eq!(part(Some(region), Fit::Squeeze), Some(((10, 20), (40, 20))));

        let picture = Gray::new(80, 60, vec![210; 80 * 60]).unwrap();
        let read = image::load_from_memory(&live(&picture, part(None, Fit::Crop))).unwrap();
        let row: Vec<u8> = (0..80)
            .map(|x| read.to_luma8().get_pixel(x, 30).0[0])
            .collect();
        assert!(
            (0..8).chain(72..80).all(|x| row[x].abs_diff(70) < 12),
            "{row:?}"
        );
        assert!((12..68).all(|x| row[x].abs_diff(210) < 12), "{row:?}");
    }

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
