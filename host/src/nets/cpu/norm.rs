//! Batch norm, activation and 2x2 max pool as one step after a convolution.
//!
//! Batch norm is per channel over batch, height and width (Ioffe and Szegedy 2015). With
//! `z = y * scale + shift` the forward pass is one affine map; the gradient of `y` is affine in the
//! gradient of `z` and in `y`, so two sums per channel are all that the backward pass needs first.

use multiversion::multiversion;
use rayon::prelude::*;

use crate::nets::shape::{BlockShape, EPSILON};

/// Sum of equally long vectors, in order.
pub(crate) fn sum(partial: &[Vec<f32>]) -> Vec<f32> {
    let mut total = partial.first().cloned().unwrap_or_default();
    for part in partial.iter().skip(1) {
        for (t, p) in total.iter_mut().zip(part) {
            *t += p;
        }
    }
    total
}

/// Adds the values of each channel and their squares.
#[multiversion(targets = "simd")]
fn add_moments(y: &[f32], sum: &mut [f32], squares: &mut [f32]) {
    let c = sum.len();
    let squares = &mut squares[..c];
    for y in y.chunks_exact(c) {
        for j in 0..c {
            sum[j] += y[j];
            squares[j] += y[j] * y[j];
        }
    }
}

/// Mean and biased variance of each channel of `y`.
pub(crate) fn statistics(s: &BlockShape, y: &[f32]) -> (Vec<f32>, Vec<f32>) {
    let c = s.outputs;
    let partial: Vec<(Vec<f32>, Vec<f32>)> = y
        .par_chunks(s.out_pixels() * c)
        .map(|y| {
            let (mut sum, mut squares) = (vec![0.0; c], vec![0.0; c]);
            add_moments(y, &mut sum, &mut squares);
            (sum, squares)
        })
        .collect();
    let count = (y.len() / c) as f64;
    (0..c)
        .map(|i| {
            let sum: f64 = partial.iter().map(|p| f64::from(p.0[i])).sum();
            let squares: f64 = partial.iter().map(|p| f64::from(p.1[i])).sum();
            let mean = sum / count;
            (mean as f32, (squares / count - mean * mean).max(0.0) as f32)
        })
        .unzip()
}

/// The affine map of batch norm: `z = y * scale + shift`, per channel.
pub(crate) struct Affine {
    pub(crate) scale: Vec<f32>,
    pub(crate) shift: Vec<f32>,
}

impl Affine {
    pub(crate) fn new(gamma: &[f32], beta: &[f32], mean: &[f32], variance: &[f32]) -> Self {
        let scale: Vec<f32> = gamma
            .iter()
            .zip(variance)
            .map(|(g, v)| g / (v + EPSILON).sqrt())
            .collect();
        let shift = beta
            .iter()
            .zip(mean)
            .zip(&scale)
            .map(|((b, m), s)| b - m * s)
            .collect();
        Self { scale, shift }
    }
}

/// Between what values an activation leaves what it is given.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    low: f32,
    high: f32,
}

impl Limits {
    pub(super) fn of(s: &BlockShape) -> Self {
        let (low, high) = s.activation.limits();
        Self { low, high }
    }

    #[inline(always)]
    fn clamp(self, z: f32) -> f32 {
        z.max(self.low).min(self.high)
    }

    /// Whether a small step of `z` is one of the output.
    #[inline(always)]
    pub(super) fn passes(self, z: f32) -> bool {
        (z > self.low) & (z < self.high)
    }
}

/// Normalised, rectified and pooled `y`.
pub(crate) fn forward(s: &BlockShape, affine: &Affine, y: &[f32], out: &mut [f32]) {
    out.par_chunks_mut(s.result_len())
        .zip(y.par_chunks(s.out_pixels() * s.outputs))
        .for_each(|(out, y)| forward_picture(s, affine, y, out));
}

#[multiversion(targets = "simd")]
fn forward_picture(s: &BlockShape, affine: &Affine, y: &[f32], out: &mut [f32]) {
    let c = s.outputs;
    let (scale, shift) = (&affine.scale[..c], &affine.shift[..c]);
    let limits = Limits::of(s);
    if !s.pool {
        for (out, y) in out.chunks_exact_mut(c).zip(y.chunks_exact(c)) {
            for j in 0..c {
                out[j] = limits.clamp(y[j] * scale[j] + shift[j]);
            }
        }
        return;
    }
    let (width, half) = (s.out_width(), s.out_width() / 2);
    for (i, out) in out.chunks_exact_mut(c).enumerate() {
        let w = window(y, c, width, i / half, i % half);
        for j in 0..c {
            let z = |p: &[f32]| p[j] * scale[j] + shift[j];
            let m = z(w[0]).max(z(w[1])).max(z(w[2]).max(z(w[3])));
            out[j] = limits.clamp(m);
        }
    }
}

/// The four pixels under the pool window at `(py, px)`, each cut to `c`.
#[inline(always)]
pub(super) fn window(y: &[f32], c: usize, width: usize, py: usize, px: usize) -> [&[f32]; 4] {
    let at = |dy, dx| &y[((2 * py + dy) * width + 2 * px + dx) * c..][..c];
    [at(0, 0), at(0, 1), at(1, 0), at(1, 1)]
}

/// Gradient of `z` at the four pixels of a pool window: all of `g` to the first greatest.
#[inline(always)]
pub(super) fn route(z: [f32; 4], g: f32, limits: Limits) -> [f32; 4] {
    let m = z[0].max(z[1]).max(z[2].max(z[3]));
    let g = if limits.passes(m) { g } else { 0.0 };
    let first = z[0] == m;
    let second = !first & (z[1] == m);
    let third = !first & !second & (z[2] == m);
    let fourth = !first & !second & !third;
    let pick = |p: bool| if p { g } else { 0.0 };
    [pick(first), pick(second), pick(third), pick(fourth)]
}

/// What the backward pass needs of each channel.
pub(crate) struct Backward<'a> {
    shape: &'a BlockShape,
    affine: Affine,
    y: &'a [f32],
    out_gradient: &'a [f32],
    /// `dy = scale * dz + slope * y + offset`.
    slope: Vec<f32>,
    offset: Vec<f32>,
    /// Gradient of gamma, `[channels]`.
    pub(crate) gamma: Vec<f32>,
    /// Gradient of beta, `[channels]`.
    pub(crate) beta: Vec<f32>,
}

impl<'a> Backward<'a> {
    /// First pass: the two sums per channel.
    pub(crate) fn new(
        s: &'a BlockShape,
        (gamma, beta): (&[f32], &[f32]),
        (mean, variance): (&[f32], &[f32]),
        y: &'a [f32],
        out_gradient: &'a [f32],
    ) -> Self {
        let c = s.outputs;
        let affine = Affine::new(gamma, beta, mean, variance);
        let total = sums(s, &affine, y, out_gradient);
        let by_gamma =
            |j: usize| (total[c + j] - mean[j] * total[j]) / (variance[j] + EPSILON).sqrt();
        let sums = [(0..c).map(by_gamma).collect(), total[..c].to_vec()];
        Self::of_sums(s, (gamma, beta), (mean, variance), y, out_gradient, sums)
    }

    /// The same where the gradients of gamma and beta are known already.
    pub(crate) fn of_sums(
        s: &'a BlockShape,
        (gamma, beta): (&[f32], &[f32]),
        (mean, variance): (&[f32], &[f32]),
        y: &'a [f32],
        out_gradient: &'a [f32],
        [d_gamma, d_beta]: [Vec<f32>; 2],
    ) -> Self {
        let c = s.outputs;
        let affine = Affine::new(gamma, beta, mean, variance);
        let count = (y.len() / c) as f32;
        let (mut slope, mut offset) = (vec![0.0; c], vec![0.0; c]);
        for j in 0..c {
            let deviation = 1.0 / (variance[j] + EPSILON).sqrt();
            slope[j] = -affine.scale[j] * deviation * d_gamma[j] / count;
            offset[j] = -affine.scale[j] * d_beta[j] / count - slope[j] * mean[j];
        }
        Self {
            shape: s,
            affine,
            y,
            out_gradient,
            slope,
            offset,
            gamma: d_gamma,
            beta: d_beta,
        }
    }

    /// The same where `z = y * scale + shift` is given and does not depend on the batch; `gamma` and
    /// `beta` then are the gradients of `scale` and `shift`.
    pub(crate) fn of_affine(
        s: &'a BlockShape,
        affine: Affine,
        y: &'a [f32],
        out_gradient: &'a [f32],
    ) -> Self {
        let c = s.outputs;
        let total = sums(s, &affine, y, out_gradient);
        Self {
            shape: s,
            affine,
            y,
            out_gradient,
            slope: vec![0.0; c],
            offset: vec![0.0; c],
            gamma: total[c..].to_vec(),
            beta: total[..c].to_vec(),
        }
    }

    /// Second pass: the gradient of one picture's `y`.
    pub(crate) fn output_gradient(&self, picture: usize, dy: &mut [f32]) {
        let s = self.shape;
        let len = s.out_pixels() * s.outputs;
        let y = &self.y[picture * len..][..len];
        let g = &self.out_gradient[picture * s.result_len()..][..s.result_len()];
        write_gradient(s, (&self.affine, &self.slope, &self.offset), y, g, dy);
    }
}

/// Sums over all pictures of the gradient of `z` and of its product with `y`, `[2, channels]`.
fn sums(s: &BlockShape, affine: &Affine, y: &[f32], out_gradient: &[f32]) -> Vec<f32> {
    let partial: Vec<Vec<f32>> = y
        .par_chunks(s.out_pixels() * s.outputs)
        .zip(out_gradient.par_chunks(s.result_len()))
        .map(|(y, g)| {
            let mut sums = vec![0.0; 2 * s.outputs];
            add_gradients(s, affine, y, g, &mut sums);
            sums
        })
        .collect();
    sum(&partial)
}

/// Adds one picture's sums of the gradient of `z` and of its product with `y`, `[2, channels]`.
#[multiversion(targets = "simd")]
fn add_gradients(s: &BlockShape, affine: &Affine, y: &[f32], g: &[f32], sums: &mut [f32]) {
    let c = s.outputs;
    let (sum, product) = sums.split_at_mut(c);
    let (sum, product) = (&mut sum[..c], &mut product[..c]);
    let (scale, shift) = (&affine.scale[..c], &affine.shift[..c]);
    let limits = Limits::of(s);
    if !s.pool {
        for (y, g) in y.chunks_exact(c).zip(g.chunks_exact(c)) {
            for j in 0..c {
                let z = y[j] * scale[j] + shift[j];
                let d = if limits.passes(z) { g[j] } else { 0.0 };
                sum[j] += d;
                product[j] += d * y[j];
            }
        }
        return;
    }
    let (width, half) = (s.out_width(), s.out_width() / 2);
    for (i, g) in g.chunks_exact(c).enumerate() {
        let w = window(y, c, width, i / half, i % half);
        for j in 0..c {
            let y = [w[0][j], w[1][j], w[2][j], w[3][j]];
            let z = y.map(|y| y * scale[j] + shift[j]);
            let d = route(z, g[j], limits);
            sum[j] += d[0] + d[1] + d[2] + d[3];
            product[j] += d[0] * y[0] + d[1] * y[1] + d[2] * y[2] + d[3] * y[3];
        }
    }
}

/// Writes the gradient of one picture's `y`: `scale * dz + slope * y + offset`.
#[multiversion(targets = "simd")]
fn write_gradient(
    s: &BlockShape,
    (affine, slope, offset): (&Affine, &[f32], &[f32]),
    y: &[f32],
    g: &[f32],
    dy: &mut [f32],
) {
    let c = s.outputs;
    let (scale, shift) = (&affine.scale[..c], &affine.shift[..c]);
    let (slope, offset) = (&slope[..c], &offset[..c]);
    let limits = Limits::of(s);
    if !s.pool {
        for ((dy, y), g) in dy
            .chunks_exact_mut(c)
            .zip(y.chunks_exact(c))
            .zip(g.chunks_exact(c))
        {
            for j in 0..c {
                let z = y[j] * scale[j] + shift[j];
                let d = if limits.passes(z) { g[j] } else { 0.0 };
                dy[j] = scale[j] * d + slope[j] * y[j] + offset[j];
            }
        }
        return;
    }
    let (width, half) = (s.out_width(), s.out_width() / 2);
    for (i, g) in g.chunks_exact(c).enumerate() {
        let (py, px) = (i / half, i % half);
        let w = window(y, c, width, py, px);
        let top = (2 * py * width + 2 * px) * c;
        let (above, below) = dy.split_at_mut(top + width * c);
        let (d0, d1) = above[top..][..2 * c].split_at_mut(c);
        let (d2, d3) = below[..2 * c].split_at_mut(c);
        let (d0, d1) = (&mut d0[..c], &mut d1[..c]);
        let (d2, d3) = (&mut d2[..c], &mut d3[..c]);
        for j in 0..c {
            let y = [w[0][j], w[1][j], w[2][j], w[3][j]];
            let d = route(y.map(|y| y * scale[j] + shift[j]), g[j], limits);
            let back = |d: f32, y: f32| scale[j] * d + slope[j] * y + offset[j];
            d0[j] = back(d[0], y[0]);
            d1[j] = back(d[1], y[1]);
            d2[j] = back(d[2], y[2]);
            d3[j] = back(d[3], y[3]);
        }
    }
    // Pixels that no window covers still move with the statistics.
    for py in 0..s.out_height() {
        for px in 0..width {
            if py / 2 < s.out_height() / 2 && px / 2 < half {
                continue;
            }
            let at = (py * width + px) * c;
            for j in 0..c {
                dy[at + j] = slope[j] * y[at + j] + offset[j];
            }
        }
    }
}
