//! Dense convolution as a matrix product over im2col rows.
//!
//! A picture unfolds into one row per output pixel, the row holding the `kernel * kernel * inputs`
//! values under the kernel, so that the weights `[kernel * kernel * inputs, outputs]` multiply it
//! from the right. A 1x1 kernel of stride 1 needs no unfolding.

use multiversion::multiversion;
use rayon::prelude::*;

use super::gemm::{Matrix, multiply};
use super::part::Part;
use crate::nets::shape::BlockShape;

/// Size of one thread's im2col rows, in floats: about half of a core's second-level cache.
const UNFOLDED: usize = 128 * 1024;

/// Writes the rows of one picture to `rows`.
fn im2col(s: &BlockShape, x: &[f32], rows: &mut [f32]) {
    let tap = s.inputs;
    let line = s.kernel * tap;
    let mut at = 0;
    for oy in 0..s.out_height() {
        for ox in 0..s.out_width() {
            let left = (ox * s.stride) as isize - s.padding as isize;
            for ky in 0..s.kernel {
                let target = &mut rows[at..at + line];
                at += line;
                let y = (oy * s.stride + ky) as isize - s.padding as isize;
                if y < 0 || y >= s.height as isize {
                    target.fill(0.0);
                    continue;
                }
                let row = &x[y as usize * s.width * tap..][..s.width * tap];
                if left >= 0 && left as usize + s.kernel <= s.width {
                    target.copy_from_slice(&row[left as usize * tap..][..line]);
                    continue;
                }
                for (kx, target) in target.chunks_exact_mut(tap).enumerate() {
                    let x = left + kx as isize;
                    if x < 0 || x >= s.width as isize {
                        target.fill(0.0);
                    } else {
                        target.copy_from_slice(&row[x as usize * tap..][..tap]);
                    }
                }
            }
        }
    }
}

/// Adds the rows of one picture to the pixels that they came from.
#[multiversion(targets = "simd")]
fn fold(s: &BlockShape, rows: &[f32], x: &mut [f32]) {
    let tap = s.inputs;
    let line = s.kernel * tap;
    let mut rows = rows.chunks_exact(line);
    for oy in 0..s.out_height() {
        for ox in 0..s.out_width() {
            let left = (ox * s.stride) as isize - s.padding as isize;
            for ky in 0..s.kernel {
                let Some(source) = rows.next() else { return };
                let y = (oy * s.stride + ky) as isize - s.padding as isize;
                if y < 0 || y >= s.height as isize {
                    continue;
                }
                let row = &mut x[y as usize * s.width * tap..][..s.width * tap];
                let first = (-left).max(0) as usize;
                let last = (s.width as isize - left).clamp(0, s.kernel as isize) as usize;
                if first >= last {
                    continue;
                }
                let target = &mut row[(left + first as isize) as usize * tap..];
                for (t, v) in target.iter_mut().zip(&source[first * tap..last * tap]) {
                    *t += v;
                }
            }
        }
    }
}

/// `y = conv(x)`, `y` is `[n, out_height, out_width, outputs]`.
pub(crate) fn forward(s: &BlockShape, x: &[f32], weight: &[f32], y: &mut [f32]) {
    let k = s.taps() * s.inputs;
    let pixels = s.out_pixels();
    let together = (UNFOLDED / (pixels * k)).max(1);
    y.par_chunks_mut(together * pixels * s.outputs)
        .zip(x.par_chunks(together * s.in_len()))
        .for_each_init(Vec::new, |rows: &mut Vec<f32>, (y, x)| {
            let pictures = x.len() / s.in_len();
            let rows = if s.is_pointwise() {
                x
            } else {
                rows.resize(together * pixels * k, 0.0);
                for (x, rows) in x
                    .chunks_exact(s.in_len())
                    .zip(rows.chunks_exact_mut(pixels * k))
                {
                    im2col(s, x, rows);
                }
                rows
            };
            multiply(
                (pictures * pixels, s.outputs, k),
                Matrix::new(rows, k),
                Matrix::new(weight, s.outputs),
                y,
                false,
            );
        });
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
    let k = s.taps() * s.inputs;
    let pixels = s.out_pixels();
    let together = (UNFOLDED / (pixels * k)).clamp(1, (x.len() / s.in_len()).max(1));
    let columns_len = if s.is_pointwise() {
        0
    } else {
        together * pixels * k
    };
    let mut rows = vec![0.0; columns_len];
    let mut dy = vec![0.0; together * pixels * s.outputs];
    for (group, x) in x.chunks(together * s.in_len()).enumerate() {
        let m = x.len() / s.in_len() * pixels;
        let dy = &mut dy[..m * s.outputs];
        for (i, dy) in dy.chunks_exact_mut(pixels * s.outputs).enumerate() {
            output_gradient(first + group * together + i, dy);
        }
        for (x, rows) in x
            .chunks_exact(s.in_len())
            .zip(rows.chunks_exact_mut(pixels * k))
        {
            im2col(s, x, rows);
        }
        multiply(
            (k, s.outputs, m),
            Matrix::new(if s.is_pointwise() { x } else { &rows }, k).transposed(),
            Matrix::new(dy, s.outputs),
            dw,
            true,
        );
        let Some(dx) = &mut dx else { continue };
        let dx = &mut dx[group * together * s.in_len()..][..x.len()];
        multiply(
            (m, k, s.outputs),
            Matrix::new(dy, s.outputs),
            Matrix::new(weight, s.outputs).transposed(),
            if s.is_pointwise() {
                &mut *dx
            } else {
                &mut rows
            },
            false,
        );
        for (rows, dx) in rows
            .chunks_exact(pixels * k)
            .zip(dx.chunks_exact_mut(s.in_len()))
        {
            fold(s, rows, dx);
        }
    }
}
