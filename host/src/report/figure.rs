//! Pictures of reports, and why one could not be made.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::{ImageError, ImageFormat, Rgb, RgbImage, imageops};
use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster, get_raster_width};

use crate::atomic_file;
use crate::data::{Colors, Raster};

/// Why a report could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The file could not be written.
    #[error("cannot write {path}: {source}; check that the folder exists and can be written to")]
    Write {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: ImageError,
    },
    /// A class number was given that is not among the classes.
    #[error("class {class} does not exist: there are {classes} classes")]
    NoClass {
        /// The number given.
        class: usize,
        /// Number of classes.
        classes: usize,
    },
    /// A chart could not be drawn.
    #[error("the chart cannot be drawn: {0}")]
    Chart(String),
    /// A query does not have one distance for each class.
    #[error("a query has {given} distances; there are {classes} classes")]
    Distances {
        /// Number of distances given.
        given: usize,
        /// Number of classes.
        classes: usize,
    },
}

pub(super) const WHITE: Rgb<u8> = Rgb([255, 255, 255]);
pub(super) const INK: Rgb<u8> = Rgb([34, 34, 40]);
pub(super) const FAINT: Rgb<u8> = Rgb([130, 130, 140]);

/// Height of a line of text, in pixels.
pub(super) const LINE: u32 = RasterHeight::Size16.val() as u32;
/// Width of a character, in pixels.
pub(super) const CHAR: u32 = get_raster_width(FontWeight::Regular, RasterHeight::Size16) as u32;

/// A picture for people, in colour.
#[derive(Clone, Debug)]
pub struct Figure {
    picture: RgbImage,
    /// Pixels of the picture for one that is drawn, 1 or 2.
    scale: u32,
}

impl Figure {
    /// A white picture.
    pub(super) fn new(width: u32, height: u32) -> Self {
        Self::scaled(width, height, 1)
    }

    /// A white picture in which all is drawn `scale` times as large, 1 or 2.
    pub(super) fn scaled(width: u32, height: u32, scale: u32) -> Self {
        let picture = RgbImage::from_pixel(width.max(1) * scale, height.max(1) * scale, WHITE);
        Self { picture, scale }
    }

    /// Width, in pixels.
    pub fn width(&self) -> u32 {
        self.picture.width()
    }

    /// Height, in pixels.
    pub fn height(&self) -> u32 {
        self.picture.height()
    }

    /// The colours, row-major, red, green and blue of each pixel.
    pub fn pixels(&self) -> &[u8] {
        self.picture.as_raw()
    }

    /// Writes the picture as PNG.
    ///
    /// # Errors
    /// [`ReportError::Write`] when the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), ReportError> {
        let mut bytes = Cursor::new(Vec::new());
        let encoded = self.picture.write_to(&mut bytes, ImageFormat::Png);
        let written = encoded.and_then(|()| Ok(atomic_file::replace(path, bytes.get_ref())?));
        written.map_err(|source| ReportError::Write {
            path: path.into(),
            source,
        })
    }

    /// Fills a rectangle; what lies outside the picture is left out.
    pub(super) fn fill(&mut self, at: (u32, u32), size: (u32, u32), color: Rgb<u8>) {
        let by = |side: u32| side.saturating_mul(self.scale);
        let (at, size) = ((by(at.0), by(at.1)), (by(size.0), by(size.1)));
        for y in at.1..at.1.saturating_add(size.1).min(self.height()) {
            for x in at.0..at.0.saturating_add(size.0).min(self.width()) {
                self.picture.put_pixel(x, y, color);
            }
        }
    }

    /// Copies a picture, every pixel `zoom` times as large.
    pub(super) fn picture(&mut self, at: (u32, u32), picture: &Raster, zoom: u32) {
        let pixels = picture.to(Colors::Rgb).pixels;
        for (i, &color) in (0u32..).zip(pixels.as_chunks().0) {
            let (x, y) = (i % picture.width * zoom, i / picture.width * zoom);
            self.fill((at.0 + x, at.1 + y), (zoom, zoom), Rgb(color));
        }
    }

    /// Copies another picture.
    pub(super) fn paste(&mut self, at: (u32, u32), other: &Self) {
        for (x, y, &color) in other.picture.enumerate_pixels() {
            self.fill((at.0 + x, at.1 + y), (1, 1), color);
        }
    }

    /// Writes a line of text; a character that the font lacks shows as a replacement sign.
    pub(super) fn text(&mut self, at: (u32, u32), text: &str, color: Rgb<u8>, bold: bool) {
        let weight = if bold {
            FontWeight::Bold
        } else {
            FontWeight::Regular
        };
        let height = match self.scale {
            1 => RasterHeight::Size16,
            _ => RasterHeight::Size32,
        };
        let at = (at.0 * self.scale, at.1 * self.scale);
        for (i, c) in (0u32..).zip(text.chars()) {
            let glyph = |c| get_raster(c, weight, height);
            let Some(glyph) = glyph(c).or_else(|| glyph('\u{FFFD}')) else {
                continue;
            };
            for (y, row) in (0u32..).zip(glyph.rows()) {
                for (x, cover) in (0u32..).zip(row) {
                    let (x, y) = (at.0 + i * CHAR * self.scale + x, at.1 + y);
                    if x < self.width() && y < self.height() {
                        self.blend(x, y, color, *cover);
                    }
                }
            }
        }
    }

    /// Writes a line of text that runs upward from `at`.
    pub(super) fn text_up(&mut self, at: (u32, u32), text: &str, color: Rgb<u8>) {
        let mut line = Self::new(text_width(text), LINE);
        line.text((0, 0), text, color, false);
        let turned = imageops::rotate270(&line.picture);
        let top = i64::from(at.1) - i64::from(turned.height());
        imageops::replace(&mut self.picture, &turned, i64::from(at.0), top);
    }

    fn blend(&mut self, x: u32, y: u32, color: Rgb<u8>, cover: u8) {
        let pixel = self.picture.get_pixel_mut(x, y);
        for (p, c) in pixel.0.iter_mut().zip(color.0) {
            let mixed = u32::from(*p) * u32::from(255 - cover) + u32::from(c) * u32::from(cover);
            *p = (mixed / 255) as u8;
        }
    }
}

impl From<RgbImage> for Figure {
    fn from(pixels: RgbImage) -> Self {
        Self {
            picture: pixels,
            scale: 1,
        }
    }
}

/// Width of a line of text, in pixels.
pub(super) fn text_width(text: &str) -> u32 {
    text.chars().count() as u32 * CHAR
}

/// A text of at most n characters, its end replaced by dots if need be.
pub(super) fn short(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let start: String = text.chars().take(most.saturating_sub(2)).collect();
    start + ".."
}

/// A colour for each class: well apart for the first ten, then again from the first.
pub(super) fn class_color(class: usize) -> Rgb<u8> {
    const COLORS: [[u8; 3]; 10] = [
        [31, 119, 180],
        [230, 120, 20],
        [44, 150, 60],
        [200, 40, 50],
        [130, 90, 180],
        [140, 90, 70],
        [215, 100, 180],
        [100, 100, 100],
        [160, 160, 30],
        [20, 170, 190],
    ];
    Rgb(COLORS[class % COLORS.len()])
}
