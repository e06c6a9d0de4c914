//! Frames of anything, of every format, sample by sample.

use proptest::prelude::*;

use super::super::walk::{BITS, ONE};
use super::*;
use crate::engine::reference::Random;
use crate::preprocess::reference::{color, level};

proptest! {
    #[test]
    fn no_frame_is_too_much(
        (width, height) in (1_usize..90, 1_usize..90),
        (columns, rows) in (1_usize..80, 1_usize..80),
        (seed, noise) in (any::<u64>(), any::<u8>()),
        blocks in 0_usize..5,
        window in any::<u8>(),
        format in prop::sample::select(vec![PixelFormat::Grey8, PixelFormat::Rgb565, PixelFormat::Yuyv, PixelFormat::Rgb888]),
        align in prop::sample::select(Align::ALL.to_vec()),
    ) {
        let mut state = seed | 1;
        let mut random = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        let count = width * height * format.bytes_per_pixel();
        let mut pixels: Vec<u8> = (0..count).map(|_| (random() & u64::from(noise)) as u8).collect();
        for _ in 0..blocks {
            let (start, len) = (random() as usize % count, random() as usize % count);
            pixels[start..].iter_mut().take(len).for_each(|pixel| *pixel = 255);
        }
        let frame = frame((width, height), format, &pixels);
        let left = random() as usize % width;
        let top = random() as usize % height;
        let region = Region {
            left: left as u16,
            top: top as u16,
            width: (1 + random() as usize % (width - left)) as u16,
            height: (1 + random() as usize % (height - top)) as u16,
        };
        let mut input = vec![0; columns * rows];
        let alignment = Alignment { align, window };
        let pose = run(&frame, region, alignment, [rows, columns, 1], &mut input).unwrap();
        if let Some(pose) = pose {
            prop_assert!((region.left..region.left + region.width).contains(&pose.x));
            prop_assert!((region.top..region.top + region.height).contains(&pose.y));
            let [x, y] = [pose.axis.0, pose.axis.1].map(f64::from);
            prop_assert!(((x * x + y * y).sqrt() - f64::from(Pose::UNIT)).abs() < 3.0);
        }
    }
}

#[test]
fn the_longest_sides_do_not_overflow() {
    // As long as a frame may be, and as large as an input may be that a part is looked for in.
    for (width, height) in [(0x7fff, 3), (3, 0x7fff), (1024, 1024)] {
        let mut pixels = vec![0; width * height];
        for (i, pixel) in pixels.iter_mut().enumerate() {
            *pixel = if (i / 7) % 5 < 2 { 255 } else { 0 };
        }
        for shape in [[512, 512, 1], [3, 512, 1], [512, 3, 1], [600, 600, 1]] {
            let _ = aligned((width, height), &pixels, ROTATION, shape);
            let window = Alignment {
                window: 10,
                ..ROTATION
            };
            let _ = aligned((width, height), &pixels, window, shape);
        }
    }
}

/// The picture of a view, sample by sample: its brightness, or one of its colours.
fn by_the_book(view: &View, frame: &Frame<'_>, of: Option<usize>) -> Vec<u8> {
    let one = i64::from(ONE);
    let pixel = |column: i64, row: i64| {
        let within = |place: i64, side: u16| (0..i64::from(side)).contains(&place);
        let region = view.region;
        if within(column, region.width) && within(row, region.height) {
            let column = column as usize + usize::from(region.left);
            let row = row as usize + usize::from(region.top);
            i64::from(match of {
                None => level(frame, column, row),
                Some(of) => color(frame, column, row, of),
            })
        } else {
            i64::from(view.level)
        }
    };
    let (columns, rows) = (view.size.0 as i64, view.size.1 as i64);
    let (across, along) = view.samples;
    let right = view.turned(view.pitch.0 / across, 0);
    let down = view.turned(0, view.pitch.1 / along);
    let next = view.turned(view.pitch.0, 0);
    let mut picture = Vec::new();
    for y in 0..rows {
        let start = view.turned(
            view.pitch.0 / (2 * across) - columns * view.pitch.0 / 2,
            view.pitch.1 / (2 * along) + (2 * y - rows) * view.pitch.1 / 2,
        );
        for x in 0..columns {
            let place = |i: i64, j: i64| {
                (
                    view.middle.0 + start.0 + x * next.0 + i * right.0 + j * down.0,
                    view.middle.1 + start.1 + x * next.1 + i * right.1 + j * down.1,
                )
            };
            let (column, row) = (|place: i64| place >> BITS, |place: i64| place >> BITS);
            let level = if view.samples == (1, 1) {
                let (x, y) = (place(0, 0).0 - one / 2, place(0, 0).1 - one / 2);
                let part = |place: i64| (place & (one - 1)) >> (BITS - 8);
                let across = |row: i64| {
                    pixel(column(x), row) * (256 - part(x)) + pixel(column(x) + 1, row) * part(x)
                };
                let sum = across(row(y)) * (256 - part(y)) + across(row(y) + 1) * part(y);
                (sum + (1 << 15)) >> 16
            } else {
                let all = (0..along).flat_map(|j| (0..across).map(move |i| (i, j)));
                let levels = all.map(|(i, j)| pixel(column(place(i, j).0), row(place(i, j).1)));
                (levels.sum::<i64>() + across * along / 2) / (across * along)
            };
            picture.push(level as u8);
        }
    }
    picture
}

proptest! {
    #[test]
    fn every_pixel_is_the_mean_of_its_samples(
        (width, height) in (4_usize..200, 4_usize..200),
        (columns, rows) in (3_usize..40, 3_usize..40),
        (x, y) in (-6000_i32..6000, -6000_i32..6000),
        (turn, window, seed) in (0_i32..360, 10_u8..=100, any::<u64>()),
        format in prop::sample::select(vec![PixelFormat::Grey8, PixelFormat::Rgb565, PixelFormat::Yuyv, PixelFormat::Rgb888]),
    ) {
        let mut random = Random::new(seed);
        let mut pixels = vec![0; width * height * format.bytes_per_pixel()];
        pixels.fill_with(|| random.bits() as u8);
        let frame = frame((width, height), format, &pixels);
        let (left, top) = (random.between(0, width as i64 / 3), random.between(0, height as i64 / 3));
        let region = Region {
            left: left as u16,
            top: top as u16,
            width: random.between(3, width as i64 - left).max(1) as u16,
            height: random.between(3, height as i64 - top).max(1) as u16,
        };
        prop_assume!(region.is_within(&frame));
        let (sin, cos) = (turn as f32).to_radians().sin_cos();
        let unit = f32::from(Pose::UNIT);
        let part = Part {
            middle: (x, y),
            axis: ((cos * unit) as i32, (sin * unit) as i32),
            level: 77,
            pixels: 1,
        };
        let view = View::new(region, (columns, rows), window, &part);
        let mut picture = vec![0; columns * rows];
        view.take(&frame, 1, &mut picture);
        prop_assert_eq!(&picture, &by_the_book(&view, &frame, None));
        let mut slow = vec![0; columns * rows];
        view.fill_compact(&frame, 1, &mut slow);
        prop_assert_eq!(picture, slow);
        if format != PixelFormat::Yuyv || width % 2 == 0 {
            let mut picture = vec![0; 3 * columns * rows];
            view.take(&frame, 3, &mut picture);
            let mut slow = vec![0; 3 * columns * rows];
            view.fill_compact(&frame, 3, &mut slow);
            prop_assert_eq!(&picture, &slow);
            for color in 0..3 {
                let plane: Vec<u8> = picture.iter().skip(color).step_by(3).copied().collect();
                prop_assert_eq!(plane, by_the_book(&view, &frame, Some(color)));
            }
        }
    }
}
