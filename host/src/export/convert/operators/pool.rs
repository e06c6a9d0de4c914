//! Pools, over windows and over whole pictures.

use super::super::error::ConvertError;
use super::super::layers::Layers;
use super::super::network::{Op, Shape, Window};
use super::super::node::{Activation, Axes, Node};
use super::window::{output, window};

pub(super) fn max_pool(node: &Node<'_>, layers: &mut Layers) -> Result<Activation, ConvertError> {
    if node
        .proto
        .output
        .iter()
        .skip(1)
        .any(|name| !name.is_empty())
    {
        return node.fail("its output of indices is not supported: remove what uses it");
    }
    pool(node, layers, Op::MaxPool)
}

pub(super) fn average_pool(
    node: &Node<'_>,
    layers: &mut Layers,
) -> Result<Activation, ConvertError> {
    pool(node, layers, Op::AveragePool)
}

/// A pool of the kind that `op` makes.
fn pool(
    node: &Node<'_>,
    layers: &mut Layers,
    op: fn(Window) -> Op,
) -> Result<Activation, ConvertError> {
    let input = node.channels_first(0)?;
    let kernel = node.sizes("kernel_shape", 1, [0, 0])?;
    if kernel.contains(&0) {
        return node.fail("it has no kernel_shape: the file is damaged");
    }
    if node.sizes("dilations", 1, [1, 1])? != [1, 1] {
        return node.fail("dilations are not supported in pools: use a plain window");
    }
    let mut window = window(node, kernel, input.shape)?;
    let average = matches!(op(window), Op::AveragePool(_));
    if average && window.pads != [0; 4] && node.int("count_include_pad", 0) == 0 {
        return node.fail(
            "it leaves the padding out of the mean: pool without padding, or set count_include_pad",
        );
    }
    if node.int("ceil_mode", 0) != 0 {
        for (axis, size) in [input.shape.height, input.shape.width]
            .into_iter()
            .enumerate()
        {
            let padded = size + window.pads[axis] + window.pads[axis + 2];
            let rest = padded.saturating_sub(window.kernel[axis]) % window.stride[axis];
            if rest == 0 {
                continue;
            }
            let more = window.stride[axis] - rest;
            if window.pads[axis + 2] + more >= window.kernel[axis] {
                // It would start in the padding and is left out.
                continue;
            }
            if average {
                return node.fail("ceil_mode changes its output: export with ceil_mode off");
            }
            window.pads[axis + 2] += more;
        }
    }
    if window
        .kernel
        .iter()
        .chain(&window.stride)
        .any(|&side| side > 255)
    {
        return node.fail("its window or stride is over 255 pixels: use smaller ones");
    }
    let [height, width] = output(node, &window, input.shape)?;
    let shape = Shape {
        height,
        width,
        ..input.shape
    };
    let value = layers.push(&node.name, op(window), vec![input.value], shape);
    Ok(Activation::picture(value, shape))
}

pub(super) fn global_average_pool(
    node: &Node<'_>,
    layers: &mut Layers,
) -> Result<Activation, ConvertError> {
    let input = node.channels_first(0)?;
    whole(node, layers, input, input.axes, Op::AveragePool)
}

pub(super) fn global_max_pool(
    node: &Node<'_>,
    layers: &mut Layers,
) -> Result<Activation, ConvertError> {
    let input = node.channels_first(0)?;
    whole(node, layers, input, input.axes, Op::MaxPool)
}

/// A pool of all pixels.
fn whole(
    node: &Node<'_>,
    layers: &mut Layers,
    input: Activation,
    axes: Axes,
    op: fn(Window) -> Op,
) -> Result<Activation, ConvertError> {
    let window = Window::whole(input.shape);
    if window.kernel.iter().any(|&side| side > 255) {
        return node.fail("its input is over 255 pixels high or wide: reduce it earlier");
    }
    let shape = Shape::vector(input.shape.channels);
    let value = layers.push(&node.name, op(window), vec![input.value], shape);
    Ok(Activation { value, shape, axes })
}

pub(super) fn reduce_mean(
    node: &Node<'_>,
    layers: &mut Layers,
) -> Result<Activation, ConvertError> {
    let input = node.picture(0)?;
    let axes = node.axes(input.rank())?.unwrap_or_default();
    let [vertical, horizontal] = input.spatial_axes();
    if axes != [vertical, horizontal] {
        return node.fail(format!(
            "it runs over the axes {axes:?}: only height and width, [{vertical}, {horizontal}], work"
        ));
    }
    let axes = if node.int("keepdims", 1) == 0 {
        Axes::Vector
    } else {
        input.axes
    };
    whole(node, layers, input, axes, Op::AveragePool)
}
