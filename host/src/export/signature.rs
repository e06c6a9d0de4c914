//! What an embedding network in an ONNX file takes.

use std::collections::HashSet;

use prost::Message;
use tract_onnx::pb::{
    GraphProto, ModelProto, ValueInfoProto, tensor_proto::DataType, tensor_shape_proto::dimension,
    type_proto,
};

/// Name of the output that is the map of patches, `[N, channels, height, width]`.
pub const PATCHES: &str = "patches";

/// Why a file is no embedding network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// The bytes are no ONNX file.
    #[error("this is no ONNX file, or it is cut off ({0}): export or copy it again")]
    Malformed(String),
    /// A file without a network.
    #[error("the ONNX file holds no graph: export the model again")]
    NoGraph,
    /// More or fewer inputs than the one picture.
    #[error("the network has the inputs [{}]: it must have one, a picture", .0.join(", "))]
    Inputs(Vec<String>),
    /// Other outputs than an embedding and perhaps patches.
    #[error(
        "the network has the outputs [{}]: it must have one, the embedding, or a second one called \
         `{PATCHES}`; choose the embedding with --output",
        .0.join(", ")
    )]
    Outputs(Vec<String>),
    /// No node computes the value at which the network shall end.
    #[error("nothing in the network computes `{name}`: --output can be one of {}", .known.join(", "))]
    Output {
        /// The name asked for.
        name: String,
        /// Names of the values that nodes compute, from the last on.
        known: Vec<String>,
    },
    /// The input is not float32.
    #[error("input `{name}` is {found}: export the model with a float32 input")]
    Type {
        /// Name of the input.
        name: String,
        /// Its type, as ONNX names it.
        found: String,
    },
    /// The input is no picture.
    #[error(
        "input `{name}` has shape {shape}: it must have four dimensions, [batch, channels, height, width] or \
         [batch, height, width, channels]"
    )]
    Rank {
        /// Name of the input.
        name: String,
        /// Its shape.
        shape: String,
    },
    /// The size of the picture is not fixed.
    #[error(
        "input `{name}` has shape {shape}: only the batch may be dynamic; export the model with fixed \
         channels, height and width"
    )]
    Dynamic {
        /// Name of the input.
        name: String,
        /// Its shape.
        shape: String,
    },
    /// Not a mean and a deviation for each channel.
    #[error(
        "the network reads pictures of {0} channels: give one mean and one standard deviation for all, or {0} of each; \
         all are on the scale 0..=1 of pixels, deviations above 0"
    )]
    Standard(usize),
    /// No network of colour pictures.
    #[error(
        "the network reads pictures of {0} channels: only those of three, red, green and blue, can be given grey ones"
    )]
    Colours(usize),
    /// A fixed batch of several pictures.
    #[error(
        "input `{name}` takes a fixed batch of {batch}: export the model with batch 1 or dynamic"
    )]
    Batch {
        /// Name of the input.
        name: String,
        /// Its batch.
        batch: i64,
    },
}

/// Names and shapes of what goes in and comes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Signature {
    /// Name of the input.
    pub(super) input: String,
    /// Name of the output.
    pub(super) output: String,
    /// Name of the output behind it, the map of patches.
    pub(super) patches: Option<String>,
    /// Channels, height and width of the input.
    pub(super) shape: [usize; 3],
    /// Whether the input is `[batch, height, width, channels]` instead of `[batch, channels, height,
    /// width]`, as TensorFlow has it.
    pub(super) channels_last: bool,
    /// Whether any number of pictures may be given at once.
    pub(super) dynamic_batch: bool,
}

impl Signature {
    /// Decodes a file and reads its signature.
    pub(super) fn read(onnx: &[u8]) -> Result<(Self, ModelProto), SignatureError> {
        let model =
            ModelProto::decode(onnx).map_err(|e| SignatureError::Malformed(e.to_string()))?;
        let graph = model.graph.as_ref().ok_or(SignatureError::NoGraph)?;
        if graph.node.is_empty() {
            return Err(SignatureError::NoGraph);
        }
        let signature = Self::of(graph)?;
        Ok((signature, model))
    }

    /// Dimensions of a batch of pictures as the file has them.
    pub(super) fn dims(&self, batch: usize) -> [usize; 4] {
        let [channels, height, width] = self.shape;
        if self.channels_last {
            [batch, height, width, channels]
        } else {
            [batch, channels, height, width]
        }
    }

    /// The signature of a graph.
    fn of(graph: &GraphProto) -> Result<Self, SignatureError> {
        let constant = |value: &&ValueInfoProto| {
            !graph
                .initializer
                .iter()
                .any(|tensor| tensor.name == value.name)
        };
        let inputs: Vec<_> = graph.input.iter().filter(constant).collect();
        let names = |values: &[&ValueInfoProto]| values.iter().map(|v| v.name.clone()).collect();
        let [input] = inputs[..] else {
            return Err(SignatureError::Inputs(names(&inputs)));
        };
        let (output, patches) = match &graph.output[..] {
            [output] => (output, None),
            [output, patches] if patches.name == PATCHES && output.name != PATCHES => {
                (output, Some(patches.name.clone()))
            }
            outputs => {
                return Err(SignatureError::Outputs(names(
                    &outputs.iter().collect::<Vec<_>>(),
                )));
            }
        };
        let name = input.name.clone();
        let Some(type_proto::Value::TensorType(tensor)) =
            input.r#type.as_ref().and_then(|kind| kind.value.as_ref())
        else {
            return Err(SignatureError::Type {
                name,
                found: "no tensor".to_owned(),
            });
        };
        if tensor.elem_type != DataType::Float as i32 {
            let found = DataType::try_from(tensor.elem_type)
                .map_or("of an unknown type", |kind| kind.as_str_name())
                .to_lowercase();
            return Err(SignatureError::Type { name, found });
        }
        let dims: Vec<Dim> = match &tensor.shape {
            Some(shape) => shape
                .dim
                .iter()
                .map(|dim| Dim::of(dim.value.as_ref()))
                .collect(),
            None => vec![],
        };
        let shape = format!(
            "[{}]",
            dims.iter()
                .map(Dim::to_string)
                .collect::<Vec<_>>()
                .join(", ")
        );
        let [batch, rest @ ..] = &dims[..] else {
            return Err(SignatureError::Rank { name, shape });
        };
        if rest.len() != 3 {
            return Err(SignatureError::Rank { name, shape });
        }
        let mut fixed = [0; 3];
        for (fixed, dim) in fixed.iter_mut().zip(rest) {
            match dim {
                Dim::Fixed(value @ 1..=65535) => *fixed = *value as usize,
                _ => return Err(SignatureError::Dynamic { name, shape }),
            }
        }
        // Pictures are grey or coloured, and larger than that.
        let colors = |channels: usize| channels == 1 || channels == 3;
        let channels_last = colors(fixed[2]) && !colors(fixed[0]);
        if channels_last {
            fixed.rotate_right(1);
        }
        if let Dim::Fixed(batch @ 2..) = *batch {
            return Err(SignatureError::Batch { name, batch });
        }
        Ok(Self {
            input: name,
            output: output.name.clone(),
            patches,
            shape: fixed,
            channels_last,
            dynamic_batch: !matches!(batch, Dim::Fixed(1)),
        })
    }
}

/// The file with a value that one of its nodes computes as its only output, and without what that one
/// does not need.
///
/// # Errors
/// [`SignatureError::Output`] if no node computes it, the others if it is no ONNX file.
pub fn cut(onnx: &[u8], output: &str) -> Result<Vec<u8>, SignatureError> {
    let mut model =
        ModelProto::decode(onnx).map_err(|e| SignatureError::Malformed(e.to_string()))?;
    let graph = model.graph.as_mut().ok_or(SignatureError::NoGraph)?;
    let needed = needed(graph, output);
    if !needed.contains(&true) {
        let outputs = graph.node.iter().rev().flat_map(|node| &node.output);
        return Err(SignatureError::Output {
            name: output.to_owned(),
            known: outputs.take(12).cloned().collect(),
        });
    }
    let mut needed = needed.into_iter();
    graph.node.retain(|_| needed.next() == Some(true));
    graph.output = vec![ValueInfoProto {
        name: output.to_owned(),
        ..Default::default()
    }];
    Ok(model.encode_to_vec())
}

/// Which nodes an output depends on.
pub(super) fn needed(graph: &GraphProto, output: &str) -> Vec<bool> {
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

/// One dimension of a shape.
enum Dim {
    Fixed(i64),
    Named(String),
}

impl Dim {
    fn of(value: Option<&dimension::Value>) -> Self {
        match value {
            Some(dimension::Value::DimValue(value)) if *value > 0 => Self::Fixed(*value),
            Some(dimension::Value::DimParam(name)) if !name.is_empty() => Self::Named(name.clone()),
            _ => Self::Named("?".to_owned()),
        }
    }
}

impl std::fmt::Display for Dim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Fixed(value) => write!(f, "{value}"),
            Self::Named(name) => write!(f, "{name}"),
        }
    }
}
