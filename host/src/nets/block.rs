//! The block that every network here is made of: convolution, batch norm, activation, optional max pool.

use burn::tensor::Tensor;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;

pub use super::shape::{Activation, BlockShape, BlockWeights, Statistics};
use super::{backend, fused};

/// Which statistics batch norm uses.
#[derive(Clone, Copy, Debug)]
pub enum Norm<'a> {
    /// Those of this batch, as in training.
    Batch,
    /// These, as after training; gradients flow through the map, not to the statistics.
    Fixed(&'a Statistics),
}

/// Applies a block to `[n, height, width, inputs]`; returns the output and the statistics that
/// batch norm used (without gradient).
pub fn forward(
    shape: &BlockShape,
    weights: &BlockWeights,
    x: Tensor<4>,
    norm: Norm<'_>,
) -> (Tensor<4>, Statistics) {
    if !backend::is_processor(&x.device()) {
        return composed(shape, weights, x, norm);
    }
    match norm {
        Norm::Batch => {
            let (out, stats, _) = fused::block(shape, weights, x);
            (out, stats)
        }
        Norm::Fixed(stats) => {
            let (scale, shift) = weights.affine(stats);
            let out = fused::affine_block(shape, weights.weight.clone(), scale, shift, x);
            (out, stats.clone())
        }
    }
}

/// The same by burn's own operations, for back ends other than the CPU's and as the test oracle.
pub fn composed(
    shape: &BlockShape,
    weights: &BlockWeights,
    x: Tensor<4>,
    norm: Norm<'_>,
) -> (Tensor<4>, Statistics) {
    let s = shape;
    let k = s.kernel;
    let (inputs, groups) = if s.depthwise {
        (1, s.inputs)
    } else {
        (s.inputs, 1)
    };
    let kernel = weights
        .weight
        .clone()
        .reshape([k, k, inputs, s.outputs])
        .permute([3, 2, 0, 1]);
    let options = ConvOptions::new([s.stride, s.stride], [s.padding, s.padding], [1, 1], groups);
    let y = conv2d(x.permute([0, 3, 1, 2]), kernel, None, options);
    let [n, _, height, width] = y.dims();
    let y = y.permute([0, 2, 3, 1]);
    let flat = y.clone().reshape([n * height * width, s.outputs]);
    let stats = match norm {
        Norm::Fixed(stats) => stats.clone(),
        Norm::Batch => {
            let mean = flat.clone().mean_dim(0);
            let variance = (flat.clone() - mean.clone()).powi_scalar(2).mean_dim(0);
            Statistics { mean, variance }
        }
    };
    let (scale, shift) = weights.affine(&stats);
    let mut z = (flat * scale + shift).reshape([n, height, width, s.outputs]);
    z = match s.activation {
        Activation::Linear => z,
        Activation::Relu => z.clamp_min(0.0),
        Activation::Relu6 => z.clamp(0.0, 6.0),
    };
    if s.pool {
        let (h, w) = (height / 2, width / 2);
        z = z
            .slice([0..n, 0..2 * h, 0..2 * w, 0..s.outputs])
            .reshape([n, h, 2, w, 2, s.outputs])
            .max_dim(4)
            .max_dim(2)
            .reshape([n, h, w, s.outputs]);
    }
    let stats = Statistics {
        mean: stats.mean.detach(),
        variance: stats.variance.detach(),
    };
    (z, stats)
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;

    fn numbers(count: usize, seed: u64) -> Vec<f32> {
        use rand::{RngExt, SeedableRng};
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        (0..count).map(|_| rng.random_range(-1.0..1.0)).collect()
    }

    fn leaf<const D: usize>(shape: [usize; D], seed: u64, device: &Device) -> Tensor<D> {
        let data = TensorData::new(numbers(shape.iter().product(), seed), shape);
        Tensor::from_data(data, device).require_grad()
    }

    /// Output, statistics and the gradients of x, weight, gamma and beta.
    fn run(s: &BlockShape, fused: bool, fixed: bool) -> Vec<Vec<f32>> {
        let device = Device::flex().autodiff();
        let x = leaf([3, s.height, s.width, s.inputs], 1, &device);
        let weights = BlockWeights {
            weight: leaf(s.weight_shape(), 2, &device),
            gamma: leaf([1, s.outputs], 3, &device),
            beta: leaf([1, s.outputs], 4, &device),
        };
        let f = if fused { forward } else { composed };
        let known = Statistics {
            mean: leaf([1, s.outputs], 6, &device).detach(),
            variance: leaf([1, s.outputs], 7, &device).detach().abs() + 0.5,
        };
        let norm = if fixed {
            Norm::Fixed(&known)
        } else {
            Norm::Batch
        };
        let (out, stats) = f(s, &weights, x.clone(), norm);
        let shape = out.dims();
        let target = leaf(shape, 5, &device).detach();
        let grads = (out.clone() * target).sum().backward();
        let BlockWeights {
            weight,
            gamma,
            beta,
        } = weights;
        let flat = |t: Tensor<2>| t.into_data().try_to_vec::<f32>().unwrap();
        vec![
            out.into_data().try_to_vec().unwrap(),
            flat(stats.mean),
            flat(stats.variance),
            x.grad(&grads).unwrap().into_data().try_to_vec().unwrap(),
            flat(weight.grad(&grads).unwrap()),
            flat(gamma.grad(&grads).unwrap()),
            flat(beta.grad(&grads).unwrap()),
        ]
    }

    #[test]
    fn fused_block_matches_the_composition_of_burns_operations() {
        let base = BlockShape {
            height: 7,
            width: 6,
            inputs: 5,
            outputs: 5,
            kernel: 3,
            stride: 1,
            padding: 1,
            depthwise: false,
            activation: Activation::Relu,
            pool: false,
        };
        for depthwise in [false, true] {
            for (kernel, padding) in [(3, 1), (1, 0), (3, 0), (5, 2)] {
                for stride in [1, 2] {
                    for (activation, pool) in [
                        (Activation::Relu, true),
                        (Activation::Relu, false),
                        (Activation::Relu6, true),
                        (Activation::Relu6, false),
                        (Activation::Linear, false),
                    ] {
                        let s = BlockShape {
                            depthwise,
                            kernel,
                            padding,
                            stride,
                            activation,
                            pool,
                            outputs: if depthwise { 5 } else { 4 },
                            ..base
                        };
                        for fixed in [false, true] {
                            let (a, b) = (run(&s, true, fixed), run(&s, false, fixed));
                            for (which, (a, b)) in a.iter().zip(&b).enumerate() {
                                assert_eq!(a.len(), b.len());
                                for (a, b) in a.iter().zip(b) {
                                    assert!((a - b).abs() < 2e-4, "{which}: {a} {b} in {s:?}");
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
