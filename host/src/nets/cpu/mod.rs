//! The arithmetic of a training step on the processor: float32, NHWC, both cores.
//!
//! A block is convolution, batch norm, ReLU and an optional 2x2 max pool. Convolutions are matrix
//! products over unfolded pictures ([`dense`]) or sums over taps ([`depthwise`]); what follows the
//! convolution is fused into one pass forward and two passes back ([`norm`]). Work is split by a
//! fixed number of pictures, never by the number of threads, and partial sums are added in a fixed
//! order, so the same input gives the same bits on any number of cores. The loops over one picture
//! are compiled for several vector widths, the widest that the processor has is taken.

pub(crate) mod dense;
pub(crate) mod depthwise;
pub(crate) mod gemm;
pub(crate) mod memory;
pub(crate) mod norm;

use super::block::BlockShape;

/// Number of parts into which a batch is cut for the backward pass; each part owns one partial
/// weight gradient.
const PARTS: usize = 8;

/// Pictures per part of a batch of `pictures`.
pub(crate) fn part_len(pictures: usize) -> usize {
    pictures.div_ceil(PARTS).max(1)
}

/// Convolves every picture of `x` (`[n, height, width, inputs]`) into `y`.
pub(crate) fn convolve(shape: &BlockShape, x: &[f32], weight: &[f32], y: &mut [f32]) {
    if shape.depthwise {
        depthwise::forward(shape, x, weight, y);
    } else {
        dense::forward(shape, x, weight, y);
    }
}

/// Gradients of the weights (returned) and, where asked for, of `x` (into `dx`); `output_gradient`
/// writes the gradient of one picture's `y`, given the picture's place in the batch.
pub(crate) fn backward(
    shape: &BlockShape,
    x: &[f32],
    weight: &[f32],
    dx: Option<&mut [f32]>,
    output_gradient: impl Fn(usize, &mut [f32]) + Sync,
) -> Vec<f32> {
    if shape.depthwise {
        depthwise::backward(shape, x, weight, dx, output_gradient)
    } else {
        dense::backward(shape, x, weight, dx, output_gradient)
    }
}
