//! What follows a block and what is added to it, by the library's own operations: for networks that are not fused.

use burn::tensor::Tensor;
use burn::tensor::activation::leaky_relu;

use super::graph::SLOPE;
use super::network::After;

/// From `[n, height, width, channels]`.
pub(super) fn forward(after: After, x: Tensor<4>) -> Tensor<4> {
    let x = match after.leaky {
        true => leaky_relu(x, f64::from(SLOPE)),
        false => x,
    };
    match after.pool {
        true => {
            let [n, height, width, channels] = x.dims();
            let pooled = windows(x).max_dim(1);
            pooled.reshape([n, height / 2, width / 2, channels])
        }
        false => x,
    }
}

/// The gradient by what `forward` read, from that by what it gave: both only choose.
pub(super) fn backward(after: After, x: &Tensor<4>, by: Tensor<4>) -> Tensor<4> {
    let x = x.clone().detach();
    let [n, height, width, channels] = x.dims();
    let (h, w) = (height / 2, width / 2);
    let by = match after.pool {
        true => {
            let activated = forward(
                After {
                    pool: false,
                    ..after
                },
                x.clone(),
            );
            let windows = windows(activated);
            let rows = windows.dims()[0];
            let chosen = windows.argmax(1).reshape([rows]).one_hot::<2>(4).float();
            let spread = (chosen * by.reshape([rows, 1]))
                .reshape([n, h, w, channels, 2, 2])
                .permute([0, 1, 4, 2, 5, 3])
                .reshape([n, 2 * h, 2 * w, channels]);
            Tensor::<4>::zeros([n, height, width, channels], &spread.device())
                .slice_assign([0..n, 0..2 * h, 0..2 * w, 0..channels], spread)
        }
        false => by,
    };
    match after.leaky {
        true => {
            let positive = x.greater_elem(0.0).float();
            by * (positive * (1.0 - SLOPE) + SLOPE)
        }
        false => by,
    }
}

/// The four pixels of each 2x2 window beside each other, `[windows * channels, 4]`.
fn windows(x: Tensor<4>) -> Tensor<2> {
    let [n, height, width, channels] = x.dims();
    let (h, w) = (height / 2, width / 2);
    x.slice([0..n, 0..2 * h, 0..2 * w, 0..channels])
        .reshape([n, h, 2, w, 2, channels])
        .permute([0, 1, 3, 5, 2, 4])
        .reshape([n * h * w * channels, 4])
}
