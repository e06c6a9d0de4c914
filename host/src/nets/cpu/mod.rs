//! The arithmetic of a training step on the processor: float32, NHWC, both cores.
//!
//! A block is convolution, batch norm, ReLU and an optional 2x2 max pool. Convolutions are matrix
//! products over im2col rows ([`dense`]) or sums over taps ([`depthwise`]); what follows the
//! convolution is fused into one pass forward and two passes back ([`norm`]); [`second`] is the way
//! back through those two. Work is split by a fixed number of pictures, never by the number of
//! threads, and partial sums are added in a fixed order, so the same input gives the same bits on
//! any number of cores. The loops over one picture are compiled for several vector widths, the
//! widest that the processor has is taken.

pub(crate) mod dense;
pub(crate) mod depthwise;
pub(crate) mod gemm;
pub(crate) mod memory;
pub(crate) mod norm;
mod part;
pub(crate) mod second;

use rayon::prelude::*;

use super::shape::BlockShape;
use part::Part;

/// Number of parts into which a batch is cut for the backward pass; each part owns one partial
/// weight gradient.
const PARTS: usize = 8;

/// Convolves every picture of `x` (`[n, height, width, inputs]`) into `y`.
pub(crate) fn convolve(shape: &BlockShape, x: &[f32], weight: &[f32], y: &mut [f32]) {
    if shape.depthwise {
        depthwise::forward(shape, x, weight, y);
    } else {
        dense::forward(shape, x, weight, y);
    }
}

/// Gradients of the weights (returned) and, where asked for, of `x` (into `dx`, which is zero);
/// `output_gradient` writes the gradient of one picture's `y`, given the picture's place in the
/// batch.
pub(crate) fn backward(
    shape: &BlockShape,
    x: &[f32],
    weight: &[f32],
    dx: Option<&mut [f32]>,
    output_gradient: impl Fn(usize, &mut [f32]) + Sync,
) -> Vec<f32> {
    let pictures = x.len() / shape.in_len();
    let len = pictures.div_ceil(PARTS).max(1);
    let dx: Vec<Option<&mut [f32]>> = match dx {
        Some(dx) => dx.chunks_mut(len * shape.in_len()).map(Some).collect(),
        None => x.chunks(len * shape.in_len()).map(|_| None).collect(),
    };
    let partial: Vec<Vec<f32>> = x
        .par_chunks(len * shape.in_len())
        .zip(dx)
        .enumerate()
        .map(|(index, (x, dx))| {
            let mut dw = vec![0.0; weight.len()];
            let part = Part {
                x,
                dx,
                dw: &mut dw,
                first: index * len,
            };
            if shape.depthwise {
                depthwise::backward(shape, weight, part, &output_gradient);
            } else {
                dense::backward(shape, weight, part, &output_gradient);
            }
            dw
        })
        .collect();
    norm::sum(&partial)
}
