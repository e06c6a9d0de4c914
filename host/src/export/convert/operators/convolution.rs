//! Convolutions.

use super::super::error::ConvertError;
use super::super::layers::Layers;
use super::super::network::{Conv, Op, Shape};
use super::super::node::{Activation, Node};
use super::linear::bias;
use super::window::{output, window};

/// Most weights of one convolution, zeros of a dilated window included.
const MAX_WEIGHTS: usize = 1 << 26;

pub(super) fn conv(node: &Node<'_>, layers: &mut Layers) -> Result<Activation, ConvertError> {
    let input = node.channels_first(0)?;
    let (dims, values) = node.weights(1)?;
    let &[out, inputs, height, width] = dims else {
        return node.fail(format!(
            "its weights have the shape {dims:?}: rank 4, [out, in, height, width], is needed"
        ));
    };
    let groups = node.int("group", 1).try_into().unwrap_or(0);
    let channels = input.shape.channels;
    if groups == 0 || channels != inputs.saturating_mul(groups) || out == 0 || out % groups != 0 {
        return node.fail(format!(
            "weights {dims:?} in {groups} groups do not fit an input of {}: the file is damaged",
            input.text()
        ));
    }
    let size = node.sizes("kernel_shape", 1, [height, width])?;
    if size != [height, width] || height == 0 || width == 0 {
        return node.fail(format!(
            "kernel_shape {size:?} contradicts the weights {dims:?}"
        ));
    }
    let dilation = node.sizes("dilations", 1, [1, 1])?;
    // A dilated kernel is a larger one with zeros in it.
    let kernel = [
        (height - 1) * dilation[0] + 1,
        (width - 1) * dilation[1] + 1,
    ];
    let window = window(node, kernel, input.shape)?;
    if kernel.iter().chain(&window.stride).any(|&side| side > 255) {
        return node.fail("its window or stride is over 255 pixels: use smaller ones");
    }
    if out * inputs * kernel[0] * kernel[1] > MAX_WEIGHTS {
        return node.fail("its dilated window is too large: use a smaller dilation");
    }
    let mut weight = vec![0.0; out * kernel[0] * kernel[1] * inputs];
    for (index, &value) in values.iter().enumerate() {
        let (x, y) = (index % width, index / width % height);
        let (from, to) = (
            index / (width * height) % inputs,
            index / (width * height * inputs),
        );
        let (x, y) = (x * dilation[1], y * dilation[0]);
        weight[((to * kernel[0] + y) * kernel[1] + x) * inputs + from] = value;
    }
    let bias = bias(node, 2, out)?;
    let [height, width] = output(node, &window, input.shape)?;
    let shape = Shape {
        height,
        width,
        channels: out,
    };
    let op = Op::Conv(Conv {
        weight,
        bias,
        window,
        groups,
        scales: node.scales(1, 0, out),
        pool: false,
    });
    let value = layers.push(&node.name, op, vec![input.value], shape);
    Ok(Activation::picture(value, shape))
}
