//! The scales that a file gives, where values only move from one tensor to another.

use super::{
    curve,
    edit::limit,
    network::{Layer, NO_LIMITS, Network, Op},
    quantization::Quantization,
    quantize::moves,
};

/// Gives a value its quantisation, whose ends it can't leave: a ReLU may be left to that.
pub(super) fn give(network: &mut Network, value: usize, given: Quantization) {
    network.give(value, Some(given));
    let Some(layer) = value.checked_sub(1).map(|index| &mut network.layers[index]) else {
        return;
    };
    if !moves(&layer.op) && layer.op != Op::Concat {
        limit(&mut layer.limits, given.ends().map(|end| end as f32));
    }
}

/// Gives what only moves values one quantisation on both sides, and brings values to another one where the
/// file gives two.
pub(super) fn settle(network: &mut Network) {
    for index in (0..network.layers.len()).rev() {
        let layer = &network.layers[index];
        let joins = layer.op == Op::Concat;
        if !joins && !moves(&layer.op) {
            continue;
        }
        let inputs = layer.inputs.clone();
        let Some(given) = layer
            .given
            .or_else(|| joined(network, &inputs).filter(|_| joins))
        else {
            continue;
        };
        network.layers[index].given = Some(given);
        let mut at = index;
        for (place, &input) in inputs.iter().enumerate() {
            match network.given(input) {
                Some(same) if same == given => {}
                None if network.uses(input) == 1 => give(network, input, given),
                _ => {
                    requantize(network, at, place, given);
                    at += 1;
                }
            }
        }
    }
}

/// The quantisation that holds all values of what is joined, if any of it was given one.
fn joined(network: &Network, inputs: &[usize]) -> Option<Quantization> {
    let given = inputs.iter().filter_map(|&input| network.given(input));
    let given: Vec<Quantization> = given.collect();
    let first = *given.first()?;
    if given.iter().all(|&other| other == first) {
        return Some(first);
    }
    let ends = given.into_iter().map(Quantization::ends);
    let [least, greatest] = ends.reduce(|a, b| [a[0].min(b[0]), a[1].max(b[1])])?;
    Some(Quantization::over(least, greatest))
}

/// Lets layer `at` read one of its inputs in another quantisation.
fn requantize(network: &mut Network, at: usize, place: usize, given: Quantization) {
    let reader = &network.layers[at];
    let input = reader.inputs[place];
    let layer = Layer {
        name: reader.name.clone(),
        op: Op::Unary(curve::SAME),
        inputs: vec![input],
        shape: network.shape(input),
        limits: NO_LIMITS,
        given: Some(given),
    };
    network.insert(at, layer);
    network.layers[at + 1].inputs[place] = at + 1;
}
