//! Weights and maps rounded to eight bits in training, as a board has them, so that a network learns to bear it.
//!
//! Gradients pass as if nothing had been rounded (Bengio et al. 2013, Jacob et al. 2018).

use burn::tensor::Tensor;

/// Weights `[taps x inputs, outputs]`, each output channel in 255 levels about zero. Batch norm scales whole channels,
/// so that these are the levels of what the converter makes of them.
pub(super) fn weights(weights: Tensor<2>) -> Tensor<2> {
    let most = weights.clone().detach().abs().max_dim(0);
    let step = most.clamp_min(f32::MIN_POSITIVE) / f32::from(i8::MAX);
    rounded(weights, step)
}

/// A map `[n, height, width, channels]` in 256 levels from its least to its greatest value, one of them zero.
pub(super) fn map(map: Tensor<4>) -> Tensor<4> {
    let values = map.clone().detach();
    let range = values.clone().max().clamp_min(0.0) - values.min().clamp_max(0.0);
    let step = range.clamp_min(f32::MIN_POSITIVE) / f32::from(u8::MAX);
    rounded(map, step.reshape([1, 1, 1, 1]))
}

/// The nearest whole number of steps.
fn rounded<const D: usize>(values: Tensor<D>, step: Tensor<D>) -> Tensor<D> {
    let plain = values.clone().detach();
    let error = (plain.clone() / step.clone()).round() * step - plain;
    values + error
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;

    fn leaf<const D: usize>(values: &[f32], shape: [usize; D]) -> Tensor<D> {
        let data = TensorData::new(values.to_vec(), shape);
        Tensor::from_data(data, &Device::flex().autodiff()).require_grad()
    }

    fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
        tensor.into_data().try_to_vec().unwrap()
    }

    #[test]
    fn each_channel_of_weights_has_its_own_levels() {
        let own = leaf(&[127.0, 0.254, -3.4, 0.0011, 0.6, 0.0], [3, 2]);
        let got = numbers(weights(own));
        let expected = [127.0, 0.254, -3.0, 0.002, 1.0, 0.0];
        for (got, expected) in got.iter().zip(expected) {
            assert!((got - expected).abs() < 1e-4, "{got} {expected}");
        }
        assert_eq!(numbers(weights(leaf(&[0.0; 4], [2, 2]))), [0.0; 4]);
    }

    #[test]
    fn a_map_has_256_levels_with_zero_among_them() {
        let values: Vec<f32> = (0..1000).map(|i| -0.31 + i as f32 * 0.0021).collect();
        let mut got = numbers(map(leaf(&values, [1, 10, 10, 10])));
        let step = (values[999] - values[0]) / 255.0;
        for (got, value) in got.iter().zip(&values) {
            assert!((got - value).abs() <= 0.5001 * step, "{got} {value}");
        }
        got.dedup_by(|a, b| (*a - *b).abs() < 0.1 * step);
        assert!((250..=256).contains(&got.len()), "{}", got.len());
        assert!(got.iter().any(|value| value.abs() < 1e-6));
        let positive = numbers(map(leaf(&[5.0, 0.0, 255.0, 7.4], [1, 2, 2, 1])));
        assert_eq!(positive, [5.0, 0.0, 255.0, 7.0]);
    }

    #[test]
    fn gradients_pass_as_if_nothing_were_rounded() {
        let own = leaf(&[0.9, -0.3, 0.7, 0.123], [1, 2, 2, 1]);
        let by = leaf(&[1.0, 2.0, -3.0, 4.0], [1, 2, 2, 1]).detach();
        let gradients = (map(own.clone()) * by).sum().backward();
        assert_eq!(
            numbers(own.grad(&gradients).unwrap()),
            [1.0, 2.0, -3.0, 4.0]
        );
    }
}
