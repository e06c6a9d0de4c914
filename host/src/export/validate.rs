//! Whether an ONNX file may be given to a runtime.
//!
//! Runtimes trust what an exporter never writes: on a step of 0 they end in a panic, on padding of
//! 2^31 in minutes of work, on weights that are no numbers in an embedding that means nothing.

use std::collections::{HashMap, HashSet};

use tract_onnx::pb::{GraphProto, ModelProto, NodeProto, TensorProto, tensor_proto::DataType};

use super::signature::{Signature, needed};

/// Most values of a tensor.
pub const MAX_VALUES: usize = 1 << 27;
/// Greatest size of anything along one axis.
const MAX_SIDE: i64 = 65535;

/// Why a file is not given to a runtime.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValidateError {
    /// An attribute or constant is out of range.
    #[error(
        "node `{node}` ({operator}): {name} is {value}, it must be {least} to {most}: the file is damaged"
    )]
    Range {
        /// Name of the node.
        node: String,
        /// Its operator.
        operator: String,
        /// Name of the attribute or constant.
        name: String,
        /// The value.
        value: i64,
        /// Least value that works.
        least: i64,
        /// Greatest value that works.
        most: i64,
    },
    /// A value is read that nothing computes.
    #[error(
        "node `{node}` ({operator}) reads `{input}`, which nothing before it computes: the file is damaged"
    )]
    Unknown {
        /// Name of the node.
        node: String,
        /// Its operator.
        operator: String,
        /// Name of the value.
        input: String,
    },
    /// No node computes the output.
    #[error("nothing in the file computes the output `{0}`: export the model again")]
    NoOutput(String),
    /// A tensor of constants is too large or of a negative size.
    #[error("tensor `{0}` has a size that can not be: the file is damaged")]
    Size(String),
    /// A weight is not a finite number.
    #[error(
        "tensor `{0}` holds weights that are not finite numbers: the training diverged; train again with a lower \
         learning rate, or take an earlier checkpoint"
    )]
    NotFinite(String),
}

/// Checks all nodes and constants, and that there is all on which the output depends.
pub(super) fn check(model: &ModelProto, signature: &Signature) -> Result<(), ValidateError> {
    let Some(graph) = &model.graph else {
        return Err(ValidateError::NoOutput(signature.output.clone()));
    };
    for tensor in &graph.initializer {
        check_tensor(tensor)?;
    }
    let constants = constants(graph);
    let mut known: HashSet<&str> = graph.initializer.iter().map(|t| t.name.as_str()).collect();
    known.insert(&signature.input);
    for (node, needed) in graph.node.iter().zip(needed(graph, &signature.output)) {
        let unknown = |input: &&String| !input.is_empty() && !known.contains(input.as_str());
        if let Some(input) = node.input.iter().find(unknown).filter(|_| needed) {
            return Err(ValidateError::Unknown {
                node: name(node),
                operator: node.op_type.clone(),
                input: input.clone(),
            });
        }
        let tensors = node
            .attribute
            .iter()
            .filter_map(|attribute| attribute.t.as_ref());
        tensors.into_iter().try_for_each(check_tensor)?;
        check_numbers(node, &constants)?;
        known.extend(node.output.iter().map(String::as_str));
    }
    let mut outputs = signature.patches.iter().chain([&signature.output]);
    match outputs.find(|output| !known.contains(output.as_str())) {
        Some(output) => Err(ValidateError::NoOutput(output.clone())),
        None => Ok(()),
    }
}

/// The whole numbers that stand in the file as constants.
fn constants(graph: &GraphProto) -> HashMap<&str, Vec<i64>> {
    let stored = graph
        .initializer
        .iter()
        .map(|t| (t.name.as_str(), integers(t)));
    let nodes = graph.node.iter().filter(|node| node.op_type == "Constant");
    let nodes = nodes.filter_map(|node| {
        let value = node.attribute.first()?;
        let numbers = match &value.t {
            Some(tensor) => integers(tensor),
            None if value.name == "value_int" => vec![value.i],
            None => value.ints.clone(),
        };
        Some((node.output.first()?.as_str(), numbers))
    });
    stored.chain(nodes).collect()
}

/// The numbers of an int64 tensor; none of any other.
fn integers(tensor: &TensorProto) -> Vec<i64> {
    if tensor.data_type != DataType::Int64 as i32 {
        return vec![];
    }
    if tensor.raw_data.is_empty() {
        return tensor.int64_data.clone();
    }
    let (numbers, _) = tensor.raw_data.as_chunks::<8>();
    numbers
        .iter()
        .map(|&bytes| i64::from_le_bytes(bytes))
        .collect()
}

/// Checks the numbers by which tensors grow and windows move.
fn check_numbers(
    node: &NodeProto,
    constants: &HashMap<&str, Vec<i64>>,
) -> Result<(), ValidateError> {
    let within = |name: &str, values: &[i64], least: i64, most: i64| match values
        .iter()
        .find(|value| !(least..=most).contains(value))
    {
        None => Ok(()),
        Some(&value) => Err(ValidateError::Range {
            node: self::name(node),
            operator: node.op_type.clone(),
            name: name.to_owned(),
            value,
            least,
            most,
        }),
    };
    let operator = node.op_type.as_str();
    let windowed = operator.contains("Conv") || operator.contains("Pool");
    for attribute in &node.attribute {
        match attribute.name.as_str() {
            "strides" | "kernel_shape" | "dilations" if windowed => {
                within(&attribute.name, &attribute.ints, 1, MAX_SIDE)?;
            }
            "pads" if windowed => within("pads", &attribute.ints, 0, MAX_SIDE)?,
            "pads" => within("pads", &attribute.ints, -MAX_SIDE, MAX_SIDE)?,
            "group" => within("group", &[attribute.i], 1, MAX_SIDE)?,
            _ => {}
        }
    }
    let (sizes, most): (&[usize], i64) = match operator {
        "ConstantOfShape" => (&[0], MAX_VALUES as i64),
        "Pad" => (&[1], MAX_SIDE),
        "Expand" | "Tile" | "Reshape" => (&[1], MAX_VALUES as i64),
        "Range" => (&[0, 1, 2], MAX_VALUES as i64),
        "Resize" => (&[3], MAX_SIDE),
        _ => (&[], 0),
    };
    for &index in sizes {
        let input = node.input.get(index).map_or("", String::as_str);
        if let Some(values) = constants.get(input) {
            within(input, values, -most, most)?;
        }
    }
    Ok(())
}

/// Refuses constants of an impossible size, and floats that are no numbers.
fn check_tensor(tensor: &TensorProto) -> Result<(), ValidateError> {
    let size = tensor.dims.iter().try_fold(1_usize, |product, &dim| {
        product.checked_mul(usize::try_from(dim).ok()?)
    });
    if size.is_none_or(|size| size > MAX_VALUES) {
        return Err(ValidateError::Size(tensor.name.clone()));
    }
    // Single limits may be infinite, which holds nothing back.
    let sound = |value: f64| value.is_finite() || (size == Some(1) && value.is_infinite());
    let raw = &tensor.raw_data;
    let floats = tensor.float_data.iter().map(|&value| f64::from(value));
    let all = match DataType::try_from(tensor.data_type) {
        Ok(DataType::Float) => {
            let raw = raw.as_chunks::<4>().0.iter();
            let raw = raw.map(|&bytes| f64::from(f32::from_le_bytes(bytes)));
            floats.chain(raw).all(sound)
        }
        Ok(DataType::Double) => {
            let raw = raw.as_chunks::<8>().0.iter();
            let raw = raw.map(|&bytes| f64::from_le_bytes(bytes));
            tensor.double_data.iter().copied().chain(raw).all(sound)
        }
        _ => true,
    };
    if all {
        Ok(())
    } else {
        Err(ValidateError::NotFinite(tensor.name.clone()))
    }
}

/// The name of a node, or that of what it computes.
fn name(node: &NodeProto) -> String {
    let mut names = [&node.name].into_iter().chain(&node.output);
    names
        .find(|name| !name.is_empty())
        .cloned()
        .unwrap_or_default()
}
