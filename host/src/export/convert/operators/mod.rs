//! What each ONNX operator becomes, a file for each kind.

mod arithmetic;
mod channels;
mod convolution;
mod linear;
mod pool;
mod scales;
mod shape;
mod window;

use super::{
    concat::concat,
    error::ConvertError,
    layers::Layers,
    lengths,
    node::{Node, Value},
    reshape::{flatten, reshape, squeeze, transpose, unsqueeze},
    shapes, shuffle, unary,
    upsample::upsample,
};
use arithmetic::{arithmetic, batch_normalization, clamp, clip, leaky, lp_normalization};
use convolution::conv;
use linear::{gemm, matmul};
use pool::{average_pool, global_average_pool, global_max_pool, max_pool, reduce_mean};
use shape::{cast, constant, dropout, pad};

/// Reads one node, adds the layers that it needs and returns what it computes, one value for each output.
pub(super) fn read(node: &Node<'_>, layers: &mut Layers) -> Result<Vec<Value>, ConvertError> {
    if node.proto.op_type == "Split"
        && let Some(Some(Value::Activation(_))) = node.inputs.first()
    {
        let parts = channels::split(node, layers)?;
        return Ok(parts.into_iter().map(Value::Activation).collect());
    }
    read_one(node, layers).map(|value| vec![value])
}

/// Reads a node of one output.
fn read_one(node: &Node<'_>, layers: &mut Layers) -> Result<Value, ConvertError> {
    if let Some(shape) = shapes::fold(node)? {
        return Ok(Value::Constant(shape));
    }
    if let Some(value) = lengths::read(node, layers)? {
        return Ok(value);
    }
    if let Some(value) = unary::read(node, layers)? {
        return Ok(Value::Activation(value));
    }
    if let Some(value) = shuffle::read(node, layers)? {
        return Ok(value);
    }
    let activation = match node.proto.op_type.as_str() {
        "QuantizeLinear" | "DequantizeLinear" => return scales::read(node, layers),
        "QLinearConv"
        | "QLinearMatMul"
        | "ConvInteger"
        | "MatMulInteger"
        | "DynamicQuantizeLinear" => node.fail(
            "it computes in integers by itself: quantise the model statically in the format QDQ, \
             QuantFormat.QDQ of ONNX Runtime",
        ),
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
        "GlobalMaxPool" => global_max_pool(node, layers),
        "ReduceMean" => reduce_mean(node, layers),
        "Add" | "Sub" | "Mul" | "Div" => arithmetic(node, layers),
        "Pad" => pad(node, layers),
        "PRelu" => leaky(node, layers),
        "Concat" => concat(node, layers),
        "Slice" => channels::slice(node, layers),
        "Gather" => channels::gather(node, layers),
        "Resize" | "Upsample" => upsample(node, layers),
        "Flatten" => flatten(node, layers),
        "Reshape" => reshape(node, layers),
        "Cast" => cast(node),
        "Transpose" => transpose(node),
        "Squeeze" => squeeze(node),
        "Unsqueeze" => unsqueeze(node),
        other => {
            return Err(ConvertError::Operator {
                node: node.name.clone(),
                operator: other.to_owned(),
                before: None,
            });
        }
    };
    activation.map(Value::Activation)
}
