//! Marks on parts.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use tiny_skia::{Path, Point};

use super::{
    drawing::{Drawing, FLAT},
    path::{at, build, circle, circles, polyline, push_polygon},
};

/// What is engraved or painted on a part to tell it from its like.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Mark {
    None,
    /// Engraved lines side by side.
    Lines(usize),
    /// Two engraved digits, each 0..=15.
    Digits(u8, u8),
    /// A code of raised squares, one bit each, 4 x 4.
    Matrix(u16),
    /// A dot of paint: bright or dark.
    Dot(bool),
    /// An engraved arrow.
    Arrow,
}

/// The seven strokes of a digit on a grid of 1 x 2, and which of them each digit has.
const STROKES: [[(f32, f32); 2]; 7] = [
    [(0.0, 0.0), (1.0, 0.0)],
    [(1.0, 0.0), (1.0, 1.0)],
    [(1.0, 1.0), (1.0, 2.0)],
    [(0.0, 2.0), (1.0, 2.0)],
    [(0.0, 1.0), (0.0, 2.0)],
    [(0.0, 0.0), (0.0, 1.0)],
    [(0.0, 1.0), (1.0, 1.0)],
];
const DIGITS: [u8; 16] = [
    0x3F, 0x06, 0x5B, 0x4F, 0x66, 0x6D, 0x7D, 0x07, 0x7F, 0x6F, 0x77, 0x7C, 0x39, 0x5E, 0x79, 0x71,
];

impl Mark {
    pub(super) fn random(rng: &mut ChaCha8Rng) -> Self {
        match rng.random_range(0..10) {
            0..4 => Self::None,
            4 => Self::Lines(rng.random_range(1..=3)),
            5 | 6 => Self::Digits(rng.random_range(0..16), rng.random_range(0..16)),
            7 => Self::Matrix(rng.random()),
            8 => Self::Dot(rng.random()),
            _ => Self::Arrow,
        }
    }

    /// Another mark.
    pub(super) fn other(&self, rng: &mut ChaCha8Rng) -> Self {
        loop {
            let other = Self::random(rng);
            if other != *self {
                return other;
            }
        }
    }

    /// Whether there is a mark.
    pub(super) fn is_some(&self) -> bool {
        *self != Self::None
    }

    /// Adds the mark to a drawing, at the place that it keeps for it.
    pub(super) fn engrave(&self, drawing: &mut Drawing) {
        let Some((x, y, half)) = drawing.mark_place else {
            return;
        };
        let place = |u: f32, v: f32| at(x + u * half, y + v * half);
        let line = half * 0.3;
        let mut groove = |path: Path| drawing.groove(path, line, FLAT * 0.35, 0.22);
        match *self {
            Self::None => {}
            Self::Lines(n) => {
                for i in 0..n {
                    let u = (i as f32 - (n as f32 - 1.0) / 2.0) * 0.8;
                    groove(polyline(&[place(u, -1.0), place(u, 1.0)]));
                }
            }
            Self::Digits(a, b) => {
                for (digit, left) in [(a, -1.15), (b, 0.25)] {
                    let strokes = STROKES.iter().enumerate();
                    for (_, stroke) in
                        strokes.filter(|(i, _)| DIGITS[usize::from(digit)] >> i & 1 == 1)
                    {
                        groove(polyline(
                            &stroke.map(|(u, v)| place(left + u * 0.9, v - 1.0)),
                        ));
                    }
                }
            }
            Self::Matrix(bits) => {
                let cell = half * 0.6;
                let squares = build(|b| {
                    // One corner is always set, so that the code is never empty.
                    for i in (0..16).filter(|i| (bits | 1) >> i & 1 == 1) {
                        let (u, v) = ((i % 4) as f32 - 2.0, (i / 4) as f32 - 2.0);
                        let corner =
                            |du: f32, dv: f32| at(x + (u + du) * cell, y + (v + dv) * cell);
                        let square: [Point; 4] = [
                            corner(0.0, 0.0),
                            corner(1.0, 0.0),
                            corner(1.0, 1.0),
                            corner(0.0, 1.0),
                        ];
                        push_polygon(b, &square);
                    }
                });
                drawing.engrave(squares, FLAT * 0.8, 0.1);
            }
            Self::Dot(bright) => {
                let tone = if bright { 1.0 } else { 0.05 };
                drawing.engrave(circle(at(x, y), half * 0.9), FLAT, tone);
            }
            Self::Arrow => {
                groove(polyline(&[place(-1.2, 0.0), place(1.2, 0.0)]));
                groove(polyline(&[
                    place(0.4, -0.8),
                    place(1.2, 0.0),
                    place(0.4, 0.8),
                ]));
                drawing.engrave(circles([place(-1.2, 0.0)], line * 0.8), FLAT * 0.35, 0.22);
            }
        }
    }
}
