//! What preprocessing has to give, pixel by pixel and straight from the definitions, and frames to try
//! and to measure it with.
//!
//! It is what the quick loops are tested against, on the host and on a board. Nothing else uses it, so
//! that it leaves no trace in firmware.

use super::{Region, run};
use crate::frame::{Frame, Geometry, PixelFormat};
use crate::random::Random;

/// Brightness of a pixel of [`PixelFormat::Rgb565`]: 0.299 red + 0.587 green + 0.114 blue, in 256ths.
#[must_use]
pub fn luma(pixel: u16) -> u8 {
    of_colors(colors(pixel))
}

/// Red, green and blue of such a pixel.
fn colors(pixel: u16) -> [u8; 3] {
    let channel = |(shift, bits): (u16, u16)| {
        let most = (1 << bits) - 1;
        (u32::from((pixel >> shift) & most) * 255 / u32::from(most)) as u8
    };
    [(11, 5), (5, 6), (0, 5)].map(channel)
}

/// The brightness of red, green and blue.
fn of_colors(colors: [u8; 3]) -> u8 {
    let [red, green, blue] = colors.map(u32::from);
    ((77 * red + 150 * green + 29 * blue + 128) >> 8) as u8
}

/// Brightness of the pixel of a frame at a column and row.
#[must_use]
pub fn level(frame: &Frame<'_>, column: usize, row: usize) -> u8 {
    let index = row * usize::from(frame.geometry.width) + column;
    let byte = |offset: usize| frame.pixels.get(offset).copied().unwrap_or(0);
    match frame.geometry.format {
        PixelFormat::Grey8 => byte(index),
        PixelFormat::Yuyv => byte(2 * index),
        PixelFormat::Rgb565 => luma(u16::from_le_bytes([byte(2 * index), byte(2 * index + 1)])),
        PixelFormat::Rgb888 => of_colors([0, 1, 2].map(|color| byte(3 * index + color))),
    }
}

/// Red (0), green or blue (2) of the pixel of a frame at a column and row.
#[must_use]
pub fn color(frame: &Frame<'_>, column: usize, row: usize, color: usize) -> u8 {
    let index = row * usize::from(frame.geometry.width) + column;
    let byte = |offset: usize| frame.pixels.get(offset).copied().unwrap_or(0);
    match frame.geometry.format {
        PixelFormat::Rgb565 => {
            colors(u16::from_le_bytes([byte(2 * index), byte(2 * index + 1)]))[color]
        }
        PixelFormat::Rgb888 => byte(3 * index + color),
        PixelFormat::Yuyv => {
            let pair = 4 * (index / 2);
            let [y, u, v] = [2 * index, pair + 1, pair + 3].map(|at| i32::from(byte(at)));
            let above = [
                359 * (v - 128),
                -88 * (u - 128) - 183 * (v - 128),
                454 * (u - 128),
            ];
            let level = (256 * y + above[color] + 128).div_euclid(256);
            level.clamp(0, 255) as u8
        }
        PixelFormat::Grey8 => level(frame, column, row),
    }
}

/// How much of old pixel `old` is in new pixel `new`, and of how much, for a side of `from` pixels that
/// becomes one of `to`: what the new one covers of it, or how near its middle is.
fn weight([from, to]: [usize; 2], old: usize, new: usize) -> (u64, u64) {
    let [from, to, old, new] = [from, to, old, new].map(|number| number as u64);
    if to <= from {
        let end = ((old + 1) * to).min((new + 1) * from);
        let start = (old * to).max(new * from);
        return (end.saturating_sub(start), from);
    }
    let most = (from - 1) * 2 * to;
    let middle = ((2 * new + 1) * from).saturating_sub(to).min(most);
    let apart = (old * 2 * to).abs_diff(middle);
    ((2 * to).saturating_sub(apart), 2 * to)
}

/// A channel of the pixel at a column and row of a region that is resized to `[height, width, channels]`.
#[must_use]
pub fn resized(
    frame: &Frame<'_>,
    region: Region,
    [height, width, channels]: [usize; 3],
    [y, x, channel]: [usize; 3],
) -> u8 {
    let (rows, columns) = (usize::from(region.height), usize::from(region.width));
    let (mut sum, mut whole) = (0, 1);
    for row in 0..rows {
        let (down, all_down) = weight([rows, height], row, y);
        if down == 0 {
            continue;
        }
        for column in 0..columns {
            let (across, all_across) = weight([columns, width], column, x);
            let (column, row) = (
                column + usize::from(region.left),
                row + usize::from(region.top),
            );
            if across > 0 {
                let value = match channels {
                    1 => level(frame, column, row),
                    _ => color(frame, column, row, channel),
                };
                sum += down * across * u64::from(value);
            }
            whole = all_down * all_across;
        }
    }
    ((sum + whole / 2) / whole) as u8
}

/// Prepares random regions of random frames, of at most as many bytes as there is room for, and compares
/// some pixels of each with what they have to be.
///
/// # Errors
/// The number of the first that is wrong.
pub fn try_random(count: u64, seed: u64, pixels: &mut [u8], input: &mut [u8]) -> Result<(), u64> {
    const FORMATS: [(PixelFormat, usize); 8] = [
        (PixelFormat::Grey8, 1),
        (PixelFormat::Yuyv, 1),
        (PixelFormat::Rgb565, 1),
        (PixelFormat::Rgb888, 1),
        (PixelFormat::Grey8, 3),
        (PixelFormat::Rgb565, 3),
        (PixelFormat::Rgb888, 3),
        (PixelFormat::Yuyv, 3),
    ];
    const PIXELS: usize = 4;
    for number in 0..count {
        let mut random = Random::new(seed.wrapping_add(number));
        let mut up_to = |most: usize| random.between(1, most as i64) as usize;
        let (format, channels) = FORMATS[up_to(FORMATS.len()) - 1];
        // Every other one is small, so that it is enlarged.
        let width = up_to(if number % 2 == 0 { 90 } else { 700 });
        let width = match (format, channels) {
            (PixelFormat::Yuyv, 3) => width.next_multiple_of(2),
            _ => width,
        };
        let room = pixels.len() / format.bytes_per_pixel() / width;
        let height = up_to(room.min(700));
        let geometry = Geometry {
            width: width as u16,
            height: height as u16,
            format,
        };
        let pixels = pixels.get_mut(..geometry.len()).ok_or(number)?;
        pixels.fill_with(|| up_to(256) as u8);
        let frame = Frame { geometry, pixels };
        let (left, top) = (up_to(width) - 1, up_to(height) - 1);
        let region = Region {
            left: left as u16,
            top: top as u16,
            width: up_to(width - left) as u16,
            height: up_to(height - top) as u16,
        };
        let [rows, columns] = [up_to(90), up_to(90)];
        let input = input.get_mut(..rows * columns * channels).ok_or(number)?;
        let shape = [rows, columns, channels];
        run(&frame, region, shape, input).map_err(|_| number)?;
        for _ in 0..PIXELS {
            let (y, x, channel) = (up_to(rows) - 1, up_to(columns) - 1, up_to(channels) - 1);
            let right = resized(&frame, region, shape, [y, x, channel]);
            if input.get((y * columns + x) * channels + channel) != Some(&right) {
                return Err(number);
            }
        }
    }
    Ok(())
}

/// A frame of a bright bar, lying aslant off the middle, on a dark and noisy ground. The frame's
/// bytes are as many as its geometry says.
pub fn draw(geometry: Geometry, pixels: &mut [u8]) {
    let mut random = 1_u32;
    let (width, height) = (i32::from(geometry.width), i32::from(geometry.height));
    let bytes = geometry.format.bytes_per_pixel();
    for (index, pixel) in pixels.chunks_exact_mut(bytes).enumerate() {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let (x, y) = (index as i32 % width, index as i32 / width);
        // Twice as far to the right and down as it is from the bar's middle.
        let (x, y) = (2 * x - width - width / 8, 2 * y - height + height / 16);
        let (along, across) = ((4 * x + 3 * y) / 5, (4 * y - 3 * x) / 5);
        let end = if along < 0 { height / 6 } else { height / 10 };
        let is_part = along.abs() < height / 2 && across.abs() < end;
        let level = if is_part { 170 } else { 50 } + (random >> 28) as u16;
        match (geometry.format, pixel) {
            (PixelFormat::Rgb565, [low, high]) => {
                let grey = level >> 3 << 11 | level >> 2 << 5 | level >> 3;
                [*low, *high] = grey.to_le_bytes();
            }
            (PixelFormat::Rgb888, colors) => colors.fill(level as u8),
            (_, [luma, rest @ ..]) => {
                *luma = level as u8;
                rest.fill(128);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec;

    use super::*;

    #[cfg(every_format)]
    #[test]
    fn every_format_and_size_is_as_by_the_book() {
        let (mut pixels, mut input) = (vec![0; 1 << 16], vec![0; 3 * 90 * 90]);
        assert_eq!(try_random(3000, 1, &mut pixels, &mut input), Ok(()));
    }

    /// Reductions that do not fit a strip, sums that do not fit 16 or 32 bits.
    #[test]
    fn so_are_sizes_beyond_what_the_quick_loops_hold() {
        let cases = [
            ((2000, 3), [2, 3]),
            ((3, 2000), [3, 2]),
            ((311, 269), [64, 64]),
            ((32_767, 2), [4, 32_766]),
            ((300, 4999), [4998, 7]),
        ];
        for ((width, height), [rows, columns]) in cases {
            let geometry = Geometry {
                width,
                height,
                format: PixelFormat::Grey8,
            };
            let mut random = Random::new(width.into());
            let mut pixels = vec![0; geometry.len()];
            pixels.fill_with(|| random.between(200, 255) as u8);
            let frame = Frame {
                geometry,
                pixels: &pixels,
            };
            let region = Region::whole(&frame);
            let mut input = vec![0; rows * columns];
            run(&frame, region, [rows, columns, 1], &mut input).unwrap();
            for (index, pixel) in input.iter().enumerate().step_by(1 + input.len() / 50) {
                let at = [index / columns, index % columns, 0];
                let right = resized(&frame, region, [rows, columns, 1], at);
                assert_eq!(*pixel, right, "{width} x {height}, {at:?}");
            }
        }
    }
}
