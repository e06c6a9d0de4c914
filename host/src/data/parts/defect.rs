//! Defects of parts.

use std::f32::consts::TAU;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use tiny_skia::{BlendMode, Path, Point, Transform};

use super::{
    drawing::{Drawing, FLAT, Planes, surface},
    path::{at, circle, polyline, rounded},
    pose::{Pose, around, polar},
};

/// What can be wrong with a part; where on the part differs from frame to frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Defect {
    Scratch,
    Dent,
    Stain,
    Crack,
    /// A piece broken out of the edge.
    Chip,
    /// Material left standing at the edge.
    Burr,
    /// One of the part's features is not there.
    Missing,
}

impl Defect {
    /// A defect that shows on a part: marks of the surface only where there is some, missing
    /// features only where there are any.
    pub(super) fn random(rng: &mut ChaCha8Rng, part: &Drawing) -> Self {
        use Defect::{Burr, Chip, Crack, Dent, Missing, Scratch, Stain};
        let mut all = vec![Crack, Chip, Burr];
        if part.mark_place.is_some() {
            all.extend([Scratch, Dent, Stain]);
        }
        if part.has_spare() {
            all.extend([Missing, Missing]);
        }
        all[rng.random_range(0..all.len())]
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Scratch => "scratch",
            Self::Dent => "dent",
            Self::Stain => "stain",
            Self::Crack => "crack",
            Self::Chip => "chip",
            Self::Burr => "burr",
            Self::Missing => "missing",
        }
    }

    /// Draws the defect somewhere on the part.
    pub(super) fn draw(self, planes: &mut Planes, pose: &Pose, rng: &mut ChaCha8Rng) {
        let unit = pose.scale;
        let direction = rng.random_range(0.0..TAU);
        let on_part = |height, tone, opacity| surface(height, tone, opacity, BlendMode::SourceAtop);
        match self {
            Self::Missing => {}
            Self::Scratch => {
                let Some(middle) = inside(planes, rng) else {
                    return;
                };
                let half = unit * rng.random_range(0.35..0.6);
                let bend = direction + rng.random_range(-0.25..0.25);
                let line = [
                    polar(middle, half, direction),
                    middle,
                    polar(middle, -half, bend),
                ];
                let bright = on_part(FLAT * 0.6, 0.95, 1.0);
                planes.paint(
                    &polyline(&line),
                    Some(unit * 0.055),
                    &bright,
                    Transform::identity(),
                );
            }
            Self::Crack => {
                let Some(start) = edge(planes, rng) else {
                    return;
                };
                let step = unit * 0.16;
                let mut line = vec![start];
                let inward = inward(planes, start, 5.0 * step);
                for i in 0..5 {
                    let zigzag = if i % 2 == 0 { 0.6 } else { -0.6 };
                    let from = line[line.len() - 1];
                    line.push(polar(
                        from,
                        step,
                        inward + zigzag + rng.random_range(-0.3..0.3),
                    ));
                }
                let dark = on_part(0.1, 0.04, 1.0);
                planes.paint(
                    &polyline(&line),
                    Some(unit * 0.05),
                    &dark,
                    Transform::identity(),
                );
            }
            Self::Dent => {
                let Some(middle) = inside(planes, rng) else {
                    return;
                };
                let radius = unit * rng.random_range(0.16..0.24);
                for i in 0..4 {
                    let part = 1.0 - i as f32 * 0.22;
                    let bowl = on_part(FLAT * (part - 0.1), 0.4, 0.8);
                    let rim = circle(middle, radius * part);
                    planes.paint(&rim, None, &bowl, Transform::identity());
                }
            }
            Self::Stain => {
                let Some(middle) = inside(planes, rng) else {
                    return;
                };
                let path = blob(middle, unit * rng.random_range(0.2..0.32), rng);
                let oil = on_part(FLAT, 0.08, 0.75);
                planes.paint(&path, None, &oil, Transform::identity());
            }
            Self::Chip => {
                let Some(middle) = edge(planes, rng) else {
                    return;
                };
                let path = blob(middle, unit * rng.random_range(0.14..0.22), rng);
                let gone = surface(0.0, 0.0, 1.0, BlendMode::Clear);
                planes.paint(&path, None, &gone, Transform::identity());
            }
            Self::Burr => {
                let Some(middle) = edge(planes, rng) else {
                    return;
                };
                let path = blob(middle, unit * rng.random_range(0.1..0.15), rng);
                let more = surface(FLAT, 0.5, 1.0, BlendMode::SourceOver);
                planes.paint(&path, None, &more, Transform::identity());
            }
        }
    }
}

/// An irregular round outline.
fn blob(middle: Point, radius: f32, rng: &mut ChaCha8Rng) -> Path {
    let points: Vec<Point> = around(8)
        .map(|a| polar(middle, radius * rng.random_range(0.65..1.25), a))
        .collect();
    rounded(&points, radius)
}

/// A random point on the part.
fn inside(planes: &Planes, rng: &mut ChaCha8Rng) -> Option<Point> {
    pick(planes, rng, |x, y| covered(planes, x, y))
}

/// A random point of the part with open space beside it.
fn edge(planes: &Planes, rng: &mut ChaCha8Rng) -> Option<Point> {
    pick(planes, rng, |x, y| {
        let near = [(-2, 0), (2, 0), (0, -2), (0, 2)];
        covered(planes, x, y) && near.iter().any(|(dx, dy)| !covered(planes, x + dx, y + dy))
    })
}

fn covered(planes: &Planes, x: i32, y: i32) -> bool {
    let (width, height) = (planes.0.width() as i32, planes.0.height() as i32);
    (0..width).contains(&x)
        && (0..height).contains(&y)
        && planes.0.pixels()[(y * width + x) as usize].alpha() > 200
}

/// A random pixel that is wanted; none when there is hardly any.
fn pick(planes: &Planes, rng: &mut ChaCha8Rng, wanted: impl Fn(i32, i32) -> bool) -> Option<Point> {
    let (width, height) = (planes.0.width() as i32, planes.0.height() as i32);
    (0..4000).find_map(|_| {
        let (x, y) = (rng.random_range(0..width), rng.random_range(0..height));
        wanted(x, y).then(|| at(x as f32, y as f32))
    })
}

/// The direction from a point in which the part continues the farthest.
fn inward(planes: &Planes, from: Point, reach: f32) -> f32 {
    let run = |direction: f32| {
        let steps = (1..=16).map(|i| polar(from, reach * i as f32 / 16.0, direction));
        steps
            .filter(|p| covered(planes, p.x as i32, p.y as i32))
            .count()
    };
    around(16)
        .max_by_key(|direction| run(*direction))
        .unwrap_or(0.0)
}
