//! QuantizeLinear and DequantizeLinear: a file with scales of its own.

use super::super::constant::{Constant, Scales, Values};
use super::super::error::ConvertError;
use super::super::layers::Layers;
use super::super::network::{NO_LIMITS, Op};
use super::super::node::{Activation, Node, Value};
use super::super::quantization::Quantization;

/// Reads one of both: of constants the numbers, of what depends on the picture the scale that it is given.
pub(super) fn read(node: &Node<'_>, layers: &mut Layers) -> Result<Value, ConvertError> {
    let quantizes = node.proto.op_type == "QuantizeLinear";
    match (node.inputs.first(), quantizes) {
        (Some(Some(Value::Constant(of))), true) => quantize(node, of).map(Value::Constant),
        (Some(Some(Value::Constant(of))), false) => dequantize(node, of).map(Value::Constant),
        // Channels in groups keep the scale of the tensor that they are of.
        (Some(Some(Value::Groups(groups))), _) => Ok(Value::Groups(*groups)),
        (_, true) => given(node, layers).map(Value::Activation),
        // What it reads was given its scale before.
        (_, false) => node.activation(0).map(Value::Activation),
    }
}

/// The scales and zero points of a node, and the number of the channel of each of `of`'s values.
struct Grid {
    scales: Vec<f32>,
    zeros: Vec<i64>,
    axis: usize,
    /// Values behind one another that share a scale, along one channel.
    stride: usize,
}

impl Grid {
    fn of(node: &Node<'_>, dims: &[usize]) -> Result<Self, ConvertError> {
        let (_, scales) = node.weights(1)?;
        let zeros = match node.optional_constant(2)? {
            Some(zeros) => zeros.ints().unwrap_or_default().to_vec(),
            None => vec![0; scales.len()],
        };
        let axis = match node.int("axis", 1) {
            axis @ ..0 => axis.saturating_add(dims.len() as i64),
            axis => axis,
        };
        let axis = usize::try_from(axis).unwrap_or(usize::MAX);
        let fits = scales.len() == 1 || dims.get(axis) == Some(&scales.len());
        let sound = scales.iter().all(|&scale| scale > 0.0);
        if !fits || !sound || zeros.len() != scales.len() || node.int("block_size", 0) != 0 {
            return node.fail(format!(
                "{} scales and {} zero points do not fit the shape {dims:?} along axis {axis}: one for all values, or \
                 one for each channel, each above zero, works",
                scales.len(),
                zeros.len()
            ));
        }
        Ok(Self {
            scales: scales.to_vec(),
            zeros,
            axis,
            stride: dims
                .iter()
                .skip(axis.saturating_add(1))
                .fold(1, |all, &dim| dim.saturating_mul(all)),
        })
    }

    fn at(&self, index: usize) -> (f32, i64) {
        let place = index / self.stride.max(1) % self.scales.len();
        (self.scales[place], self.zeros[place])
    }
}

/// Constants as the numbers of their grid.
fn quantize(node: &Node<'_>, of: &Constant) -> Result<Constant, ConvertError> {
    let grid = Grid::of(node, &of.dims)?;
    let (_, values) = node.weights(0)?;
    let [least, greatest] = node.optional_constant(2)?.map_or([0, 255], Constant::ends);
    let number = |(index, &value): (usize, &f32)| {
        let (scale, zero) = grid.at(index);
        let number = (f64::from(value) / f64::from(scale)).round_ties_even() as i64;
        number.saturating_add(zero).clamp(least, greatest)
    };
    let numbers = values.iter().enumerate().map(number).collect();
    Ok(Constant::new(of.dims.clone(), Values::Ints(numbers)))
}

/// Numbers as what they stand for.
fn dequantize(node: &Node<'_>, of: &Constant) -> Result<Constant, ConvertError> {
    let grid = Grid::of(node, &of.dims)?;
    let Some(numbers) = of.ints() else {
        return node.fail("input 0 must be whole numbers: the file is damaged");
    };
    let value = |(index, &number): (usize, &i64)| {
        let (scale, zero) = grid.at(index);
        (number.saturating_sub(zero) as f64 * f64::from(scale)) as f32
    };
    let values = numbers.iter().enumerate().map(value).collect();
    let scales = Scales {
        values: grid.scales,
        axis: grid.axis,
    };
    Ok(Constant::scaled(of.dims.clone(), values, scales))
}

/// Gives a tensor the scale and zero point of a QuantizeLinear.
fn given(node: &Node<'_>, layers: &mut Layers) -> Result<Activation, ConvertError> {
    let input = node.activation(0)?;
    let (_, scales) = node.weights(1)?;
    let zero = node.optional_constant(2)?;
    let ends = zero.map_or([0, 255], Constant::ends);
    let zeros = zero.map_or(Some(&[0][..]), Constant::ints);
    let (&[scale], Some(&[zero])) = (scales, zeros) else {
        return node.fail(
            "it gives a tensor a scale for each channel: quantise activations with one scale a tensor, only weights \
             by channel",
        );
    };
    // The board counts from -128 on.
    let shift = -128 - ends[0];
    if ends[1] - ends[0] != 255 || !(ends[0]..=ends[1]).contains(&zero) || scale <= 0.0 {
        return node.fail(format!(
            "its scale is {scale} and its zero point {zero} of {} to {}: only 8 bits are supported; quantise \
             activations as QUInt8 or QInt8",
            ends[0], ends[1]
        ));
    }
    let inputs = vec![input.value];
    let value = layers.push_limited(&node.name, Op::Clamp, inputs, input.shape, NO_LIMITS);
    if let Some(layer) = layers.0.last_mut() {
        layer.given = Some(Quantization {
            scale: f64::from(scale),
            zero_point: (zero + shift) as i32,
        });
    }
    Ok(Activation { value, ..input })
}
