//! What each ONNX operator becomes.

use super::{
    clip::limits,
    concat::concat,
    constant::{Constant, Values},
    error::ConvertError,
    layers::Layers,
    lengths::{self, normalize},
    network::{Conv, Op, Shape, Window},
    node::{Activation, Axes, Node, Value},
    reshape::{flatten, reshape, squeeze, transpose, unsqueeze},
    shapes,
    unary::{self, Curve, Unary},
    upsample::upsample,
};

/// Most weights of one convolution, zeros of a dilated window included.
const MAX_WEIGHTS: usize = 1 << 26;

/// Reads one node, adds the layers that it needs and returns what it computes.
pub(super) fn read(node: &Node<'_>, layers: &mut Layers) -> Result<Value, ConvertError> {
    if let Some(shape) = shapes::fold(node)? {
        return Ok(Value::Constant(shape));
    }
    if let Some(value) = lengths::read(node, layers)? {
        return Ok(value);
    }
    if let Some(value) = unary::read(node, layers)? {
        return Ok(Value::Activation(value));
    }
    let activation = match node.proto.op_type.as_str() {
        "Constant" => return constant(node).map(Value::Constant),
        "Identity" => {
            return match node.inputs.first() {
                Some(Some(value)) => Ok(value.clone()),
                _ => node.fail("input 0 is missing: the file is damaged"),
            };
        }
        "Dropout" => dropout(node),
        "Conv" => conv(node, layers),
        "Gemm" => gemm(node, layers),
        "MatMul" => matmul(node, layers),
        "BatchNormalization" => batch_normalization(node, layers),
        "LpNormalization" => lp_normalization(node, layers),
        "Relu" => clamp(node, layers, [0.0, f32::INFINITY]),
        "Clip" => clip(node, layers),
        "MaxPool" => max_pool(node, layers),
        "AveragePool" => average_pool(node, layers),
        "GlobalAveragePool" => global_average_pool(node, layers),
        "ReduceMean" => reduce_mean(node, layers),
        "Add" | "Sub" | "Mul" | "Div" => arithmetic(node, layers),
        "Pad" => pad(node, layers),
        "PRelu" => leaky(node, layers),
        "Concat" => concat(node, layers),
        "Resize" | "Upsample" => upsample(node, layers),
        "Flatten" => flatten(node, layers),
        "Reshape" => reshape(node, layers),
        "Cast" => cast(node),
        "Transpose" => transpose(node),
        "Squeeze" => squeeze(node),
        "Unsqueeze" => unsqueeze(node),
        other => {
            return Err(ConvertError::Operator {
                node: node.name.clone(),
                operator: other.to_owned(),
                before: None,
            });
        }
    };
    activation.map(Value::Activation)
}

/// A constant written as a node.
fn constant(node: &Node<'_>) -> Result<Constant, ConvertError> {
    let Some(attribute) = node.proto.attribute.first() else {
        return node.fail("it has no value: the file is damaged");
    };
    Ok(match attribute.name.as_str() {
        "value" => match &attribute.t {
            Some(tensor) => Constant::read(tensor)?,
            None => return node.fail("it has no value: the file is damaged"),
        },
        "value_float" => Constant::scalar(Values::Floats(vec![attribute.f])),
        "value_floats" => Constant::list(Values::Floats(attribute.floats.clone())),
        "value_int" => Constant::scalar(Values::Ints(vec![attribute.i])),
        "value_ints" => Constant::list(Values::Ints(attribute.ints.clone())),
        other => {
            return node.fail(format!(
                "its attribute {other} is not supported: use a tensor"
            ));
        }
    })
}

/// Dropout is nothing in a trained network.
fn dropout(node: &Node<'_>) -> Result<Activation, ConvertError> {
    let training = node.optional_constant(2)?.and_then(Constant::ints);
    if training.is_some_and(|values| values.contains(&1)) {
        return node.fail("it is in training mode: export the model for inference");
    }
    node.activation(0)
}

/// Activations are float32 already.
fn cast(node: &Node<'_>) -> Result<Activation, ConvertError> {
    const FLOAT: i64 = 1;
    let to = node.int("to", 0);
    if to != FLOAT {
        return node.fail(format!(
            "it casts to type {to}: only float32, {FLOAT}, works"
        ));
    }
    node.activation(0)
}

/// The window of a convolution or pool, with the padding worked out.
fn window(node: &Node<'_>, kernel: [usize; 2], input: Shape) -> Result<Window, ConvertError> {
    let stride = node.sizes("strides", 1, [1, 1])?;
    let size = [input.height, input.width];
    let pads = match node.text("auto_pad") {
        "" | "NOTSET" => node.sizes("pads", 0, [0; 4])?,
        "VALID" => [0; 4],
        mode @ ("SAME_UPPER" | "SAME_LOWER") => {
            let mut pads = [0; 4];
            for axis in 0..2 {
                let steps = size[axis].div_ceil(stride[axis]) - 1;
                let total = (steps * stride[axis] + kernel[axis]).saturating_sub(size[axis]);
                let (less, more) = (total / 2, total.div_ceil(2));
                let (before, after) = if mode == "SAME_UPPER" {
                    (less, more)
                } else {
                    (more, less)
                };
                (pads[axis], pads[axis + 2]) = (before, after);
            }
            pads
        }
        other => return node.fail(format!("auto_pad is {other}: use pads")),
    };
    for axis in 0..4 {
        if pads[axis] >= kernel[axis % 2] && pads[axis] > 0 {
            let kernel = kernel[axis % 2];
            return node.fail(format!(
                "pads {pads:?} reach beyond the window of {kernel}: padding must be less than the window"
            ));
        }
    }
    Ok(Window {
        kernel,
        stride,
        pads,
    })
}

/// Height and width that come out of a window.
fn output(node: &Node<'_>, window: &Window, input: Shape) -> Result<[usize; 2], ConvertError> {
    window.output(input).ok_or_else(|| {
        let [height, width] = window.kernel;
        node.error(format!(
            "its window of {height}x{width} is larger than its padded input of {input}: use larger pictures or \
             fewer pools"
        ))
    })
}

fn conv(node: &Node<'_>, layers: &mut Layers) -> Result<Activation, ConvertError> {
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
        pool: false,
    });
    let value = layers.push(&node.name, op, vec![input.value], shape);
    Ok(Activation::picture(value, shape))
}

/// An optional bias of one value for each output channel, or one for all.
fn bias(node: &Node<'_>, index: usize, out: usize) -> Result<Vec<f32>, ConvertError> {
    if node.optional_constant(index)?.is_none() {
        return Ok(vec![0.0; out]);
    }
    let (dims, values) = node.weights(index)?;
    match values.len() {
        1 => Ok(vec![values[0]; out]),
        length if length == out && dims.last() == Some(&out) => Ok(values.to_vec()),
        _ => node.fail(format!(
            "its bias has the shape {dims:?}, {out} values are needed"
        )),
    }
}

/// A fully connected layer; `weight` is `[out, in]`.
fn linear(
    node: &Node<'_>,
    layers: &mut Layers,
    input: Activation,
    weight: Vec<f32>,
    bias: Vec<f32>,
) -> Activation {
    let shape = Shape::vector(bias.len());
    let window = Window {
        kernel: [1, 1],
        stride: [1, 1],
        pads: [0; 4],
    };
    let op = Op::Conv(Conv {
        weight,
        bias,
        window,
        groups: 1,
        pool: false,
    });
    Activation {
        value: layers.push(&node.name, op, vec![input.value], shape),
        shape,
        axes: Axes::Vector,
    }
}

/// The matrix of a fully connected layer as `[out, in]`.
fn matrix(
    node: &Node<'_>,
    transposed: bool,
    length: usize,
    factor: f32,
) -> Result<(Vec<f32>, usize), ConvertError> {
    let (dims, values) = node.weights(1)?;
    let &[rows, columns] = dims else {
        return node.fail(format!(
            "its matrix has the shape {dims:?}: rank 2 is needed"
        ));
    };
    let (out, inputs) = if transposed {
        (rows, columns)
    } else {
        (columns, rows)
    };
    if inputs != length || out == 0 {
        return node.fail(format!(
            "its matrix {dims:?} does not fit an input of {length} values"
        ));
    }
    let at = |to: usize, from: usize| {
        if transposed {
            to * columns + from
        } else {
            from * columns + to
        }
    };
    let weight: Vec<f32> = (0..out)
        .flat_map(|to| (0..inputs).map(move |from| (to, from)))
        .map(|(to, from)| factor * values[at(to, from)])
        .collect();
    node.check_finite(&weight)?;
    Ok((weight, out))
}

fn gemm(node: &Node<'_>, layers: &mut Layers) -> Result<Activation, ConvertError> {
    let input = node.vector(0)?;
    if node.int("transA", 0) != 0 {
        return node.fail("transA is set: the batch must come first");
    }
    let transposed = node.int("transB", 0) != 0;
    let (weight, out) = matrix(
        node,
        transposed,
        input.shape.channels,
        node.float("alpha", 1.0),
    )?;
    let beta = node.float("beta", 1.0);
    let bias: Vec<f32> = bias(node, 2, out)?
        .iter()
        .map(|value| beta * value)
        .collect();
    node.check_finite(&bias)?;
    Ok(linear(node, layers, input, weight, bias))
}

fn matmul(node: &Node<'_>, layers: &mut Layers) -> Result<Activation, ConvertError> {
    let input = node.vector(0)?;
    let (weight, out) = matrix(node, false, input.shape.channels, 1.0)?;
    Ok(linear(node, layers, input, weight, vec![0.0; out]))
}

fn batch_normalization(node: &Node<'_>, layers: &mut Layers) -> Result<Activation, ConvertError> {
    let input = node.activation(0)?;
    if input.axes == Axes::ChannelsLast {
        node.channels_first(0)?;
    }
    if node.int("training_mode", 0) != 0 {
        return node.fail("it is in training mode: export the model for inference");
    }
    let channels = input.shape.channels;
    let mut parameters = [&[][..]; 4];
    for (index, parameter) in parameters.iter_mut().enumerate() {
        let (dims, values) = node.weights(index + 1)?;
        if values.len() != channels {
            return node.fail(format!(
                "input {} has the shape {dims:?}, {channels} values are needed",
                index + 1
            ));
        }
        *parameter = values;
    }
    let [gamma, beta, mean, variance] = parameters;
    let epsilon = f64::from(node.float("epsilon", 1e-5));
    let scale: Vec<f32> = gamma
        .iter()
        .zip(variance)
        .map(|(&gamma, &variance)| {
            (f64::from(gamma) / (f64::from(variance) + epsilon).sqrt()) as f32
        })
        .collect();
    let offset: Vec<f32> = beta
        .iter()
        .zip(mean)
        .zip(&scale)
        .map(|((beta, mean), scale)| beta - mean * scale)
        .collect();
    affine(node, layers, input, scale, offset)
}

/// Adds `scale * x + offset` per channel.
fn affine(
    node: &Node<'_>,
    layers: &mut Layers,
    input: Activation,
    scale: Vec<f32>,
    offset: Vec<f32>,
) -> Result<Activation, ConvertError> {
    node.check_finite(&scale)?;
    node.check_finite(&offset)?;
    let op = Op::Affine { scale, offset };
    Ok(Activation {
        value: layers.push(&node.name, op, vec![input.value], input.shape),
        ..input
    })
}

/// Below zero a factor for each channel: by a table where all are the same, else both halves by themselves.
fn leaky(node: &Node<'_>, layers: &mut Layers) -> Result<Activation, ConvertError> {
    let input = node.activation(0)?;
    let (dims, slopes) = node.weights(1)?;
    let slopes = per_channel(node, &input, dims, slopes)?;
    node.check_finite(&slopes)?;
    if let Some(slope) = unary::same(&slopes) {
        let unary = Unary::plain(Curve::Leaky(slope));
        return Ok(unary::push(node, layers, input, unary));
    }
    let mut half = |limits| {
        let inputs = vec![input.value];
        layers.push_limited(&node.name, Op::Clamp, inputs, input.shape, limits)
    };
    let above = half([0.0, f32::INFINITY]);
    let value = half([f32::NEG_INFINITY, 0.0]);
    let offset = vec![0.0; slopes.len()];
    let below = affine(node, layers, Activation { value, ..input }, slopes, offset)?;
    let inputs = vec![above, below.value];
    let value = layers.push(&node.name, Op::Add, inputs, input.shape);
    Ok(Activation { value, ..input })
}

/// Holds a tensor between two limits.
fn clamp(
    node: &Node<'_>,
    layers: &mut Layers,
    limits: [f32; 2],
) -> Result<Activation, ConvertError> {
    let input = node.activation(0)?;
    let value = layers.push_limited(
        &node.name,
        Op::Clamp,
        vec![input.value],
        input.shape,
        limits,
    );
    Ok(Activation { value, ..input })
}

fn clip(node: &Node<'_>, layers: &mut Layers) -> Result<Activation, ConvertError> {
    let limits = limits(node)?;
    clamp(node, layers, limits)
}

fn max_pool(node: &Node<'_>, layers: &mut Layers) -> Result<Activation, ConvertError> {
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

fn average_pool(node: &Node<'_>, layers: &mut Layers) -> Result<Activation, ConvertError> {
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

fn global_average_pool(node: &Node<'_>, layers: &mut Layers) -> Result<Activation, ConvertError> {
    let input = node.channels_first(0)?;
    whole_mean(node, layers, input, input.axes)
}

/// The mean of all pixels.
fn whole_mean(
    node: &Node<'_>,
    layers: &mut Layers,
    input: Activation,
    axes: Axes,
) -> Result<Activation, ConvertError> {
    let window = Window::whole(input.shape);
    if window.kernel.iter().any(|&side| side > 255) {
        return node.fail("its input is over 255 pixels high or wide: reduce it earlier");
    }
    let shape = Shape::vector(input.shape.channels);
    let value = layers.push(
        &node.name,
        Op::AveragePool(window),
        vec![input.value],
        shape,
    );
    Ok(Activation { value, shape, axes })
}

fn reduce_mean(node: &Node<'_>, layers: &mut Layers) -> Result<Activation, ConvertError> {
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
    whole_mean(node, layers, input, axes)
}

fn lp_normalization(node: &Node<'_>, layers: &mut Layers) -> Result<Activation, ConvertError> {
    let input = node.activation(0)?;
    let (axis, p) = (node.int("axis", -1), node.int("p", 2));
    let channels = input.channel_axis();
    if p != 2 || (axis != channels && axis != channels - input.rank()) {
        return node.fail(format!(
            "p is {p} and axis {axis}: only the Euclidean length, 2, of the channels, {channels}, is supported"
        ));
    }
    Ok(normalize(node, layers, input))
}

/// Add, Sub, Mul and Div: of two tensors only Add, of a tensor and constants all of them.
fn arithmetic(node: &Node<'_>, layers: &mut Layers) -> Result<Activation, ConvertError> {
    let operator = node.proto.op_type.as_str();
    let (input, constant, reversed) = match &node.inputs[..] {
        [Some(Value::Activation(a)), Some(Value::Activation(b))] => {
            if operator == "Mul"
                && let Some((of, unary)) = unary::product(layers, *a, *b)
            {
                return Ok(unary::push(node, layers, of, unary));
            }
            if operator != "Add" {
                return node.fail(
                    "of two computed tensors only the sum is supported, and the product of one with a function of itself",
                );
            }
            if (a.shape, a.axes) != (b.shape, b.axes) {
                return node.fail(format!(
                    "it adds {} and {}: both must have one shape",
                    a.text(),
                    b.text()
                ));
            }
            let value = layers.push(&node.name, Op::Add, vec![a.value, b.value], a.shape);
            return Ok(Activation { value, ..*a });
        }
        [Some(Value::Activation(a)), Some(Value::Constant(_))] => (*a, 1, false),
        [Some(Value::Constant(_)), Some(Value::Activation(b))] => (*b, 0, true),
        _ => return node.fail("two inputs are needed, one at least computed from the picture"),
    };
    let (dims, values) = node.weights(constant)?;
    let values = per_channel(node, &input, dims, values)?;
    let channels = values.len();
    let (scale, offset) = match (operator, reversed) {
        ("Add", _) => (vec![1.0; channels], values),
        ("Sub", false) => (
            vec![1.0; channels],
            values.iter().map(|value| -value).collect(),
        ),
        ("Sub", true) => (vec![-1.0; channels], values),
        ("Mul", _) => (values, vec![0.0; channels]),
        ("Div", false) => (
            values.iter().map(|value| 1.0 / value).collect(),
            vec![0.0; channels],
        ),
        _ => return node.fail("dividing by a computed tensor is not supported: remove it"),
    };
    affine(node, layers, input, scale, offset)
}

/// Constants that stand for one value per channel, by the rules of broadcasting.
fn per_channel(
    node: &Node<'_>,
    input: &Activation,
    dims: &[usize],
    values: &[f32],
) -> Result<Vec<f32>, ConvertError> {
    let channels = input.shape.channels;
    // The axis of the channels, counted from the back.
    let axis = (input.rank() - input.channel_axis()) as usize;
    let others = dims
        .iter()
        .rev()
        .enumerate()
        .filter(|(index, _)| index + 1 != axis);
    if others.into_iter().all(|(_, &dim)| dim == 1) && dims.len() <= input.rank() as usize {
        if values.len() == 1 {
            return Ok(vec![values[0]; channels]);
        }
        if values.len() == channels {
            return Ok(values.to_vec());
        }
    }
    node.fail(format!(
        "constants of the shape {dims:?} do not fit {}: only one value, or one for each channel, works",
        input.text()
    ))
}

fn pad(node: &Node<'_>, layers: &mut Layers) -> Result<Activation, ConvertError> {
    let input = node.picture(0)?;
    let mode = node.text("mode");
    let fill = node
        .optional_constant(2)?
        .and_then(Constant::floats)
        .and_then(<[f32]>::first);
    let fill = fill.copied().unwrap_or_else(|| node.float("value", 0.0));
    if !["", "constant"].contains(&mode) || fill != 0.0 {
        return node.fail("only padding with zeros is supported");
    }
    let axes = match node.optional_constant(3)? {
        None => (0..4).collect(),
        Some(constant) => constant.ints().unwrap_or_default().to_vec(),
    };
    let attribute = node.attribute("pads").map(|pads| &pads.ints[..]);
    let ends = match node.optional_constant(1)? {
        Some(constant) => constant.ints(),
        None => attribute,
    };
    let ends = ends.unwrap_or_default();
    if ends.len() != 2 * axes.len() {
        return node.fail(format!(
            "its pads {ends:?} do not fit the axes {axes:?}: the file is damaged"
        ));
    }
    let [before, behind] = [&ends[..axes.len()], &ends[axes.len()..]];
    let mut pads = [0; 4];
    for ((axis, &before), &behind) in axes.into_iter().zip(before).zip(behind) {
        let axis = if axis < 0 {
            axis.saturating_add(4)
        } else {
            axis
        };
        match input.spatial_axes().iter().position(|&side| side == axis) {
            Some(side) => [pads[side], pads[side + 2]] = [before, behind],
            None if before == 0 && behind == 0 => {}
            None => {
                return node.fail(format!(
                    "pads {ends:?} pad the batch or the channels: pad the picture only"
                ));
            }
        }
    }
    let pads: [usize; 4] = node.as_sizes("pads", 0, &pads)?;
    let [top, left, bottom, right] = pads;
    let shape = Shape {
        height: input.shape.height + top + bottom,
        width: input.shape.width + left + right,
        ..input.shape
    };
    Ok(Activation {
        value: layers.push(&node.name, Op::Pad(pads), vec![input.value], shape),
        shape,
        ..input
    })
}
