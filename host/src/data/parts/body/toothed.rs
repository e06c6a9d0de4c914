//! Toothed bodies.

use super::drafter::Drafter;
use crate::data::parts::{
    drawing::FLAT,
    path::{CENTRE, at, block, circle, polyline, regular, slot, toothed},
    pose::{around, polar},
};

/// A bore in the middle: round, keyed, square or with a flat.
fn bore(d: &mut Drafter<'_>, radius: f32) {
    match d.pick(&[0, 1, 1, 2]) {
        0 => d.drawing.cut(circle(CENTRE, radius)),
        1 => {
            d.drawing.cut(circle(CENTRE, radius));
            d.drawing
                .cut(block(at(radius, 0.0), (radius * 0.5, radius * 0.36), 0.01));
            d.drawing.spare();
        }
        _ => d.drawing.cut(regular(CENTRE, 4, radius * 1.2, 0.0)),
    }
}

/// A spur gear, its web solid, spoked, or lightened by holes; twisted by its teeth.
pub(super) fn gear(d: &mut Drafter<'_>) {
    let teeth = d.count(9, 30);
    let depth = (3.2 / teeth as f32).clamp(0.12, 0.26);
    let root = 1.0 - depth;
    d.drawing
        .fill(toothed(teeth, root, 1.0, 0.13, 0.24, 0.0), FLAT, 0.5);
    let hub = d.size(0.26..0.36);
    let rim = root - 0.12;
    match d.pick(&[0, 1, 2]) {
        0 => {}
        1 => {
            d.drawing.fill(circle(CENTRE, rim), FLAT * 0.55, 0.4);
            let spokes = d.count(3, 6);
            for angle in around(spokes) {
                let spoke = polyline(&[CENTRE, polar(CENTRE, rim + 0.03, angle)]);
                d.drawing.bar(spoke, 0.15, FLAT, 0.5);
            }
        }
        _ => {
            let holes = d.count(3, 7);
            let middle = (rim + hub) / 2.0;
            let radius = ((rim - hub) * 0.36).min(middle * 2.4 / holes as f32);
            for angle in around(holes) {
                d.drawing.cut(circle(polar(CENTRE, middle, angle), radius));
                d.drawing.spare();
            }
        }
    }
    d.drawing.fill(circle(CENTRE, hub), FLAT * 1.4, 0.55);
    let radius = hub * d.size(0.45..0.65);
    bore(d, radius);
    d.drawing.mark_place = Some((0.0, (rim + hub) / 2.0, 0.12));
}

/// A chain wheel with pointed teeth and slots; twisted by its teeth.
pub(super) fn sprocket(d: &mut Drafter<'_>) {
    let teeth = d.count(8, 20);
    let root = 1.0 - (2.6 / teeth as f32).min(0.24);
    d.drawing
        .fill(toothed(teeth, root, 1.0, 0.36, 0.1, 0.0), FLAT * 0.8, 0.5);
    d.drawing.fill(circle(CENTRE, root - 0.08), FLAT, 0.52);
    let slots = d.count(2, 6);
    let reach = d.size(0.3..0.42);
    for angle in around(slots) {
        let (from, to) = (
            polar(CENTRE, 0.52, angle),
            polar(CENTRE, 0.52, angle + reach),
        );
        d.drawing.cut(slot(from, to, 0.09));
        d.drawing.spare();
    }
    let radius = d.size(0.14..0.26);
    bore(d, radius);
    d.drawing.mark_place = Some((0.0, -0.38, 0.1));
}

/// A fan wheel with swept blades; twisted by their number.
pub(super) fn impeller(d: &mut Drafter<'_>) {
    let blades = d.count(3, 9);
    let hub = d.size(0.26..0.4);
    let sweep = d.size(0.3..0.9);
    let width = d.size(0.14..0.3);
    if d.chance(0.4) {
        d.drawing.fill(circle(CENTRE, 1.0), FLAT * 0.35, 0.35);
    }
    for angle in around(blades) {
        let points: Vec<_> = (0..6)
            .map(|i| i as f32 / 5.0)
            .map(|t| {
                polar(
                    CENTRE,
                    hub * 0.9 + t * (0.92 - hub * 0.9),
                    angle + sweep * t * t,
                )
            })
            .collect();
        d.drawing.bar(polyline(&points), width, FLAT, 0.5);
        d.drawing.spare();
    }
    d.drawing.fill(circle(CENTRE, hub), FLAT * 1.4, 0.55);
    let radius = hub * 0.42;
    bore(d, radius);
}

/// A ring with teeth inside or outside; twisted by their number.
pub(super) fn lock_washer(d: &mut Drafter<'_>) {
    let teeth = d.count(6, 16);
    let lean = d.size(-0.2..0.2);
    if d.chance(0.5) {
        d.drawing
            .fill(toothed(teeth, 0.74, 1.0, 0.06, 0.5, lean), FLAT, 0.5);
        let hole = d.size(0.38..0.54);
        d.drawing.cut(circle(CENTRE, hole));
    } else {
        d.drawing.fill(circle(CENTRE, 1.0), FLAT, 0.5);
        let hole = d.size(0.62..0.74);
        d.drawing
            .cut(toothed(teeth, hole - 0.26, hole, 0.06, 0.45, lean));
    }
}
