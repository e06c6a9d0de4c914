//! A map of patch descriptors as a second output of an ONNX embedding network, found without gradients.
//!
//! What an inner layer holds of each place of a picture tells sound surface from a flaw far better than
//! one embedding of the whole (Roth et al., 2022, "Towards Total Recall in Industrial Anomaly
//! Detection"). Here its vectors are brought to fewer values by their principal components. Each
//! component is divided by the fourth root of its variance, half way to whitening: without that the
//! first few decide every distance, and fully whitened the last ones are noise.
//!
//! Several layers may be joined: what a deep one knows of a place beside what a shallow one sees there.

mod error;
mod moments;
mod nodes;
mod tap;
mod taps;

use prost::Message;
use tract_onnx::pb::{NodeProto, StringStringEntryProto};

pub use error::PatchesError;
pub use moments::Moments;
pub(super) use nodes::is_made;
pub use tap::LEAST_SIDE;
pub use taps::Taps;

use super::proto::value_info;
use super::signature::{PATCHES, Signature, SignatureError};
use crate::nets::graph::Head;
use moments::Spread;

/// The entry of the file that tells what the output was made from.
const ENTRY: &str = "sudal.patches";

/// Takes the output off again; a file without it stays as it is.
///
/// # Errors
/// [`PatchesError::Foreign`] if `sudal` did not make it, [`PatchesError::Signature`].
pub fn strip(onnx: &[u8]) -> Result<Vec<u8>, PatchesError> {
    let (signature, mut model) = Signature::read(onnx)?;
    let before = model.metadata_props.len();
    model.metadata_props.retain(|entry| entry.key != ENTRY);
    let ours = model.metadata_props.len() < before;
    if !ours {
        let named = |node: &NodeProto| node.output.iter().any(|name| name == PATCHES);
        let taken = model.graph.iter().flat_map(|graph| &graph.node).any(named);
        return match taken || signature.patches.is_some() {
            true => Err(PatchesError::Foreign),
            false => Ok(onnx.to_vec()),
        };
    }
    if let Some(graph) = &mut model.graph {
        graph.output.retain(|output| output.name != PATCHES);
        graph.node.retain(|node| !nodes::is_made(node));
        graph.initializer.retain(nodes::is_foreign);
    }
    Ok(model.encode_to_vec())
}

/// Adds the second output to a network without one: so many channels of what `taps` hold.
///
/// `sets` are the moments of their joined vectors over training pictures, one for each kind of data; they
/// count the same, and so do the taps. `origin` says in the file what they are of.
///
/// # Errors
/// [`PatchesError`].
pub fn add_patches(
    onnx: &[u8],
    taps: &Taps,
    sets: &[Moments],
    channels: usize,
    origin: &str,
) -> Result<Vec<u8>, PatchesError> {
    let spread = Spread::of(sets).ok_or(PatchesError::Moments)?;
    let head = spread.basis(channels, &taps.channels())?;
    attach(onnx, taps, &head, origin)
}

/// Adds the second output to a network without one, by a head that was learned for what `taps` hold, in
/// their order. `origin` says in the file what it was learned of.
///
/// # Errors
/// [`PatchesError::Signature`], and [`PatchesError::Head`] if it reads other vectors.
pub fn attach(
    onnx: &[u8],
    taps: &Taps,
    head: &Head,
    origin: &str,
) -> Result<Vec<u8>, PatchesError> {
    let (_, mut model) = Signature::read(onnx)?;
    let [height, width, have] = taps.shape();
    let channels = head.bias.len();
    if head.weight.len() != channels * have {
        let needed = head.weight.len() / channels.max(1);
        return Err(PatchesError::Head { needed, have });
    }
    let opset = nodes::opset(&model);
    if let Some(graph) = &mut model.graph {
        nodes::add_head(graph, opset, taps.all(), head);
        graph
            .output
            .push(value_info(PATCHES, &[channels, height, width]));
    }
    model.metadata_props.push(StringStringEntryProto {
        key: ENTRY.to_owned(),
        value: format!("{}, {origin}", taps.text()),
    });
    Ok(model.encode_to_vec())
}
