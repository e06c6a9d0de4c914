//! Shapes drawn at every angle, and frames of anything.

extern crate std;

#[cfg(every_format)]
mod by_the_book;

use std::boxed::Box;
use std::vec;
use std::vec::Vec;

use super::*;
use crate::camera::{Geometry, PixelFormat};

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
