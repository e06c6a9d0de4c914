//! What each ONNX operator becomes.

use super::{
    constant::{Constant, Values},
    error::ConvertError,
    network::{Conv, NO_LIMITS, Op, Shape, Window},
    node::{Activation, Node, Value},
    read::Layers,
};

/// Most weights of one convolution, zeros of a dilated window included.
const MAX_WEIGHTS: usize = 1 << 26;

/// Reads one node, adds the layers that it needs and returns what it computes.
pub(super) fn read(node: &Node<'_>, layers: &mut Layers) -> Result<Value, ConvertError> {
    if let Some(length) = length(node)? {
        return Ok(Value::Length(length));
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
        "Flatten" => flatten(node, layers),
        "Reshape" => reshape(node, layers),
        "Squeeze" => squeeze(node),
        "Unsqueeze" => unsqueeze(node),
        other => {
            return Err(ConvertError::Operator {
                node: node.name.clone(),
                operator: other.to_owned(),
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
    let input = node.picture(0)?;
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
            input.dims()
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
    Ok(Activation {
        value: layers.push(&node.name, op, vec![input.value], shape),
        shape,
        vector: false,
    })
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
        vector: true,
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
    let mut limits = [
        node.float("min", NO_LIMITS[0]),
        node.float("max", NO_LIMITS[1]),
    ];
    for (index, limit) in limits.iter_mut().enumerate() {
        if let Some(constant) = node.optional_constant(index + 1)? {
            match constant.floats() {
                Some(&[value]) => *limit = value,
                _ => return node.fail("its limits must be single floats"),
            }
        }
    }
    if limits[0].is_nan() || limits[1].is_nan() || limits[0] > limits[1] {
        return node.fail(format!("its limits {limits:?} leave no value"));
    }
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
    let input = node.picture(0)?;
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
            window.pads[axis + 2] += more;
            if average || window.pads[axis + 2] >= window.kernel[axis] {
                return node.fail("ceil_mode changes its output: export with ceil_mode off");
            }
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
    Ok(Activation {
        value: layers.push(&node.name, op(window), vec![input.value], shape),
        shape,
        vector: false,
    })
}

fn global_average_pool(node: &Node<'_>, layers: &mut Layers) -> Result<Activation, ConvertError> {
    let input = node.picture(0)?;
    whole_mean(node, layers, input, false)
}

/// The mean of all pixels.
fn whole_mean(
    node: &Node<'_>,
    layers: &mut Layers,
    input: Activation,
    vector: bool,
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
    Ok(Activation {
        value,
        shape,
        vector,
    })
}

fn reduce_mean(node: &Node<'_>, layers: &mut Layers) -> Result<Activation, ConvertError> {
    let input = node.picture(0)?;
    let axes = axes(node)?.unwrap_or_default();
    if axes != [2, 3] {
        return node.fail(format!(
            "it runs over the axes {axes:?}: only height and width, [2, 3], work"
        ));
    }
    whole_mean(node, layers, input, node.int("keepdims", 1) == 0)
}

/// Axes from the attribute or the second input, counted from the front and sorted.
fn axes(node: &Node<'_>) -> Result<Option<Vec<i64>>, ConvertError> {
    let axes = match (node.attribute("axes"), node.optional_constant(1)?) {
        (Some(attribute), _) => attribute.ints.clone(),
        (None, Some(constant)) => match constant.ints() {
            Some(ints) => ints.to_vec(),
            None => return node.fail("its axes must be whole numbers: the file is damaged"),
        },
        (None, None) => return Ok(None),
    };
    let mut axes: Vec<i64> = axes
        .iter()
        .map(|&axis| if axis < 0 { axis + 4 } else { axis })
        .collect();
    axes.sort_unstable();
    Ok(Some(axes))
}

/// The tensor whose length a node computes, if it does: a norm, or one held above zero.
fn length(node: &Node<'_>) -> Result<Option<Activation>, ConvertError> {
    match (node.proto.op_type.as_str(), node.inputs.first()) {
        ("ReduceL2", _) => {
            let input = node.activation(0)?;
            let axes = axes(node)?.unwrap_or_default();
            // Counted from the back, axis 1 of a vector is -1, which `axes` takes for that of a picture.
            let channels = if input.vector { [1, 3] } else { [1, 1] };
            match axes[..] {
                [axis] if channels.contains(&axis) && node.int("keepdims", 1) != 0 => Ok(Some(input)),
                _ => node.fail(format!(
                    "it runs over the axes {axes:?}: only the channels, [1], kept as an axis of 1, work"
                )),
            }
        }
        ("Clip", Some(Some(Value::Length(of)))) => Ok(Some(*of)),
        _ => Ok(None),
    }
}

fn lp_normalization(node: &Node<'_>, layers: &mut Layers) -> Result<Activation, ConvertError> {
    let input = node.activation(0)?;
    let (axis, p) = (node.int("axis", -1), node.int("p", 2));
    if p != 2 || (axis != 1 && axis != if input.vector { -1 } else { -3 }) {
        return node.fail(format!(
            "p is {p} and axis {axis}: only the Euclidean length, 2, of the channels, 1, is supported"
        ));
    }
    Ok(normalize(node, layers, input))
}

/// A tensor whose vectors of channels are brought to unit length.
fn normalize(node: &Node<'_>, layers: &mut Layers, input: Activation) -> Activation {
    let value = layers.push(&node.name, Op::Normalize, vec![input.value], input.shape);
    Activation { value, ..input }
}

/// Add, Sub, Mul and Div: of two tensors only Add, of a tensor and constants all of them, of a tensor
/// and its own length Div.
fn arithmetic(node: &Node<'_>, layers: &mut Layers) -> Result<Activation, ConvertError> {
    let operator = node.proto.op_type.as_str();
    let (input, constant, reversed) = match &node.inputs[..] {
        [Some(Value::Activation(a)), Some(Value::Activation(b))] => {
            if operator != "Add" {
                return node.fail("of two computed tensors only the sum is supported: use Add");
            }
            if (a.shape, a.vector) != (b.shape, b.vector) {
                return node.fail(format!(
                    "it adds {} and {}: both must have one shape",
                    a.dims(),
                    b.dims()
                ));
            }
            let value = layers.push(&node.name, Op::Add, vec![a.value, b.value], a.shape);
            return Ok(Activation { value, ..*a });
        }
        [Some(Value::Activation(a)), Some(Value::Length(of))] if a == of && operator == "Div" => {
            return Ok(normalize(node, layers, *a));
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
    let axis = if input.vector { 1 } else { 3 };
    let others = dims
        .iter()
        .rev()
        .enumerate()
        .filter(|(index, _)| index + 1 != axis);
    if others.into_iter().all(|(_, &dim)| dim == 1) && dims.len() <= axis + 1 {
        if values.len() == 1 {
            return Ok(vec![values[0]; channels]);
        }
        if values.len() == channels {
            return Ok(values.to_vec());
        }
    }
    node.fail(format!(
        "constants of the shape {dims:?} do not fit {}: only one value, or one for each channel, works",
        input.dims()
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
    if !["", "constant"].contains(&mode) || fill != 0.0 || node.optional_constant(3)?.is_some() {
        return node.fail("only padding of the whole picture with zeros is supported");
    }
    let pads: [usize; 8] = match node.optional_constant(1)? {
        Some(constant) => {
            let ints = constant.ints().unwrap_or_default();
            node.as_sizes("pads", 0, ints)?
        }
        None => node.sizes("pads", 0, [0; 8])?,
    };
    let [0, 0, top, left, 0, 0, bottom, right] = pads else {
        return node.fail(format!(
            "pads {pads:?} pad the batch or the channels: pad the picture only"
        ));
    };
    let shape = Shape {
        height: input.shape.height + top + bottom,
        width: input.shape.width + left + right,
        ..input.shape
    };
    let op = Op::Pad([top, left, bottom, right]);
    Ok(Activation {
        value: layers.push(&node.name, op, vec![input.value], shape),
        shape,
        vector: false,
    })
}

fn flatten(node: &Node<'_>, layers: &mut Layers) -> Result<Activation, ConvertError> {
    let input = node.activation(0)?;
    let axis = node.int("axis", 1);
    // Counted from the back, axis 1 is the last one of a vector and the third last of a picture.
    if axis != 1 && axis != if input.vector { -1 } else { -3 } {
        return node.fail(format!(
            "axis is {axis}: only 1, which keeps the batch, is supported"
        ));
    }
    Ok(to_vector(node, layers, input))
}

/// A picture as a vector in the order channel, height, width.
fn to_vector(node: &Node<'_>, layers: &mut Layers, input: Activation) -> Activation {
    let shape = Shape::vector(input.shape.len());
    if input.shape.pixels() == 1 {
        return Activation {
            vector: true,
            ..input
        };
    }
    let value = layers.push(&node.name, Op::Flatten, vec![input.value], shape);
    Activation {
        value,
        shape,
        vector: true,
    }
}

fn reshape(node: &Node<'_>, layers: &mut Layers) -> Result<Activation, ConvertError> {
    let input = node.activation(0)?;
    let Some(Some(Value::Constant(target))) = node.inputs.get(1) else {
        return node.fail(
            "its shape is computed while the network runs: use Flatten, or fix the shapes with onnxsim",
        );
    };
    let target = target.ints().unwrap_or_default();
    let Shape {
        height,
        width,
        channels,
    } = input.shape;
    let from = if input.vector {
        vec![channels as i64]
    } else {
        vec![channels as i64, height as i64, width as i64]
    };
    let refuse = || {
        node.fail(format!(
            "it turns {} into {target:?}: only [N, length] and a shape that changes nothing are supported",
            input.dims()
        ))
    };
    let [batch, rest @ ..] = target else {
        return refuse();
    };
    // 0 copies the dimension; one -1 stands for what is left.
    let mut dims: Vec<i64> = rest.to_vec();
    for (index, dim) in dims.iter_mut().enumerate() {
        if *dim == 0 && node.int("allowzero", 0) == 0 {
            *dim = from.get(index).copied().unwrap_or(0);
        }
    }
    let known = dims
        .iter()
        .filter(|&&dim| dim != -1)
        .try_fold(1_i64, |product, &dim| product.checked_mul(dim));
    let length = input.shape.len() as i64;
    match (known, dims.iter().filter(|&&dim| dim == -1).count()) {
        // A batch of -1 is whatever is left, which is the batch if the rest fits.
        (Some(known), 0) if known == length && [-1, 0, 1].contains(batch) => {}
        (Some(known), 1) if known > 0 && length % known == 0 && [0, 1].contains(batch) => {
            for dim in dims.iter_mut().filter(|dim| **dim == -1) {
                *dim = length / known;
            }
        }
        _ => return refuse(),
    }
    match dims[..] {
        [_] => Ok(to_vector(node, layers, input)),
        [dim, 1, 1] if dim == channels as i64 && height * width == 1 => Ok(Activation {
            vector: false,
            ..input
        }),
        _ if dims == from => Ok(input),
        _ => refuse(),
    }
}

fn squeeze(node: &Node<'_>) -> Result<Activation, ConvertError> {
    let input = node.picture(0)?;
    let axes = axes(node)?;
    if axes.as_deref().is_some_and(|axes| axes != [2, 3]) || input.shape.pixels() != 1 {
        let dims = input.dims();
        return node.fail(format!(
            "it squeezes the axes {axes:?} of {dims}: only height and width of one pixel, [2, 3], work"
        ));
    }
    if axes.is_none() && input.shape.channels == 1 {
        return node.fail("without axes it would drop the batch and the channel: give axes [2, 3]");
    }
    Ok(Activation {
        vector: true,
        ..input
    })
}

fn unsqueeze(node: &Node<'_>) -> Result<Activation, ConvertError> {
    let input = node.vector(0)?;
    let axes = axes(node)?;
    if axes.as_deref() != Some(&[2, 3]) {
        return node.fail(format!(
            "it adds the axes {axes:?}: only height and width, [2, 3], work"
        ));
    }
    Ok(Activation {
        vector: false,
        ..input
    })
}
