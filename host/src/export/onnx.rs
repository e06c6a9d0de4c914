//! Writing ONNX files: standard operators only, opset 13, readable by any runtime since 2020.

use prost::Message;
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto,
    TensorShapeProto, TypeProto, ValueInfoProto,
    attribute_proto::AttributeType,
    tensor_proto::DataType,
    tensor_shape_proto::{Dimension, dimension},
    type_proto,
};

use super::metadata::Metadata;
use crate::nets::{
    graph::{Graph, Op},
    reference::{self, GraphError},
};

/// Name of the model's input, `[N, channels, height, width]`, normalised pixels.
pub const INPUT: &str = "image";
/// Name of the model's output, `[N, length]`.
pub const OUTPUT: &str = "embedding";
/// Name of the batch dimension.
const BATCH: &str = "N";
/// Version of the operators used.
const OPSET: i64 = 13;
/// Version of the file format that came with this version of the operators.
const IR_VERSION: i64 = 7;

/// Writes a network as an ONNX file.
///
/// # Errors
/// [`GraphError`] if the nodes of `graph` do not fit together.
pub fn write(graph: &Graph, metadata: &Metadata) -> Result<Vec<u8>, GraphError> {
    let shapes = reference::shapes(graph)?;
    let mut nodes = Vec::with_capacity(graph.nodes.len());
    let mut initializer = Vec::new();
    let last = graph.nodes.len() - 1;
    let value = |index: usize| match index {
        0 => INPUT.to_owned(),
        _ if index == last + 1 => OUTPUT.to_owned(),
        _ => format!("value{index}"),
    };
    for (index, node) in graph.nodes.iter().enumerate() {
        let op = reference::op_name(&node.op);
        let name = format!("{}{index}", op.to_lowercase());
        let mut input: Vec<String> = node.inputs.iter().map(|&from| value(from)).collect();
        let mut constant = |suffix: &str, dims: &[usize], data: &[f32]| {
            let tensor = tensor(format!("{name}.{suffix}"), dims, data);
            input.push(tensor.name.clone());
            initializer.push(tensor);
        };
        let attribute = match &node.op {
            Op::Conv {
                weight,
                bias,
                out,
                kernel,
                stride,
                padding,
                groups,
            } => {
                let [channels, ..] = shapes[node.inputs[0]];
                constant(
                    "weight",
                    &[*out, channels / groups, *kernel, *kernel],
                    weight,
                );
                constant("bias", &[*out], bias);
                vec![
                    ints("kernel_shape", &[*kernel, *kernel]),
                    ints("strides", &[*stride, *stride]),
                    ints("pads", padding),
                    ints("dilations", &[1, 1]),
                    int("group", *groups as i64),
                ]
            }
            Op::MaxPool { size } => {
                vec![
                    ints("kernel_shape", &[*size, *size]),
                    ints("strides", &[*size, *size]),
                ]
            }
            Op::Flatten => vec![int("axis", 1)],
            Op::Linear { weight, bias, out } => {
                let [length, ..] = shapes[node.inputs[0]];
                constant("weight", &[*out, length], weight);
                constant("bias", &[*out], bias);
                vec![int("transB", 1)]
            }
            Op::Relu | Op::GlobalAveragePool | Op::Add => vec![],
        };
        nodes.push(NodeProto {
            input,
            output: vec![value(index + 1)],
            name,
            op_type: op.to_owned(),
            attribute,
            ..Default::default()
        });
    }
    let graph_proto = GraphProto {
        node: nodes,
        name: metadata.name.clone(),
        initializer,
        input: vec![value_info(INPUT, &graph.input)],
        output: vec![value_info(OUTPUT, output_dims(graph, &shapes))],
        ..Default::default()
    };
    let model = ModelProto {
        ir_version: IR_VERSION,
        opset_import: vec![OperatorSetIdProto {
            domain: String::new(),
            version: OPSET,
        }],
        producer_name: env!("CARGO_PKG_NAME").to_owned(),
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        graph: Some(graph_proto),
        metadata_props: metadata.entries(graph.normalization),
        ..Default::default()
    };
    Ok(model.encode_to_vec())
}

/// Dimensions of the embedding without the batch: one for a vector, else three.
fn output_dims<'s>(graph: &Graph, shapes: &'s [[usize; 3]]) -> &'s [usize] {
    let mut index = graph.nodes.len();
    while index > 0 && graph.nodes[index - 1].op == Op::Relu {
        index = graph.nodes[index - 1].inputs[0];
    }
    let vector = index > 0 && matches!(graph.nodes[index - 1].op, Op::Flatten | Op::Linear { .. });
    let shape = &shapes[shapes.len() - 1];
    if vector { &shape[..1] } else { shape }
}

/// A float32 tensor with its values as little-endian bytes.
fn tensor(name: String, dims: &[usize], data: &[f32]) -> TensorProto {
    TensorProto {
        dims: dims.iter().map(|&dim| dim as i64).collect(),
        data_type: DataType::Float as i32,
        raw_data: data.iter().flat_map(|value| value.to_le_bytes()).collect(),
        name,
        ..Default::default()
    }
}

/// A list of whole numbers.
fn ints(name: &str, values: &[usize]) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        r#type: AttributeType::Ints as i32,
        ints: values.iter().map(|&value| value as i64).collect(),
        ..Default::default()
    }
}

/// A whole number.
fn int(name: &str, value: i64) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        r#type: AttributeType::Int as i32,
        i: value,
        ..Default::default()
    }
}

/// A float32 tensor with a batch dimension before `dims`.
fn value_info(name: &str, dims: &[usize]) -> ValueInfoProto {
    let dimension = |value| Dimension {
        value: Some(value),
        ..Default::default()
    };
    let batch = dimension(dimension::Value::DimParam(BATCH.to_owned()));
    let rest = dims
        .iter()
        .map(|&dim| dimension(dimension::Value::DimValue(dim as i64)));
    let tensor = type_proto::Tensor {
        elem_type: DataType::Float as i32,
        shape: Some(TensorShapeProto {
            dim: std::iter::once(batch).chain(rest).collect(),
        }),
    };
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(TypeProto {
            value: Some(type_proto::Value::TensorType(tensor)),
            ..Default::default()
        }),
        ..Default::default()
    }
}
