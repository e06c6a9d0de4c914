//! What surfaces are made of.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::canvas::{Canvas, turn};
use crate::data::parts::noise::Noise;

/// What a surface is made of and how it was worked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Material {
    kind: Kind,
    /// Part of the light that is scattered back.
    tone: f32,
    /// Depth of the texture in tone and in height.
    depth: (f32, f32),
    /// Cells of the texture to a unit.
    grain: f32,
    /// Direction of working, in which the texture is drawn out.
    along: f32,
    /// Clouds of another tone.
    clouds: f32,
    /// Clouds to a unit.
    cloud: f32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Streaks along the strip, faint.
    Rolled,
    /// Fine lines.
    Brushed,
    /// Grains of all sizes.
    Cast,
    /// Lines of many depths, crossing slightly.
    Ground,
    /// Nearly even, orange peel.
    Painted,
    /// Threads over and under.
    Woven,
    /// Conducting tracks and pads on a board.
    Tracks,
    /// Even, with a fine mottle.
    Plain,
}

impl Material {
    pub(super) fn random(rng: &mut ChaCha8Rng) -> Self {
        use Kind::{Brushed, Cast, Ground, Painted, Plain, Rolled, Tracks, Woven};
        let kinds = [
            Rolled, Rolled, Rolled, Brushed, Cast, Cast, Ground, Painted, Woven, Tracks, Plain,
            Plain,
        ];
        let kind = kinds[rng.random_range(0..kinds.len())];
        let grain = match kind {
            Woven => rng.random_range(10.0..26.0),
            Tracks => rng.random_range(5.0..12.0),
            Painted => rng.random_range(8.0..20.0),
            _ => rng.random_range(18.0..50.0),
        };
        Self {
            kind,
            tone: rng.random_range(0.25..0.75),
            depth: (
                0.005 * 20f32.powf(rng.random()) * if kind == Tracks { 3.0 } else { 1.0 },
                rng.random_range(0.02..0.5),
            ),
            grain,
            // A line camera or a jig sees the working direction upright or across.
            along: [0.0, std::f32::consts::FRAC_PI_2][rng.random_range(0..2)]
                + rng.random_range(-0.1..0.1),
            clouds: rng.random_range(0.0..0.12),
            cloud: 2.0 * 8f32.powf(rng.random()),
        }
    }

    pub(super) fn name(&self) -> &'static str {
        match self.kind {
            Kind::Rolled => "rolled",
            Kind::Brushed => "brushed",
            Kind::Cast => "cast",
            Kind::Ground => "ground",
            Kind::Painted => "painted",
            Kind::Woven => "woven",
            Kind::Tracks => "tracks",
            Kind::Plain => "plain",
        }
    }

    /// Direction of working, in radians.
    pub(super) fn along(&self) -> f32 {
        self.along
    }

    /// Another piece of it.
    pub(super) fn draw(&self, width: usize, rows: usize, rng: &mut ChaCha8Rng) -> Canvas {
        let mut canvas = Canvas::new(width, rows);
        let unit = canvas.unit();
        let noises: [Noise; 4] = std::array::from_fn(|_| Noise(rng.random()));
        let tone = self.tone + rng.random_range(-0.08..0.08);
        let clouds = self.clouds * rng.random_range(0.3..1.5);
        let direction = (self.along + rng.random_range(-0.04..0.04f32)).sin_cos();
        for i in 0..canvas.tone.len() {
            let (x, y) = ((i % width) as f32 / unit, (i / width) as f32 / unit);
            let (u, v) = turn(direction, x, y);
            let texture = self.texture(&noises, u, v);
            let cloud = noises[3].at(self.cloud * u, 1.6 * self.cloud * v);
            canvas.tone[i] = tone + self.depth.0 * texture + clouds * cloud;
            canvas.height[i] = self.depth.1 * texture;
        }
        canvas
    }

    /// The texture at a point, about -1..=1; `u` runs along the working direction.
    fn texture(&self, noises: &[Noise; 4], u: f32, v: f32) -> f32 {
        let [a, b, c, _] = noises;
        let g = self.grain;
        match self.kind {
            Kind::Rolled => 0.6 * a.at(0.15 * g * u, g * v) + 0.4 * b.at(0.7 * g * u, 1.3 * g * v),
            Kind::Brushed => {
                0.7 * a.at(0.05 * g * u, 2.0 * g * v) + 0.3 * b.at(0.2 * u, 0.6 * g * v)
            }
            Kind::Cast => {
                0.5 * a.at(0.4 * g * u, 0.4 * g * v)
                    + 0.3 * b.at(g * u, g * v)
                    + 0.2 * c.at(2.2 * g * u, 2.2 * g * v)
            }
            Kind::Ground => {
                let (p, q) = turn((0.15, 0.99), u, v);
                0.6 * a.at(0.08 * g * u, 1.5 * g * v) + 0.4 * b.at(0.08 * g * p, 1.1 * g * q)
            }
            Kind::Painted => 0.35 * a.at(g * u, g * v) + 0.1 * b.at(3.0 * g * u, 3.0 * g * v),
            Kind::Woven => {
                let thread = |t: f32| (std::f32::consts::PI * t).sin();
                let (warp, weft) = (thread(g * u), thread(g * v));
                let over = ((g * u).floor() + (g * v).floor()).rem_euclid(2.0) < 1.0;
                let lifted = if over { warp.abs() } else { weft.abs() };
                1.2 * lifted - 0.7 + 0.3 * a.at(g * u, g * v)
            }
            Kind::Tracks => {
                let (p, q) = (g * u, g * v);
                // One random number a track, and one a place for a pad.
                let (track, pad) = (a.at(0.0, q.floor()), b.at((0.5 * p).floor(), q.floor()));
                let line = 0.5 * track.abs() + 0.1 - ((q - q.floor()) - 0.5).abs();
                let (du, dv) = (0.5 * p - (0.5 * p).floor() - 0.5, q - q.floor() - 0.5);
                let disc = if pad > 0.5 {
                    0.4 - (4.0 * du * du + dv * dv).sqrt()
                } else {
                    -1.0
                };
                2.0 * super::canvas::ramp(-0.05, 0.05, line.max(disc)) - 1.0
                    + 0.1 * c.at(6.0 * p, 6.0 * q)
            }
            Kind::Plain => 0.6 * a.at(g * u, g * v) + 0.4 * b.at(2.5 * g * u, 2.5 * g * v),
        }
    }
}
