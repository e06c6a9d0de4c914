//! Local binary patterns.

use std::f32::consts::TAU;

use super::picture::Picture;

/// Neighbours and their distance in pixels.
const SCALES: [(usize, f32); 3] = [(8, 1.0), (16, 2.0), (24, 3.0)];

/// How much brighter a neighbour has to be, against rounding.
const TOLERANCE: f32 = 1e-6;

/// For each scale, how often `n` of the neighbours are at least as bright as their centre, all in
/// one arc; the last bin counts what has more than one arc.
pub(super) fn describe(picture: &Picture) -> Vec<f32> {
    let mut all = Vec::new();
    for (neighbours, radius) in SCALES {
        let around: Vec<(f32, f32)> = (0..neighbours)
            .map(|i| (TAU * i as f32 / neighbours as f32).sin_cos())
            .map(|(sin, cos)| (radius * cos, radius * sin))
            .collect();
        let mut bins = vec![0.0; neighbours + 2];
        let part = 1.0 / (picture.width * picture.height) as f32;
        for y in 0..picture.height {
            for x in 0..picture.width {
                let centre = picture.pixels[y * picture.width + x];
                let bright = |&(dx, dy): &(f32, f32)| {
                    let value = picture.between(x as f32 + dx, y as f32 + dy);
                    value >= centre - TOLERANCE
                };
                let signs: Vec<bool> = around.iter().map(bright).collect();
                let changes = (0..neighbours).filter(|&i| signs[i] != signs[(i + 1) % neighbours]);
                let bin = if changes.count() <= 2 {
                    signs.iter().filter(|&&sign| sign).count()
                } else {
                    neighbours + 1
                };
                bins[bin] += part;
            }
        }
        all.extend(bins);
    }
    all
}
