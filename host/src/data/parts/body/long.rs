//! Long bodies.

use std::f32::consts::{PI, TAU};

use tiny_skia::Point;

use super::drafter::Drafter;
use crate::data::parts::{
    drawing::FLAT,
    path::{CENTRE, arc, at, block, circle, polygon, polyline},
    pose::polar,
};

/// A round bar lying along x: bright along its middle, by steps of height.
fn rod(d: &mut Drafter<'_>, from: f32, to: f32, radius: f32, tone: f32) {
    let middle = at((from + to) / 2.0, 0.0);
    let half = (to - from) / 2.0;
    for (part, height) in [(1.0, 0.7), (0.7, 1.1), (0.35, 1.35)] {
        let edge = if part == 1.0 { 0.03 } else { 0.0 };
        d.drawing.fill(
            block(middle, (half, radius * part), edge),
            FLAT * height,
            tone,
        );
    }
}

/// A bolt from the side, its head of several forms; twisted by its threads.
pub(super) fn bolt(d: &mut Drafter<'_>) {
    let threads = d.count(5, 14);
    let radius = d.size(0.13..0.24);
    let head = d.size(0.22..0.4);
    let wide = radius * d.size(1.7..2.3);
    let neck = -0.97 + head;
    let from = d.size(neck + 0.1..0.15);
    rod(d, neck - 0.05, 0.97, radius, 0.5);
    match d.pick(&[0, 1, 2, 3]) {
        0 => {
            rod(d, -0.97, neck, wide, 0.5);
            for y in [-wide * 0.5, wide * 0.5] {
                d.drawing.bar(
                    polyline(&[at(-0.95, y), at(neck, y)]),
                    0.04,
                    FLAT * 0.6,
                    0.3,
                );
            }
        }
        1 => {
            let cone = [
                at(-0.97, -wide),
                at(-0.97, wide),
                at(neck, radius),
                at(neck, -radius),
            ];
            d.drawing.fill(polygon(&cone), FLAT * 1.1, 0.5);
        }
        2 => {
            d.drawing.fill(circle(at(neck, 0.0), wide), FLAT, 0.5);
            d.drawing
                .cut(block(at(neck + wide, 0.0), (wide, wide * 1.2), 0.0));
            rod(d, neck - 0.02, 0.97, radius, 0.5);
        }
        _ => {
            rod(d, -0.97, neck, wide, 0.5);
            d.drawing.fill(
                block(at(-0.97, 0.0), (0.12, wide * 0.4), 0.0),
                FLAT * 0.2,
                0.12,
            );
        }
    }
    let pitch = (0.95 - from) / threads as f32;
    for i in 0..threads {
        let x = from + (i as f32 + 0.5) * pitch;
        let line = polyline(&[at(x - 0.02, -radius), at(x + 0.02, radius)]);
        d.drawing.groove(line, pitch * 0.45, FLAT * 0.45, 0.25);
    }
    if d.chance(0.3) {
        d.drawing.fill(
            block(at(neck + 0.04, 0.0), (0.05, wide * 1.15), 0.02),
            FLAT,
            0.5,
        );
        d.drawing.spare();
    }
    d.drawing.mark_place = Some((-0.97 + head * 0.5, 0.0, head * 0.25));
}

/// A coil spring from the side; twisted by its coils.
pub(super) fn spring(d: &mut Drafter<'_>) {
    let coils = d.count(4, 11);
    let radius = d.size(0.3..0.6);
    let hooks = d.chance(0.5);
    let length = if hooks { 0.66 } else { 0.92 };
    let wire = (length / coils as f32 * 0.8).min(d.size(0.08..0.15));
    let pitch = 2.0 * length / coils as f32;
    let taper = if d.chance(0.25) { 0.5 } else { 0.0 };
    let side = |i: f32| radius * (1.0 - taper * i / coils as f32);
    for i in 0..coils {
        let (i, x) = (i as f32, -length + i as f32 * pitch);
        let behind = polyline(&[at(x + pitch * 0.5, side(i)), at(x + pitch, -side(i))]);
        d.drawing.bar(behind, wire * 0.85, FLAT * 0.5, 0.28);
    }
    for i in 0..coils {
        let (i, x) = (i as f32, -length + i as f32 * pitch);
        let front = [at(x, -side(i)), at(x + pitch * 0.5, side(i))];
        d.drawing.bar(polyline(&front), wire, FLAT, 0.5);
        d.drawing
            .bar(polyline(&front), wire * 0.45, FLAT * 1.4, 0.6);
    }
    if hooks {
        for (x, end) in [
            (-length - 0.16, radius),
            (length + 0.16, side(coils as f32)),
        ] {
            let hook = arc(at(x, 0.0), 0.16, 0.6, TAU - 0.3);
            d.drawing.bar(hook, wire, FLAT, 0.5);
            d.drawing.spare();
            let x = x.signum() * length;
            d.drawing
                .bar(polyline(&[at(x, -end), at(x, 0.0)]), wire, FLAT, 0.5);
        }
    } else {
        for (x, end) in [(-length, radius), (length, side(coils as f32))] {
            d.drawing
                .bar(polyline(&[at(x, -end), at(x, end)]), wire, FLAT, 0.5);
        }
    }
}

/// A turned shaft of several steps, with grooves and a key slot; twisted by its steps.
pub(super) fn shaft(d: &mut Drafter<'_>) {
    let steps = d.count(2, 6);
    // Drawn for the greatest number of steps, so that another number changes nothing else.
    let steady: [(f32, f32); 6] = std::array::from_fn(|_| (d.size(-0.4..0.4), d.size(0.12..0.42)));
    let edge = |i: usize| -0.97 + 1.94 * i as f32 / steps as f32;
    let mut edges: Vec<f32> = (0..=steps).map(edge).collect();
    for (edge, (move_by, _)) in edges[1..steps].iter_mut().zip(steady) {
        *edge += move_by / steps as f32;
    }
    let mut last = 0.0;
    let mut widest = (0.0, 0.0);
    for (ends, (_, mut radius)) in edges.windows(2).zip(steady) {
        if f32::abs(radius - last) < 0.07 {
            radius = if radius > 0.25 {
                radius - 0.12
            } else {
                radius + 0.12
            };
        }
        last = radius;
        rod(d, ends[0], ends[1], radius, 0.5);
        if radius > widest.1 {
            widest = ((ends[0] + ends[1]) / 2.0, radius);
        }
    }
    let end = edges[steps];
    if d.chance(0.6) {
        let key = block(at(end - 0.2, 0.0), (0.14, 0.05), 0.05);
        d.drawing.fill(key, FLAT * 0.4, 0.15);
        d.drawing.spare();
    }
    if d.chance(0.6) {
        let x = edges[0] + 0.1;
        d.drawing
            .bar(polyline(&[at(x, -0.4), at(x, 0.4)]), 0.05, FLAT * 0.4, 0.2);
        d.drawing.cut(block(at(x, -0.42), (0.05, 0.2), 0.0));
        d.drawing.cut(block(at(x, 0.42), (0.05, 0.2), 0.0));
    }
    d.drawing.mark_place = Some((widest.0, 0.0, widest.1 * 0.4));
}

/// A retaining ring: open, with eyes or inner teeth; twisted by the teeth.
pub(super) fn circlip(d: &mut Drafter<'_>) {
    let teeth = d.count(0, 4);
    let gap = d.size(0.25..1.0);
    let width = d.size(0.14..0.28);
    let radius = 0.95 - width / 2.0;
    let eyes = d.chance(0.6);
    d.drawing.bar(
        arc(CENTRE, radius, gap / 2.0, TAU - gap / 2.0),
        width,
        FLAT,
        0.5,
    );
    for i in 0..teeth {
        let angle = PI + (i as f32 - (teeth as f32 - 1.0) / 2.0) * 1.1;
        let tooth = [
            polar(CENTRE, radius, angle),
            polar(CENTRE, radius - 0.36, angle),
        ];
        d.drawing.bar(polyline(&tooth), width * 1.1, FLAT, 0.5);
        d.drawing.spare();
    }
    if eyes {
        let inward = d.pick(&[-0.14, 0.02]);
        let ends = [gap / 2.0, -gap / 2.0].map(|a| polar(CENTRE, radius + inward, a));
        for end in ends {
            d.drawing.fill(circle(end, 0.17), FLAT, 0.5);
        }
        for end in ends {
            d.drawing.cut(circle(end, 0.08));
            d.drawing.spare();
        }
    }
}

/// A bent wire clip; twisted by its waves.
pub(super) fn hairpin(d: &mut Drafter<'_>) {
    let waves = d.count(1, 4);
    let wire = d.size(0.1..0.17);
    let eye = d.size(0.2..0.32);
    let depth = d.size(0.12..0.24);
    let from = -0.95 + 2.0 * eye;
    let middle = at(-0.95 + eye, 0.0);
    d.drawing.bar(
        arc(middle, eye - wire / 2.0, 0.6, TAU - 0.3),
        wire,
        FLAT,
        0.5,
    );
    let straight = d.size(0.7..0.95);
    let leg = polyline(&[at(from - 0.06, 0.14), at(straight, 0.14)]);
    d.drawing.bar(leg.clone(), wire, FLAT, 0.5);
    d.drawing.bar(leg, wire * 0.4, FLAT * 1.4, 0.6);
    let points: Vec<Point> = (0..=40)
        .map(|i| {
            let t = i as f32 / 40.0;
            let x = from - 0.06 + (0.92 - from) * t;
            at(x, -0.14 - depth * (1.0 - (TAU * waves as f32 * t).cos()))
        })
        .collect();
    d.drawing.bar(polyline(&points), wire, FLAT, 0.5);
    d.drawing
        .bar(polyline(&points), wire * 0.4, FLAT * 1.4, 0.6);
    d.drawing.spare();
}
