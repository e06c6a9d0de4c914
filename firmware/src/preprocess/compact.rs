//! Frames read pixel by pixel, for a program that has little flash: one loop for all formats and colours. It gives the
//! bits of the quick loops, of which there is one for each, and takes many more instructions.

use super::axis::Axis;
use super::luma::{Luma, Rgb888, Shift, of_565};
use super::region::Region;
use crate::frame::{Frame, PixelFormat};

/// Red, green and blue of a pixel, by its number in the frame; for one channel its brightness, three times. 0 where
/// there is no such pixel.
#[inline(never)]
pub(crate) fn levels(frame: &Frame<'_>, pixel: usize, channels: usize) -> [u8; 3] {
    let format = frame.geometry.format;
    let bytes = format.bytes_per_pixel();
    let byte = |at: usize| frame.pixels.get(at).copied().unwrap_or(0);
    let at = bytes * pixel;
    let colors = match format {
        PixelFormat::Yuyv if channels > 1 => {
            // Of the two pixels that share their colours.
            let pair = at & !3;
            let shift = Shift::of(byte(pair + 1), byte(pair + 3));
            return [0, 1, 2].map(|color| shift.level(byte(at), color));
        }
        PixelFormat::Grey8 | PixelFormat::Yuyv => return [byte(at); 3],
        PixelFormat::Rgb565 => {
            let word = u16::from_le_bytes([byte(at), byte(at + 1)]).into();
            [0, 1, 2].map(|color| of_565(word, color) as u8)
        }
        PixelFormat::Rgb888 => [byte(at), byte(at + 1), byte(at + 2)],
    };
    match channels {
        1 => [Rgb888::level(&colors); 3],
        _ => colors,
    }
}

/// Fills `input` with a region that lies in the frame.
#[inline(never)]
pub(super) fn resize(
    frame: &Frame<'_>,
    region: Region,
    [height, width, channels]: [usize; 3],
    input: &mut [u8],
) {
    let rows = Axis::new(region.height.into(), height as u32);
    let columns = Axis::new(region.width.into(), width as u32);
    let whole = u64::from(rows.whole()) * u64::from(columns.whole());
    for (index, pixel) in (0..).zip(input.chunks_exact_mut(channels)) {
        let down = rows.span(index / width as u32);
        let across = columns.span(index % width as u32);
        let mut sums = [whole / 2; 3];
        for row in down.first..=down.last {
            let first = region.pixel(frame, 0, row as usize);
            // At most 2 * MAX_SIDE * 255.
            let mut of_row = [0; 3];
            for column in across.first..=across.last {
                let weight = across.weight(column, columns);
                let levels = levels(frame, first + column as usize, channels);
                for (sum, level) in of_row.iter_mut().zip(levels) {
                    *sum += weight * u32::from(level);
                }
            }
            let weight = u64::from(down.weight(row, rows));
            for (sum, of_row) in sums.iter_mut().zip(of_row) {
                *sum += weight * u64::from(of_row);
            }
        }
        for (value, sum) in pixel.iter_mut().zip(sums) {
            *value = (sum / whole) as u8;
        }
    }
}

#[cfg(all(test, every_format))]
mod tests {
    extern crate std;

    use std::vec;

    use super::*;
    use crate::frame::Geometry;
    use crate::preprocess::run;
    use crate::random::Random;

    const FORMATS: [PixelFormat; 4] = [
        PixelFormat::Grey8,
        PixelFormat::Rgb565,
        PixelFormat::Yuyv,
        PixelFormat::Rgb888,
    ];

    #[test]
    fn pixel_by_pixel_all_formats_give_the_bits_of_the_quick_loops() {
        for number in 0..400 {
            let mut random = Random::new(number);
            let mut up_to = |most: i64| random.between(1, most) as usize;
            let format = FORMATS[number as usize % FORMATS.len()];
            let (width, height) = (2 * up_to(60), up_to(100));
            let geometry = Geometry {
                width: width as u16,
                height: height as u16,
                format,
            };
            let mut pixels = vec![0; geometry.len()];
            pixels.fill_with(|| up_to(256) as u8);
            let frame = Frame {
                geometry,
                pixels: &pixels,
            };
            let (left, top) = (up_to(width as i64) - 1, up_to(height as i64) - 1);
            let region = Region {
                left: left as u16,
                top: top as u16,
                width: up_to((width - left) as i64) as u16,
                height: up_to((height - top) as i64) as u16,
            };
            for channels in [1, 3] {
                let shape = [up_to(40), up_to(40), channels];
                let mut inputs = [(); 2].map(|()| vec![0; shape.iter().product()]);
                run(&frame, region, shape, &mut inputs[0]).unwrap();
                resize(&frame, region, shape, &mut inputs[1]);
                assert_eq!(inputs[0], inputs[1], "{number}: {format:?} to {shape:?}");
            }
        }
    }
}
