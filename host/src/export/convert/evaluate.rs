//! The network in float32, every value kept: what the ranges of the activations are found from.

use super::network::{Conv, Network, Op, Shape, Window};

/// A network with its weights laid out for evaluation.
pub(super) struct Evaluator<'n> {
    network: &'n Network,
    /// For each layer the weights as `[group][tap][output]`; empty without weights.
    weights: Vec<Vec<f32>>,
}

impl<'n> Evaluator<'n> {
    pub(super) fn new(network: &'n Network) -> Self {
        let weights = network.layers.iter().map(|layer| match &layer.op {
            Op::Conv(conv) => transpose(conv),
            _ => vec![],
        });
        Self {
            network,
            weights: weights.collect(),
        }
    }

    /// All values for one picture, `height x width x channels`: the picture first.
    pub(super) fn run(&self, picture: Vec<f32>) -> Vec<Vec<f32>> {
        self.run_with(picture, |_, _| {})
    }

    /// Like [`Evaluator::run`], each value changed by `change`, which gets its number too, before it is
    /// read.
    pub(super) fn run_with(
        &self,
        mut picture: Vec<f32>,
        change: impl Fn(usize, &mut [f32]),
    ) -> Vec<Vec<f32>> {
        change(0, &mut picture);
        let mut values = vec![picture];
        for (layer, weights) in self.network.layers.iter().zip(&self.weights) {
            let input = &values[layer.inputs[0]];
            let shape = self.network.shape(layer.inputs[0]);
            let mut output = match &layer.op {
                Op::Conv(conv) => convolve(conv, weights, input, shape),
                Op::MaxPool(window) => pool(window, input, shape, f32::NEG_INFINITY, f32::max),
                Op::AveragePool(window) => {
                    let mut output = pool(window, input, shape, 0.0, |a, b| a + b);
                    let area = window.area() as f32;
                    output.iter_mut().for_each(|value| *value /= area);
                    output
                }
                Op::Add => input
                    .iter()
                    .zip(&values[layer.inputs[1]])
                    .map(|(a, b)| a + b)
                    .collect(),
                Op::Multiply => {
                    let factors = values[layer.inputs[1]].iter().cycle();
                    input.iter().zip(factors).map(|(a, b)| a * b).collect()
                }
                Op::Gather(channels) => input
                    .chunks_exact(shape.channels)
                    .flat_map(|pixel| channels.iter().map(|&channel| pixel[channel]))
                    .collect(),
                Op::Flatten => (0..shape.channels)
                    .flat_map(|channel| input.iter().skip(channel).step_by(shape.channels).copied())
                    .collect(),
                Op::Normalize => input
                    .chunks_exact(shape.channels)
                    .flat_map(|pixel| {
                        let length = pixel.iter().map(|value| value * value).sum::<f32>().sqrt();
                        let length = length.max(f32::MIN_POSITIVE);
                        pixel.iter().map(move |value| value / length)
                    })
                    .collect(),
                Op::Unary(unary) => input.iter().map(|&value| unary.at(value)).collect(),
                Op::Concat => {
                    let second = layer.inputs[1];
                    let behind = self.network.shape(second).channels;
                    input
                        .chunks_exact(shape.channels)
                        .zip(values[second].chunks_exact(behind))
                        .flat_map(|(first, second)| [first, second].concat())
                        .collect()
                }
                Op::Upsample(factors) => repeat(*factors, input, shape),
                // The last two are folded away before anything is evaluated.
                Op::View | Op::Clamp | Op::Affine { .. } | Op::Pad(_) => input.clone(),
            };
            let [least, greatest] = layer.limits;
            output
                .iter_mut()
                .for_each(|value| *value = value.max(least).min(greatest));
            change(values.len(), &mut output);
            values.push(output);
        }
        values
    }
}

/// `[out][tap]` to `[group][tap][output of the group]`.
fn transpose(conv: &Conv) -> Vec<f32> {
    let outputs = conv.out() / conv.groups;
    let taps = conv.taps();
    let mut weights = Vec::with_capacity(conv.weight.len());
    for group in conv.weight.chunks_exact(taps * outputs) {
        for tap in 0..taps {
            weights.extend(group.iter().skip(tap).step_by(taps));
        }
    }
    weights
}

/// Calls `tap` for each tap of a window that lies inside: index of the tap, index of the pixel.
fn taps(window: &Window, input: Shape, y: usize, x: usize, mut tap: impl FnMut(usize, usize)) {
    let [top, left, ..] = window.pads;
    for ky in 0..window.kernel[0] {
        let row = (y * window.stride[0] + ky).wrapping_sub(top);
        if row >= input.height {
            continue;
        }
        for kx in 0..window.kernel[1] {
            let column = (x * window.stride[1] + kx).wrapping_sub(left);
            if column < input.width {
                tap(ky * window.kernel[1] + kx, row * input.width + column);
            }
        }
    }
}

/// A convolution with bias, and its pool if it has one.
fn convolve(conv: &Conv, weights: &[f32], input: &[f32], shape: Shape) -> Vec<f32> {
    let [height, width] = conv.window.output(shape).unwrap_or_default();
    let (out, inputs) = (conv.out(), conv.group_inputs());
    let outputs = out / conv.groups;
    let mut output = Vec::with_capacity(height * width * out);
    for y in 0..height {
        for x in 0..width {
            let start = output.len();
            output.extend_from_slice(&conv.bias);
            let sums = &mut output[start..];
            taps(&conv.window, shape, y, x, |tap, pixel| {
                let pixel = &input[pixel * shape.channels..][..shape.channels];
                if inputs == 1 && outputs == 1 {
                    // Depthwise: the groups' single weights for this tap lie a window apart.
                    let weights = weights.iter().skip(tap).step_by(conv.window.area());
                    for ((sum, value), weight) in sums.iter_mut().zip(pixel).zip(weights) {
                        *sum += value * weight;
                    }
                    return;
                }
                for (group, sums) in sums.chunks_exact_mut(outputs).enumerate() {
                    let pixel = &pixel[group * inputs..][..inputs];
                    let first = (group * conv.taps() + tap * inputs) * outputs;
                    let rows = weights[first..].chunks_exact(outputs);
                    for (&value, row) in pixel.iter().zip(rows) {
                        if value != 0.0 {
                            sums.iter_mut()
                                .zip(row)
                                .for_each(|(sum, weight)| *sum += value * weight);
                        }
                    }
                }
            });
        }
    }
    if conv.pool {
        let pairs = Window {
            kernel: [2, 2],
            stride: [2, 2],
            pads: [0; 4],
        };
        let shape = Shape {
            height,
            width,
            channels: out,
        };
        return pool(&pairs, &output, shape, f32::NEG_INFINITY, f32::max);
    }
    output
}

/// Rows and columns repeated.
fn repeat([down, right]: [usize; 2], input: &[f32], shape: Shape) -> Vec<f32> {
    let mut output = Vec::with_capacity(input.len() * down * right);
    for row in input.chunks_exact(shape.width * shape.channels) {
        for _ in 0..down {
            for pixel in row.chunks_exact(shape.channels) {
                (0..right).for_each(|_| output.extend_from_slice(pixel));
            }
        }
    }
    output
}

/// Combines the values of each window, starting with `first`.
fn pool(
    window: &Window,
    input: &[f32],
    shape: Shape,
    first: f32,
    combine: fn(f32, f32) -> f32,
) -> Vec<f32> {
    let [height, width] = window.output(shape).unwrap_or_default();
    let mut output = Vec::with_capacity(height * width * shape.channels);
    for y in 0..height {
        for x in 0..width {
            let start = output.len();
            output.resize(start + shape.channels, first);
            let totals = &mut output[start..];
            taps(window, shape, y, x, |_, pixel| {
                let pixel = &input[pixel * shape.channels..][..shape.channels];
                totals
                    .iter_mut()
                    .zip(pixel)
                    .for_each(|(total, &value)| *total = combine(*total, value));
            });
        }
    }
    output
}
