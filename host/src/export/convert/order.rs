//! Channels in another order, as ShuffleNet mixes them: done by the weights before or behind where that
//! can be.

use super::{
    edit::{consumers, conv, is_depthwise, limit, producer, remove},
    network::{Conv, Layer, NO_LIMITS, Network, Op},
};

/// Simplifies a layer that picks channels; says whether anything changed.
pub(super) fn gather(network: &mut Network, index: usize) -> bool {
    let Op::Gather(channels) = &network.layers[index].op else {
        return false;
    };
    let channels = channels.clone();
    let read = network.shape(network.layers[index].inputs[0]).channels;
    if channels.iter().copied().eq(0..read) {
        network.layers[index].op = Op::Clamp;
        return true;
    }
    picked_before(network, index, &channels)
        || computed_so(network, index, &channels)
        || read_so(network, index, &channels)
}

/// Picks out of what was picked from in the first place.
fn picked_before(network: &mut Network, index: usize, channels: &[usize]) -> bool {
    let value = network.layers[index].inputs[0];
    let Some(before) = value.checked_sub(1).map(|before| &network.layers[before]) else {
        return false;
    };
    let (Op::Gather(first), NO_LIMITS) = (&before.op, before.limits) else {
        return false;
    };
    let op = Op::Gather(channels.iter().map(|&channel| first[channel]).collect());
    let inputs = before.inputs.clone();
    (network.layers[index].op, network.layers[index].inputs) = (op, inputs);
    if network.uses(value) == 0 {
        remove(network, value - 1);
    }
    true
}

/// Lets the convolution before compute its channels in this order.
fn computed_so(network: &mut Network, index: usize, channels: &[usize]) -> bool {
    let Some(before) = producer(network, index) else {
        return false;
    };
    let Some(conv) = conv(network, before).filter(|conv| conv.groups == 1) else {
        return false;
    };
    if channels.len() > conv.out() {
        return false;
    }
    *conv = rows(conv, channels);
    let gather = remove(network, index);
    let layer = &mut network.layers[before];
    layer.shape = gather.shape;
    limit(&mut layer.limits, gather.limits);
    true
}

/// A convolution with some of its output channels.
fn rows(conv: &Conv, channels: &[usize]) -> Conv {
    let each = |values: &[f32]| channels.iter().map(|&channel| values[channel]).collect();
    Conv {
        weight: channels
            .iter()
            .flat_map(|&channel| conv.row(channel))
            .copied()
            .collect(),
        bias: each(&conv.bias),
        scales: conv.scales.as_deref().map(each),
        ..*conv
    }
}

/// Lets what reads the channels take them in their old order: convolutions by their weights, and one layer
/// that takes each channel by itself, behind which they are then picked.
fn read_so(network: &mut Network, index: usize, channels: &[usize]) -> bool {
    let mut places = vec![None; network.shape(network.layers[index].inputs[0]).channels];
    for (to, &from) in channels.iter().enumerate() {
        places[from] = Some(to);
    }
    let places: Option<Vec<usize>> = places.into_iter().collect();
    let Some(places) = places.filter(|places| places.len() == channels.len()) else {
        return false;
    };
    let after = consumers(network, index);
    let mixes = |layer: &Layer| matches!(&layer.op, Op::Conv(conv) if conv.groups == 1);
    let apart = |layer: &Layer| match &layer.op {
        Op::Conv(conv) => is_depthwise(conv, channels.len()),
        Op::MaxPool(_) | Op::AveragePool(_) | Op::Unary(_) => true,
        _ => false,
    };
    let layers = || after.iter().map(|&after| &network.layers[after]);
    let taken = layers().all(|layer| mixes(layer) || apart(layer));
    let behind = layers().filter(|layer| !mixes(layer)).count();
    if after.is_empty() || !taken || behind > 1 || network.layers[index].limits != NO_LIMITS {
        return false;
    }
    // From the last on, as those behind an inserted layer move.
    for after in after.into_iter().rev() {
        let dense = mixes(&network.layers[after]);
        if let Some(conv) = conv(network, after) {
            if dense {
                let pixels = conv.weight.chunks_exact(channels.len());
                conv.weight = pixels
                    .flat_map(|pixel| places.iter().map(|&place| pixel[place]))
                    .collect();
            } else {
                *conv = rows(conv, &places);
            }
        }
        if !dense {
            pick_behind(network, after, channels);
        }
    }
    remove(network, index);
    true
}

/// Picks channels of what layer `index` computes, for all that read it.
fn pick_behind(network: &mut Network, index: usize, channels: &[usize]) {
    let value = index + 1;
    let before = &network.layers[index];
    let layer = Layer {
        name: before.name.clone(),
        op: Op::Gather(channels.to_vec()),
        inputs: vec![value],
        ..before.clone()
    };
    network.insert(
        value,
        Layer {
            limits: NO_LIMITS,
            ..layer
        },
    );
    let readers = network.layers[value + 1..].iter_mut();
    let values = readers
        .flat_map(|layer| &mut layer.inputs)
        .chain(&mut network.patches);
    values
        .filter(|read| **read == value)
        .for_each(|read| *read = value + 1);
}
