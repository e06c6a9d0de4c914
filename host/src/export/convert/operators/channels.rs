//! Some of a tensor's channels: Split, Slice and Gather.

use super::super::constant::Constant;
use super::super::error::ConvertError;
use super::super::layers::Layers;
use super::super::network::{Op, Shape};
use super::super::node::{Activation, Node, from_front};

/// A tensor's channels in parts, one behind the other.
pub(super) fn split(node: &Node<'_>, layers: &mut Layers) -> Result<Vec<Activation>, ConvertError> {
    let input = node.activation(0)?;
    check_axis(node, &input, node.int("axis", 0))?;
    let channels = input.shape.channels;
    let count = node.proto.output.len();
    let given = match (node.optional_constant(1)?, node.attribute("split")) {
        (Some(sizes), _) => sizes.ints().map(<[i64]>::to_vec),
        (None, attribute) => attribute.map(|attribute| attribute.ints.clone()),
    };
    let sizes: Vec<usize> = match given {
        Some(sizes) => sizes
            .iter()
            .map(|&size| usize::try_from(size).unwrap_or(0))
            .collect(),
        None => {
            let each = channels.div_ceil(count.max(1));
            (0..count)
                .map(|part| channels.saturating_sub(part * each).min(each))
                .collect()
        }
    };
    let all = sizes
        .iter()
        .try_fold(0_usize, |all, &size| all.checked_add(size));
    if sizes.len() != count || sizes.contains(&0) || all != Some(channels) {
        return node.fail(format!(
            "its parts {sizes:?} for {count} outputs do not make the {channels} channels: the file is damaged"
        ));
    }
    let mut first = 0;
    let mut part = |size: usize| {
        first += size;
        pick(node, layers, input, (first - size..first).collect())
    };
    Ok(sizes.into_iter().map(&mut part).collect())
}

/// Channels from one to another, in steps.
pub(super) fn slice(node: &Node<'_>, layers: &mut Layers) -> Result<Activation, ConvertError> {
    let input = node.activation(0)?;
    let read = |index: usize, name: &str| -> Result<Option<Vec<i64>>, ConvertError> {
        Ok(
            match (node.optional_constant(index)?, node.attribute(name)) {
                (Some(constant), _) => constant.ints().map(<[i64]>::to_vec),
                (None, attribute) => attribute.map(|attribute| attribute.ints.clone()),
            },
        )
    };
    let (starts, ends) = (read(1, "starts")?, read(2, "ends")?);
    let (axes, steps) = (read(3, "axes")?, read(4, "steps")?);
    let [Some(&[start]), Some(&[end])] = [starts.as_deref(), ends.as_deref()] else {
        return node.fail("it cuts along several axes, or none: only the channels can be cut");
    };
    let axis = axes.as_deref().unwrap_or(&[0]).first().copied();
    check_axis(node, &input, axis.unwrap_or(0))?;
    let step = steps.as_deref().unwrap_or(&[1]).first().copied();
    let step = step.and_then(|step| usize::try_from(step).ok());
    let Some(step @ 1..) = step else {
        return node.fail(format!(
            "its steps are {steps:?}: only those from 1 on are supported"
        ));
    };
    let channels = input.shape.channels;
    let place = |at: i64| {
        let at = from_front(&[at], channels as i64)[0];
        at.clamp(0, channels as i64) as usize
    };
    let picked: Vec<usize> = (place(start)..place(end)).step_by(step).collect();
    if picked.is_empty() {
        return node.fail(format!(
            "from {start} to {end} there is none of the {channels} channels: the file is damaged"
        ));
    }
    Ok(pick(node, layers, input, picked))
}

/// Channels by their numbers.
pub(super) fn gather(node: &Node<'_>, layers: &mut Layers) -> Result<Activation, ConvertError> {
    let input = node.activation(0)?;
    check_axis(node, &input, node.int("axis", 0))?;
    let channels = input.shape.channels;
    let numbers = match node.constant(1)? {
        Constant { dims, .. } if dims.len() != 1 => None,
        constant => constant.ints(),
    };
    let Some(numbers) = numbers else {
        return node
            .fail("its indices must be a list of whole numbers: only channels can be chosen");
    };
    let picked: Option<Vec<usize>> = from_front(numbers, channels as i64)
        .into_iter()
        .map(|number| {
            usize::try_from(number)
                .ok()
                .filter(|&number| number < channels)
        })
        .collect();
    match picked {
        Some(picked) if !picked.is_empty() => Ok(pick(node, layers, input, picked)),
        _ => node.fail(format!(
            "its indices {numbers:?} are not all among the {channels} channels: the file is damaged"
        )),
    }
}

/// Refuses another axis than that of the channels.
fn check_axis(node: &Node<'_>, input: &Activation, axis: i64) -> Result<(), ConvertError> {
    let (axis, channels) = (from_front(&[axis], input.rank())[0], input.channel_axis());
    if axis == channels {
        return Ok(());
    }
    node.fail(format!(
        "it works along axis {axis} of {}: only along the channels, {channels}, is supported; crop pictures before \
         the network",
        input.text()
    ))
}

/// The channels with these numbers.
fn pick(
    node: &Node<'_>,
    layers: &mut Layers,
    input: Activation,
    channels: Vec<usize>,
) -> Activation {
    let shape = Shape {
        channels: channels.len(),
        ..input.shape
    };
    let value = layers.push(&node.name, Op::Gather(channels), vec![input.value], shape);
    Activation {
        value,
        shape,
        ..input
    }
}
