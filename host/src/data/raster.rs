//! Pictures of one channel or of three.

use std::path::Path;

use image::{
    DynamicImage, ExtendedColorType, ImageEncoder, ImageResult, RgbImage, codecs::png::PngEncoder,
};
use sudal_firmware::preprocess::Fit;

use super::{Colors, DataError, picture, reading};
use crate::atomic_file;

/// A picture, row-major, 0 = black, 255 = white; the channels of a pixel beside each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raster {
    /// Width, in pixels, at least 1.
    pub width: u32,
    /// Height, in pixels, at least 1.
    pub height: u32,
    /// What a pixel holds.
    pub colors: Colors,
    /// `height * width * channels` values.
    pub pixels: Vec<u8>,
}

impl Raster {
    /// A grey picture of the given size.
    ///
    /// # Errors
    /// As [`with_colors`](Self::with_colors).
    pub fn new(width: u32, height: u32, pixels: Vec<u8>) -> Result<Self, DataError> {
        Self::with_colors(width, height, Colors::Grey, pixels)
    }

    /// A picture of the given size.
    ///
    /// # Errors
    /// [`DataError::Size`] when a side is zero or there are not `width * height` pixels.
    pub fn with_colors(
        width: u32,
        height: u32,
        colors: Colors,
        pixels: Vec<u8>,
    ) -> Result<Self, DataError> {
        let values = u64::from(width) * u64::from(height) * colors.channels() as u64;
        if values == 0 || pixels.len() as u64 != values {
            return Err(DataError::Size {
                width,
                height,
                pixels: pixels.len() / colors.channels(),
            });
        }
        Ok(Self {
            width,
            height,
            colors,
            pixels,
        })
    }

    /// Reads a PNG, JPEG, BMP, TIFF or WebP file as a grey picture. It comes upright, as its camera says; colours
    /// become their brightness, and a transparent picture lies on white.
    ///
    /// # Errors
    /// [`DataError::Read`], [`DataError::TooLarge`] or, where any of it can't be decoded,
    /// [`DataError::Decode`], with the path.
    pub fn open(path: &Path) -> Result<Self, DataError> {
        Self::open_as(path, Colors::Grey)
    }

    /// As [`open`](Self::open), with or without its colours.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_as(path: &Path, colors: Colors) -> Result<Self, DataError> {
        Self::decode(&reading::read(path)?, path, colors)
    }

    /// Decodes a file that was read from `path`.
    pub(crate) fn decode(bytes: &[u8], path: &Path, colors: Colors) -> Result<Self, DataError> {
        let picture = picture::decode(bytes).map_err(|source| DataError::Decode {
            path: path.into(),
            source,
        })?;
        let (width, height) = (picture.width(), picture.height());
        Self::with_colors(width, height, colors, picture::flatten(picture, colors))
    }

    /// Values of a row.
    fn stride(&self) -> usize {
        self.width as usize * self.colors.channels()
    }

    /// The same picture with or without colours: the brightness of each pixel, as [`open`](Self::open) has it, or three
    /// equal channels.
    #[must_use]
    pub fn to(&self, colors: Colors) -> Self {
        let pixels = match (self.colors, colors) {
            (Colors::Grey, Colors::Rgb) => {
                self.pixels.iter().flat_map(|&level| [level; 3]).collect()
            }
            (Colors::Rgb, Colors::Grey) => {
                let picture = RgbImage::from_raw(self.width, self.height, self.pixels.clone());
                let picture = picture.map(DynamicImage::ImageRgb8).unwrap_or_default();
                picture.into_luma8().into_raw()
            }
            _ => return self.clone(),
        };
        Self {
            colors,
            pixels,
            ..*self
        }
    }

    /// Writes the picture as PNG.
    ///
    /// # Errors
    /// [`DataError::Size`] when the fields were set to what is no picture, [`DataError::Write`].
    pub fn save(&self, path: &Path) -> Result<(), DataError> {
        let written = self
            .to_png()?
            .and_then(|bytes| Ok(atomic_file::replace(path, &bytes)?));
        written.map_err(|source| DataError::Write {
            path: path.into(),
            source,
        })
    }

    /// The picture as the bytes of a PNG file.
    ///
    /// # Errors
    /// [`DataError::Size`] when the fields were set to what is no picture; within, what the encoder says.
    pub fn to_png(&self) -> Result<ImageResult<Vec<u8>>, DataError> {
        let Self {
            width,
            height,
            colors,
            ..
        } = *self;
        // Whether the fields are a picture's.
        let pixels = Self::with_colors(width, height, colors, self.pixels.clone())?.pixels;
        let kind = match colors {
            Colors::Grey => ExtendedColorType::L8,
            Colors::Rgb => ExtendedColorType::Rgb8,
        };
        let mut bytes = Vec::new();
        let encoded = PngEncoder::new(&mut bytes).write_image(&pixels, width, height, kind);
        Ok(encoded.map(|()| bytes))
    }

    /// The picture at another size: area average where it shrinks, bilinear where it grows.
    ///
    /// Computed in exact integers and rounded once, so that resizing and turning by quarters can be
    /// done in either order. A side of zero is taken as one.
    pub fn resize(&self, width: u32, height: u32) -> Self {
        let (width, height) = (width.max(1), height.max(1));
        if (width, height) == (self.width, self.height) {
            return self.clone();
        }
        let columns = taps(self.width, width);
        let rows = taps(self.height, height);
        let channels = self.colors.channels();
        let stride = width as usize * channels;
        // Every row of the source squeezed to the new width, as sums not yet divided.
        let mut narrow = Vec::with_capacity(self.height as usize * stride);
        for row in self.pixels.chunks_exact(self.stride()) {
            for (first, weights) in &columns.taps {
                narrow.extend((0..channels).map(|channel| {
                    let values = row[first * channels + channel..].iter().step_by(channels);
                    let sum = weights.iter().zip(values);
                    sum.map(|(w, p)| w * u64::from(*p)).sum::<u64>()
                }));
            }
        }
        let whole = columns.whole * rows.whole;
        let mut pixels = Vec::with_capacity(height as usize * stride);
        for (first, weights) in &rows.taps {
            for x in 0..stride {
                let sum: u64 = weights
                    .iter()
                    .enumerate()
                    .map(|(i, w)| w * narrow[(first + i) * stride + x])
                    .sum();
                pixels.push(((sum + whole / 2) / whole) as u8);
            }
        }
        Self {
            width,
            height,
            colors: self.colors,
            pixels,
        }
    }

    /// What a model of inputs of `size`, `(width, height)` in pixels, sees of the picture: as the
    /// device makes it of a frame.
    pub fn fit(&self, size: (u32, u32), fit: Fit) -> Self {
        let (corner, part) = fit.part((self.width, self.height), size);
        if part == (self.width, self.height) {
            return self.resize(size.0, size.1);
        }
        self.crop(corner, part).resize(size.0, size.1)
    }

    /// Its middle, half as wide and high.
    #[must_use]
    pub fn middle(&self) -> Self {
        let half = |side: u32| (side / 2).max(1);
        let size = (half(self.width), half(self.height));
        self.crop(
            ((self.width - size.0) / 2, (self.height - size.1) / 2),
            size,
        )
    }

    /// A part of the picture, of `(width, height)` pixels, which must lie in it.
    pub(super) fn crop(&self, (left, top): (u32, u32), (width, height): (u32, u32)) -> Self {
        let rows = self.pixels.chunks_exact(self.stride());
        let rows = rows.skip(top as usize).take(height as usize);
        let [left, right] = [left, left + width].map(|x| x as usize * self.colors.channels());
        let pixels = rows.flat_map(|row| &row[left..right]);
        Self {
            width,
            height,
            colors: self.colors,
            pixels: pixels.copied().collect(),
        }
    }

    /// The picture turned counter-clockwise by a number of quarter turns.
    pub fn rotate90(&self, quarters: u8) -> Self {
        let (w, h) = (self.width as usize, self.height as usize);
        let channels = self.colors.channels();
        let at = |x: usize, y: usize| &self.pixels[(y * w + x) * channels..][..channels];
        let (width, height) = if quarters.is_multiple_of(2) {
            (w, h)
        } else {
            (h, w)
        };
        let mut pixels = Vec::with_capacity(self.pixels.len());
        for y in 0..height {
            pixels.extend((0..width).flat_map(|x| match quarters % 4 {
                0 => at(x, y),
                1 => at(w - 1 - y, x),
                2 => at(w - 1 - x, h - 1 - y),
                _ => at(y, h - 1 - x),
            }));
        }
        Self {
            width: width as u32,
            height: height as u32,
            colors: self.colors,
            pixels,
        }
    }

    /// The negative: white becomes black.
    pub fn invert(mut self) -> Self {
        self.pixels.iter_mut().for_each(|p| *p = 255 - *p);
        self
    }
}

/// For each new pixel, the first old one that it reads and the weights from there on.
struct Taps {
    taps: Vec<(usize, Vec<u64>)>,
    /// The sum of the weights of each new pixel.
    whole: u64,
}

fn taps(from: u32, to: u32) -> Taps {
    let (from, to) = (u64::from(from), u64::from(to));
    if to <= from {
        // Old pixel i covers [i * to, (i + 1) * to), new pixel j covers [j * from, (j + 1) * from).
        let taps = (0..to).map(|j| {
            let (start, end) = (j * from, (j + 1) * from);
            let (first, last) = (start / to, (end - 1) / to);
            let overlap = |i: u64| ((i + 1) * to).min(end) - (i * to).max(start);
            (first as usize, (first..=last).map(overlap).collect())
        });
        Taps {
            taps: taps.collect(),
            whole: from,
        }
    } else {
        // New centre j + 1/2 lies at ((2j + 1) * from - to) / (2 * to) between old centres.
        let whole = 2 * to;
        let taps = (0..to).map(|j| {
            let at = ((2 * j + 1) * from).saturating_sub(to);
            let at = at.min((from - 1) * whole);
            let (first, rest) = (at / whole, at % whole);
            let weights = if rest == 0 {
                vec![whole]
            } else {
                vec![whole - rest, rest]
            };
            (first as usize, weights)
        });
        Taps {
            taps: taps.collect(),
            whole,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(width: u32, height: u32) -> Raster {
        let pixels = (0..width * height).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8);
        Raster::new(width, height, pixels.collect()).unwrap()
    }

    #[test]
    fn size_must_match_the_pixels() {
        assert!(Raster::new(2, 2, vec![0; 4]).is_ok());
        let error = Raster::new(3, 2, vec![0; 4]).unwrap_err().to_string();
        assert_eq!(
            error,
            "a picture of 3 x 2 needs 6 pixels, at least one; 4 given"
        );
        assert!(Raster::new(0, 2, vec![]).is_err());
    }

    #[test]
    fn a_saved_picture_is_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("frame.png");
        noise(7, 5).save(&path).unwrap();
        assert_eq!(Raster::open(&path).unwrap(), noise(7, 5));
        std::fs::write(&path, b"no picture").unwrap();
        for (error, words) in [
            (Raster::open(&path), "cannot decode"),
            (Raster::open(dir.path()), "cannot read"),
        ] {
            assert!(error.unwrap_err().to_string().starts_with(words));
        }
        let error = noise(7, 5).save(&dir.path().join("no/x.png")).unwrap_err();
        assert!(error.to_string().starts_with("cannot write"));
    }

    fn colored(width: u32, height: u32) -> Raster {
        let planes = noise(width, 3 * height).pixels;
        Raster::with_colors(width, height, Colors::Rgb, planes).unwrap()
    }

    /// One channel of a picture.
    fn plane(picture: &Raster, channel: usize) -> Raster {
        let pixels = picture.pixels.iter().skip(channel).step_by(3);
        Raster::new(picture.width, picture.height, pixels.copied().collect()).unwrap()
    }

    #[test]
    fn what_is_done_with_colours_is_done_with_each() {
        let picture = colored(21, 13);
        for channel in 0..3 {
            let of = |picture: &Raster| plane(picture, channel);
            for (width, height) in [(8, 8), (40, 9), (21, 13)] {
                let resized = of(&picture).resize(width, height);
                assert_eq!(of(&picture.resize(width, height)), resized);
            }
            for quarters in 0..4 {
                assert_eq!(
                    of(&picture.rotate90(quarters)),
                    of(&picture).rotate90(quarters)
                );
            }
            assert_eq!(of(&picture.middle()), of(&picture).middle());
            let fitted = of(&picture).fit((9, 16), Fit::Crop);
            assert_eq!(of(&picture.fit((9, 16), Fit::Crop)), fitted);
            assert_eq!(of(&picture.clone().invert()), of(&picture).invert());
        }
        assert!(Raster::with_colors(2, 2, Colors::Rgb, vec![0; 4]).is_err());
    }

    #[test]
    fn colours_are_saved_and_read_back_and_become_their_brightness() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("frame.png");
        let picture = colored(9, 7);
        picture.save(&path).unwrap();
        assert_eq!(Raster::open_as(&path, Colors::Rgb).unwrap(), picture);
        assert_eq!(Raster::open(&path).unwrap(), picture.to(Colors::Grey));
        // A grey one has three equal channels, and is the same again without them.
        let grey = noise(9, 7);
        grey.save(&path).unwrap();
        assert_eq!(
            Raster::open_as(&path, Colors::Rgb).unwrap(),
            grey.to(Colors::Rgb)
        );
        assert_eq!(grey.to(Colors::Rgb).to(Colors::Grey), grey);
    }

    #[test]
    fn shrinking_averages_areas() {
        let picture = Raster::new(3, 1, vec![0, 90, 240]).unwrap();
        // Halves: (0 + 90 / 2) / 1.5 and (90 / 2 + 240) / 1.5.
        assert_eq!(picture.resize(2, 1).pixels, [30, 190]);
        assert_eq!(picture.resize(1, 1).pixels, [110]);
    }

    #[test]
    fn growing_interpolates_between_centres() {
        let picture = Raster::new(2, 1, vec![0, 100]).unwrap();
        assert_eq!(picture.resize(4, 1).pixels, [0, 25, 75, 100]);
        assert_eq!(picture.resize(4, 3).pixels, [0, 25, 75, 100].repeat(3));
    }

    #[test]
    fn turns_are_counter_clockwise() {
        let picture = Raster::new(2, 2, vec![1, 2, 3, 4]).unwrap();
        assert_eq!(picture.rotate90(1).pixels, [2, 4, 1, 3]);
        let picture = noise(5, 3);
        assert_eq!(picture.rotate90(1).rotate90(1), picture.rotate90(2));
        assert_eq!(picture.rotate90(3).rotate90(1), picture);
    }

    #[test]
    fn a_picture_keeps_its_proportions_unless_it_is_squeezed() {
        // A square of 4 pixels in the middle of a frame twice as wide as high.
        let pixels = (0..32 * 16).map(|i| (i % 32, i / 32));
        let square = |(x, y)| 255 * u8::from((14..18).contains(&x) && (6..10).contains(&y));
        let frame = Raster::new(32, 16, pixels.map(square).collect()).unwrap();
        let extent = |picture: &Raster| {
            let bright = |x: usize, y: usize| picture.pixels[y * 16 + x] > 0;
            let columns = (0..16).filter(|&x| (0..16).any(|y| bright(x, y))).count();
            (
                columns,
                (0..16).filter(|&y| (0..16).any(|x| bright(x, y))).count(),
            )
        };
        assert_eq!(extent(&frame.fit((16, 16), Fit::Crop)), (4, 4));
        assert_eq!(extent(&frame.fit((16, 16), Fit::Squeeze)), (2, 4));
        assert_eq!(
            noise(16, 16).fit((9, 9), Fit::Crop),
            noise(16, 16).resize(9, 9)
        );
    }

    #[test]
    fn resize_and_turn_commute_exactly() {
        let picture = noise(105, 105);
        for quarters in 0..4 {
            for side in [28, 104, 200] {
                assert_eq!(
                    picture.resize(side, side).rotate90(quarters),
                    picture.rotate90(quarters).resize(side, side)
                );
            }
        }
    }
}
