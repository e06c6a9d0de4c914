//! Shapes drawn at every angle, and frames of anything.

extern crate std;

use std::boxed::Box;
use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::walk::{BITS, ONE};
use super::*;
use crate::camera::{Geometry, PixelFormat};
use crate::engine::reference::Random;
use crate::preprocess::reference::{color, level};

const ROTATION: Alignment = Alignment {
    align: Align::Rotation,
    window: 100,
};

type Shape = Box<dyn Fn(f32, f32) -> bool>;

/// A club: a bar whose left end is thick, so that it reaches farther to the right.
fn club() -> Shape {
    Box::new(|x, y| {
        (x.abs() < 16.0 && y.abs() < 2.5) || ((-16.0..-8.0).contains(&x) && y.abs() < 6.0)
    })
}

/// Four samples a pixel.
fn draw(size: (usize, usize), middle: (f32, f32), degrees: f32, shape: &Shape) -> Vec<u8> {
    let (sin, cos) = degrees.to_radians().sin_cos();
    let mut pixels = vec![0; size.0 * size.1];
    for (i, pixel) in pixels.iter_mut().enumerate() {
        let (column, row) = ((i % size.0) as f32, (i / size.0) as f32);
        let inside = |dx: f32, dy: f32| {
            let (x, y) = (column + dx - middle.0, row + dy - middle.1);
            shape(cos * x + sin * y, cos * y - sin * x)
        };
        let places = [(0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)];
        let covered = places.iter().filter(|(dx, dy)| inside(*dx, *dy)).count();
        *pixel = (60 + covered * 40) as u8;
    }
    pixels
}

fn frame(size: (usize, usize), format: PixelFormat, pixels: &[u8]) -> Frame<'_> {
    Frame {
        geometry: Geometry {
            width: size.0 as u16,
            height: size.1 as u16,
            format,
        },
        pixels,
    }
}

fn aligned(
    size: (usize, usize),
    pixels: &[u8],
    alignment: Alignment,
    shape: [usize; 3],
) -> (Vec<u8>, Option<Pose>) {
    let frame = frame(size, PixelFormat::Grey8, pixels);
    let mut input = vec![0; shape[0] * shape[1]];
    let pose = run(&frame, Region::whole(&frame), alignment, shape, &mut input).unwrap();
    (input, pose)
}

fn degrees(pose: Pose) -> f32 {
    f32::from(pose.axis.1)
        .atan2(f32::from(pose.axis.0))
        .to_degrees()
}

/// Mean of the pixels, as places.
fn middle(size: (usize, usize), pixels: &[u8]) -> (f32, f32) {
    let (mut x, mut y, mut all) = (0.0, 0.0, 0.0);
    for (i, &pixel) in pixels.iter().enumerate() {
        let weight = f32::from(pixel) - 60.0;
        x += weight * (0.5 + (i % size.0) as f32);
        y += weight * (0.5 + (i / size.0) as f32);
        all += weight;
    }
    (x / all, y / all)
}

/// Mean difference of two pictures, in levels.
fn difference(a: &[u8], b: &[u8]) -> f32 {
    let sum: u32 = a
        .iter()
        .zip(b)
        .map(|(a, b)| u32::from(a.abs_diff(*b)))
        .sum();
    sum as f32 / a.len() as f32
}

/// Checks that the part was found within a pixel of its middle and three degrees of its turn.
fn lies(pose: Pose, truth: (f32, f32), turn: i32) {
    let found = (f32::from(pose.x) + 0.5, f32::from(pose.y) + 0.5);
    let away = (found.0 - truth.0).abs().max((found.1 - truth.1).abs());
    assert!(away <= 1.0, "{turn}: {found:?} {truth:?}");
    let off = (degrees(pose) - turn as f32 + 540.0).rem_euclid(360.0) - 180.0;
    assert!(off.abs() <= 3.0, "{turn}: off by {off}");
}

#[test]
fn a_club_is_found_and_made_upright_at_every_angle() {
    const SIZE: (usize, usize) = (64, 64);
    let upright = aligned(
        SIZE,
        &draw(SIZE, (32.0, 32.0), 0.0, &club()),
        ROTATION,
        [64, 64, 1],
    )
    .0;
    for turn in (0..360).step_by(3) {
        let at = (24.0 + (turn % 17) as f32, 40.5 - (turn % 13) as f32);
        let pixels = draw(SIZE, at, turn as f32, &club());
        let (input, pose) = aligned(SIZE, &pixels, ROTATION, [64, 64, 1]);
        let pose = pose.unwrap();
        let truth = middle(SIZE, &pixels);
        lies(pose, truth, turn);
        // Half a pixel at the edges.
        let off = difference(&input, &upright);
        assert!(off < 4.0, "{turn}: {off} levels");
        let at = middle(SIZE, &input);
        assert!(
            (at.0 - 32.0).abs() < 1.0 && (at.1 - 32.0).abs() < 1.0,
            "{at:?}"
        );
    }
}

#[test]
fn a_dark_part_below_a_lamp_that_stands_aside_is_found_too() {
    const SIZE: (usize, usize) = (64, 64);
    for turn in (0..360).step_by(15) {
        let mut pixels = draw(SIZE, (30.0, 36.0), turn as f32, &club());
        let truth = middle(SIZE, &pixels);
        for (i, pixel) in pixels.iter_mut().enumerate() {
            *pixel = 40 + (i % 64) as u8 + 120 - *pixel / 2;
        }
        let pose = aligned(SIZE, &pixels, ROTATION, [64, 64, 1]).1.unwrap();
        lies(pose, truth, turn);
    }
}

#[test]
fn the_sides_of_a_frame_need_not_be_in_proportion_to_those_of_the_input() {
    const SIZE: (usize, usize) = (160, 120);
    let twice: Shape = Box::new(|x, y| club()(x / 2.0, y / 2.0));
    let shape = [48, 48, 1];
    let upright = draw(SIZE, (80.0, 60.0), 0.0, &twice);
    let (upright, _) = aligned(SIZE, &upright, ROTATION, shape);
    for turn in (0..360).step_by(20) {
        let pixels = draw(SIZE, (70.0, 66.0), turn as f32, &twice);
        let (input, pose) = aligned(SIZE, &pixels, ROTATION, shape);
        let off = (degrees(pose.unwrap()) - turn as f32 + 540.0).rem_euclid(360.0) - 180.0;
        assert!(off.abs() <= 3.0, "{turn}: off by {off}");
        let off = difference(&input, &upright);
        assert!(off < 4.0, "{turn}: {off} levels");
    }
}

#[test]
fn a_window_shows_the_part_larger_and_a_region_is_not_left() {
    const SIZE: (usize, usize) = (96, 96);
    let window = |window| Alignment {
        align: Align::Position,
        window,
    };
    let pixels = draw(SIZE, (70.0, 25.0), 30.0, &club());
    let plain = draw((48, 48), (24.0, 24.0), 30.0, &club());
    let (input, _) = aligned(SIZE, &pixels, window(50), [48, 48, 1]);
    // Moved by whole pixels, but for where the club's middle of mass is.
    let (plain, _) = aligned((48, 48), &plain, window(100), [48, 48, 1]);
    assert!(difference(&input, &plain) < 1.0);
    // Another part outside of the region is neither found nor shown.
    let mut two = draw(SIZE, (24.0, 48.0), 0.0, &club());
    let one = two.clone();
    for row in two.chunks_exact_mut(96) {
        row[60..90].fill(255);
    }
    let region = Region {
        left: 0,
        top: 0,
        width: 56,
        height: 96,
    };
    let look = |pixels: &[u8]| {
        let frame = frame(SIZE, PixelFormat::Grey8, pixels);
        let mut input = vec![0; 48 * 48];
        let pose = run(&frame, region, ROTATION, [48, 48, 1], &mut input).unwrap();
        (pose, input)
    };
    assert_eq!(look(&two), look(&one));
}

#[test]
fn without_a_part_or_an_axis_there_is_less_to_do() {
    const SIZE: (usize, usize) = (64, 64);
    // A level, a speck, a part that fills the frame: as they are.
    let even = vec![80; 64 * 64];
    let mut speck = even.clone();
    speck[2000..2004].fill(255);
    let full = draw(
        SIZE,
        (32.0, 32.0),
        0.0,
        &(Box::new(|x: f32, y: f32| x.abs().max(y.abs()) < 30.0) as Shape),
    );
    for pixels in [even, speck, full] {
        let (input, pose) = aligned(SIZE, &pixels, ROTATION, [64, 64, 1]);
        assert_eq!((&input, pose), (&pixels, None));
    }
    // A disc has a place and no axis.
    let disc: Shape = Box::new(|x, y| x * x + y * y < 120.0);
    let (_, pose) = aligned(
        SIZE,
        &draw(SIZE, (40.0, 20.0), 0.0, &disc),
        ROTATION,
        [64, 64, 1],
    );
    let pose = pose.unwrap();
    assert!((39..=40).contains(&pose.x) && (19..=20).contains(&pose.y));
    assert_eq!(pose.axis, (Pose::UNIT, 0));
    let off = aligned(
        SIZE,
        &draw(SIZE, (40.0, 20.0), 0.0, &disc),
        Alignment::default(),
        [64, 64, 1],
    );
    assert_eq!(off.1, None);
}

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
