//! Looking around a layer of a network, and taking it out.

use super::network::{Conv, Layer, Network, Op};

/// Takes out a layer with one input; whoever read its output reads its input.
pub(super) fn remove(network: &mut Network, index: usize) -> Layer {
    let layer = network.layers.remove(index);
    let (gone, input) = (index + 1, layer.inputs[0]);
    for value in network
        .layers
        .iter_mut()
        .flat_map(|layer| &mut layer.inputs)
    {
        if *value == gone {
            *value = input;
        } else if *value > gone {
            *value -= 1;
        }
    }
    network.patches = network.patches.map(|value| match value {
        value if value == gone => input,
        value if value > gone => value - 1,
        value => value,
    });
    layer
}

/// The layer that computes what layer `index` reads, if nobody else reads it.
pub(super) fn producer(network: &Network, index: usize) -> Option<usize> {
    let value = network.layers[index].inputs[0];
    (value > 0 && network.uses(value) == 1).then(|| value - 1)
}

/// The layers that read what layer `index` computes; none if it is the embedding or the patches.
pub(super) fn consumers(network: &Network, index: usize) -> Vec<usize> {
    if network.is_output(index + 1) {
        return vec![];
    }
    let reads = |layer: &Layer| layer.inputs.contains(&(index + 1));
    (0..network.layers.len())
        .filter(|&other| reads(&network.layers[other]))
        .collect()
}

/// The convolution at a layer, if it is one.
pub(super) fn conv(network: &mut Network, index: usize) -> Option<&mut Conv> {
    match &mut network.layers[index].op {
        Op::Conv(conv) => Some(conv),
        _ => None,
    }
}

/// Limits that hold values first between `inner`, then between `outer`.
pub(super) fn limit(inner: &mut [f32; 2], [least, greatest]: [f32; 2]) {
    *inner = inner.map(|value| value.max(least).min(greatest));
}

/// Whether a convolution of `channels` input channels takes each channel by itself.
pub(super) fn is_depthwise(conv: &Conv, channels: usize) -> bool {
    channels > 1 && conv.groups == channels && conv.out() == channels
}
