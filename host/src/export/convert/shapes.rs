//! Shapes that the file computes while the network runs, as PyTorch writes `x.view(x.size(0), -1)`:
//! all but the batch is known, so they are constants.

use super::{
    constant::{Constant, Values},
    error::ConvertError,
    node::{Node, Value},
};

/// What a node computes if it is a shape or a part of one; the batch is 0, which in a Reshape means
/// the batch that there is.
pub(super) fn fold(node: &Node<'_>) -> Result<Option<Constant>, ConvertError> {
    let operator = node.proto.op_type.as_str();
    if operator == "Shape" {
        return shape(node).map(Some);
    }
    let integers: Option<Vec<(&[usize], &[i64])>> = node
        .inputs
        .iter()
        .map(|input| match input {
            Some(Value::Constant(constant)) => Some((&constant.dims[..], constant.ints()?)),
            _ => None,
        })
        .collect();
    let Some(inputs) = integers.filter(|inputs| !inputs.is_empty()) else {
        return Ok(None);
    };
    let folded = match (operator, &inputs[..]) {
        ("Gather", &[(_, from), (dims, indices)]) => {
            let at = |&index: &i64| {
                let place = if index < 0 {
                    index + from.len() as i64
                } else {
                    index
                };
                from.get(usize::try_from(place).ok()?).copied()
            };
            let values: Option<Vec<i64>> = indices.iter().map(at).collect();
            values.map(|values| (dims.to_vec(), values))
        }
        ("Concat", parts) => {
            let values: Vec<i64> = parts
                .iter()
                .flat_map(|(_, values)| *values)
                .copied()
                .collect();
            Some((vec![values.len()], values))
        }
        ("Squeeze" | "Unsqueeze", &[(_, values), ..]) => {
            let dims = if operator == "Squeeze" {
                vec![]
            } else {
                vec![values.len()]
            };
            (values.len() == 1 || operator == "Unsqueeze").then(|| (dims, values.to_vec()))
        }
        ("Slice", &[(_, values), (_, &[start]), (_, &[end]), ..]) => {
            let place = |index: i64| {
                let index = if index < 0 {
                    index.saturating_add(values.len() as i64)
                } else {
                    index
                };
                usize::try_from(index).unwrap_or(0).min(values.len())
            };
            let step = inputs.get(4).and_then(|(_, step)| step.first());
            let part = values.get(place(start)..place(end)).unwrap_or_default();
            (step.is_none_or(|&step| step == 1)).then(|| (vec![part.len()], part.to_vec()))
        }
        ("Reshape", &[(_, values), _]) => Some((vec![values.len()], values.to_vec())),
        ("ReduceProd", &[(_, values), ..]) => {
            let product = values
                .iter()
                .try_fold(1, |product, &value| calculate("Mul", product, value));
            product.map(|product| (vec![1], vec![product]))
        }
        ("Cast", &[(dims, values)]) => Some((dims.to_vec(), values.to_vec())),
        ("Add" | "Sub" | "Mul" | "Div", &[(dims, a), (_, b)]) if a.len() == b.len() => {
            let values: Option<Vec<i64>> = a
                .iter()
                .zip(b)
                .map(|(&a, &b)| calculate(operator, a, b))
                .collect();
            values.map(|values| (dims.to_vec(), values))
        }
        ("Gather" | "Slice" | "ReduceProd" | "Add" | "Sub" | "Mul" | "Div", _) => None,
        _ => return Ok(None),
    };
    match folded {
        Some((dims, values)) => Ok(Some(Constant::new(dims, Values::Ints(values)))),
        None => node.fail(
            "it computes a shape in a way that is not supported: use Flatten, or fix the shapes with onnxsim",
        ),
    }
}

/// The dimensions of a tensor, or of a constant.
fn shape(node: &Node<'_>) -> Result<Constant, ConvertError> {
    let dims = match node.inputs.first() {
        Some(Some(Value::Constant(constant))) => {
            constant.dims.iter().map(|&dim| dim as i64).collect()
        }
        _ => node.activation(0)?.dims(),
    };
    let place = |name: &str, default: usize| {
        let index = node.int(name, default as i64);
        let index = if index < 0 {
            index.saturating_add(dims.len() as i64)
        } else {
            index
        };
        usize::try_from(index).unwrap_or(0).min(dims.len())
    };
    let part = dims
        .get(place("start", 0)..place("end", dims.len()))
        .unwrap_or_default();
    Ok(Constant::list(Values::Ints(part.to_vec())))
}

/// `None` where the batch, which is 0, would go into the result, or where it is no number.
fn calculate(operator: &str, a: i64, b: i64) -> Option<i64> {
    if a == 0 || b == 0 {
        return None;
    }
    match operator {
        "Add" => a.checked_add(b),
        "Sub" => a.checked_sub(b),
        "Mul" => a.checked_mul(b),
        _ => a.checked_div(b),
    }
}
