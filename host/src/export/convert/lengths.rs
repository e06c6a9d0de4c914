//! Scaling to unit length, in the forms in which exporters write it.
//!
//! PyTorch's `F.normalize` becomes ReduceL2, Clip, Expand and Div; written out by hand it is
//! `x / (sqrt(sum(x * x)) + epsilon)`; TensorFlow's `l2_normalize` ends in the product with the
//! inverse of a length. On the way stand the squares of a tensor, their sum over the channels, its
//! root and that one's inverse: a [`Length`], of which nothing is computed until the tensor that it is
//! of is divided by it.

use super::{
    clip::limits,
    constant::{Constant, Values},
    error::ConvertError,
    layers::Layers,
    network::Op,
    node::{Activation, Form, Length, Node, Value},
};

/// Greatest guard against a division by zero; a length below it is taken for zero.
const MAX_GUARD: f32 = 1e-3;

/// What a node computes if it is part of a scaling to unit length.
pub(super) fn read(node: &Node<'_>, layers: &mut Layers) -> Result<Option<Value>, ConvertError> {
    let length = |of, form| Ok(Some(Value::Length(Length { of, form })));
    let first = node.inputs.first().and_then(Option::as_ref);
    let second = node.inputs.get(1).and_then(Option::as_ref);
    match (node.proto.op_type.as_str(), first, second) {
        ("ReduceL2", Some(Value::Activation(of)), _) => length(channels(node, of)?, Form::Root),
        ("ReduceSumSquare", Some(Value::Activation(of)), _) => {
            length(channels(node, of)?, Form::Sum)
        }
        ("Mul", Some(Value::Activation(a)), Some(Value::Activation(b))) if a == b => {
            length(*a, Form::Squares)
        }
        ("Pow", Some(Value::Activation(of)), Some(Value::Constant(power))) if is(power, 2.0) => {
            length(*of, Form::Squares)
        }
        (
            "Div",
            Some(Value::Activation(a)),
            Some(Value::Length(Length {
                of,
                form: Form::Root,
            })),
        )
        | (
            "Mul",
            Some(Value::Activation(a)),
            Some(Value::Length(Length {
                of,
                form: Form::Inverse,
            })),
        )
        | (
            "Mul",
            Some(Value::Length(Length {
                of,
                form: Form::Inverse,
            })),
            Some(Value::Activation(a)),
        ) if a == of => Ok(Some(Value::Activation(normalize(node, layers, *a)))),
        (
            "Div",
            Some(Value::Constant(one)),
            Some(Value::Length(Length {
                of,
                form: Form::Root,
            })),
        ) if is(one, 1.0) => length(*of, Form::Inverse),
        ("Add" | "Max", Some(Value::Constant(guard)), Some(Value::Length(of)))
        | ("Add" | "Max", Some(Value::Length(of)), Some(Value::Constant(guard))) => {
            guarded(node, *of, guard.floats().and_then(<[f32]>::first).copied()).map(Some)
        }
        ("Clip", Some(Value::Length(of)), _) => {
            let [least, greatest] = limits(node)?;
            if greatest.is_finite() {
                return node.fail(format!(
                    "it holds lengths below {greatest}: only a guard from below works, take the other limit out"
                ));
            }
            guarded(node, *of, Some(least.max(0.0))).map(Some)
        }
        (operator, Some(Value::Length(of)), _) => {
            let form = match (operator, of.form) {
                ("ReduceSum", Form::Squares) => {
                    channels(node, &of.of)?;
                    Form::Sum
                }
                ("Sqrt", Form::Sum) => Form::Root,
                ("Pow", Form::Sum) if is(node.constant(1)?, 0.5) => Form::Root,
                ("Reciprocal", Form::Root) => Form::Inverse,
                ("Expand", form) => {
                    expand(node, &of.of)?;
                    form
                }
                ("Cast", form) => form,
                _ => return Ok(None),
            };
            length(of.of, form)
        }
        _ => Ok(None),
    }
}

/// `scale * x` with vectors of channels of unit length.
pub(super) fn normalize(node: &Node<'_>, layers: &mut Layers, input: Activation) -> Activation {
    let value = layers.push(&node.name, Op::Normalize, vec![input.value], input.shape);
    Activation { value, ..input }
}

/// Refuses a node that does not run over the channels, kept as an axis of 1.
fn channels(node: &Node<'_>, of: &Activation) -> Result<Activation, ConvertError> {
    let axes = node.axes(of.rank())?.unwrap_or_default();
    if axes == [of.channel_axis()] && node.int("keepdims", 1) != 0 {
        return Ok(*of);
    }
    node.fail(format!(
        "it runs over the axes {axes:?}: only the channels, [{}], kept as an axis of 1, work",
        of.channel_axis()
    ))
}

/// A length that is held above a guard, or to which it is added.
fn guarded(node: &Node<'_>, length: Length, guard: Option<f32>) -> Result<Value, ConvertError> {
    let most = match length.form {
        Form::Sum => MAX_GUARD * MAX_GUARD,
        Form::Root => MAX_GUARD,
        Form::Squares | Form::Inverse => 0.0,
    };
    match guard {
        Some(guard) if (0.0..=most).contains(&guard) => Ok(Value::Length(length)),
        _ => node.fail(format!(
            "it changes lengths by more than a guard against zero, which is 0 to {most:e}: divide by the \
             length itself"
        )),
    }
}

/// Refuses to repeat lengths over anything but the tensor that they are of.
fn expand(node: &Node<'_>, of: &Activation) -> Result<(), ConvertError> {
    let target = node.constant(1)?.ints().unwrap_or_default();
    let dims = of.dims();
    let fits = |(&target, &dim): (&i64, &i64)| target == dim || target == 1 || dim == 0;
    if target.len() <= dims.len() && target.iter().rev().zip(dims.iter().rev()).all(fits) {
        return Ok(());
    }
    node.fail(format!(
        "it repeats a length over {target:?}: only over {}, which it is of, works",
        of.text()
    ))
}

/// Whether a constant is this one number.
fn is(constant: &Constant, number: f32) -> bool {
    match &constant.values {
        Values::Floats(values) => values[..] == [number],
        Values::Ints(values) => values[..] == [number as i64] && number.fract() == 0.0,
    }
}
