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

/// A value for each tap of a kernel of at most K x K, for L channels. Taps are named by constants wherever
/// they are used, so that all of it stays in registers.
type Taps<const L: usize, const K: usize> = [[[f32; L]; K]; K];

/// The taps along one axis that lie inside the picture, for output place `o`.
#[inline(always)]
fn inside(s: &BlockShape, side: usize, o: usize) -> Range<usize> {
    let start = o * s.stride;
    s.padding.saturating_sub(start)..(side + s.padding).saturating_sub(start).min(s.kernel)
}

/// The output places that each tap brings to input place `i` along an axis, of `count` places.
#[inline(always)]
fn reached<const K: usize>(s: &BlockShape, count: usize, i: usize) -> [Option<usize>; K] {
    core::array::from_fn(|k| {
        let start = (i + s.padding).checked_sub(k)?;
        let is_one = k < s.kernel && start.is_multiple_of(s.stride) && start / s.stride < count;
        is_one.then(|| start / s.stride)
    })
}

/// The kernels of channels `first..first + L`.
#[inline(always)]
fn kernels<const L: usize, const K: usize>(
    s: &BlockShape,
    weight: &[f32],
    first: usize,
) -> Taps<L, K> {
    let mut kernels = [[[0.0; L]; K]; K];
    for (ky, row) in kernels.iter_mut().enumerate().take(s.kernel) {
        for (kx, kernel) in row.iter_mut().enumerate().take(s.kernel) {
            *kernel = lanes(weight, (ky * s.kernel + kx) * s.outputs + first);
        }
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

/// Calls `each` with the taps of an output place that lie inside the picture, and with where they are there.
#[inline(always)]
fn each_tap<const K: usize>(
    s: &BlockShape,
    (oy, ox): (usize, usize),
    first: usize,
    mut each: impl FnMut(usize, usize, usize),
) {
    let (rows, columns) = (inside(s, s.height, oy), inside(s, s.width, ox));
    let (top, left) = (oy * s.stride, ox * s.stride);
    if (rows.len(), columns.len()) == (K, K) {
        let corner = ((top - s.padding) * s.width + left - s.padding) * s.outputs + first;
        for ky in 0..K {
            for kx in 0..K {
                each(ky, kx, corner + (ky * s.width + kx) * s.outputs);
            }
        }
        return;
    }
    for ky in 0..K {
        for kx in 0..K {
            if rows.contains(&ky) && columns.contains(&kx) {
                let (y, x) = (top + ky - s.padding, left + kx - s.padding);
                each(ky, kx, (y * s.width + x) * s.outputs + first);
            }
        }
    }
}

#[inline(always)]
fn forward_lanes<const L: usize, const K: usize>(
    s: &BlockShape,
    x: &[f32],
    weight: &[f32],
    y: &mut [f32],
    first: usize,
) {
    let kernels = kernels::<L, K>(s, weight, first);
    for oy in 0..s.out_height() {
        for ox in 0..s.out_width() {
            let mut sum = [0.0; L];
            each_tap::<K>(s, (oy, ox), first, |ky, kx, at| {
                add(&mut sum, &kernels[ky][kx], &lanes(x, at));
            });
            y[(oy * s.out_width() + ox) * s.outputs + first..][..L].copy_from_slice(&sum);
        }
    }
}

/// Convolves one picture with a kernel of at most K x K.
#[inline(always)]
fn forward_kernel<const K: usize>(s: &BlockShape, x: &[f32], weight: &[f32], y: &mut [f32]) {
    let full = s.outputs / LANES * LANES;
    for first in (0..full).step_by(LANES) {
        forward_lanes::<LANES, K>(s, x, weight, y, first);
    }
    for first in full..s.outputs {
        forward_lanes::<1, K>(s, x, weight, y, first);
    }
}

/// Convolves one picture.
#[multiversion(targets = "simd")]
fn forward_picture(s: &BlockShape, x: &[f32], weight: &[f32], y: &mut [f32]) {
    match s.kernel {
        ..=3 => forward_kernel::<3>(s, x, weight, y),
        _ => forward_kernel::<5>(s, x, weight, y),
    }
}

/// `y = conv(x)`, `y` is `[n, out_height, out_width, channels]`.
pub(crate) fn forward(s: &BlockShape, x: &[f32], weight: &[f32], y: &mut [f32]) {
    y.par_chunks_mut(s.out_pixels() * s.outputs)
        .zip(x.par_chunks(s.in_len()))
        .for_each(|(y, x)| forward_picture(s, x, weight, y));
}

/// Adds the gradient by the kernels of L channels.
#[inline(always)]
fn by_weight<const L: usize, const K: usize>(
    s: &BlockShape,
    x: &[f32],
    dy: &[f32],
    dw: &mut [f32],
    first: usize,
) {
    let mut sums: Taps<L, K> = [[[0.0; L]; K]; K];
    for oy in 0..s.out_height() {
        for ox in 0..s.out_width() {
            let dy: [f32; L] = lanes(dy, (oy * s.out_width() + ox) * s.outputs + first);
            each_tap::<K>(s, (oy, ox), first, |ky, kx, at| {
                add(&mut sums[ky][kx], &dy, &lanes(x, at));
            });
        }
    }
    for (ky, row) in sums.iter().enumerate().take(s.kernel) {
        for (kx, sum) in row.iter().enumerate().take(s.kernel) {
            let at = (ky * s.kernel + kx) * s.outputs + first;
            for (dw, sum) in dw[at..].iter_mut().zip(sum) {
                *dw += sum;
            }
        }
    }
}

/// Adds the gradient by L channels of the picture.
#[inline(always)]
fn by_picture<const L: usize, const K: usize>(
    s: &BlockShape,
    weight: &[f32],
    dy: &[f32],
    dx: &mut [f32],
    first: usize,
) {
    let (height, width) = (s.out_height(), s.out_width());
    let kernels = kernels::<L, K>(s, weight, first);
    let columns: Vec<[Option<usize>; K]> = (0..s.width).map(|x| reached(s, width, x)).collect();
    for y in 0..s.height {
        let rows: [Option<usize>; K] = reached(s, height, y);
        for (x, columns) in columns.iter().enumerate() {
            let target = &mut dx[(y * s.width + x) * s.outputs + first..][..L];
            let mut sum = lanes(target, 0);
            // The last tap first, so that what is added comes row by row.
            for (oy, kernels) in rows.iter().zip(&kernels).rev() {
                let Some(oy) = oy else { continue };
                for (ox, kernel) in columns.iter().zip(kernels).rev() {
                    let Some(ox) = ox else { continue };
                    add(
                        &mut sum,
                        &lanes(dy, (oy * width + ox) * s.outputs + first),
                        kernel,
                    );
                }
            }
            target.copy_from_slice(&sum);
        }
    }
}

/// Adds one picture's gradients to `dw` and `dx`, of a kernel of at most K x K.
#[inline(always)]
fn backward_kernel<const K: usize>(
    s: &BlockShape,
    (x, weight, dy): (&[f32], &[f32], &[f32]),
    dw: &mut [f32],
    mut dx: Option<&mut [f32]>,
) {
    let full = s.outputs / LANES * LANES;
    for first in (0..full).step_by(LANES) {
        by_weight::<LANES, K>(s, x, dy, dw, first);
        if let Some(dx) = &mut dx {
            by_picture::<LANES, K>(s, weight, dy, dx, first);
        }
    }
    for first in full..s.outputs {
        by_weight::<1, K>(s, x, dy, dw, first);
        if let Some(dx) = &mut dx {
            by_picture::<1, K>(s, weight, dy, dx, first);
        }
    }
}

/// Adds one picture's gradients to `dw` and `dx`.
#[multiversion(targets = "simd")]
fn backward_picture(
    s: &BlockShape,
    read: (&[f32], &[f32], &[f32]),
    dw: &mut [f32],
    dx: Option<&mut [f32]>,
) {
    match s.kernel {
        ..=3 => backward_kernel::<3>(s, read, dw, dx),
        _ => backward_kernel::<5>(s, read, dw, dx),
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
