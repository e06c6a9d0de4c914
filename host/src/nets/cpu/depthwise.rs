//! Depthwise convolution: each channel under its own kernel, weights `[taps, channels]`.

use rayon::prelude::*;

use super::{BlockShape, part_len, vectorize};

/// Calls `f(tap, input pixel)` for every tap of the output pixel that lies inside the picture.
#[inline(always)]
fn taps(s: &BlockShape, oy: usize, ox: usize, mut f: impl FnMut(usize, usize)) {
    for ky in 0..s.kernel {
        let y = (oy * s.stride + ky).wrapping_sub(s.padding);
        if y >= s.height {
            continue;
        }
        for kx in 0..s.kernel {
            let x = (ox * s.stride + kx).wrapping_sub(s.padding);
            if x < s.width {
                f(ky * s.kernel + kx, y * s.width + x);
            }
        }
    }
}

/// `y = conv(x)`, `y` is `[n, out_height, out_width, channels]`.
pub(crate) fn forward(s: &BlockShape, x: &[f32], weight: &[f32], y: &mut [f32]) {
    let c = s.outputs;
    y.par_chunks_mut(s.out_pixels() * c)
        .zip(x.par_chunks(s.in_len()))
        .for_each(|(y, x)| {
            vectorize(|| {
                for (pixel, y) in y.chunks_exact_mut(c).enumerate() {
                    y.fill(0.0);
                    taps(
                        s,
                        pixel / s.out_width(),
                        pixel % s.out_width(),
                        |tap, at| {
                            let (w, x) = (&weight[tap * c..][..c], &x[at * c..][..c]);
                            for ((y, w), x) in y.iter_mut().zip(w).zip(x) {
                                *y += w * x;
                            }
                        },
                    );
                }
            });
        });
}

/// As [`super::dense::backward`].
pub(crate) fn backward(
    s: &BlockShape,
    x: &[f32],
    weight: &[f32],
    dx: Option<&mut [f32]>,
    output_gradient: impl Fn(usize, &mut [f32]) + Sync,
) -> Vec<f32> {
    let c = s.outputs;
    let part = part_len(x.len() / s.in_len());
    let dx_parts: Vec<Option<&mut [f32]>> = match dx {
        Some(dx) => dx.chunks_mut(part * s.in_len()).map(Some).collect(),
        None => x.chunks(part * s.in_len()).map(|_| None).collect(),
    };
    let partial: Vec<Vec<f32>> = x
        .par_chunks(part * s.in_len())
        .zip(dx_parts)
        .enumerate()
        .map(|(index, (x, mut dx))| {
            let mut dw = vec![0.0; s.taps() * c];
            let mut dy = vec![0.0; s.out_pixels() * c];
            for (i, x) in x.chunks_exact(s.in_len()).enumerate() {
                output_gradient(index * part + i, &mut dy);
                let mut dx = dx
                    .as_mut()
                    .map(|dx| &mut dx[i * s.in_len()..][..s.in_len()]);
                vectorize(|| {
                    if let Some(dx) = &mut dx {
                        dx.fill(0.0);
                    }
                    for (pixel, dy) in dy.chunks_exact(c).enumerate() {
                        taps(
                            s,
                            pixel / s.out_width(),
                            pixel % s.out_width(),
                            |tap, at| {
                                let dw = &mut dw[tap * c..][..c];
                                for ((dw, dy), x) in dw.iter_mut().zip(dy).zip(&x[at * c..][..c]) {
                                    *dw += dy * x;
                                }
                                if let Some(dx) = &mut dx {
                                    let (dx, w) = (&mut dx[at * c..][..c], &weight[tap * c..][..c]);
                                    for ((dx, dy), w) in dx.iter_mut().zip(dy).zip(w) {
                                        *dx += dy * w;
                                    }
                                }
                            },
                        );
                    }
                });
            }
            dw
        })
        .collect();
    super::norm::sum(&partial)
}
