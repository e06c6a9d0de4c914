//! From float32 layers to the integers of the image.

use sudal_firmware::image::MAX_UNIT;

use super::{
    calibrate::{Range, Statistics},
    curve::Unary,
    edit::is_depthwise,
    network::{Conv, Network, Op},
    quantization::Quantization,
};

/// Greatest weight; the scale is symmetric, so -128 is not used.
const MAX_WEIGHT: f64 = 127.0;
/// Greatest shift before the multiplier.
const MAX_SHIFT: u32 = 15;

/// One output channel of a convolution in integers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) weights: Vec<i8>,
    /// At the accumulator's scale, the input's zero point times the sum of weights subtracted.
    pub(super) bias: i32,
    pub(super) multiplier: i32,
}

/// What a layer needs in addition to its shapes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Integers {
    /// One row for each output channel.
    Rows(Vec<Row>),
    /// The multiplier of a mean, of a product or of a unit vector.
    Scale(i32),
    /// The coefficients and the multiplier of a sum.
    Sum([i32; 2], i32),
    /// What each value becomes, that for -128 first; or the numbers of channels, 16 bits each.
    Table(Vec<i8>),
    /// Values that only move.
    Move,
}

/// A layer in integers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Quantized {
    pub(super) integers: Integers,
    pub(super) pre_shift: u32,
    pub(super) act_min: i8,
    pub(super) act_max: i8,
}

/// The quantisation of every value, the picture first.
///
/// What only moves values keeps the quantisation of its input; what is joined has one for all parts.
pub(super) fn ranges(
    network: &Network,
    statistics: &[Statistics],
    range: Range,
) -> Vec<Quantization> {
    let picture = || statistics[0].quantization(Range::MinMax);
    let mut quantizations = vec![network.given.unwrap_or_else(picture)];
    for (layer, statistics) in network.layers.iter().zip(&statistics[1..]) {
        quantizations.push(match (layer.given, moves(&layer.op)) {
            (Some(given), _) => given,
            (None, true) => quantizations[layer.inputs[0]],
            (None, false) => statistics.quantization(range),
        });
    }
    share(network, &mut quantizations);
    quantizations
}

/// Whether a layer's values are its first input's, in another order or fewer of them.
pub(super) fn moves(op: &Op) -> bool {
    matches!(
        op,
        Op::MaxPool(_) | Op::Upsample(_) | Op::Flatten | Op::View | Op::Clamp | Op::Gather(_)
    )
}

/// Gives what is joined, and what only moves values of it, one quantisation that holds all their values.
fn share(network: &Network, quantizations: &mut [Quantization]) {
    let mut group: Vec<usize> = (0..quantizations.len()).collect();
    let mut joined = vec![false; quantizations.len()];
    for (index, layer) in network.layers.iter().enumerate() {
        let joins = layer.op == Op::Concat;
        if !joins && !moves(&layer.op) {
            continue;
        }
        for &input in &layer.inputs {
            let (from, to) = (group[input], group[index + 1]);
            let either = joined[from] || joined[to] || joins;
            joined[to] = either;
            group
                .iter_mut()
                .filter(|g| **g == from)
                .for_each(|g| *g = to);
        }
    }
    for number in (0..joined.len()).filter(|&number| joined[number]) {
        let members = || (0..group.len()).filter(|&value| group[value] == number);
        if members().any(|value| network.given(value).is_some()) {
            // All that is joined was given one.
            continue;
        }
        let ends = members().map(|value| quantizations[value].ends());
        let Some([least, greatest]) = ends.reduce(|a, b| [a[0].min(b[0]), a[1].max(b[1])]) else {
            continue;
        };
        let shared = Quantization::over(least, greatest);
        members().for_each(|value| quantizations[value] = shared);
    }
}

/// Quantises every layer.
pub(super) fn quantize(
    network: &Network,
    statistics: &[Statistics],
    quantizations: &[Quantization],
) -> Vec<Quantized> {
    let layers = network.layers.iter().enumerate().map(|(index, layer)| {
        let input = quantizations[layer.inputs[0]];
        let output = quantizations[index + 1];
        let (integers, pre_shift) = match &layer.op {
            Op::Conv(conv) => rows(conv, &statistics[layer.inputs[0]].means, input, output),
            Op::AveragePool(window) => {
                let area = window.area();
                let factor = input.scale / output.scale / area as f64;
                let (shift, multiplier) = multiplier(factor, 255 * area as i32);
                (Integers::Scale(multiplier), shift)
            }
            // Lengths are in 256ths of a step.
            Op::Normalize => {
                let steps = (256.0 / output.scale).round().min(f64::from(MAX_UNIT));
                (Integers::Scale(steps as i32), 0)
            }
            Op::Multiply => {
                let factor = input.scale * quantizations[layer.inputs[1]].scale / output.scale;
                let (shift, multiplier) = multiplier(factor, 255 * 255);
                (Integers::Scale(multiplier), shift)
            }
            Op::Gather(channels) => {
                let numbers = channels
                    .iter()
                    .flat_map(|&channel| (channel as u16).to_le_bytes());
                (Integers::Table(numbers.map(|byte| byte as i8).collect()), 0)
            }
            Op::Unary(unary) => (Integers::Table(table(*unary, input, output)), 0),
            Op::Add => sum([input, quantizations[layer.inputs[1]]], output),
            _ => (Integers::Move, 0),
        };
        let [least, greatest] = layer.limits;
        let limit = |value: f32, default: i8| {
            if value.is_finite() {
                output.quantize(f64::from(value))
            } else {
                default
            }
        };
        let (act_min, act_max) = (limit(least, -128), limit(greatest, 127));
        Quantized {
            integers,
            pre_shift,
            act_min,
            act_max,
        }
    });
    layers.collect()
}

/// What a function makes of each input from -128 on.
fn table(unary: Unary, input: Quantization, output: Quantization) -> Vec<i8> {
    let entry = |level: i32| {
        let x = f64::from(level - input.zero_point) * input.scale;
        output.quantize(f64::from(unary.at(x as f32)))
    };
    (-128..=127).map(entry).collect()
}

/// The shift and multiplier that stand for a positive factor of a sum of at most `greatest`.
///
/// A factor that would need a shift in which the sum overflows becomes the greatest that does not.
fn multiplier(factor: f64, greatest: i32) -> (u32, i32) {
    let room = greatest.leading_zeros().saturating_sub(1);
    let shift = shift(factor).min(room);
    (shift, scaled(factor, shift))
}

/// The least shift with which a factor's multiplier fits.
fn shift(factor: f64) -> u32 {
    (0..MAX_SHIFT)
        .find(|&shift| (factor * f64::from(32 - shift).exp2()).round() <= f64::from(i32::MAX))
        .unwrap_or(MAX_SHIFT)
}

/// The multiplier of a factor behind a shift.
fn scaled(factor: f64, shift: u32) -> i32 {
    (factor * f64::from(32 - shift).exp2())
        .round()
        .min(f64::from(i32::MAX)) as i32
}

/// The sum of two tensors.
fn sum(inputs: [Quantization; 2], output: Quantization) -> (Integers, u32) {
    const UNIT: f64 = 32767.0;
    let greater = inputs[0].scale.max(inputs[1].scale);
    let coefficients = inputs.map(|input| (input.scale / greater * UNIT).round() as i32);
    let greatest = 255 * coefficients.iter().sum::<i32>();
    let (shift, multiplier) = multiplier(greater / UNIT / output.scale, greatest);
    (Integers::Sum(coefficients, multiplier), shift)
}

/// Quantises a convolution, one scale for each output channel.
///
/// `means` are those of the input's channels: what rounding the weights adds to the mean of an
/// output is taken out of its bias.
fn rows(conv: &Conv, means: &[f64], input: Quantization, output: Quantization) -> (Integers, u32) {
    let per_group = conv.out() / conv.groups;
    let mut scales: Vec<f64> = (0..conv.out())
        .map(|channel| {
            let greatest = conv
                .row(channel)
                .iter()
                .fold(0.0_f32, |most, weight| most.max(weight.abs()));
            let given = conv
                .scales
                .as_ref()
                .map(|scales| f64::from(scales[channel]));
            let least = f64::from(greatest) / MAX_WEIGHT;
            // A weight of -128 does not fit, nor one that is far from its zero point.
            given
                .filter(|given| least <= given * 1.0001)
                .unwrap_or(least)
        })
        .collect();
    // A channel without weights still has a bias, which needs a scale of its own.
    let floor = scales.iter().copied().fold(0.0, f64::max).max(1e-20) * 1e-9;
    scales
        .iter_mut()
        .for_each(|scale| *scale = scale.max(floor));
    loop {
        let factor = |scale: f64| input.scale * scale / output.scale;
        let pre_shift = scales
            .iter()
            .map(|&scale| shift(factor(scale)))
            .max()
            .unwrap_or(0);
        let rows: Vec<Option<Row>> = scales
            .iter()
            .enumerate()
            .map(|(channel, &scale)| {
                let group = channel / per_group * conv.group_inputs();
                let mut row = row(conv, channel, &means[group..], scale, input, pre_shift)?;
                row.multiplier = scaled(factor(scale), pre_shift);
                Some(row)
            })
            .collect();
        if rows.iter().all(Option::is_some) {
            return (
                Integers::Rows(rows.into_iter().flatten().collect()),
                pre_shift,
            );
        }
        // A sum that could overflow gets coarser weights.
        for (scale, row) in scales.iter_mut().zip(&rows) {
            if row.is_none() {
                *scale *= 2.0;
            }
        }
    }
}

/// One output channel; `None` if its sum could overflow with the shift.
fn row(
    conv: &Conv,
    channel: usize,
    means: &[f64],
    scale: f64,
    input: Quantization,
    pre_shift: u32,
) -> Option<Row> {
    let inputs = conv.group_inputs();
    let (mut weights, mut drift) = (Vec::with_capacity(conv.taps()), 0.0);
    for (tap, &weight) in conv.row(channel).iter().enumerate() {
        let weight = f64::from(weight);
        let rounded = (weight / scale).round().clamp(-MAX_WEIGHT, MAX_WEIGHT);
        drift += (rounded * scale - weight) * means[tap % inputs];
        weights.push(rounded as i8);
    }
    let bias = ((f64::from(conv.bias[channel]) - drift) / (input.scale * scale)).round();
    // The least and greatest sum over all inputs that int8 can hold.
    let zero_point = i64::from(input.zero_point);
    let span = |weight: i8| {
        let ends = [-128, 127].map(|value| i64::from(weight) * (value - zero_point));
        [ends[0].min(ends[1]), ends[0].max(ends[1])]
    };
    let total: i64 = weights.iter().map(|&weight| i64::from(weight)).sum();
    let [least, greatest] = weights
        .iter()
        .map(|&w| span(w))
        .fold([0, 0], |a, b| [a[0] + b[0], a[1] + b[1]]);
    let room = i64::from(i32::MAX >> pre_shift);
    let fits = |value: i64| value.abs() < room;
    if bias.abs() > f64::from(i32::MAX) {
        return None;
    }
    let bias = bias as i64;
    let folded = bias - zero_point * total;
    let ok = fits(least + bias) && fits(greatest + bias);
    let bias = i32::try_from(folded).ok().filter(|_| ok)?;
    Some(Row {
        weights,
        bias,
        multiplier: 0,
    })
}

/// Whether a layer is a depthwise convolution.
pub(super) fn depthwise(network: &Network, layer: usize) -> bool {
    let channels = network.shape(network.layers[layer].inputs[0]).channels;
    matches!(&network.layers[layer].op, Op::Conv(conv) if is_depthwise(conv, channels))
}

#[cfg(test)]
mod tests {
    use super::super::network::Window;
    use super::*;

    fn conv(weight: Vec<f32>, bias: Vec<f32>) -> Conv {
        let window = Window {
            kernel: [1, 1],
            stride: [1, 1],
            pads: [0; 4],
        };
        Conv {
            weight,
            bias,
            window,
            groups: 1,
            scales: None,
            pool: false,
        }
    }

    #[test]
    fn multipliers_keep_their_bits() {
        for factor in [1e-6, 0.001, 0.3, 0.499_999, 0.5, 0.9, 7.3, 1000.0] {
            let (shift, multiplier) = multiplier(factor, 1 << 16);
            let real = f64::from(multiplier) / f64::from(32 - shift).exp2();
            assert!(
                (real / factor - 1.0).abs() < 1e-3,
                "{factor} {shift} {multiplier}"
            );
            assert_eq!(shift > 0, factor >= 0.5);
        }
        // 2^20 has room for a shift of 10.
        assert_eq!(multiplier(1e6, 1 << 20), (10, i32::MAX));
    }

    #[test]
    fn a_row_gives_the_real_sum() {
        let input = Quantization {
            scale: 0.05,
            zero_point: -10,
        };
        let output = Quantization {
            scale: 0.1,
            zero_point: 3,
        };
        let conv = conv(vec![0.5, -1.27, 0.25, 0.0], vec![0.3, -2.0]);
        let (integers, shift) = rows(&conv, &[0.0, 0.0], input, output);
        let Integers::Rows(rows) = integers else {
            panic!("{integers:?}")
        };
        assert_eq!(rows[0].weights, [50, -127]);
        let values = [40_i8, -60];
        for (row, exact) in rows
            .iter()
            .zip([0.5 * 2.5 + 1.27 * 2.5 + 0.3, 0.25 * 2.5 - 2.0])
        {
            let products = row
                .weights
                .iter()
                .zip(values)
                .map(|(&w, v)| i32::from(w) * i32::from(v));
            let acc = row.bias + products.sum::<i32>();
            let y = sudal_firmware::engine::requantize(acc, shift, row.multiplier);
            assert_eq!(y, (exact / 0.1_f64).round() as i32);
        }
    }

    #[test]
    fn a_dead_channel_with_a_large_bias_does_not_overflow() {
        let input = Quantization {
            scale: 1e-3,
            zero_point: 127,
        };
        let output = Quantization {
            scale: 1.0,
            zero_point: 0,
        };
        let conv = conv(
            vec![1e-9, 1e-9, 0.0, 0.0, 1.0, 1.0],
            vec![100.0, -100.0, 0.0],
        );
        let (integers, shift) = rows(&conv, &[0.0, 0.0], input, output);
        let Integers::Rows(rows) = integers else {
            panic!("{integers:?}")
        };
        for (row, bias) in rows.iter().zip([100, -100, 0]) {
            let total: i32 = row.weights.iter().map(|&weight| i32::from(weight)).sum();
            let acc = row.bias + 127 * total;
            let y = sudal_firmware::engine::requantize(acc, shift, row.multiplier);
            assert!((y - bias).abs() <= 1, "{y} {bias} {row:?}");
        }
    }

    #[test]
    fn the_bias_takes_the_mean_error_of_the_weights() {
        let input = Quantization {
            scale: 0.01,
            zero_point: -128,
        };
        let output = Quantization {
            scale: 0.01,
            zero_point: -128,
        };
        let conv = conv(vec![1.27, 0.004], vec![0.0]);
        let (Integers::Rows(plain), _) = rows(&conv, &[0.0, 0.0], input, output) else {
            panic!()
        };
        let (Integers::Rows(shifted), _) = rows(&conv, &[0.0, 2.0], input, output) else {
            panic!()
        };
        // 0.004 becomes 0: at a mean of 2.0 that is 0.008, 80 steps of 0.01 * 0.01.
        assert_eq!(shifted[0].bias - plain[0].bias, 80);
    }
}
