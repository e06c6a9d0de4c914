//! Networks of colour pictures for cameras that see grey.

use prost::Message;
use tract_onnx::pb::{tensor_shape_proto::dimension, type_proto};

use super::proto::{int, node};
use super::signature::{Signature, SignatureError};

/// Channels of a colour picture.
const COLOURS: usize = 3;

/// A network of colour pictures, `[N, 3, height, width]` or channels last, as one of grey pictures, which
/// it sees three times: as red, as green and as blue.
///
/// # Errors
/// [`SignatureError::Colours`] if its pictures have other channels than three, the others if it is no
/// embedding network.
pub fn grey(onnx: &[u8]) -> Result<Vec<u8>, SignatureError> {
    let (signature, mut model) = Signature::read(onnx)?;
    let [channels, ..] = signature.shape;
    if channels != COLOURS {
        return Err(SignatureError::Colours(channels));
    }
    let axis = if signature.channels_last { 3 } else { 1 };
    let graph = model.graph.as_mut().ok_or(SignatureError::NoGraph)?;
    let input = graph
        .input
        .iter_mut()
        .find(|input| input.name == signature.input);
    let tensor = input.and_then(|input| input.r#type.as_mut()?.value.as_mut());
    if let Some(type_proto::Value::TensorType(tensor)) = tensor
        && let Some(dim) = tensor
            .shape
            .as_mut()
            .and_then(|shape| shape.dim.get_mut(axis))
    {
        dim.value = Some(dimension::Value::DimValue(1));
    }
    let colours = format!("{}_as_colours", signature.input);
    let reads = graph.node.iter_mut().flat_map(|node| &mut node.input);
    reads
        .filter(|name| **name == signature.input)
        .for_each(|name| name.clone_from(&colours));
    let axis = vec![int("axis", axis as i64)];
    let joined = node(
        "Concat",
        &[signature.input.as_str(); COLOURS],
        &colours,
        axis,
    );
    graph.node.insert(0, joined);
    Ok(model.encode_to_vec())
}
