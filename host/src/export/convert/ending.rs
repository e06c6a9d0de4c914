//! A Softmax at the end, which an embedding has no use for.

use prost::Message;

use super::read::before_node;
use crate::export::signature::{Signature, SignatureError, cut};

/// A Softmax that was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// Name of the node.
    pub node: String,
    /// Its operator.
    pub operator: String,
    /// The value that it reads, which is the embedding now.
    pub scores: String,
    /// The value that the last fully connected layer reads, where there is one.
    pub features: Option<String>,
}

impl std::fmt::Display for Ending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            node,
            operator,
            scores,
            features,
        } = self;
        write!(
            f,
            "node `{node}` at the end is {operator} and is left out: the embedding is what it reads, `{scores}`"
        )?;
        match features {
            Some(features) if features != scores => write!(
                f,
                "; what the classifier reads tells new classes apart better: --output '{features}'"
            ),
            _ => Ok(()),
        }
    }
}

/// The file without a Softmax or LogSoftmax that computes its embedding, and what was left out.
///
/// # Errors
/// [`SignatureError`] if it is no embedding network.
pub fn without_softmax(onnx: &[u8]) -> Result<(Vec<u8>, Option<Ending>), SignatureError> {
    let (signature, model) = Signature::read(onnx)?;
    let last = model.graph.as_ref().and_then(|graph| {
        let computes = |name: &String| *name == signature.output;
        let node = graph
            .node
            .iter()
            .find(|node| node.output.iter().any(computes))?;
        let softmax = ["Softmax", "LogSoftmax"].contains(&&*node.op_type);
        (softmax && signature.patches.is_none()).then_some((graph, node))
    });
    let Some((graph, node)) = last else {
        return Ok((onnx.to_vec(), None));
    };
    let scores = node.input.first().cloned().unwrap_or_default();
    let named = [&node.name, &signature.output]
        .into_iter()
        .find(|name| !name.is_empty());
    let ending = Ending {
        node: named.cloned().unwrap_or_default(),
        operator: node.op_type.clone(),
        features: before_node(graph, node, &signature.input),
        scores,
    };
    let without = cut(&model.encode_to_vec(), &ending.scores)?;
    Ok((without, Some(ending)))
}
