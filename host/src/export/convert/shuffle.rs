//! ShuffleNet's channel shuffle: Reshape into groups of channels, Transpose, Reshape back.

use super::{
    error::ConvertError,
    layers::Layers,
    network::Op,
    node::{Activation, Axes, Groups, Node, Value},
};

/// Reads a step of a shuffle; `None` for anything else.
pub(super) fn read(node: &Node<'_>, layers: &mut Layers) -> Result<Option<Value>, ConvertError> {
    match (node.proto.op_type.as_str(), node.inputs.first()) {
        ("Reshape", Some(Some(Value::Activation(input)))) => Ok(dims(node, input)
            .and_then(|dims| group(*input, &dims))
            .map(Value::Groups)),
        ("Transpose", Some(Some(Value::Groups(groups)))) => transpose(node, *groups).map(Some),
        ("Reshape", Some(Some(Value::Groups(groups)))) => {
            match dims(node, &groups.of).as_deref() == Some(&groups.of.dims()[1..]) {
                true => Ok(Some(Value::Activation(join(node, layers, *groups)))),
                false => node.fail(format!(
                    "it does not bring groups of channels back to {}, as a shuffle of channels does: no other \
                     tensors of five dimensions are supported",
                    groups.of.text()
                )),
            }
        }
        _ => Ok(None),
    }
}

/// What a Reshape asks for behind the batch, all dimensions known.
fn dims(node: &Node<'_>, of: &Activation) -> Option<Vec<i64>> {
    let Some(Some(Value::Constant(target))) = node.inputs.get(1) else {
        return None;
    };
    let [batch, rest @ ..] = target.ints()? else {
        return None;
    };
    let mut known = rest.iter().filter(|&&dim| dim != -1);
    let known = known.try_fold(1_i64, |all, &dim| all.checked_mul(dim))?;
    let left = (of.shape.len() as i64).checked_div(known)?;
    let fill = |&dim: &i64| if dim == -1 { left } else { dim };
    let dims: Vec<i64> = rest.iter().map(fill).collect();
    let all = dims
        .iter()
        .try_fold(1_i64, |all, &dim| all.checked_mul(dim))?;
    ([-1, 0, 1].contains(batch) && all == of.shape.len() as i64).then_some(dims)
}

/// A picture whose channels are seen as groups.
fn group(of: Activation, dims: &[i64]) -> Option<Groups> {
    let (groups, each, pixels) = match (of.axes, dims) {
        (Axes::ChannelsFirst, &[groups, each, ref pixels @ ..]) => (groups, each, pixels),
        (Axes::ChannelsLast, &[ref pixels @ .., groups, each]) => (groups, each, pixels),
        _ => return None,
    };
    let sides = [of.shape.height as i64, of.shape.width as i64];
    let whole = pixels == sides || pixels == [sides[0] * sides[1]];
    let fits = groups.checked_mul(each) == Some(of.shape.channels as i64);
    // Else it is the picture itself, or a vector.
    let plain = of.dims()[1..] == *dims;
    (whole && fits && groups > 0 && !plain).then_some(Groups {
        of,
        groups: groups as usize,
        rank: dims.len() as i64 + 1,
        turned: false,
    })
}

/// Lets groups and their channels change places.
fn transpose(node: &Node<'_>, groups: Groups) -> Result<Value, ConvertError> {
    let perm = node.attribute("perm").map(|attribute| &attribute.ints[..]);
    let mut turned: Vec<i64> = (0..groups.rank).collect();
    let first = match groups.of.axes {
        Axes::ChannelsLast => turned.len() - 2,
        _ => 1,
    };
    turned.swap(first, first + 1);
    if perm != Some(&turned) || groups.turned {
        return node.fail(format!(
            "it puts groups of channels in the order {perm:?}: only a shuffle of channels, {turned:?}, is supported"
        ));
    }
    Ok(Value::Groups(Groups {
        turned: true,
        ..groups
    }))
}

/// The picture of the groups.
fn join(node: &Node<'_>, layers: &mut Layers, groups: Groups) -> Activation {
    let (of, count) = (groups.of, groups.groups);
    if !groups.turned {
        return of;
    }
    let each = of.shape.channels / count;
    let from = |to: usize| to % count * each + to / count;
    let channels = (0..of.shape.channels).map(from).collect();
    Activation {
        value: layers.push(&node.name, Op::Gather(channels), vec![of.value], of.shape),
        ..of
    }
}
