//! Round bodies.

use tiny_skia::Point;

use super::drafter::Drafter;
use crate::data::parts::{
    drawing::FLAT,
    path::{CENTRE, at, block, circle, circles, polyline, regular, slot, toothed},
    pose::{around, polar},
};

/// A plain washer, its hole round, square or keyed; twisted by the notches in its rim.
pub(super) fn washer(d: &mut Drafter<'_>) {
    let hole = d.size(0.3..0.62);
    d.drawing.fill(circle(CENTRE, 1.0), FLAT, 0.5);
    let notches = d.count(0, 4);
    match d.pick(&[0, 0, 1, 2]) {
        0 => d.drawing.cut(circle(CENTRE, hole)),
        1 => d.drawing.cut(regular(CENTRE, 4, hole, 0.0)),
        _ => {
            d.drawing.cut(circle(CENTRE, hole));
            d.drawing.cut(block(at(hole, 0.0), (0.16, 0.13), 0.02));
        }
    }
    let depth = d.size(0.12..0.2);
    for angle in around(notches.max(1)).take(notches) {
        d.drawing
            .cut(circle(polar(CENTRE, 1.0, angle + 0.8), depth));
        d.drawing.spare();
    }
    let middle = (1.0 + hole) / 2.0;
    d.drawing.mark_place = Some((-middle * 0.7, middle * 0.7, (1.0 - hole) * 0.28));
}

/// A nut seen from above; twisted by its corners.
pub(super) fn nut(d: &mut Drafter<'_>) {
    let corners = d.count(4, 8);
    let hole = d.size(0.32..0.5);
    if d.chance(0.35) {
        d.drawing.fill(circle(CENTRE, 1.0), FLAT * 0.5, 0.5);
        d.drawing
            .fill(regular(CENTRE, corners, 0.84, 0.2), FLAT * 1.4, 0.5);
    } else {
        d.drawing
            .fill(regular(CENTRE, corners, 1.0, 0.2), FLAT, 0.45);
        d.drawing.fill(circle(CENTRE, 0.8), FLAT * 1.3, 0.52);
    }
    d.drawing
        .fill(circle(CENTRE, hole + 0.09), FLAT * 0.6, 0.35);
    d.drawing.cut(circle(CENTRE, hole));
    if d.chance(0.3) {
        for angle in around(corners) {
            let (from, to) = (polar(CENTRE, 0.66, angle), polar(CENTRE, 1.0, angle));
            d.drawing.cut(slot(from, to, 0.06));
            d.drawing.spare();
        }
    }
    let middle = (0.8 + hole) / 2.0;
    d.drawing.mark_place = Some((0.0, middle, (0.8 - hole) * 0.22));
}

/// A disc with a bore and a circle of bolt holes; twisted by their number.
pub(super) fn flange(d: &mut Drafter<'_>) {
    let holes = d.count(3, 9);
    let ring = d.size(0.66..0.76);
    let bore = d.size(0.15..0.36);
    match d.pick(&[0, 0, 1]) {
        0 => d.drawing.fill(circle(CENTRE, 1.0), FLAT, 0.5),
        _ => {
            d.drawing.fill(circle(CENTRE, ring), FLAT, 0.5);
            let lugs: Vec<Point> = around(holes).map(|a| polar(CENTRE, ring, a)).collect();
            d.drawing.fill(circles(lugs, 0.24), FLAT, 0.5);
        }
    }
    d.drawing
        .fill(circle(CENTRE, bore + 0.18), FLAT * 1.45, 0.55);
    if d.chance(0.85) {
        d.drawing.cut(circle(CENTRE, bore));
    } else {
        d.drawing.cut(regular(CENTRE, 6, bore, 0.3));
    }
    let radius = d.size(0.08..0.14);
    for angle in around(holes) {
        d.drawing.cut(circle(polar(CENTRE, ring, angle), radius));
        d.drawing.spare();
    }
    let between = std::f32::consts::PI / holes as f32;
    let place = polar(CENTRE, ring * 0.92, between);
    d.drawing.mark_place = Some((place.x, place.y, 0.12));
}

/// A ball or roller bearing; twisted by its balls.
pub(super) fn bearing(d: &mut Drafter<'_>) {
    let balls = d.count(6, 14);
    let outer = d.size(0.78..0.84);
    let inner = d.size(0.5..0.56);
    d.drawing.fill(circle(CENTRE, 1.0), FLAT, 0.55);
    d.drawing.fill(circle(CENTRE, outer), FLAT * 0.3, 0.15);
    let track = (outer + inner) / 2.0;
    let radius = ((outer - inner) * 0.46).min(track * 2.6 / balls as f32);
    let rollers = d.chance(0.3);
    for angle in around(balls) {
        let centre = polar(CENTRE, track, angle);
        if rollers {
            let ends = [outer - 0.06, inner + 0.06].map(|r| polar(CENTRE, r, angle));
            d.drawing.bar(polyline(&ends), radius, FLAT, 0.62);
        } else {
            d.drawing.fill(circle(centre, radius), FLAT, 0.62);
            d.drawing
                .fill(circle(centre, radius * 0.5), FLAT * 1.4, 0.7);
        }
        d.drawing.spare();
    }
    d.drawing.fill(circle(CENTRE, inner), FLAT, 0.55);
    let bore = d.size(0.26..0.4);
    d.drawing.cut(circle(CENTRE, bore));
    d.drawing.mark_place = Some((0.0, (bore + inner) / 2.0, (inner - bore) * 0.3));
}

/// The head of a screw and its drive; twisted by the lobes of the drive.
pub(super) fn screw_head(d: &mut Drafter<'_>) {
    let domed = d.chance(0.6);
    let lobes = d.count(3, 8);
    let edge = d.pick(&[0, 1, 2]);
    match edge {
        0 => d.drawing.fill(circle(CENTRE, 1.0), FLAT * 0.8, 0.5),
        1 => d
            .drawing
            .fill(toothed(28, 0.93, 1.0, 0.2, 0.3, 0.0), FLAT * 0.8, 0.45),
        _ => d
            .drawing
            .fill(regular(CENTRE, 6, 1.0, 0.0), FLAT * 0.8, 0.5),
    }
    if domed {
        for i in 1..4 {
            let i = i as f32;
            d.drawing.fill(
                circle(CENTRE, 0.92 - 0.14 * i),
                FLAT * (0.8 + 0.22 * i),
                0.5,
            );
        }
    }
    let depth = FLAT * 0.25;
    let reach = d.size(0.42..0.62);
    match d.pick(&[0, 1, 1, 2]) {
        0 => d
            .drawing
            .engrave(regular(CENTRE, lobes, reach, 0.0), depth, 0.18),
        1 => {
            let width = d.size(0.16..0.24);
            for angle in around(lobes) {
                let arm = polyline(&[CENTRE, polar(CENTRE, reach, angle)]);
                d.drawing.groove(arm, width, depth, 0.18);
                d.drawing.spare();
            }
        }
        _ => {
            let star = toothed(lobes, reach * 0.6, reach, 0.22, 0.22, 0.0);
            d.drawing.engrave(star, depth, 0.18);
        }
    }
    let side = polar(CENTRE, 0.77, 0.5);
    d.drawing.mark_place = Some((side.x, side.y, 0.11));
}

/// A lid with vents; twisted by their number.
pub(super) fn cover(d: &mut Drafter<'_>) {
    let vents = d.count(3, 7);
    if d.chance(0.5) {
        d.drawing.fill(circle(CENTRE, 1.0), FLAT * 0.7, 0.5);
        d.drawing.fill(circle(CENTRE, 0.86), FLAT, 0.5);
    } else {
        d.drawing
            .fill(block(CENTRE, (0.88, 0.88), 0.3), FLAT * 0.7, 0.5);
        d.drawing.fill(block(CENTRE, (0.76, 0.76), 0.22), FLAT, 0.5);
    }
    let length = d.size(0.25..0.5);
    let through = d.chance(0.6);
    let radial = d.chance(0.5);
    for i in 0..vents {
        let (from, to) = if radial {
            let angle = i as f32 * std::f32::consts::TAU / vents as f32;
            (
                polar(CENTRE, 0.66 - length * 0.7, angle),
                polar(CENTRE, 0.66, angle),
            )
        } else {
            let y = (i as f32 - (vents as f32 - 1.0) / 2.0) * 1.1 / vents as f32;
            (at(-length, y), at(length, y))
        };
        let vent = slot(from, to, 0.055);
        if through {
            d.drawing.cut(vent);
        } else {
            d.drawing.fill(vent, FLAT * 1.6, 0.55);
        }
        d.drawing.spare();
    }
    d.drawing.mark_place = Some((0.0, 0.66, 0.1));
}
