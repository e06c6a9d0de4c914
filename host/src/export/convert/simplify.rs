//! Makes the network smaller without changing what it computes: what the board has no kernel for is
//! folded into its neighbours, and what a kernel can also do is fused into it.

use super::{
    curve,
    edit::{consumers, conv, is_depthwise, limit, producer, remove},
    error::ConvertError,
    given,
    network::{Conv, Layer, NO_LIMITS, Network, Op, Window},
    order,
};

/// Simplifies until nothing changes any more.
pub(super) fn simplify(network: &mut Network) -> Result<(), ConvertError> {
    // Each step that changes something removes a layer or turns one into a final form.
    while let Some(index) = (0..network.layers.len()).find(|&index| step(network, index)) {
        if network.layers.is_empty() {
            return Err(ConvertError::NoEmbedding(format!("layer {index}")));
        }
    }
    given::settle(network);
    match network.layers.iter().find(|layer| matches!(layer.op, Op::Pad(_))) {
        Some(layer) => Err(ConvertError::Node {
            node: layer.name.clone(),
            operator: "Pad".to_owned(),
            reason: "its padding can not become that of a convolution after it: it must be less than that \
                     convolution's window and have no other reader"
                .to_owned(),
        }),
        None => Ok(()),
    }
}

/// Simplifies at one layer; says whether anything changed.
fn step(network: &mut Network, index: usize) -> bool {
    match &network.layers[index].op {
        Op::Affine { .. } => affine(network, index),
        Op::Pad(_) => pad(network, index),
        Op::Flatten | Op::View => to_vector(network, index),
        Op::Clamp => clamp(network, index),
        Op::MaxPool(_) => max_pool(network, index),
        Op::Conv(_) => copies(network, index),
        Op::Gather(_) => order::gather(network, index),
        Op::AveragePool(_)
        | Op::Add
        | Op::Multiply
        | Op::Normalize
        | Op::Upsample(_)
        | Op::Unary(_)
        | Op::Concat => false,
    }
}

/// Lets a convolution that reads copies of one tensor behind one another read that one, its weights for the
/// copies added up.
fn copies(network: &mut Network, index: usize) -> bool {
    let joined = network.layers[index].inputs[0];
    let Some((value, times)) = copied(network, joined).filter(|&(_, times)| times > 1) else {
        return false;
    };
    let channels = network.shape(value).channels;
    let Some(conv) = conv(network, index).filter(|conv| conv.groups == 1) else {
        return false;
    };
    let pixels = conv.weight.chunks_exact(channels * times);
    conv.weight = pixels
        .flat_map(|pixel| (0..channels).map(|c| pixel.iter().skip(c).step_by(channels).sum()))
        .collect();
    conv.scales = None;
    network.layers[index].inputs[0] = value;
    // What nobody reads any more, the last one first.
    for layer in (0..index).rev() {
        if network.layers[layer].op == Op::Concat && network.uses(layer + 1) == 0 {
            remove(network, layer);
        }
    }
    true
}

/// The one tensor of which another is n copies behind one another.
fn copied(network: &Network, value: usize) -> Option<(usize, usize)> {
    let Some(layer) = value.checked_sub(1).map(|index| &network.layers[index]) else {
        return Some((value, 1));
    };
    if layer.op != Op::Concat || layer.limits != NO_LIMITS {
        return Some((value, 1));
    }
    let (first, times) = copied(network, layer.inputs[0])?;
    let (second, more) = copied(network, layer.inputs[1])?;
    (first == second).then_some((first, times + more))
}

/// Folds a factor and a summand per channel into the picture's table or a convolution beside it,
/// or makes a convolution of it.
fn affine(network: &mut Network, index: usize) -> bool {
    let Op::Affine { scale, offset } = &network.layers[index].op else {
        return false;
    };
    let (scale, offset) = (scale.clone(), offset.clone());
    let first = network.layers[index].inputs[0] == 0 && network.uses(0) == 1;
    if first && network.patches != Some(index + 1) {
        for (affine, (scale, offset)) in network
            .input_affine
            .iter_mut()
            .zip(scale.iter().zip(offset))
        {
            *affine = [affine[0] * scale, affine[1] * scale + offset];
        }
        network.given = None;
        remove(network, index);
        return true;
    }
    if let Some(before) = producer(network, index).map(|before| repeated_from(network, before))
        && network.layers[before].limits == NO_LIMITS
        && let Some(conv) = conv(network, before).filter(|conv| !conv.pool)
    {
        let taps = conv.taps();
        for (row, scale) in conv.weight.chunks_exact_mut(taps).zip(&scale) {
            row.iter_mut().for_each(|weight| *weight *= scale);
        }
        for (bias, (scale, offset)) in conv.bias.iter_mut().zip(scale.iter().zip(offset)) {
            *bias = *bias * scale + offset;
        }
        conv.scales = None;
        network.layers[before].given = None;
        remove(network, index);
        return true;
    }
    if let Some(before) = producer(network, index).map(|before| repeated_from(network, before))
        && network.layers[before].limits == NO_LIMITS
        && let Op::Unary(unary) = &mut network.layers[before].op
        && let (Some(scale), Some(offset)) = (curve::same(&scale), curve::same(&offset))
    {
        unary.behind = unary.behind.map(|value| value * scale);
        unary.behind[1] += offset;
        network.layers[before].given = None;
        remove(network, index);
        return true;
    }
    let no_offset = offset.iter().all(|&offset| offset == 0.0);
    if let [after] = consumers(network, index)[..]
        && let Some(conv) =
            conv(network, after).filter(|conv| conv.window.pads == [0; 4] || no_offset)
    {
        let (taps, inputs) = (conv.taps(), conv.group_inputs());
        let outputs = conv.out() / conv.groups;
        for (channel, row) in conv.weight.chunks_exact_mut(taps).enumerate() {
            let first = channel / outputs * inputs;
            for (tap, weight) in row.iter_mut().enumerate() {
                let from = first + tap % inputs;
                conv.bias[channel] += *weight * offset[from];
                *weight *= scale[from];
            }
        }
        conv.scales = None;
        remove(network, index);
        return true;
    }
    let groups = scale.len();
    let window = Window {
        kernel: [1, 1],
        stride: [1, 1],
        pads: [0; 4],
    };
    network.layers[index].op = Op::Conv(Conv {
        weight: scale,
        bias: offset,
        window,
        groups,
        scales: None,
        pool: false,
    });
    true
}

/// Moves padding into the windows that read it.
fn pad(network: &mut Network, index: usize) -> bool {
    let Op::Pad(more) = network.layers[index].op else {
        return false;
    };
    let after = consumers(network, index);
    let padded = |layer: &Layer| match &layer.op {
        Op::Conv(Conv { window, .. }) | Op::AveragePool(window) => {
            let pads: [usize; 4] = std::array::from_fn(|side| window.pads[side] + more[side]);
            let fits = (0..4).all(|side| pads[side] < window.kernel[side % 2]);
            fits.then_some(Window { pads, ..*window })
        }
        _ => None,
    };
    let windows: Option<Vec<Window>> = after
        .iter()
        .map(|&after| padded(&network.layers[after]))
        .collect();
    let Some(windows) = windows.filter(|windows| !windows.is_empty()) else {
        return false;
    };
    for (after, padded) in after.into_iter().zip(windows) {
        if let Op::Conv(Conv { window, .. }) | Op::AveragePool(window) =
            &mut network.layers[after].op
        {
            *window = padded;
        }
    }
    remove(network, index);
    true
}

/// Lets fully connected layers read the picture itself, their weights in its order.
fn to_vector(network: &mut Network, index: usize) -> bool {
    let value = network.layers[index].inputs[0];
    let shape = network.shape(value);
    let after = consumers(network, index);
    let whole = Window::whole(network.layers[index].shape);
    let linear = |layer: &Layer| matches!(&layer.op, Op::Conv(conv) if conv.groups == 1 && !conv.pool && conv.window == whole);
    if after.is_empty()
        || !after.iter().all(|&after| linear(&network.layers[after]))
        || network.layers[index].limits != NO_LIMITS
    {
        return false;
    }
    let reordered = network.layers[index].op == Op::Flatten;
    for after in after {
        let Some(conv) = conv(network, after) else {
            continue;
        };
        conv.window = Window::whole(shape);
        if !reordered {
            continue;
        }
        let (taps, pixels) = (shape.len(), shape.pixels());
        let mut weight = Vec::with_capacity(conv.weight.len());
        for row in conv.weight.chunks_exact(taps) {
            for tap in 0..taps {
                let (pixel, channel) = (tap / shape.channels, tap % shape.channels);
                weight.push(row[channel * pixels + pixel]);
            }
        }
        conv.weight = weight;
    }
    remove(network, index);
    true
}

/// Lets the layer before hold the values between the limits.
fn clamp(network: &mut Network, index: usize) -> bool {
    let limits = network.layers[index].limits;
    if limits == NO_LIMITS {
        let input = network.layers[index].inputs[0];
        if let Some(given) = network.layers[index].given {
            match network.given(input) {
                Some(other) if other != given => {
                    network.layers[index].op = Op::Unary(curve::SAME);
                    return true;
                }
                _ => given::give(network, input, given),
            }
        }
        // The embedding stays the last layer, and the patches the output of one.
        let stays = (index + 1 == network.layers.len() && input != index)
            || (network.patches == Some(index + 1) && input == 0);
        if !stays {
            remove(network, index);
        }
        return !stays;
    }
    let Some(before) = producer(network, index) else {
        return false;
    };
    if matches!(network.layers[before].op, Op::Flatten | Op::View)
        && network.layers[before].limits == NO_LIMITS
    {
        // The order does not matter to the values, but it does to what can be fused.
        let shape = network.shape(network.layers[before].inputs[0]);
        let op = std::mem::replace(&mut network.layers[before].op, Op::Clamp);
        network.layers[before].limits = limits;
        network.layers[before].shape = shape;
        network.layers[index].op = op;
        network.layers[index].limits = NO_LIMITS;
        return true;
    }
    let before = picked_from(network, before);
    if matches!(network.layers[before].op, Op::Affine { .. } | Op::Pad(_)) {
        return false;
    }
    limit(&mut network.layers[before].limits, limits);
    remove(network, index);
    true
}

/// The layer whose values the layers up to `index` only repeat, which may be changed channel by channel
/// before as well.
fn repeated_from(network: &Network, mut index: usize) -> usize {
    while let Some(before) = producer(network, index)
        && matches!(network.layers[index].op, Op::Upsample(_))
        && network.layers[index].limits == NO_LIMITS
    {
        index = before;
    }
    index
}

/// The layer out of whose output the layers up to `index` pick values or repeat them: held between limits
/// before they are picked they are the same, and have the narrower range.
fn picked_from(network: &Network, mut index: usize) -> usize {
    while let Some(before) = producer(network, index)
        && matches!(
            network.layers[index].op,
            Op::MaxPool(_) | Op::Upsample(_) | Op::Gather(_)
        )
        && network.layers[index].limits == NO_LIMITS
    {
        index = before;
    }
    index
}

/// Fuses a 2x2 pool into the convolution before it.
fn max_pool(network: &mut Network, index: usize) -> bool {
    let pairs = Window {
        kernel: [2, 2],
        stride: [2, 2],
        pads: [0; 4],
    };
    let Some(before) = producer(network, index) else {
        return false;
    };
    if network.layers[index].op != Op::MaxPool(pairs) {
        return false;
    }
    let channels = network.shape(network.layers[before].inputs[0]).channels;
    let Some(conv) = conv(network, before) else {
        return false;
    };
    if conv.pool || is_depthwise(conv, channels) {
        return false;
    }
    conv.pool = true;
    let pool = remove(network, index);
    network.layers[before].shape = pool.shape;
    limit(&mut network.layers[before].limits, pool.limits);
    true
}
