//! Frames as browsers show them.

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, RgbImage, imageops};

use crate::data::{Colors, Raster};
use crate::device::{self, DecisionConfig, Fit, Heatmap, Info, Region};
use crate::report::heatmap;

/// Longest side of the live picture, in pixels.
pub(super) const LIVE: u32 = 480;
/// Longest side of the picture in the log, in pixels.
const SMALL: u32 = 128;
const QUALITY: u8 = 88;

/// A part of a picture: its first column and row, and its size, in pixels.
pub(super) type Part = ((u32, u32), (u32, u32));

/// The live picture, as JPEG. What is beside the part that is looked at is dark.
pub(super) fn live(picture: &Raster, part: Option<Part>) -> Vec<u8> {
    match part {
        None => jpeg(&fit(picture, LIVE)),
        Some(part) => jpeg(&fit(&darkened(picture, part), LIVE)),
    }
}

/// The part of a picture that a device looks at, none for all of it.
pub(super) fn looked_at(picture: &Raster, info: &Info) -> Option<Part> {
    let model = info.model.as_ref().ok()?;
    let DecisionConfig { region, fit, .. } = info.decision_config;
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
fn darkened(picture: &Raster, ((left, top), (width, height)): Part) -> Raster {
    let mut dark = picture.clone();
    let row = picture.width as usize;
    let pixels = dark.pixels.chunks_exact_mut(picture.colors.channels());
    for (i, pixel) in pixels.enumerate() {
        let (x, y) = ((i % row) as u32, (i / row) as u32);
        let is_inside = (left..left + width).contains(&x) && (top..top + height).contains(&y);
        if !is_inside {
            pixel.iter_mut().for_each(|level| *level /= 3);
        }
    }
    dark
}

/// What the model saw of a picture, its heat in colour and its flaws outlined, as JPEG.
pub(super) fn heated(seen: &Raster, heat: &Heatmap, longest: u32) -> Vec<u8> {
    let figure = heatmap(seen, [heat.height, heat.width], &heat.values);
    let drawn = RgbImage::from_raw(figure.width(), figure.height(), figure.pixels().to_vec());
    let drawn = drawn.unwrap_or_default();
    let (width, height) = size(drawn.dimensions(), longest);
    let drawn = imageops::thumbnail(&drawn, width, height);
    encoded(&drawn, (width, height), ExtendedColorType::Rgb8)
}

/// The same of a picture and a heat map of the log, if they are such.
pub(super) fn heated_of_log(picture: &[u8], heat: &[u8], longest: u32) -> Option<Vec<u8>> {
    Some(heated(&read(picture)?, &heat_of(heat)?, longest))
}

/// Steps of a heat map in the log: a place is flawed above n.
const STEPS: f32 = 32.0;

/// A heat map for the log: rows and columns, then a byte a place.
pub(super) fn heat_bytes(heat: &Heatmap) -> Vec<u8> {
    let sides = [heat.height as u8, heat.width as u8];
    // A conversion cuts to the nearest; rounded up, so that what is flawed stays it.
    let values = heat.values.iter().map(|value| (value * STEPS).ceil() as u8);
    sides.into_iter().chain(values).collect()
}

fn heat_of(bytes: &[u8]) -> Option<Heatmap> {
    let (&[height, width], values) = bytes.split_first_chunk()?;
    let (height, width) = (height.into(), width.into());
    let values: Vec<f32> = values.iter().map(|&v| f32::from(v) / STEPS).collect();
    (values.len() == height * width).then_some(Heatmap {
        height,
        width,
        values,
    })
}

/// A picture of the log, if it is one.
pub(super) fn read(bytes: &[u8]) -> Option<Raster> {
    let picture = image::load_from_memory(bytes).ok()?;
    let (width, height) = (picture.width(), picture.height());
    let (colors, pixels) = match picture.color().has_color() {
        true => (Colors::Rgb, picture.into_rgb8().into_raw()),
        false => (Colors::Grey, picture.into_luma8().into_raw()),
    };
    Raster::with_colors(width, height, colors, pixels).ok()
}

/// The picture in the log, as JPEG.
pub(super) fn small(picture: &Raster) -> Vec<u8> {
    jpeg(&fit(picture, SMALL))
}

/// As it is, or smaller.
fn fit(picture: &Raster, longest: u32) -> Raster {
    let (width, height) = size((picture.width, picture.height), longest);
    picture.resize(width, height)
}

/// A picture's size, or a smaller one of its proportions.
fn size((width, height): (u32, u32), longest: u32) -> (u32, u32) {
    let most = width.max(height).max(longest);
    let side = |side: u32| (u64::from(side) * u64::from(longest) / u64::from(most)) as u32;
    if most == longest {
        return (width, height);
    }
    (side(width).max(1), side(height).max(1))
}

fn jpeg(picture: &Raster) -> Vec<u8> {
    let size = (picture.width, picture.height);
    let kind = match picture.colors {
        Colors::Grey => ExtendedColorType::L8,
        Colors::Rgb => ExtendedColorType::Rgb8,
    };
    encoded(&picture.pixels, size, kind)
}

fn encoded(pixels: &[u8], (width, height): (u32, u32), color: ExtendedColorType) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, QUALITY);
    // It is small enough for the format, and goes to memory.
    let _ = encoder.encode(pixels, width, height, color);
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

        let picture = Raster::new(80, 60, vec![210; 80 * 60]).unwrap();
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
    fn a_flaw_is_in_colour_live_and_in_the_log() {
        let seen = Raster::new(96, 96, vec![120; 96 * 96]).unwrap();
        let mut values = vec![0.1; 144];
        values[5 * 12 + 6] = 4.0;
        let heat = Heatmap {
            height: 12,
            width: 12,
            values,
        };
        let of_log = heated_of_log(&small(&seen), &heat_bytes(&heat), 128).unwrap();
        assert!(heated_of_log(&small(&seen), &[12, 12, 0], 128).is_none());
        assert!(heated_of_log(b"no picture", &heat_bytes(&heat), 128).is_none());
        for (bytes, side) in [(heated(&seen, &heat, LIVE), 480), (of_log, 128)] {
            let read = image::load_from_memory(&bytes).unwrap().to_rgb8();
            assert_eq!(read.dimensions(), (side, side));
            let at = |x: u32, y: u32| read.get_pixel(x * side / 96, y * side / 96).0;
            let [red, green, blue] = at(52, 44);
            assert!(red > green + 60 && red > blue + 60, "{red} {green} {blue}");
            let [red, green, blue] = at(8, 80);
            assert!(red.abs_diff(120) < 12 && green.abs_diff(120) < 12 && blue.abs_diff(120) < 12);
        }
    }

    #[test]
    fn a_picture_becomes_a_small_jpeg_of_the_same_shape() {
        for (width, height, expected) in [
            (1920, 1080, (128, 72)),
            (64, 48, (64, 48)),
            (9999, 3, (128, 1)),
        ] {
            let picture = Raster::new(width, height, vec![128; (width * height) as usize]).unwrap();
            let bytes = small(&picture);
            let read = image::load_from_memory(&bytes).unwrap();
            assert_eq!((read.width(), read.height()), expected);
        }
    }
}
