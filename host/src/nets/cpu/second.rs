//! The gradient of a gradient: what follows a convolution, differentiated twice.
//!
//! Per channel of `n` pixels, with `s` the deviation and `x = (y - mean) / s`, let `d` be the
//! gradient of `z = gamma * x + beta`: that of the block's output, led back through pool and ReLU.
//! The backward pass of batch norm gives, with `a = mean(d)` and `b = mean(d * x)`,
//!
//! ```text
//! dy = gamma / s * (d - a - x * b)      dgamma = n * b      dbeta = n * a
//! ```
//!
//! This is the backward pass of that. Given the gradients `hy`, `hg` and `hb` of some loss by `dy`,
//! `dgamma` and `dbeta`, and with `u = gamma / s * hy`, `m = mean(u * x)`, it is
//!
//! ```text
//! by d      u + (hg - m) * x + hb - mean(u)
//! by gamma  e = (sum(hy * d) - a * sum(hy) - b * sum(hy * x)) / s
//! by x      t = (hg - m) * d - b * u
//! by y      (t - mean(t) - x * mean(t * x)) / s - gamma / s * e * x / n
//! ```
//!
//! where the last term of `y` is that of the deviation in `gamma / s`. What a pool or a ReLU lets
//! through does not change by a small step, so `beta` has no gradient.

use multiversion::multiversion;
use rayon::prelude::*;

use super::norm::{Affine, Limits, route, window};
use crate::nets::shape::{BlockShape, EPSILON};

/// What a block computed and the gradient of its output.
#[derive(Clone, Copy)]
pub(crate) struct First<'a> {
    pub(crate) shape: &'a BlockShape,
    /// `[channels]` each: gamma, beta, mean and variance.
    pub(crate) norm: [&'a [f32]; 4],
    /// The convolution's output.
    pub(crate) y: &'a [f32],
    /// The gradient of the block's output.
    pub(crate) gradient: &'a [f32],
    /// The gradients of gamma and beta that follow, `[channels]` each.
    pub(crate) sums: [&'a [f32]; 2],
}

/// The second backward pass; every tensor's part is an affine map per channel.
pub(crate) struct Second<'a> {
    first: First<'a>,
    affine: Affine,
    hy: &'a [f32],
    /// Factors of `hy`, `d` and `y`, and a constant, for the gradient by `y`.
    by_y: [Vec<f32>; 4],
    /// Factors of `hy` and `y`, and a constant, for the gradient by `d`.
    by_d: [Vec<f32>; 3],
    /// The gradient by gamma, `[channels]`.
    pub(crate) gamma: Vec<f32>,
}

impl<'a> Second<'a> {
    /// Sums over all pictures; `hy` is as long as `y`, `by_gamma` and `by_beta` are `hg` and `hb`.
    pub(crate) fn new(
        first: First<'a>,
        hy: &'a [f32],
        (by_gamma, by_beta): (&[f32], &[f32]),
    ) -> Self {
        let s = first.shape;
        let c = s.outputs;
        let [gamma, beta, mean, variance] = first.norm;
        let affine = Affine::new(gamma, beta, mean, variance);
        let total = sums(&first, &affine, hy);
        let n = (first.y.len() / c) as f64;
        let zeros = || vec![0.0f32; c];
        let mut by_y = [zeros(), zeros(), zeros(), zeros()];
        let mut by_d = [zeros(), zeros(), zeros()];
        let mut d_gamma = zeros();
        for j in 0..c {
            let inverse = 1.0 / f64::from(variance[j] + EPSILON).sqrt();
            let mean = f64::from(mean[j]);
            let scale = f64::from(gamma[j]) * inverse;
            let [b, a] = first.sums.map(|sum| f64::from(sum[j]) / n);
            let [h, hd] = [total[j], total[2 * c + j]];
            let hx = inverse * (total[c + j] - mean * h);
            let (mean_u, m) = (scale * h / n, scale * hx / n);
            let by_x = f64::from(by_gamma[j]) - m;
            let e = inverse * (hd - a * h - b * hx);
            let mean_t = by_x * a - b * mean_u;
            let mean_tx = b * (by_x - m);
            // The factor of x, of which y's is a part.
            let x = -inverse * mean_tx - scale * e / n;
            let y = [
                -inverse * b * scale,
                inverse * by_x,
                inverse * x,
                -inverse * mean_t - inverse * mean * x,
            ];
            let d = [
                scale,
                by_x * inverse,
                f64::from(by_beta[j]) - mean_u - by_x * inverse * mean,
            ];
            for (to, value) in by_y.iter_mut().zip(y) {
                to[j] = value as f32;
            }
            for (to, value) in by_d.iter_mut().zip(d) {
                to[j] = value as f32;
            }
            d_gamma[j] = e as f32;
        }
        Self {
            first,
            affine,
            hy,
            by_y,
            by_d,
            gamma: d_gamma,
        }
    }

    /// The gradient by one picture's `y`.
    pub(crate) fn by_convolved(&self, picture: usize, out: &mut [f32]) {
        let First {
            shape: s,
            y,
            gradient,
            ..
        } = self.first;
        let len = s.out_pixels() * s.outputs;
        let part = picture * len..(picture + 1) * len;
        let g = &gradient[picture * s.result_len()..][..s.result_len()];
        let of = (&y[part.clone()], g, &self.hy[part]);
        write_by_y(s, &self.affine, &self.by_y, of, out);
    }

    /// The gradient by that of the block's output, for all pictures.
    pub(crate) fn by_gradient(&self) -> Vec<f32> {
        let First {
            shape: s,
            y,
            gradient,
            ..
        } = self.first;
        let len = s.out_pixels() * s.outputs;
        let mut out = vec![0.0; gradient.len()];
        out.par_chunks_mut(s.result_len())
            .zip(y.par_chunks(len).zip(self.hy.par_chunks(len)))
            .for_each(|(out, (y, hy))| write_by_d(s, &self.affine, &self.by_d, (y, hy), out));
        out
    }
}

/// Sums over all pictures of `hy`, `hy * y` and `hy * d`, `[3, channels]`.
fn sums(first: &First<'_>, affine: &Affine, hy: &[f32]) -> Vec<f64> {
    let s = first.shape;
    let len = s.out_pixels() * s.outputs;
    let partial: Vec<Vec<f32>> = hy
        .par_chunks(len)
        .zip(first.y.par_chunks(len))
        .zip(first.gradient.par_chunks(s.result_len()))
        .map(|((hy, y), g)| {
            let mut sums = vec![0.0; 3 * s.outputs];
            add_products(s, affine, (y, g, hy), &mut sums);
            sums
        })
        .collect();
    let mut total = vec![0.0; 3 * s.outputs];
    for part in &partial {
        for (t, p) in total.iter_mut().zip(part) {
            *t += f64::from(*p);
        }
    }
    total
}

#[multiversion(targets = "simd")]
fn add_products(
    s: &BlockShape,
    affine: &Affine,
    (y, g, hy): (&[f32], &[f32], &[f32]),
    sums: &mut [f32],
) {
    let c = s.outputs;
    let (sum, rest) = sums.split_at_mut(c);
    let (by_y, by_d) = rest.split_at_mut(c);
    let (sum, by_y, by_d) = (&mut sum[..c], &mut by_y[..c], &mut by_d[..c]);
    for (hy, y) in hy.chunks_exact(c).zip(y.chunks_exact(c)) {
        for j in 0..c {
            sum[j] += hy[j];
            by_y[j] += hy[j] * y[j];
        }
    }
    let (scale, shift) = (&affine.scale[..c], &affine.shift[..c]);
    let limits = Limits::of(s);
    if !s.pool {
        for ((hy, y), g) in hy
            .chunks_exact(c)
            .zip(y.chunks_exact(c))
            .zip(g.chunks_exact(c))
        {
            for j in 0..c {
                let z = y[j] * scale[j] + shift[j];
                by_d[j] += if limits.passes(z) { hy[j] * g[j] } else { 0.0 };
            }
        }
        return;
    }
    let (width, half) = (s.out_width(), s.out_width() / 2);
    for (i, g) in g.chunks_exact(c).enumerate() {
        let w = window(y, c, width, i / half, i % half);
        let h = window(hy, c, width, i / half, i % half);
        for j in 0..c {
            let z = [w[0][j], w[1][j], w[2][j], w[3][j]].map(|y| y * scale[j] + shift[j]);
            let d = route(z, g[j], limits);
            by_d[j] += d[0] * h[0][j] + d[1] * h[1][j] + d[2] * h[2][j] + d[3] * h[3][j];
        }
    }
}

#[multiversion(targets = "simd")]
fn write_by_y(
    s: &BlockShape,
    affine: &Affine,
    factors: &[Vec<f32>; 4],
    (y, g, hy): (&[f32], &[f32], &[f32]),
    out: &mut [f32],
) {
    let c = s.outputs;
    let [of_h, of_d, of_y, constant] = factors;
    let (of_h, of_d) = (&of_h[..c], &of_d[..c]);
    let (of_y, constant) = (&of_y[..c], &constant[..c]);
    for ((out, y), hy) in out
        .chunks_exact_mut(c)
        .zip(y.chunks_exact(c))
        .zip(hy.chunks_exact(c))
    {
        for j in 0..c {
            out[j] = of_h[j] * hy[j] + of_y[j] * y[j] + constant[j];
        }
    }
    let (scale, shift) = (&affine.scale[..c], &affine.shift[..c]);
    let limits = Limits::of(s);
    if !s.pool {
        for ((out, y), g) in out
            .chunks_exact_mut(c)
            .zip(y.chunks_exact(c))
            .zip(g.chunks_exact(c))
        {
            for j in 0..c {
                let z = y[j] * scale[j] + shift[j];
                out[j] += if limits.passes(z) {
                    of_d[j] * g[j]
                } else {
                    0.0
                };
            }
        }
        return;
    }
    let (width, half) = (s.out_width(), s.out_width() / 2);
    for (i, g) in g.chunks_exact(c).enumerate() {
        let (py, px) = (i / half, i % half);
        let w = window(y, c, width, py, px);
        let top = (2 * py * width + 2 * px) * c;
        let (above, below) = out.split_at_mut(top + width * c);
        let (o0, o1) = above[top..][..2 * c].split_at_mut(c);
        let (o2, o3) = below[..2 * c].split_at_mut(c);
        let (o0, o1) = (&mut o0[..c], &mut o1[..c]);
        let (o2, o3) = (&mut o2[..c], &mut o3[..c]);
        for j in 0..c {
            let z = [w[0][j], w[1][j], w[2][j], w[3][j]].map(|y| y * scale[j] + shift[j]);
            let d = route(z, of_d[j] * g[j], limits);
            o0[j] += d[0];
            o1[j] += d[1];
            o2[j] += d[2];
            o3[j] += d[3];
        }
    }
}

#[multiversion(targets = "simd")]
fn write_by_d(
    s: &BlockShape,
    affine: &Affine,
    factors: &[Vec<f32>; 3],
    (y, hy): (&[f32], &[f32]),
    out: &mut [f32],
) {
    let c = s.outputs;
    let [of_h, of_y, constant] = factors;
    let (of_h, of_y, constant) = (&of_h[..c], &of_y[..c], &constant[..c]);
    let (scale, shift) = (&affine.scale[..c], &affine.shift[..c]);
    let limits = Limits::of(s);
    if !s.pool {
        for ((out, y), hy) in out
            .chunks_exact_mut(c)
            .zip(y.chunks_exact(c))
            .zip(hy.chunks_exact(c))
        {
            for j in 0..c {
                let z = y[j] * scale[j] + shift[j];
                let value = of_h[j] * hy[j] + of_y[j] * y[j] + constant[j];
                out[j] = if limits.passes(z) { value } else { 0.0 };
            }
        }
        return;
    }
    let (width, half) = (s.out_width(), s.out_width() / 2);
    for (i, out) in out.chunks_exact_mut(c).enumerate() {
        let w = window(y, c, width, i / half, i % half);
        let h = window(hy, c, width, i / half, i % half);
        for j in 0..c {
            let y = [w[0][j], w[1][j], w[2][j], w[3][j]];
            let h = [h[0][j], h[1][j], h[2][j], h[3][j]];
            let taken = route(y.map(|y| y * scale[j] + shift[j]), 1.0, limits);
            let mut sum = 0.0;
            for k in 0..4 {
                sum += taken[k] * (of_h[j] * h[k] + of_y[j] * y[k] + constant[j]);
            }
            out[j] = sum;
        }
    }
}
