//! Makes the channels of a tensor equally large, so that one scale serves them all.
//!
//! A ReLU commutes with a positive factor. So a convolution's output channel can be multiplied by a
//! factor and divided by it again in the weights that read it, and the network computes what it did
//! before (Nagel et al., 2019, "Data-Free Quantization Through Weight Equalization and Bias
//! Correction"). The more equal the channels of the tensor, the less rounding it costs; the more
//! unequal the weights that read it, the more rounding those costs. For each tensor the factors with
//! the least sum of both are taken.

use super::{
    calibrate::Statistics,
    network::{Conv, NO_LIMITS, Network, Op},
};

/// How far the channels are made equal: 0 not at all, 1 fully.
const DEGREES: [f64; 9] = [0.0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1.0];
/// Greatest ratio of a factor to the mean of all.
const MOST: f64 = 64.0;

/// Equalises every tensor between convolutions.
pub(super) fn equalize(network: &mut Network, statistics: &[Statistics]) {
    let behind = network.behind_embedding();
    for index in 0..network.layers.len() {
        if let Some(readers) = readers(network, index) {
            // With patches the embedding stays what it is without them.
            let judges = if behind[index] {
                readers
                    .iter()
                    .copied()
                    .filter(|&reader| behind[reader])
                    .collect()
            } else {
                readers.clone()
            };
            let factors = factors(network, &judges, &statistics[index + 1]);
            apply(network, index, &readers, &factors);
        }
    }
}

/// The convolutions that read layer `index`, if it is a convolution that may be scaled and nothing
/// else reads it.
fn readers(network: &Network, index: usize) -> Option<Vec<usize>> {
    let layer = &network.layers[index];
    let scalable = matches!(layer.op, Op::Conv(_))
        && (layer.limits == NO_LIMITS || layer.limits == [0.0, f32::INFINITY]);
    let value = index + 1;
    let readers: Vec<usize> = (value..network.layers.len())
        .filter(|&other| network.layers[other].inputs.contains(&value))
        .collect();
    let convolutions = readers
        .iter()
        .all(|&other| matches!(network.layers[other].op, Op::Conv(_)));
    let scalable = scalable && !network.is_output(value);
    (scalable && convolutions && !readers.is_empty()).then_some(readers)
}

/// The factors of the channels of a tensor, with a mean of 1 on the logarithmic scale.
fn factors(network: &Network, readers: &[usize], statistics: &Statistics) -> Vec<f64> {
    let peaks: Vec<f64> = statistics
        .peaks
        .iter()
        .map(|&peak| f64::from(peak))
        .collect();
    let alive: Vec<f64> = peaks.iter().copied().filter(|&peak| peak > 0.0).collect();
    if alive.is_empty() {
        return vec![1.0; peaks.len()];
    }
    let mean = (alive.iter().map(|peak| peak.ln()).sum::<f64>() / alive.len() as f64).exp();
    let of_degree = |degree: f64| -> Vec<f64> {
        let factor = |&peak: &f64| {
            if peak > 0.0 {
                (mean / peak).clamp(1.0 / MOST, MOST).powf(degree)
            } else {
                1.0
            }
        };
        peaks.iter().map(factor).collect()
    };
    let noise = |factors: &[f64]| -> f64 {
        let conv = |&reader: &usize| match &network.layers[reader].op {
            Op::Conv(conv) => noise(conv, statistics, factors),
            _ => 0.0,
        };
        readers.iter().map(conv).sum()
    };
    DEGREES
        .map(|degree| (noise(&of_degree(degree)), degree))
        .into_iter()
        .min_by(|a, b| a.0.total_cmp(&b.0))
        .map_or_else(|| vec![1.0; peaks.len()], |(_, degree)| of_degree(degree))
}

/// What rounding a tensor with these factors, and the weights that read it, adds to the square of a
/// reader's outputs; up to a constant.
fn noise(conv: &Conv, statistics: &Statistics, factors: &[f64]) -> f64 {
    let peak = |(peak, factor): (&f32, &f64)| f64::from(*peak) * factor;
    let step = statistics
        .peaks
        .iter()
        .zip(factors)
        .map(peak)
        .fold(0.0, f64::max)
        / 255.0;
    let inputs = conv.group_inputs();
    let outputs = conv.out() / conv.groups;
    let mut noise = 0.0;
    for channel in 0..conv.out() {
        let first = channel / outputs * inputs;
        let (mut greatest, mut weights, mut squares) = (0.0_f64, 0.0, 0.0);
        for (tap, &weight) in conv.row(channel).iter().enumerate() {
            let from = first + tap % inputs;
            let weight = f64::from(weight) / factors[from];
            greatest = greatest.max(weight.abs());
            weights += weight * weight;
            squares += statistics.squares[from] * factors[from] * factors[from];
        }
        noise += step * step * weights + (greatest / 127.0).powi(2) * squares;
    }
    noise
}

/// Multiplies the channels that layer `index` computes and divides the weights that read them.
fn apply(network: &mut Network, index: usize, readers: &[usize], factors: &[f64]) {
    if let Op::Conv(conv) = &mut network.layers[index].op {
        let taps = conv.taps();
        for (row, &factor) in conv.weight.chunks_exact_mut(taps).zip(factors) {
            row.iter_mut()
                .for_each(|weight| *weight = (f64::from(*weight) * factor) as f32);
        }
        for (bias, &factor) in conv.bias.iter_mut().zip(factors) {
            *bias = (f64::from(*bias) * factor) as f32;
        }
    }
    for &reader in readers {
        if let Op::Conv(conv) = &mut network.layers[reader].op {
            let (taps, inputs) = (conv.taps(), conv.group_inputs());
            let outputs = conv.out() / conv.groups;
            for (channel, row) in conv.weight.chunks_exact_mut(taps).enumerate() {
                let first = channel / outputs * inputs;
                for (tap, weight) in row.iter_mut().enumerate() {
                    *weight = (f64::from(*weight) / factors[first + tap % inputs]) as f32;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        calibrate, evaluate,
        network::{Layer, Shape, Window},
    };
    use super::*;

    /// A channel a thousand times larger than another, read depthwise and densely.
    fn network() -> Network {
        let window = Window {
            kernel: [1, 1],
            stride: [1, 1],
            pads: [0; 4],
        };
        let layer = |index: usize, weight: &[f32], bias: &[f32], groups: usize| Layer {
            name: String::new(),
            op: Op::Conv(Conv {
                weight: weight.to_vec(),
                bias: bias.to_vec(),
                window,
                groups,
                scales: None,
                pool: false,
            }),
            inputs: vec![index],
            shape: Shape {
                height: 1,
                width: 4,
                channels: bias.len(),
            },
            limits: [0.0, f32::INFINITY],
            given: None,
        };
        Network {
            input: Shape {
                height: 1,
                width: 4,
                channels: 1,
            },
            input_affine: vec![[1.0, 0.0]],
            patches: None,
            given: None,
            layers: vec![
                layer(0, &[0.01, 10.0], &[0.001, 0.0], 1),
                layer(1, &[1.0, 0.5], &[0.0, 0.1], 2),
                layer(2, &[3.0, 0.1, -0.5, 0.2], &[0.2, 0.0], 1),
            ],
        }
    }

    #[test]
    fn channels_become_equal_and_the_network_stays() {
        let pictures = vec![vec![0.1, 0.5, 0.9, 1.0], vec![0.3, 0.2, 0.8, 0.0]];
        let mut network = network();
        let before = calibrate::observe(&network, &pictures);
        let embed = |network: &Network| {
            let evaluator = evaluate::Evaluator::new(network);
            pictures
                .iter()
                .map(|p| evaluator.run(p.clone()).pop())
                .collect::<Vec<_>>()
        };
        let exact = embed(&network);
        equalize(&mut network, &before);
        let after = calibrate::observe(&network, &pictures);
        for (exact, got) in exact.iter().flatten().zip(embed(&network).iter().flatten()) {
            for (exact, got) in exact.iter().zip(got) {
                assert!((exact - got).abs() < 1e-5, "{exact} {got}");
            }
        }
        // Full equality costs a depthwise reader nothing, up to the greatest ratio.
        let ratio = |statistics: &[Statistics]| {
            let peaks = &statistics[1].peaks;
            peaks[1] / peaks[0]
        };
        assert!(ratio(&before) > 900.0);
        assert!(ratio(&after) < 1.01, "{}", ratio(&after));
        // The embedding is left alone.
        assert_eq!(before[3].peaks.len(), 2);
        assert!((before[3].greatest - after[3].greatest).abs() < 1e-5);
    }

    #[test]
    fn limits_above_forbid_it() {
        let mut network = network();
        network.layers[0].limits = [0.0, 6.0];
        assert_eq!(readers(&network, 0), None);
        assert_eq!(readers(&network, 1), Some(vec![2]));
        assert_eq!(readers(&network, 2), None);
    }
}
