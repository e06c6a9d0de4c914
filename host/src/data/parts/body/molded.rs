//! Molded bodies.

use super::drafter::Drafter;
use crate::data::parts::{
    drawing::FLAT,
    path::{CENTRE, at, block, circle, polyline},
};

/// An integrated circuit with legs on two or four sides; twisted by the legs of a side.
pub(super) fn chip(d: &mut Drafter<'_>) {
    let legs = d.count(3, 8);
    let four = d.chance(0.5);
    let (w, h) = if four {
        (0.7, 0.7)
    } else {
        (d.size(0.7..0.95), d.size(0.4..0.62))
    };
    let dark = d.size(0.1..0.22);
    let leg = (0.9 * w / legs as f32).min(0.14);
    for i in 0..legs {
        let t = 2.0 * (i as f32 + 0.5) / legs as f32 - 1.0;
        for side in [-1.0, 1.0] {
            let x = t * w * 0.92;
            let pin = polyline(&[at(x, side * h * 0.8), at(x, side * (h + 0.2))]);
            d.drawing.bar(pin, leg, FLAT * 0.4, 0.75);
            d.drawing.spare();
            if four {
                let y = t * h * 0.92;
                let pin = polyline(&[at(side * w * 0.8, y), at(side * (w + 0.2), y)]);
                d.drawing.bar(pin, leg, FLAT * 0.4, 0.75);
                d.drawing.spare();
            }
        }
    }
    d.drawing.fill(block(CENTRE, (w, h), 0.05), FLAT, dark);
    d.drawing.fill(
        block(CENTRE, (w - 0.08, h - 0.08), 0.03),
        FLAT * 1.3,
        dark * 1.2,
    );
    if d.chance(0.7) {
        d.drawing
            .fill(circle(at(-w + 0.2, h - 0.2), 0.07), FLAT * 0.6, 0.5);
    } else {
        d.drawing.fill(circle(at(-w, 0.0), 0.14), FLAT * 0.7, 0.35);
    }
    d.drawing.spare();
    d.drawing.mark_place = Some((0.05, 0.0, h * 0.34));
}

/// A connector seen from its face: a shell and rows of contacts; twisted by the contacts of a row.
pub(super) fn connector(d: &mut Drafter<'_>) {
    let contacts = d.count(2, 7);
    let rows = d.count(1, 2);
    let half = (0.95, 0.24 * rows as f32 + d.size(0.12..0.2));
    let tone = d.size(0.25..0.6);
    let corner = d.size(0.02..0.2);
    d.drawing.fill(block(CENTRE, half, corner), FLAT, tone);
    let key = d.size(-0.6..0.6);
    if d.chance(0.6) {
        d.drawing
            .fill(block(at(key, -half.1), (0.2, 0.12), 0.02), FLAT, tone);
    } else {
        d.drawing.cut(block(at(key, -half.1), (0.16, 0.11), 0.02));
    }
    d.drawing.spare();
    d.drawing.fill(
        block(CENTRE, (0.84, half.1 - 0.09), 0.03),
        FLAT * 0.45,
        tone * 0.5,
    );
    let square = d.chance(0.5);
    let size = (0.56 / contacts as f32).min(0.12);
    for row in 0..rows {
        let y = (row as f32 - (rows as f32 - 1.0) / 2.0) * 0.4;
        for i in 0..contacts {
            let x = (2.0 * (i as f32 + 0.5) / contacts as f32 - 1.0) * 0.78;
            let pin = if square {
                block(at(x, y), (size, size), 0.0)
            } else {
                circle(at(x, y), size)
            };
            d.drawing.fill(pin, FLAT * 1.1, 0.85);
            d.drawing.spare();
        }
    }
    d.drawing.mark_place = Some((-key * 0.8, half.1 - 0.045, 0.04));
}

/// The section of an extruded bar with grooves in its sides; twisted by its grooved sides.
pub(super) fn profile(d: &mut Drafter<'_>) {
    let grooves = d.count(1, 4);
    let mouth = d.size(0.13..0.22);
    let depth = d.size(0.3..0.46);
    let inner = mouth + d.size(0.1..0.22);
    let corner = d.size(0.02..0.25);
    d.drawing
        .fill(block(CENTRE, (0.85, 0.85), corner), FLAT, 0.5);
    let sides = [(0.0, -1.0), (1.0, 0.0), (0.0, 1.0), (-1.0, 0.0)];
    for (x, y) in sides.into_iter().take(grooves) {
        let oriented = |along: f32, across: f32| {
            if x == 0.0 {
                (across, along)
            } else {
                (along, across)
            }
        };
        let mid = 0.85 - depth / 2.0;
        d.drawing.cut(block(
            at(x * mid, y * mid),
            oriented(depth / 2.0 + 0.05, mouth),
            0.0,
        ));
        d.drawing.spare();
        let deep = 0.85 - depth * 0.72;
        d.drawing.cut(block(
            at(x * deep, y * deep),
            oriented(depth * 0.28, inner),
            0.05,
        ));
    }
    let bore = d.size(0.08..0.2);
    d.drawing.cut(circle(CENTRE, bore));
    if d.chance(0.5) {
        for (x, y) in [(-0.66, -0.66), (0.66, -0.66), (0.66, 0.66), (-0.66, 0.66)] {
            d.drawing.cut(circle(at(x, y), 0.09));
            d.drawing.spare();
        }
    }
    d.drawing.mark_place = Some((0.42, 0.42, 0.1));
}
