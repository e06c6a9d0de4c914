//! ONNX files in the making, node by node.

use prost::Message;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto,
    ValueInfoProto, tensor_proto::DataType,
};

use crate::export::proto::value_info;
pub(super) use crate::export::proto::{float, floats, int, ints, text};

/// An ONNX file in the making; nodes read the one before unless others are named.
pub(super) struct File {
    /// Dimensions of the input behind the batch.
    pub(super) shape: Vec<i64>,
    pub(super) nodes: Vec<NodeProto>,
    pub(super) constants: Vec<TensorProto>,
    /// Version of the operators.
    pub(super) opset: i64,
    /// What is an output in addition to the last node's.
    pub(super) second: Option<&'static str>,
    pub(super) rng: ChaCha8Rng,
}

impl File {
    /// A file whose input is a picture of this many channels, rows and columns.
    pub(super) fn new(channels: i64, height: i64, width: i64) -> Self {
        Self {
            shape: vec![channels, height, width],
            nodes: vec![],
            constants: vec![],
            opset: 14,
            second: None,
            rng: ChaCha8Rng::seed_from_u64(11),
        }
    }

    /// Name of the last output.
    pub(super) fn last(&self) -> String {
        self.nodes
            .last()
            .map_or("x".to_owned(), |node| node.output[0].clone())
    }

    /// A node that reads the last output and constants.
    pub(super) fn node(
        &mut self,
        op: &str,
        constants: &[&str],
        attributes: Vec<AttributeProto>,
    ) -> &mut Self {
        let last = self.last();
        self.node_of(op, &[&[last.as_str()], constants].concat(), attributes)
    }

    /// A node that reads what is named.
    pub(super) fn node_of(
        &mut self,
        op: &str,
        inputs: &[&str],
        attribute: Vec<AttributeProto>,
    ) -> &mut Self {
        let name = format!("{op}_{}", self.nodes.len());
        self.nodes.push(NodeProto {
            input: inputs.iter().map(|&input| input.to_owned()).collect(),
            output: vec![format!("{name}_out")],
            name,
            op_type: op.to_owned(),
            attribute,
            ..Default::default()
        });
        self
    }

    /// Random constants between two limits.
    pub(super) fn random(
        &mut self,
        name: &str,
        dims: &[i64],
        least: f32,
        greatest: f32,
    ) -> &mut Self {
        let count = dims.iter().product::<i64>();
        let data = (0..count)
            .map(|_| self.rng.random_range(least..greatest))
            .collect();
        self.floats(name, dims, data)
    }

    pub(super) fn floats(&mut self, name: &str, dims: &[i64], float_data: Vec<f32>) -> &mut Self {
        self.constants.push(TensorProto {
            name: name.to_owned(),
            dims: dims.to_vec(),
            data_type: DataType::Float as i32,
            float_data,
            ..Default::default()
        });
        self
    }

    pub(super) fn ints(&mut self, name: &str, dims: &[i64], int64_data: Vec<i64>) -> &mut Self {
        self.constants.push(TensorProto {
            name: name.to_owned(),
            dims: dims.to_vec(),
            data_type: DataType::Int64 as i32,
            int64_data,
            ..Default::default()
        });
        self
    }

    pub(super) fn bytes_of(&mut self, name: &str, dims: &[i64], raw_data: &[u8]) -> &mut Self {
        self.constants.push(TensorProto {
            name: name.to_owned(),
            dims: dims.to_vec(),
            data_type: DataType::Uint8 as i32,
            raw_data: raw_data.to_vec(),
            ..Default::default()
        });
        self
    }

    /// A convolution with random weights.
    pub(super) fn conv(&mut self, dims: [i64; 4], attributes: Vec<AttributeProto>) -> &mut Self {
        let (weight, bias) = (
            format!("w{}", self.nodes.len()),
            format!("b{}", self.nodes.len()),
        );
        let limit = (3.0 / (dims[1] * dims[2] * dims[3]) as f32).sqrt();
        self.random(&weight, &dims, -limit, limit)
            .random(&bias, &dims[..1], -0.3, 0.3);
        self.node("Conv", &[&weight, &bias], attributes)
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let shape: Vec<usize> = self.shape.iter().map(|&side| side as usize).collect();
        let graph = GraphProto {
            node: self.nodes.clone(),
            initializer: self.constants.clone(),
            input: vec![value_info("x", &shape)],
            output: [self.last()]
                .into_iter()
                .chain(self.second.map(str::to_owned))
                .map(|name| ValueInfoProto {
                    name,
                    ..Default::default()
                })
                .collect(),
            ..Default::default()
        };
        let opset = OperatorSetIdProto {
            domain: String::new(),
            version: self.opset,
        };
        let model = ModelProto {
            ir_version: 7,
            opset_import: vec![opset],
            graph: Some(graph),
            ..Default::default()
        };
        model.encode_to_vec()
    }
}
