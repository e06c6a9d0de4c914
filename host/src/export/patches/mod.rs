//! A map of patch descriptors as a second output of an ONNX embedding network, found without gradients.
//!
//! What an inner layer holds of each place of a picture tells sound surface from a flaw far better than
//! one embedding of the whole (Roth et al., 2022, "Towards Total Recall in Industrial Anomaly
//! Detection"). Here its vectors are brought to fewer values by their principal components. Each
//! component is divided by the fourth root of its variance, half way to whitening: without that the
//! first few decide every distance, and fully whitened the last ones are noise.
//!
//! Several layers may be joined: what a deep one knows of a place beside what a shallow one sees there.

mod moments;
mod nodes;
mod taps;

use prost::Message;
use tract_onnx::pb::{NodeProto, StringStringEntryProto};

pub use moments::Moments;
pub(super) use nodes::is_made;
pub use taps::{LEAST_SIDE, Taps};

use super::float::FloatError;
use super::onnx::value_info;
use super::signature::{PATCHES, Signature, SignatureError};
use crate::nets::graph::Head;
use moments::Spread;

/// The entry of the file that tells what the output was made from.
const ENTRY: &str = "sudal.patches";

/// Why a network gets no patches.
#[derive(Debug, thiserror::Error)]
pub enum PatchesError {
    /// The file is no embedding network.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// The network can not be evaluated.
    #[error(transparent)]
    Float(#[from] FloatError),
    /// The file has such an output that somebody else made.
    #[error("it has patches already, and not from `sudal patches`: use them, or take them off")]
    Foreign,
    /// No inner value is large enough.
    #[error(
        "no inner value of it has a map of {LEAST_SIDE}x{LEAST_SIDE} places or more: name one with --tap"
    )]
    NoTap,
    /// The named value is no map of vectors.
    #[error("`{tap}` is no inner value [N, channels, height, width]; there are {}", .have.join(", "))]
    Tap {
        /// The name.
        tap: String,
        /// Names of those that are.
        have: Vec<String>,
    },
    /// A value is named more than once.
    #[error("`{0}` is named twice: name each value once")]
    Twice(String),
    /// The map of a value does not divide the largest.
    #[error(
        "`{tap}` has a map of {}x{} places, which is not 1/2, 1/3 or another whole part of the {}x{} of the largest: \
         name values whose maps are, or one value alone",
        .map[0], .map[1], .largest[0], .largest[1]
    )]
    Places {
        /// The name.
        tap: String,
        /// Height and width of its map.
        map: [usize; 2],
        /// Height and width of the largest.
        largest: [usize; 2],
    },
    /// A head for other vectors.
    #[error(
        "the head reads {needed} values of each place, the values named give {have}: name those it was learned for"
    )]
    Head {
        /// Values that the head reads.
        needed: usize,
        /// Values that there are.
        have: usize,
    },
    /// More channels than the inner value tells apart.
    #[error(
        "{asked} channels: the patches differ in {have} directions on these pictures; ask for 1 to {have}"
    )]
    Channels {
        /// Channels asked for.
        asked: usize,
        /// Directions with any variance.
        have: usize,
    },
    /// No picture, or values that are no numbers.
    #[error("the patches have no finite mean and covariance on these pictures")]
    Moments,
}

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
        nodes::add_head(graph, opset, taps, head);
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
