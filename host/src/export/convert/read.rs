//! From the nodes of an ONNX file to the layers of a [`Network`].

use std::collections::{HashMap, HashSet};

use tract_onnx::pb::{GraphProto, ModelProto, NodeProto};

use super::{
    constant::Constant,
    error::ConvertError,
    network::{Layer, Network, Op, Shape},
    node::{Activation, MAX_SIDE, Node, Value},
    operators,
};
use crate::export::signature::Signature;

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
        vector: false,
    };
    reader
        .values
        .insert(signature.input.clone(), Value::Activation(picture));
    // The patches first, so that what they read need not outlive the embedding, which comes last.
    let mut read = vec![false; graph.node.len()];
    for output in signature.patches.iter().chain([&signature.output]) {
        let needed = needed(graph, output).into_iter().zip(&mut read);
        for (node, (needed, read)) in graph.node.iter().zip(needed) {
            if needed && !std::mem::replace(read, true) {
                reader.node(node)?;
            }
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
    if output.shape.pixels() > 1 {
        // The embedding stands in the file's order.
        let shape = Shape::vector(output.shape.len());
        layers.push(&signature.output, Op::Flatten, vec![output.value], shape);
    } else if output.value != layers.0.len() {
        return Err(ConvertError::Order(signature.output.clone()));
    }
    Ok(Network {
        input,
        input_affine: vec![[1.0, 0.0]; channels],
        layers: layers.0,
        patches,
    })
}

/// Which nodes the output depends on.
fn needed(graph: &GraphProto, output: &str) -> Vec<bool> {
    let mut names = HashSet::from([output]);
    let mut needed = vec![false; graph.node.len()];
    for (node, needed) in graph.node.iter().zip(&mut needed).rev() {
        if node.output.iter().any(|name| names.contains(name.as_str())) {
            *needed = true;
            names.extend(node.input.iter().map(String::as_str));
        }
    }
    needed
}

/// The layers so far.
pub(super) struct Layers(Vec<Layer>);

impl Layers {
    /// Adds a layer without limits and returns the value that it computes.
    pub(super) fn push(&mut self, name: &str, op: Op, inputs: Vec<usize>, shape: Shape) -> usize {
        self.push_limited(name, op, inputs, shape, super::network::NO_LIMITS)
    }

    /// Adds a layer with limits and returns the value that it computes.
    pub(super) fn push_limited(
        &mut self,
        name: &str,
        op: Op,
        inputs: Vec<usize>,
        shape: Shape,
        limits: [f32; 2],
    ) -> usize {
        self.0.push(Layer {
            name: name.to_owned(),
            op,
            inputs,
            shape,
            limits,
        });
        self.0.len()
    }
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
            Some(Value::Activation(map)) if map.value > 0 && !map.vector => Ok(map.value),
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
        let value = operators::read(&node, &mut self.layers)?;
        if self.layers.0.len() > MAX_LAYERS {
            return node.fail(format!(
                "the network has over {MAX_LAYERS} layers: use fewer"
            ));
        }
        if let Value::Activation(Activation { shape, .. }) = value
            && [shape.height, shape.width, shape.channels]
                .iter()
                .any(|side| !(1..=MAX_SIDE).contains(side))
        {
            return node.fail(format!(
                "its output is {shape}: each side must be 1 to {MAX_SIDE}"
            ));
        }
        let Some(output) = proto.output.first() else {
            return node.fail("it has no output: the file is damaged");
        };
        self.values.insert(output.clone(), value);
        Ok(())
    }
}
