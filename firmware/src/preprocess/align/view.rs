//! A picture with the part in its middle.

use super::levels::{self, Levels};
use super::part::Part;
use super::pose::Pose;
use super::samples::{RUN, Samples, Steps};
use super::walk::{BITS, ONE};
use crate::frame::{Frame, PixelFormat};
use crate::preprocess::Region;
#[cfg(any(feature = "compact", all(test, by_pixel)))]
use crate::preprocess::compact;
use crate::preprocess::luma::by_format;

/// Most samples along a side of a pixel.
const MOST: i64 = 8;

/// A picture of a part in the middle, its axis to the right.
pub(super) struct View {
    pub(super) region: Region,
    /// Columns and rows of the picture.
    pub(super) size: (usize, usize),
    /// What stands where the region has no pixel.
    pub(super) level: u8,
    /// Where the picture's middle is in the region.
    pub(super) middle: (i64, i64),
    /// Which way its rows go, of a length of [`Pose::UNIT`].
    axis: (i64, i64),
    /// How far its columns and its rows are apart in the region.
    pub(super) pitch: (i64, i64),
    /// Samples along the sides of a pixel, so that no pixel of the region is passed over.
    pub(super) samples: (i64, i64),
}

impl View {
    /// A window of n percent of the region about a part that was found in a picture of all of
    /// it. Neither side of region or picture is longer than 2^15.
    pub(super) fn new(region: Region, size: (usize, usize), window: u8, part: &Part) -> Self {
        let one = i64::from(ONE);
        let middle = |side: u16, count: usize, found: i32| {
            let side = i64::from(side) * one;
            side / 2 + i64::from(found) * side / (256 * count as i64)
        };
        let pitch = |side: u16, count: usize| {
            i64::from(side) * one * i64::from(window) / (100 * count as i64)
        };
        let pitch = (pitch(region.width, size.0), pitch(region.height, size.1));
        // A little more than a pixel is one sample still.
        let samples = |pitch: i64| ((pitch + one * 15 / 16) >> BITS).clamp(1, MOST);
        Self {
            region,
            size,
            level: part.level,
            middle: (
                middle(region.width, size.0, part.middle.0),
                middle(region.height, size.1, part.middle.1),
            ),
            axis: (part.axis.0.into(), part.axis.1.into()),
            pitch,
            samples: (samples(pitch.0), samples(pitch.1)),
        }
    }

    /// Where the part is in the frame.
    pub(super) fn pose(&self) -> Pose {
        let place = |first: u16, at: i64| first.saturating_add((at >> BITS) as u16);
        Pose {
            x: place(self.region.left, self.middle.0),
            y: place(self.region.top, self.middle.1),
            axis: (self.axis.0 as i16, self.axis.1 as i16),
        }
    }

    /// So far to the right and down in the picture, as far in the region.
    pub(super) fn turned(&self, right: i64, down: i64) -> (i64, i64) {
        let (cos, sin) = self.axis;
        let unit = i64::from(Pose::UNIT);
        (
            (right * cos - down * sin) / unit,
            (right * sin + down * cos) / unit,
        )
    }

    /// Takes the picture from the frame, which [`run`](crate::preprocess::run) read with as many channels.
    pub(super) fn take(&self, frame: &Frame<'_>, channels: usize, picture: &mut [u8]) {
        if cfg!(feature = "colour") && channels == 3 {
            let (picture, _) = picture.as_chunks_mut();
            return match frame.geometry.format {
                PixelFormat::Grey8 => self.fill::<levels::Grey, 3>(frame, picture),
                #[cfg(feature = "rgb565")]
                PixelFormat::Rgb565 => self.fill::<levels::Rgb565, 3>(frame, picture),
                PixelFormat::Rgb888 => self.fill::<levels::Rgb888, 3>(frame, picture),
                #[cfg(all(feature = "colour", feature = "yuyv"))]
                PixelFormat::Yuyv => self.fill::<levels::Yuyv, 3>(frame, picture),
                #[cfg(not(all(feature = "colour", feature = "rgb565", feature = "yuyv")))]
                _ => {}
            };
        }
        #[cfg(feature = "compact")]
        if channels == 3 || frame.geometry.format != PixelFormat::Grey8 {
            return self.fill_compact(frame, channels, picture);
        }
        let (picture, _) = picture.as_chunks_mut();
        by_format!(frame.geometry.format, Format => self.fill::<Format, 1>(frame, picture), else {});
    }

    fn fill<P: Levels<N>, const N: usize>(&self, frame: &Frame<'_>, picture: &mut [[u8; N]]) {
        let count = (self.samples.0 as u32, self.samples.1 as u32);
        let samples = Samples::new::<P, N>(frame, self.region, self.level, count, self.steps());
        for (row, line) in picture.chunks_mut(self.size.0).enumerate() {
            let mut at = self.start(row);
            for run in line.chunks_mut(RUN) {
                at = samples.fill::<P, N>(at, run);
            }
        }
    }

    /// From sample to sample of a pixel, and from pixel to pixel.
    fn steps(&self) -> Steps {
        Steps {
            right: short(self.turned(self.pitch.0 / self.samples.0, 0)),
            down: short(self.turned(0, self.pitch.1 / self.samples.1)),
            next: short(self.turned(self.pitch.0, 0)),
        }
    }

    /// Where the first sample of a row is.
    #[inline(never)]
    fn start(&self, row: usize) -> (i32, i32) {
        let (columns, rows) = (self.size.0 as i64, self.size.1 as i64);
        // To the first sample of a pixel from its corner.
        let first = |pitch: i64, samples: i64| pitch / (2 * samples);
        let (right, down) = self.turned(
            first(self.pitch.0, self.samples.0) - columns * self.pitch.0 / 2,
            first(self.pitch.1, self.samples.1) + (2 * row as i64 - rows) * self.pitch.1 / 2,
        );
        short((self.middle.0 + right, self.middle.1 + down))
    }
}

fn short((x, y): (i64, i64)) -> (i32, i32) {
    (x as i32, y as i32)
}

#[cfg(any(feature = "compact", all(test, by_pixel)))]
impl View {
    /// As [`take`](Self::take), pixel by pixel, see [`compact`].
    #[inline(never)]
    pub(super) fn fill_compact(&self, frame: &Frame<'_>, channels: usize, picture: &mut [u8]) {
        let (across, along) = (self.samples.0 as i32, self.samples.1 as i32);
        let Steps { right, down, next } = self.steps();
        for (row, line) in picture.chunks_mut(self.size.0 * channels).enumerate() {
            let mut at = self.start(row);
            for pixel in line.chunks_mut(channels) {
                let levels = if (across, along) == (1, 1) {
                    self.between(frame, channels, at)
                } else {
                    let count = (across * along) as u32;
                    let mut sums = [count / 2; 3];
                    for index in 0..across * along {
                        let (i, j) = (index % across, index / across);
                        let x = at.0 + i * right.0 + j * down.0;
                        let y = at.1 + i * right.1 + j * down.1;
                        self.add(frame, channels, (x >> BITS, y >> BITS), 1, &mut sums);
                    }
                    sums.map(|sum| (sum / count) as u8)
                };
                for (value, level) in pixel.iter_mut().zip(levels) {
                    *value = level;
                }
                at = (at.0 + next.0, at.1 + next.1);
            }
        }
    }

    /// Between the four pixels whose middles are about a place, in 256ths.
    #[inline(never)]
    fn between(&self, frame: &Frame<'_>, channels: usize, (x, y): (i32, i32)) -> [u8; 3] {
        let (x, y) = (x - ONE / 2, y - ONE / 2);
        let part = |place: i32| (place & (ONE - 1)) as u32 >> (BITS - 8);
        let mut sums = [1 << 15; 3];
        for index in 0..4 {
            let (right, down) = (index % 2, index / 2);
            let weight = |part: u32, is_far: i32| if is_far == 1 { part } else { 256 - part };
            let place = ((x >> BITS) + right, (y >> BITS) + down);
            let weight = weight(part(x), right) * weight(part(y), down);
            self.add(frame, channels, place, weight, &mut sums);
        }
        sums.map(|sum| (sum >> 16) as u8)
    }

    /// Adds what a pixel of the region has so many times, the ground's level where there is none.
    #[inline(never)]
    fn add(
        &self,
        frame: &Frame<'_>,
        channels: usize,
        (column, row): (i32, i32),
        weight: u32,
        sums: &mut [u32; 3],
    ) {
        let within = |place: i32, side: u16| (0..i32::from(side)).contains(&place);
        let region = self.region;
        let levels = match within(column, region.width) && within(row, region.height) {
            true => {
                let pixel = region.pixel(frame, column as usize, row as usize);
                compact::levels(frame, pixel, channels)
            }
            false => [self.level; 3],
        };
        for (sum, level) in sums.iter_mut().zip(levels) {
            *sum += weight * u32::from(level);
        }
    }
}
