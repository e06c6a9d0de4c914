//! Bodies of sheet.

use tiny_skia::Point;

use super::drafter::Drafter;
use crate::data::parts::{
    drawing::FLAT,
    path::{CENTRE, at, block, circle, polygon, polyline, rounded, slot},
    pose::{around, polar},
};

/// A row of holes from one point to another.
fn row(d: &mut Drafter<'_>, from: Point, to: Point, holes: usize, radius: f32) {
    for i in 0..holes {
        let t = (i as f32 + 0.5) / holes as f32;
        let centre = at(from.x + (to.x - from.x) * t, from.y + (to.y - from.y) * t);
        d.drawing.cut(circle(centre, radius));
        d.drawing.spare();
    }
}

/// An L, T or U of sheet with rows of holes; twisted by the holes of one leg.
pub(super) fn bracket(d: &mut Drafter<'_>) {
    let holes = d.count(1, 4);
    let width = d.size(0.42..0.6);
    let short = d.size(0.2..0.9);
    let w = width;
    let corners: Vec<(f32, f32)> = match d.pick(&[0, 1, 2]) {
        0 => vec![
            (-0.9, -0.95),
            (-0.9 + w, -0.95),
            (-0.9 + w, 0.9 - w),
            (short, 0.9 - w),
            (short, 0.9),
            (-0.9, 0.9),
        ],
        1 => vec![
            (-w / 2.0, -0.95),
            (w / 2.0, -0.95),
            (w / 2.0, 0.9 - w),
            (0.9, 0.9 - w),
            (0.9, 0.9),
            (-0.9, 0.9),
            (-0.9, 0.9 - w),
            (-w / 2.0, 0.9 - w),
        ],
        _ => vec![
            (-0.9, -0.9),
            (-0.9 + w, -0.9),
            (-0.9 + w, 0.9 - w),
            (0.9 - w, 0.9 - w),
            (0.9 - w, -short),
            (0.9, -short),
            (0.9, 0.9),
            (-0.9, 0.9),
        ],
    };
    let upright = (corners[0].0 + corners[1].0) / 2.0;
    let corners: Vec<Point> = corners.iter().map(|&(x, y)| at(x, y)).collect();
    let radius = d.size(0.03..0.25);
    d.drawing.fill(rounded(&corners, radius), FLAT, 0.5);
    if d.chance(0.4) {
        let (from, to) = (at(-0.85, 0.93 - w), at(short.max(0.2), 0.93 - w));
        d.drawing.bar(polyline(&[from, to]), 0.07, FLAT * 1.5, 0.6);
    }
    let radius = w * d.size(0.2..0.3);
    let radius = radius.min(0.42 / holes as f32);
    row(d, at(upright, -0.9), at(upright, 0.8 - w), holes, radius);
    if d.chance(0.5) {
        d.drawing.cut(slot(
            at(-0.55, 0.9 - w / 2.0),
            at(-0.25, 0.9 - w / 2.0),
            0.1,
        ));
    } else {
        d.drawing.cut(circle(at(-0.5, 0.9 - w / 2.0), 0.13));
    }
    d.drawing.spare();
    d.drawing.mark_place = Some((0.0, 0.9 - w / 2.0, 0.13));
}

/// A plate of any outline with a pattern of holes; twisted by their number.
pub(super) fn plate(d: &mut Drafter<'_>) {
    let holes = d.count(2, 7);
    let tall = d.size(0.5..0.95);
    let radius = d.size(0.05..0.4);
    if d.chance(0.5) {
        d.drawing
            .fill(block(CENTRE, (0.98, tall), radius), FLAT, 0.5);
    } else {
        let n = d.count(5, 8);
        let corners: Vec<Point> = around(n)
            .map(|a| {
                let reach = d.size(0.68..1.0);
                polar(CENTRE, reach, a)
            })
            .collect();
        d.drawing.fill(rounded(&corners, radius), FLAT, 0.5);
    }
    let (rx, ry) = (0.58, tall.min(0.7) * 0.6);
    let hole = d.size(0.08..0.13);
    for angle in around(holes) {
        let (sin, cos) = (angle + 0.4).sin_cos();
        d.drawing.cut(circle(at(rx * cos, ry * sin), hole));
        d.drawing.spare();
    }
    let (x, half) = match d.pick(&[0, 1, 2]) {
        0 => (-0.1, 0.17),
        1 => {
            d.drawing.cut(slot(at(0.0, -0.2), at(0.0, 0.2), 0.1));
            (-0.32, 0.12)
        }
        _ => {
            d.drawing.fill(circle(CENTRE, 0.22), FLAT * 1.5, 0.55);
            (0.0, 0.11)
        }
    };
    if d.chance(0.4) {
        d.drawing.cut(block(at(0.98, 0.0), (0.2, 0.16), 0.03));
        d.drawing.spare();
    }
    d.drawing.mark_place = Some((x, 0.0, half));
}

/// A triangular stiffener; twisted by its holes.
pub(super) fn gusset(d: &mut Drafter<'_>) {
    let holes = d.count(1, 4);
    let reach = d.size(0.4..0.95);
    let cut = d.size(0.1..0.4);
    let corners = [
        at(-0.9, -0.95),
        at(-0.9 + cut, -0.95),
        at(reach, 0.9 - cut),
        at(reach, 0.9),
        at(-0.9, 0.9),
    ];
    d.drawing.fill(polygon(&corners), FLAT, 0.5);
    d.drawing.bar(
        polyline(&[at(-0.86, -0.9), at(-0.86, 0.86)]),
        0.16,
        FLAT * 1.5,
        0.55,
    );
    d.drawing.bar(
        polyline(&[at(-0.86, 0.86), at(reach - 0.05, 0.86)]),
        0.16,
        FLAT * 1.5,
        0.55,
    );
    let radius = d.size(0.09..0.14);
    row(d, at(-0.56, -0.55), at(-0.56, 0.7), holes, radius);
    let big = d.size(0.14..0.22);
    d.drawing.cut(circle(at(0.0, 0.4), big));
    d.drawing.spare();
    d.drawing.mark_place = Some((-0.2, 0.02, 0.12));
}

/// Two or more eyes joined by arms; twisted by the arms.
pub(super) fn lever(d: &mut Drafter<'_>) {
    let arms = d.count(1, 4);
    let big = d.size(0.26..0.4);
    let small = d.size(0.15..0.24);
    let width = d.size(0.16..0.3);
    let spread = d.size(1.6..2.6);
    let origin = if arms == 1 { at(-0.6, 0.0) } else { CENTRE };
    let reach = if arms == 1 { 1.4 } else { 0.8 };
    let angles: Vec<f32> = (0..arms)
        .map(|i| i as f32 * spread / arms.max(2) as f32 * 1.3)
        .collect();
    let ends: Vec<Point> = angles.iter().map(|&a| polar(origin, reach, a)).collect();
    for end in &ends {
        d.drawing
            .bar(polyline(&[origin, *end]), width, FLAT * 0.8, 0.48);
        d.drawing.fill(circle(*end, small), FLAT, 0.52);
    }
    d.drawing.fill(circle(origin, big), FLAT * 1.2, 0.52);
    for end in &ends {
        d.drawing.cut(circle(*end, small * 0.5));
        d.drawing.spare();
    }
    let bore = big * d.size(0.4..0.66);
    d.drawing.cut(circle(origin, bore));
    let middle = polar(origin, reach * 0.52, 0.0);
    d.drawing.mark_place = Some((middle.x, middle.y, width * 0.3));
}

/// An eccentric disc; twisted by its lobes.
pub(super) fn cam(d: &mut Drafter<'_>) {
    let lobes = d.count(1, 5);
    let base = d.size(0.5..0.68);
    let sharp = d.pick(&[1, 2, 3]);
    let points: Vec<Point> = around(72)
        .map(|a| {
            let wave = (0.5 + 0.5 * (lobes as f32 * a).cos()).powi(sharp);
            polar(CENTRE, base + (1.0 - base) * wave, a)
        })
        .collect();
    d.drawing.fill(polygon(&points), FLAT, 0.5);
    d.drawing
        .fill(circle(CENTRE, base * 0.6), FLAT * 1.35, 0.54);
    let bore = base * d.size(0.25..0.42);
    d.drawing.cut(circle(CENTRE, bore));
    d.drawing
        .cut(block(at(bore, 0.0), (bore * 0.4, bore * 0.3), 0.01));
    d.drawing.spare();
    d.drawing.mark_place = Some((0.74, 0.0, 0.12));
}

/// A crimp terminal: ring, fork or blade before a barrel; twisted by the rings of the crimp.
pub(super) fn terminal(d: &mut Drafter<'_>) {
    let crimps = d.count(1, 4);
    let ring = d.size(0.32..0.45);
    let barrel = d.size(0.2..0.32);
    d.drawing.fill(
        block(at(-0.15, 0.0), (0.3, barrel * 0.7), 0.05),
        FLAT * 0.7,
        0.55,
    );
    let head = at(0.98 - ring, 0.0);
    match d.pick(&[0, 1, 2]) {
        0 => {
            d.drawing.fill(circle(head, ring), FLAT * 0.7, 0.55);
            d.drawing.cut(circle(head, ring * 0.52));
        }
        1 => {
            d.drawing.fill(circle(head, ring), FLAT * 0.7, 0.55);
            d.drawing.cut(slot(head, at(1.4, 0.0), ring * 0.48));
        }
        _ => d.drawing.fill(
            block(at(0.5, 0.0), (0.48, ring * 0.6), 0.08),
            FLAT * 0.7,
            0.55,
        ),
    }
    let insulated = if d.chance(0.5) { 0.25 } else { 0.5 };
    d.drawing.fill(
        block(at(-0.62, 0.0), (0.36, barrel), 0.06),
        FLAT * 1.1,
        insulated,
    );
    d.drawing.fill(
        block(at(-0.62, 0.0), (0.36, barrel * 0.5), 0.04),
        FLAT * 1.5,
        insulated,
    );
    for i in 0..crimps {
        let x = -0.62 + (i as f32 - (crimps as f32 - 1.0) / 2.0) * 0.18;
        d.drawing.groove(
            polyline(&[at(x, -barrel * 0.8), at(x, barrel * 0.8)]),
            0.06,
            FLAT * 0.6,
            0.2,
        );
        d.drawing.spare();
    }
    d.drawing.mark_place = Some((-0.05, 0.0, barrel * 0.4));
}
