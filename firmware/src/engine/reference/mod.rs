//! The scalar twins of the kernels: one value after the other, straight from the definitions.
//!
//! They read the same records, but weights in natural order, and are what every kernel is tested
//! against, on the host and on a board ([`Trial`]). Nothing else uses them, so they leave no trace
//! in firmware.

mod chain;
mod shape;
mod trial;

pub use crate::random::Random;
pub use chain::{Chain, Layout, random_chain};
pub use trial::{Trial, TrialError, Values};

use super::requantize::requantize;
use crate::image::{Channel, Kind, OpRecord, Tensor};

/// What a twin reads in addition to the record.
#[derive(Clone, Copy, Debug)]
pub struct Operands<'a> {
    /// The input, height x width x channels.
    pub input: &'a [i8],
    /// The second addend, else empty.
    pub second: &'a [i8],
    /// Output channel x kernel row x kernel column x input channel of the group; for fully
    /// connected output channel x input.
    pub weights: &'a [i8],
    /// One for each output channel.
    pub channels: &'a [Channel],
}

/// Computes the operation into `output`, which has the length of the record's output.
///
/// # Panics
/// If the record is invalid or a slice is too short.
pub fn run(op: &OpRecord, operands: &Operands<'_>, output: &mut [i8]) {
    match op.kind().expect("a known kind") {
        Kind::Conv2d | Kind::Depthwise => conv(op, operands, output),
        Kind::FullyConnected => fully_connected(op, operands, output),
        Kind::MaxPool => max_pool(op, operands.input, output),
        Kind::AveragePool => average_pool(op, operands.input, output),
        Kind::Add => add(op, operands, output),
        Kind::Clamp => {
            for (out, &value) in output.iter_mut().zip(operands.input) {
                *out = value.max(op.act_min).min(op.act_max);
            }
        }
        Kind::Flatten => flatten(op, operands.input, output),
        Kind::Normalize => normalize(op, operands.input, output),
        Kind::Upsample => upsample(op, operands.input, output),
        Kind::Table => {
            for (out, &value) in output.iter_mut().zip(operands.input) {
                let place = i32::from(value) + 128;
                *out = operands.weights[place as usize].clamp(op.act_min, op.act_max);
            }
        }
        Kind::Concat => concat(op, operands, output),
        Kind::Multiply => multiply(op, operands, output),
        Kind::Gather => gather(op, operands, output),
    }
}

/// The value at a row and column that may lie in the padding: then `None`.
fn at(tensor: &Tensor, data: &[i8], y: isize, x: isize, channel: usize) -> Option<i32> {
    let (height, width) = (usize::from(tensor.height), usize::from(tensor.width));
    let y = usize::try_from(y).ok().filter(|&y| y < height)?;
    let x = usize::try_from(x).ok().filter(|&x| x < width)?;
    Some(i32::from(
        data[(y * width + x) * usize::from(tensor.channels) + channel],
    ))
}

/// Visits every tap of the window of output `y`, `x`: kernel row and column, input row and column.
fn window(op: &OpRecord, y: usize, x: usize, mut visit: impl FnMut(usize, usize, isize, isize)) {
    let [top, left, ..] = op.pads.map(isize::from);
    for ky in 0..usize::from(op.kernel[0]) {
        for kx in 0..usize::from(op.kernel[1]) {
            let row = (y * usize::from(op.stride[0]) + ky) as isize - top;
            let column = (x * usize::from(op.stride[1]) + kx) as isize - left;
            visit(ky, kx, row, column);
        }
    }
}

fn finish(op: &OpRecord, acc: i32, multiplier: i32) -> i8 {
    let value = requantize(acc, u32::from(op.pre_shift), multiplier);
    (value + i32::from(op.output.zero_point)).clamp(op.act_min.into(), op.act_max.into()) as i8
}

/// Visits every output: its position in the tensor, row, column and channel.
fn outputs(op: &OpRecord, mut visit: impl FnMut(usize, usize, usize, usize)) {
    let (width, channels) = (
        usize::from(op.output.width),
        usize::from(op.output.channels),
    );
    for index in 0..op.output.len() {
        let (pixel, channel) = (index / channels, index % channels);
        visit(index, pixel / width, pixel % width, channel);
    }
}

fn conv(op: &OpRecord, operands: &Operands<'_>, output: &mut [i8]) {
    let inputs = usize::from(op.input.channels);
    let groups = match op.kind() {
        Some(Kind::Depthwise) => inputs,
        _ => usize::from(op.groups),
    };
    let (group_inputs, group_outputs) = (inputs / groups, usize::from(op.output.channels) / groups);
    let sum = |y, x, channel: usize| {
        let mut acc = operands.channels[channel].bias;
        window(op, y, x, |ky, kx, row, column| {
            for c in 0..group_inputs {
                let tap = (ky * usize::from(op.kernel[1]) + kx) * group_inputs + c;
                let weight = operands.weights[channel * op.taps() + tap];
                let from = channel / group_outputs * group_inputs + c;
                let value = at(&op.input, operands.input, row, column, from)
                    .unwrap_or(op.input.zero_point.into());
                acc = acc.wrapping_add(i32::from(weight) * value);
            }
        });
        acc
    };
    let pool = usize::from(op.pool.max(1));
    outputs(op, |index, y, x, channel| {
        let sums = (0..pool * pool).map(|i| sum(y * pool + i / pool, x * pool + i % pool, channel));
        let greatest = sums.max().unwrap_or(i32::MIN);
        output[index] = finish(op, greatest, operands.channels[channel].multiplier);
    });
}

fn fully_connected(op: &OpRecord, operands: &Operands<'_>, output: &mut [i8]) {
    let taps = op.taps();
    for (index, out) in output.iter_mut().enumerate() {
        let Channel { bias, multiplier } = operands.channels[index];
        let row = &operands.weights[index * taps..][..taps];
        let acc = row
            .iter()
            .zip(operands.input)
            .fold(bias, |acc, (&weight, &value)| {
                acc.wrapping_add(i32::from(weight) * i32::from(value))
            });
        *out = finish(op, acc, multiplier);
    }
}

fn max_pool(op: &OpRecord, input: &[i8], output: &mut [i8]) {
    outputs(op, |index, y, x, channel| {
        let mut best = i32::from(i8::MIN);
        window(op, y, x, |_, _, row, column| {
            best = best.max(at(&op.input, input, row, column, channel).unwrap_or(best));
        });
        output[index] = best.clamp(op.act_min.into(), op.act_max.into()) as i8;
    });
}

fn average_pool(op: &OpRecord, input: &[i8], output: &mut [i8]) {
    let zero = i32::from(op.input.zero_point);
    outputs(op, |index, y, x, channel| {
        let mut acc = 0;
        window(op, y, x, |_, _, row, column| {
            acc += at(&op.input, input, row, column, channel).unwrap_or(zero) - zero;
        });
        output[index] = finish(op, acc, op.multiplier);
    });
}

fn add(op: &OpRecord, operands: &Operands<'_>, output: &mut [i8]) {
    let addends = operands.input.iter().zip(operands.second);
    for (out, (&a, &b)) in output.iter_mut().zip(addends) {
        let a = (i32::from(a) - i32::from(op.input.zero_point)) * op.coefficients[0];
        let b = (i32::from(b) - i32::from(op.second.zero_point)) * op.coefficients[1];
        *out = finish(op, a + b, op.multiplier);
    }
}

fn flatten(op: &OpRecord, input: &[i8], output: &mut [i8]) {
    let (width, channels) = (usize::from(op.input.width), usize::from(op.input.channels));
    let area = usize::from(op.input.height) * width;
    for (index, out) in output.iter_mut().enumerate() {
        let (channel, pixel) = (index / area, index % area);
        *out = input[pixel * channels + channel].clamp(op.act_min, op.act_max);
    }
}

fn upsample(op: &OpRecord, input: &[i8], output: &mut [i8]) {
    let (width, channels) = (usize::from(op.input.width), usize::from(op.input.channels));
    let [down, right] = op.stride.map(usize::from);
    outputs(op, |index, y, x, channel| {
        let nearest = (y / down * width + x / right) * channels + channel;
        output[index] = input[nearest].clamp(op.act_min, op.act_max);
    });
}

fn concat(op: &OpRecord, operands: &Operands<'_>, output: &mut [i8]) {
    let [first, second] = [op.input.channels, op.second.channels].map(usize::from);
    let width = usize::from(op.input.width);
    outputs(op, |index, y, x, channel| {
        let pixel = y * width + x;
        let value = match channel.checked_sub(first) {
            None => operands.input[pixel * first + channel],
            Some(channel) => operands.second[pixel * second + channel],
        };
        output[index] = value.clamp(op.act_min, op.act_max);
    });
}

fn multiply(op: &OpRecord, operands: &Operands<'_>, output: &mut [i8]) {
    for (index, (out, &a)) in output.iter_mut().zip(operands.input).enumerate() {
        let b = operands.second[index % op.second.len()];
        let a = i32::from(a) - i32::from(op.input.zero_point);
        let b = i32::from(b) - i32::from(op.second.zero_point);
        *out = finish(op, a * b, op.multiplier);
    }
}

fn gather(op: &OpRecord, operands: &Operands<'_>, output: &mut [i8]) {
    let (width, read) = (usize::from(op.input.width), usize::from(op.input.channels));
    outputs(op, |index, y, x, channel| {
        let [low, high] = [0, 1].map(|byte| operands.weights[2 * channel + byte] as u8);
        let from = usize::from(u16::from_le_bytes([low, high]));
        let value = operands.input[(y * width + x) * read + from];
        output[index] = value.clamp(op.act_min, op.act_max);
    });
}

fn normalize(op: &OpRecord, input: &[i8], output: &mut [i8]) {
    let channels = usize::from(op.input.channels);
    let over = |value: i8| i64::from(value) - i64::from(op.input.zero_point);
    for (pixel, out) in input.chunks(channels).zip(output.chunks_mut(channels)) {
        let squares: i64 = pixel.iter().map(|&value| over(value).pow(2)).sum();
        let length = (squares << 16).isqrt().max(1);
        for (out, &value) in out.iter_mut().zip(pixel) {
            // To the nearest, halves upwards.
            let product = over(value) * i64::from(op.multiplier);
            let scaled = (2 * product + length).div_euclid(2 * length);
            let shifted = scaled + i64::from(op.output.zero_point);
            *out = shifted.clamp(op.act_min.into(), op.act_max.into()) as i8;
        }
    }
}
