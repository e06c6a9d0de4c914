//! Outlines in part units, from which the bodies are put together.

use std::f32::consts::{PI, TAU};

use tiny_skia::{Path, PathBuilder, Point};

use super::pose::{around, polar};

/// A point.
pub(super) fn at(x: f32, y: f32) -> Point {
    Point::from_xy(x, y)
}

/// The middle of the part.
pub(super) const CENTRE: Point = Point { x: 0.0, y: 0.0 };

/// A path built step by step; one that is empty or not finite becomes a dot in the middle.
pub(super) fn build(steps: impl FnOnce(&mut PathBuilder)) -> Path {
    let mut builder = PathBuilder::new();
    steps(&mut builder);
    builder
        .finish()
        .unwrap_or_else(|| PathBuilder::from_circle(0.0, 0.0, 1e-3).expect("finite"))
}

/// A circle.
pub(super) fn circle(centre: Point, radius: f32) -> Path {
    build(|b| b.push_circle(centre.x, centre.y, radius))
}

/// Circles of one radius around several centres.
pub(super) fn circles(centres: impl IntoIterator<Item = Point>, radius: f32) -> Path {
    build(|b| {
        centres
            .into_iter()
            .for_each(|c| b.push_circle(c.x, c.y, radius));
    })
}

/// A closed polygon.
pub(super) fn polygon(points: &[Point]) -> Path {
    build(|b| push_polygon(b, points))
}

/// Adds a closed polygon to a path.
pub(super) fn push_polygon(b: &mut PathBuilder, points: &[Point]) {
    if let [first, rest @ ..] = points {
        b.move_to(first.x, first.y);
        rest.iter().for_each(|p| b.line_to(p.x, p.y));
        b.close();
    }
}

/// An open line through points.
pub(super) fn polyline(points: &[Point]) -> Path {
    build(|b| {
        if let [first, rest @ ..] = points {
            b.move_to(first.x, first.y);
            rest.iter().for_each(|p| b.line_to(p.x, p.y));
        }
    })
}

/// A regular polygon by its circumscribed radius, a corner at `turn` radians.
pub(super) fn regular(centre: Point, corners: usize, radius: f32, turn: f32) -> Path {
    let points: Vec<Point> = around(corners)
        .map(|a| polar(centre, radius, a + turn))
        .collect();
    polygon(&points)
}

/// A closed polygon whose corners are rounded over `radius` of each side, at most half of it.
pub(super) fn rounded(points: &[Point], radius: f32) -> Path {
    build(|b| {
        let n = points.len();
        for i in 0..n {
            let corner = points[i];
            let toward = |other: Point| {
                let side = other - corner;
                let part = (radius / side.length().max(1e-6)).min(0.5);
                at(corner.x + side.x * part, corner.y + side.y * part)
            };
            let (from, to) = (toward(points[(i + n - 1) % n]), toward(points[(i + 1) % n]));
            if i == 0 {
                b.move_to(from.x, from.y);
            } else {
                b.line_to(from.x, from.y);
            }
            b.quad_to(corner.x, corner.y, to.x, to.y);
        }
        b.close();
    })
}

/// A rectangle by its middle and half sides, its corners rounded.
pub(super) fn block(centre: Point, half: (f32, f32), radius: f32) -> Path {
    let (w, h) = half;
    let corners = [(-w, -h), (w, -h), (w, h), (-w, h)];
    rounded(
        &corners.map(|(x, y)| at(centre.x + x, centre.y + y)),
        radius,
    )
}

/// A round-ended slot from one point to another.
pub(super) fn slot(from: Point, to: Point, radius: f32) -> Path {
    let along = (to.y - from.y).atan2(to.x - from.x);
    let end = |centre, start: f32| arc_points(centre, radius, start, start + PI, 8);
    let points: Vec<Point> = end(to, along - PI / 2.0)
        .chain(end(from, along + PI / 2.0))
        .collect();
    polygon(&points)
}

/// Points on an arc, both ends included.
pub(super) fn arc_points(
    centre: Point,
    radius: f32,
    start: f32,
    end: f32,
    steps: usize,
) -> impl Iterator<Item = Point> {
    (0..=steps).map(move |i| {
        polar(
            centre,
            radius,
            start + (end - start) * i as f32 / steps as f32,
        )
    })
}

/// An open arc.
pub(super) fn arc(centre: Point, radius: f32, start: f32, end: f32) -> Path {
    let points: Vec<Point> = arc_points(centre, radius, start, end, 48).collect();
    polyline(&points)
}

/// A toothed wheel: at each tooth the outline rises from `root` to `tip` over the given parts of
/// the pitch (flank, land).
pub(super) fn toothed(teeth: usize, root: f32, tip: f32, flank: f32, land: f32, lean: f32) -> Path {
    let pitch = TAU / teeth as f32;
    let points: Vec<Point> = around(teeth)
        .flat_map(|a| {
            let (half, top) = ((land / 2.0 + flank) * pitch, land / 2.0 * pitch);
            let lean = lean * pitch;
            [
                polar(CENTRE, root, a - half),
                polar(CENTRE, tip, a - top + lean),
                polar(CENTRE, tip, a + top + lean),
                polar(CENTRE, root, a + half),
            ]
        })
        .collect();
    polygon(&points)
}
