//! From the nodes of an ONNX file to the layers of a [`Network`].

use std::collections::HashMap;

use tract_onnx::pb::{GraphProto, ModelProto, NodeProto};

use super::{
    constant::Constant,
    error::ConvertError,
    layers::Layers,
    network::{Network, Shape},
    node::{Activation, Axes, MAX_SIDE, Node, Value},
    operators,
    reshape::to_vector,
};
use crate::export::signature::{Signature, needed};

/// Most layers of a network.
const MAX_LAYERS: usize = 1000;

/// Reads the nodes on which the outputs depend.
pub(super) fn read(signature: &Signature, model: &ModelProto) -> Result<Network, ConvertError> {
    let graph = model
        .graph
        .as_ref()
        .ok_or(crate::export::signature::SignatureError::NoGraph)?;
    let [channels, height, width] = signature.shape;
    let input = Shape {
        height,
        width,
        channels,
    };
    let mut reader = Reader {
        values: HashMap::new(),
        layers: Layers(vec![]),
    };
    for tensor in &graph.initializer {
        reader.values.insert(
            tensor.name.clone(),
            Value::Constant(Constant::read(tensor)?),
        );
    }
    let picture = Activation {
        value: 0,
        shape: input,
        axes: if signature.channels_last {
            Axes::ChannelsLast
        } else {
            Axes::ChannelsFirst
        },
    };
    reader
        .values
        .insert(signature.input.clone(), Value::Activation(picture));
    // The patches first, so that what they read need not outlive the embedding, which comes last.
    let mut read = vec![false; graph.node.len()];
    for output in signature.patches.iter().chain([&signature.output]) {
        let needed = needed(graph, output).into_iter().zip(&mut read);
        for (node, (needed, read)) in graph.node.iter().zip(needed) {
            if !needed || std::mem::replace(read, true) {
                continue;
            }
            reader.node(node).map_err(|mut error| {
                if let ConvertError::Operator { before, .. } = &mut error {
                    *before = before_node(graph, node, &signature.input);
                }
                error
            })?;
        }
    }
    let patches = match &signature.patches {
        Some(name) => Some(reader.patches(name)?),
        None => None,
    };
    let output = match reader.values.get(&signature.output) {
        Some(Value::Activation(activation)) if activation.value > 0 => *activation,
        _ => return Err(ConvertError::NoEmbedding(signature.output.clone())),
    };
    let mut layers = reader.layers;
    // The embedding stands in the file's order.
    let embedding = to_vector(&signature.output, &mut layers, output);
    if patches.is_some_and(|value| value > embedding.value) {
        return Err(ConvertError::Order(signature.output.clone()));
    }
    let patches = layers.keep_needed(embedding.value, patches);
    Ok(Network {
        input,
        input_affine: vec![[1.0, 0.0]; channels],
        given: None,
        layers: layers.0,
        patches,
    })
}

/// What can be the embedding instead of all that starts at a node: what it reads, but before the end
/// of a classifier the features that its last fully connected layer reads.
pub(super) fn before_node(graph: &GraphProto, node: &NodeProto, picture: &str) -> Option<String> {
    let read = node.input.first()?;
    let ends_classifier = ["Softmax", "LogSoftmax", "Sigmoid", "ArgMax"].contains(&&*node.op_type);
    let mut at = read;
    while ends_classifier
        && let Some(node) = graph.node.iter().find(|node| node.output.contains(at))
        && let Some(input) = node.input.first()
    {
        match node.op_type.as_str() {
            "Add" | "Identity" | "Cast" | "Dropout" => at = input,
            "Gemm" | "MatMul" => return Some(input.clone()),
            _ => break,
        }
    }
    (read != picture).then(|| read.clone())
}

/// What the names of the file stand for, and the layers so far.
struct Reader {
    values: HashMap<String, Value>,
    layers: Layers,
}

impl Reader {
    /// The value that is the map of patches.
    fn patches(&self, name: &str) -> Result<usize, ConvertError> {
        match self.values.get(name) {
            Some(Value::Activation(map)) if map.value > 0 && map.axes == Axes::ChannelsFirst => {
                Ok(map.value)
            }
            _ => Err(ConvertError::NoPatches),
        }
    }

    /// Reads one node.
    fn node(&mut self, proto: &NodeProto) -> Result<(), ConvertError> {
        let name = [&proto.name]
            .into_iter()
            .chain(&proto.output)
            .find(|name| !name.is_empty());
        let mut node = Node {
            proto,
            name: name.cloned().unwrap_or_default(),
            inputs: vec![],
        };
        if !["", "ai.onnx"].contains(&proto.domain.as_str()) {
            let operator = format!("{}.{}", proto.domain, proto.op_type);
            return Err(ConvertError::Operator {
                node: node.name,
                operator,
                before: None,
            });
        }
        for input in &proto.input {
            let value = self.values.get(input).cloned();
            if value.is_none() && !input.is_empty() {
                return node.fail(format!(
                    "reads `{input}`, which nothing before it computes: the file is damaged"
                ));
            }
            node.inputs.push(value);
        }
        let values = operators::read(&node, &mut self.layers)?;
        if self.layers.0.len() > MAX_LAYERS {
            return node.fail(format!(
                "the network has over {MAX_LAYERS} layers: use fewer"
            ));
        }
        let shapes = values.iter().filter_map(|value| match value {
            Value::Activation(Activation { shape, .. }) => Some(shape),
            _ => None,
        });
        for shape in shapes {
            if [shape.height, shape.width, shape.channels]
                .iter()
                .any(|side| !(1..=MAX_SIDE).contains(side))
            {
                return node.fail(format!(
                    "its output is {shape}: each side must be 1 to {MAX_SIDE}"
                ));
            }
        }
        if proto.output.is_empty() {
            return node.fail("it has no output: the file is damaged");
        }
        self.values.extend(proto.output.iter().cloned().zip(values));
        Ok(())
    }
}
