//! Histograms of oriented gradients.

use std::f32::consts::PI;

use super::picture::Picture;

const DIRECTIONS: usize = 9;
/// Side of a cell, in pixels.
const CELL: usize = 16;
/// Greatest part of one bin in its block.
const CLIP: f32 = 0.2;

/// Histograms of gradient directions of blocks of 2x2 cells, each block of length 1.
pub(super) fn describe(picture: &Picture) -> Vec<f32> {
    let (columns, rows) = (picture.width / CELL, picture.height / CELL);
    let mut cells = vec![[0.0_f32; DIRECTIONS]; columns * rows];
    for y in 0..rows * CELL {
        for x in 0..columns * CELL {
            let (i, j) = (x as isize, y as isize);
            let dx = picture.at(i + 1, j) - picture.at(i - 1, j);
            let dy = picture.at(i, j + 1) - picture.at(i, j - 1);
            // A direction and its opposite are one; a gradient counts for the two nearest bins.
            let at = dy.atan2(dx).rem_euclid(PI) / PI * DIRECTIONS as f32;
            let (low, part) = (at as usize % DIRECTIONS, at.fract());
            let cell = &mut cells[y / CELL * columns + x / CELL];
            let length = dx.hypot(dy);
            cell[low] += length * (1.0 - part);
            cell[(low + 1) % DIRECTIONS] += length * part;
        }
    }
    let mut all = Vec::new();
    for y in 1..rows {
        for x in 1..columns {
            let corner = (y - 1) * columns + x - 1;
            let places = [corner, corner + 1, corner + columns, corner + columns + 1];
            let mut block: Vec<f32> = places.iter().flat_map(|&place| cells[place]).collect();
            normalize(&mut block);
            block.iter_mut().for_each(|v| *v = v.min(CLIP));
            normalize(&mut block);
            all.extend(block);
        }
    }
    all
}

fn normalize(block: &mut [f32]) {
    let length = block.iter().map(|v| v * v).sum::<f32>().sqrt() + 1e-5;
    block.iter_mut().for_each(|v| *v /= length);
}
