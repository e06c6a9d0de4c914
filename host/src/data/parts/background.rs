//! What a part lies on.

use std::f32::consts::TAU;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use tiny_skia::{BlendMode, Pixmap, Transform};

use super::{
    drawing::{Planes, surface},
    noise::Noise,
    path::{at, circle, polyline, rounded},
    pose::polar,
};

/// What the part lies on.
#[derive(Clone, Copy, Debug)]
pub(super) enum Background {
    /// An even sheet, or a light table.
    Plain,
    /// A rubber belt with ribs.
    Conveyor,
    /// Ground steel.
    Bench,
    /// Cardboard, wood or concrete.
    Grain,
    /// A perforated tray.
    Tray,
    /// An even sheet strewn with swarf, drops and scraps.
    Clutter,
}

impl Background {
    pub(super) fn random(rng: &mut ChaCha8Rng) -> Self {
        use Background::{Bench, Clutter, Conveyor, Grain, Plain, Tray};
        [Plain, Conveyor, Bench, Grain, Tray, Clutter][rng.random_range(0..6)]
    }

    /// The brightness of every pixel, row-major, 0..=1,
    /// and not as bright as the part, which scatters `albedo`. Lengths are in units of `unit` pixels.
    pub(super) fn draw(
        self,
        (width, height): (u32, u32),
        unit: f32,
        albedo: f32,
        rng: &mut ChaCha8Rng,
    ) -> Vec<f32> {
        let mut level: f32 = rng.random_range(0.1..0.8);
        while (level - albedo).abs() < 0.18 {
            level = rng.random_range(0.1..0.8);
        }
        let depth = rng.random_range(0.03..0.1);
        let (sin, cos) = rng.random_range(0.0..TAU).sin_cos();
        let noise = Noise(rng.random());
        let pitch = rng.random_range(0.08..0.16);
        let mut picture = Vec::with_capacity((width * height) as usize);
        for y in 0..height {
            for x in 0..width {
                let (x, y) = (x as f32 / unit, y as f32 / unit);
                let (u, v) = (cos * x + sin * y, cos * y - sin * x);
                let texture = match self {
                    Self::Plain => 0.0,
                    Self::Conveyor => {
                        let rib = (u / pitch).fract().abs();
                        let rib = if rib < 0.2 { 1.6 } else { 0.0 };
                        rib + 0.5 * noise.at(40.0 * u, 40.0 * v)
                    }
                    Self::Bench => noise.at(2.0 * u, 50.0 * v),
                    Self::Grain => noise.at(7.0 * u, 22.0 * v) + 0.6 * noise.at(45.0 * u, 45.0 * v),
                    Self::Tray => {
                        let cell = |t: f32| (t / pitch).rem_euclid(1.0) - 0.5;
                        let (p, q) = (cell(u), cell(v));
                        if p * p + q * q < 0.07 { -1.8 } else { 0.0 }
                    }
                    Self::Clutter => 0.6 * noise.at(30.0 * u, 30.0 * v),
                };
                picture.push(level + depth * texture);
            }
        }
        if matches!(self, Self::Clutter) {
            strew(&mut picture, (width, height), unit, rng);
        }
        picture
    }
}

/// Scatters small things over a background.
fn strew(picture: &mut [f32], (width, height): (u32, u32), unit: f32, rng: &mut ChaCha8Rng) {
    let Some(canvas) = Pixmap::new(width, height) else {
        return;
    };
    let mut things = Planes(canvas);
    for _ in 0..rng.random_range(4..12) {
        let middle = at(
            rng.random_range(0.0..width as f32),
            rng.random_range(0.0..height as f32),
        );
        let size = unit * rng.random_range(0.02..0.07);
        let turn = rng.random_range(0.0..TAU);
        let paint = surface(rng.random_range(0.0..1.0), 0.0, 0.8, BlendMode::SourceOver);
        let (path, stroke) = match rng.random_range(0..3) {
            0 => (circle(middle, size * 0.5), None),
            1 => {
                let corners = [0.0, 1.9, 4.1].map(|a| polar(middle, size, turn + a));
                (rounded(&corners, size * 0.2), None)
            }
            _ => {
                let curl = [-1.0, -0.3, 0.3, 1.0]
                    .map(|t: f32| polar(middle, size * 1.5 * t, turn + t.abs()));
                (polyline(&curl), Some(size * 0.25))
            }
        };
        things.paint(&path, stroke, &paint, Transform::identity());
    }
    for (p, thing) in picture.iter_mut().zip(things.0.pixels()) {
        let cover = f32::from(thing.alpha()) / 255.0;
        *p = *p * (1.0 - cover) + f32::from(thing.red()) / 255.0;
    }
}
