//! Depthwise convolution: each channel under its own kernel, weights `[taps, channels]`.
//!
//! Channels are taken in groups of [`LANES`], whose kernel stays in registers while it moves over
//! the picture; what is left over is taken one by one.

use std::ops::Range;

use multiversion::multiversion;
use rayon::prelude::*;

use super::part::Part;
use crate::nets::shape::BlockShape;

/// Channels worked on together: one or two vector registers.
const LANES: usize = 16;
/// Greatest kernel whose taps are kept as an array.
const TAPS: usize = 25;

/// The taps along one axis that lie inside the picture, for output place `o`.
#[inline(always)]
fn inside(s: &BlockShape, side: usize, o: usize) -> Range<usize> {
    let start = o * s.stride;
    s.padding.saturating_sub(start)..(side + s.padding).saturating_sub(start).min(s.kernel)
}

/// The kernels of channels `first..first + L`.
#[inline(always)]
fn kernels<const L: usize>(s: &BlockShape, weight: &[f32], first: usize) -> [[f32; L]; TAPS] {
    let mut kernels = [[0.0; L]; TAPS];
    for (tap, kernel) in kernels.iter_mut().enumerate().take(s.taps()) {
        *kernel = lanes(weight, tap * s.outputs + first);
    }
    kernels
}

#[inline(always)]
fn lanes<const L: usize>(values: &[f32], at: usize) -> [f32; L] {
    let mut out = [0.0; L];
    out.copy_from_slice(&values[at..at + L]);
    out
}

#[inline(always)]
fn add<const L: usize>(sum: &mut [f32; L], a: &[f32; L], b: &[f32; L]) {
    for ((sum, a), b) in sum.iter_mut().zip(a).zip(b) {
        *sum += a * b;
    }
}

#[inline(always)]
fn forward_lanes<const L: usize>(
    s: &BlockShape,
    x: &[f32],
    weight: &[f32],
    y: &mut [f32],
    first: usize,
) {
    let c = s.outputs;
    let kernels = kernels::<L>(s, weight, first);
    for oy in 0..s.out_height() {
        for ox in 0..s.out_width() {
            let mut sum = [0.0; L];
            for ky in inside(s, s.height, oy) {
                let row = (oy * s.stride + ky - s.padding) * s.width;
                for kx in inside(s, s.width, ox) {
                    let at = (row + ox * s.stride + kx - s.padding) * c + first;
                    add(&mut sum, &kernels[ky * s.kernel + kx], &lanes(x, at));
                }
            }
            y[(oy * s.out_width() + ox) * c + first..][..L].copy_from_slice(&sum);
        }
    }
}

/// Convolves one picture.
#[multiversion(targets = "simd")]
fn forward_picture(s: &BlockShape, x: &[f32], weight: &[f32], y: &mut [f32]) {
    let full = s.outputs / LANES * LANES;
    for first in (0..full).step_by(LANES) {
        forward_lanes::<LANES>(s, x, weight, y, first);
    }
    for first in full..s.outputs {
        forward_lanes::<1>(s, x, weight, y, first);
    }
}

/// `y = conv(x)`, `y` is `[n, out_height, out_width, channels]`.
pub(crate) fn forward(s: &BlockShape, x: &[f32], weight: &[f32], y: &mut [f32]) {
    y.par_chunks_mut(s.out_pixels() * s.outputs)
        .zip(x.par_chunks(s.in_len()))
        .for_each(|(y, x)| forward_picture(s, x, weight, y));
}

#[inline(always)]
fn backward_lanes<const L: usize>(
    s: &BlockShape,
    (x, weight, dy): (&[f32], &[f32], &[f32]),
    dw: &mut [f32],
    mut dx: Option<&mut [f32]>,
    first: usize,
) {
    let c = s.outputs;
    let kernels = kernels::<L>(s, weight, first);
    let mut sums = [[0.0; L]; TAPS];
    for oy in 0..s.out_height() {
        for ox in 0..s.out_width() {
            let dy: [f32; L] = lanes(dy, (oy * s.out_width() + ox) * c + first);
            for ky in inside(s, s.height, oy) {
                let row = (oy * s.stride + ky - s.padding) * s.width;
                for kx in inside(s, s.width, ox) {
                    let at = (row + ox * s.stride + kx - s.padding) * c + first;
                    let tap = ky * s.kernel + kx;
                    add(&mut sums[tap], &dy, &lanes(x, at));
                    if let Some(dx) = &mut dx {
                        let target = &mut dx[at..][..L];
                        let mut sum = lanes(target, 0);
                        add(&mut sum, &dy, &kernels[tap]);
                        target.copy_from_slice(&sum);
                    }
                }
            }
        }
    }
    for (tap, sum) in sums.iter().enumerate().take(s.taps()) {
        for (dw, sum) in dw[tap * c + first..].iter_mut().zip(sum) {
            *dw += sum;
        }
    }
}

/// Adds one picture's gradients to `dw` and `dx`.
#[multiversion(targets = "simd")]
fn backward_picture(
    s: &BlockShape,
    read: (&[f32], &[f32], &[f32]),
    dw: &mut [f32],
    mut dx: Option<&mut [f32]>,
) {
    let full = s.outputs / LANES * LANES;
    for first in (0..full).step_by(LANES) {
        backward_lanes::<LANES>(s, read, dw, dx.as_deref_mut(), first);
    }
    for first in full..s.outputs {
        backward_lanes::<1>(s, read, dw, dx.as_deref_mut(), first);
    }
}

/// Adds the gradients of a part of the batch.
pub(crate) fn backward(
    s: &BlockShape,
    weight: &[f32],
    part: Part<'_>,
    output_gradient: impl Fn(usize, &mut [f32]),
) {
    let Part {
        x,
        mut dx,
        dw,
        first,
    } = part;
    let mut dy = vec![0.0; s.out_pixels() * s.outputs];
    for (i, x) in x.chunks_exact(s.in_len()).enumerate() {
        output_gradient(first + i, &mut dy);
        let dx = dx
            .as_mut()
            .map(|dx| &mut dx[i * s.in_len()..][..s.in_len()]);
        backward_picture(s, (x, weight, &dy), dw, dx);
    }
}
