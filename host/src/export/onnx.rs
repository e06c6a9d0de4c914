//! Writing ONNX files: standard operators only, opset 13, readable by any runtime since 2020; and
//! reading them back.

use prost::Message;
use tract_onnx::pb::{
    GraphProto, ModelProto, NodeProto, OperatorSetIdProto, tensor_shape_proto::dimension,
    type_proto,
};

use super::metadata::{self, Metadata};
use super::patches;
use super::proto::{float, int, ints, tensor, value_info};
use crate::nets::{
    graph::{Graph, Node, Op, SLOPE},
    reference::{self, GraphError},
};

/// Name of the model's input, `[N, channels, height, width]`, normalised pixels.
pub const INPUT: &str = "image";
/// Name of the model's output, `[N, length]`.
pub const OUTPUT: &str = "embedding";
/// Name of the embedding before the layer that [`whiten`](super::whiten) puts behind a network.
pub(super) const PLAIN: &str = "embedding.plain";
/// Version of the operators used.
const OPSET: i64 = 13;
/// Version of the file format that came with this version of the operators.
const IR_VERSION: i64 = 7;

/// Name of an inner value in the files of [`write()`], given as the inputs of a node have it.
pub fn inner(value: usize) -> String {
    format!("value{value}")
}

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
        _ => inner(index),
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
                    ints("kernel_shape", &[*kernel as i64; 2]),
                    ints("strides", &[*stride as i64; 2]),
                    ints("pads", &padding.map(|side| side as i64)),
                    ints("dilations", &[1, 1]),
                    int("group", *groups as i64),
                ]
            }
            Op::MaxPool { size } => {
                vec![
                    ints("kernel_shape", &[*size as i64; 2]),
                    ints("strides", &[*size as i64; 2]),
                ]
            }
            Op::Flatten => vec![int("axis", 1)],
            Op::Linear { weight, bias, out } => {
                let [length, ..] = shapes[node.inputs[0]];
                constant("weight", &[*out, length], weight);
                constant("bias", &[*out], bias);
                vec![int("transB", 1)]
            }
            Op::Relu6 => {
                constant("min", &[], &[0.0]);
                constant("max", &[], &[6.0]);
                vec![]
            }
            Op::LeakyRelu => vec![float("alpha", SLOPE)],
            Op::Relu | Op::GlobalAveragePool | Op::GlobalMaxPool | Op::Add => vec![],
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

/// Why a file cannot be read back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// It is no ONNX file.
    #[error("it is no ONNX file: {0}")]
    Decode(#[from] prost::DecodeError),
    /// It is not the kind of network that [`write()`] writes.
    #[error("it is not made of the operators that sudal writes: {0}")]
    Foreign(String),
}

/// Reads a file of [`write()`]: convolutions, ReLUs up to 6 or without end, max pools, sums, a global average
/// or maximum and a flattening.
/// What [`whiten`](super::whiten) and [`patches`] add is left out.
///
/// # Errors
/// [`ReadError`] for any other file; `sudal convert` reads more kinds.
pub fn read(onnx: &[u8]) -> Result<Graph, ReadError> {
    let foreign = |what: &str| ReadError::Foreign(what.to_owned());
    let model = ModelProto::decode(onnx)?;
    let normalization =
        metadata::normalization(&model).ok_or_else(|| foreign("it states no normalisation"))?;
    let graph = model.graph.ok_or_else(|| foreign("it has no graph"))?;
    let dims = graph.input.first().and_then(|input| {
        let Some(type_proto::Value::TensorType(tensor)) = &input.r#type.as_ref()?.value else {
            return None;
        };
        let dims = tensor
            .shape
            .as_ref()?
            .dim
            .iter()
            .skip(1)
            .map(|d| match d.value {
                Some(dimension::Value::DimValue(n)) => usize::try_from(n).ok(),
                _ => None,
            });
        <[usize; 3]>::try_from(dims.collect::<Option<Vec<_>>>()?).ok()
    });
    let input = dims.ok_or_else(|| foreign("its input is no picture of fixed size"))?;
    let mut nodes = Vec::with_capacity(graph.node.len());
    let mut values = vec![graph.input[0].name.as_str()];
    for node in graph.node.iter().filter(|node| !patches::is_made(node)) {
        let fail = |what: &str| ReadError::Foreign(format!("node {}: {what}", node.name));
        let value = |name: &String| values.iter().rposition(|value| value == name);
        let reads = if node.op_type == "Add" { 2 } else { 1 };
        let inputs: Option<Vec<usize>> = node.input.iter().take(reads).map(value).collect();
        let inputs = inputs.filter(|inputs| inputs.len() == reads);
        let inputs = inputs.ok_or_else(|| fail("it reads what no node before it gives"))?;
        let sizes = |name: &str| -> Vec<usize> {
            let found = node.attribute.iter().find(|a| a.name == name);
            let ints = found.map_or(&[][..], |a| &a.ints);
            ints.iter()
                .filter_map(|&i| usize::try_from(i).ok())
                .collect()
        };
        let floats = |place: usize| -> Result<Vec<f32>, ReadError> {
            let name = node
                .input
                .get(place)
                .ok_or_else(|| fail("a constant is missing"))?;
            let tensor = graph.initializer.iter().find(|t| t.name == *name);
            let tensor = tensor.ok_or_else(|| fail("a constant is missing"))?;
            let (words, _) = tensor.raw_data.as_chunks::<4>();
            Ok(words.iter().map(|word| f32::from_le_bytes(*word)).collect())
        };
        let op = match node.op_type.as_str() {
            "Conv" => {
                let bias = floats(2)?;
                let group = node.attribute.iter().find(|a| a.name == "group");
                let (kernel, stride) = (sizes("kernel_shape"), sizes("strides"));
                let padding = <[usize; 4]>::try_from(sizes("pads"));
                let ([kernel, _], [stride, _], Ok(padding)) = (&kernel[..], &stride[..], padding)
                else {
                    return Err(fail("its attributes are others"));
                };
                Op::Conv {
                    weight: floats(1)?,
                    out: bias.len(),
                    bias,
                    kernel: *kernel,
                    stride: *stride,
                    padding,
                    groups: group.and_then(|a| usize::try_from(a.i).ok()).unwrap_or(1),
                }
            }
            "Relu" => Op::Relu,
            "LeakyRelu"
                if node
                    .attribute
                    .iter()
                    .any(|a| a.name == "alpha" && a.f == SLOPE) =>
            {
                Op::LeakyRelu
            }
            "Clip" if floats(1)? == [0.0] && floats(2)? == [6.0] => Op::Relu6,
            "MaxPool" => Op::MaxPool {
                size: *sizes("kernel_shape")
                    .first()
                    .ok_or_else(|| fail("it has no size"))?,
            },
            "GlobalAveragePool" => Op::GlobalAveragePool,
            "GlobalMaxPool" => Op::GlobalMaxPool,
            "Flatten" => Op::Flatten,
            "Add" => Op::Add,
            other => return Err(fail(&format!("{other} is none of them"))),
        };
        nodes.push(Node { op, inputs });
        values.push(node.output.first().map_or("", String::as_str));
        if values.last() == Some(&PLAIN) {
            break;
        }
    }
    Ok(Graph {
        input,
        normalization,
        nodes,
        taps: Vec::new(),
    })
}

/// Dimensions of the embedding without the batch: one for a vector, else three.
fn output_dims<'s>(graph: &Graph, shapes: &'s [[usize; 3]]) -> &'s [usize] {
    let mut index = graph.nodes.len();
    while index > 0
        && matches!(
            graph.nodes[index - 1].op,
            Op::Relu | Op::Relu6 | Op::LeakyRelu
        )
    {
        index = graph.nodes[index - 1].inputs[0];
    }
    let vector = index > 0 && matches!(graph.nodes[index - 1].op, Op::Flatten | Op::Linear { .. });
    let shape = &shapes[shapes.len() - 1];
    if vector { &shape[..1] } else { shape }
}
