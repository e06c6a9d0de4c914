//! The inner values of a network that patches are made of.

use prost::Message;
use tract_onnx::pb::{GraphProto, ModelProto};

use super::error::PatchesError;
use super::nodes;
use super::tap::{LEAST_SIDE, Tap};
use crate::export::{
    float::FloatModel,
    proto::value_info,
    signature::{PATCHES, Signature},
};

/// The value, and the network with it as it is for patches; `None` if it is no map.
fn open(model: &ModelProto, name: &str) -> Option<(Tap, FloatModel)> {
    let mut model = model.clone();
    nodes::add_identity(model.graph.as_mut()?, name);
    let model = with_patches(model)?;
    let shape = model.patches_shape()?;
    let name = name.to_owned();
    let factors = [1; 2];
    Some((
        Tap {
            name,
            shape,
            factors,
        },
        model,
    ))
}

/// Evaluates a network whose last node gives patches.
fn with_patches(mut model: ModelProto) -> Option<FloatModel> {
    let graph = model.graph.as_mut()?;
    graph.output.push(value_info(PATCHES, &[]));
    FloatModel::new(&model.encode_to_vec(), None).ok()
}

/// Inner values of a network, whose vectors become patches: smaller maps by the nearest neighbour in the
/// places of the largest, the vectors of each place joined.
pub struct Taps {
    taps: Vec<Tap>,
    model: FloatModel,
    shape: [usize; 3],
}

impl Taps {
    /// Finds the values of these names, or without any the last that has a map of [`LEAST_SIDE`] rows and
    /// columns or more. `onnx` has no patches.
    ///
    /// # Errors
    /// [`PatchesError`] that names the value which can not be used, and when the network can not be
    /// evaluated.
    pub fn find<S: AsRef<str>>(onnx: &[u8], names: &[S]) -> Result<Self, PatchesError> {
        let (signature, model) = Signature::read(onnx)?;
        // What follows tells only of values that are no maps.
        FloatModel::new(onnx, None)?;
        let known = inner(model.graph.as_ref(), &signature);
        let mut found: Vec<(Tap, FloatModel)> = Vec::new();
        for name in names.iter().map(AsRef::as_ref) {
            if found.iter().any(|(tap, _)| tap.name == name) {
                return Err(PatchesError::Twice(name.to_owned()));
            }
            let opened = known.contains(&name).then(|| open(&model, name));
            found.push(opened.flatten().ok_or_else(|| {
                let map = |name: &&&str| open(&model, name).is_some();
                PatchesError::Tap {
                    tap: name.to_owned(),
                    have: known
                        .iter()
                        .filter(map)
                        .map(|&name| name.to_owned())
                        .collect(),
                }
            })?);
        }
        if names.is_empty() {
            let mut maps = known.iter().rev().filter_map(|name| open(&model, name));
            let large = |(tap, _): &(Tap, _)| tap.places().iter().all(|&side| side >= LEAST_SIDE);
            found.push(maps.find(large).ok_or(PatchesError::NoTap)?);
        }
        let (taps, mut models): (Vec<Tap>, Vec<FloatModel>) = found.into_iter().unzip();
        if let ([tap], Some(model)) = (&taps[..], models.pop()) {
            let shape = tap.shape;
            return Ok(Self { taps, model, shape });
        }
        Self::join(model, taps)
    }

    /// Brings all to the places of the largest.
    fn join(mut model: ModelProto, mut taps: Vec<Tap>) -> Result<Self, PatchesError> {
        let area = |tap: &Tap| tap.places().iter().product::<usize>();
        let largest = taps.iter().max_by_key(|tap| area(tap));
        let largest = largest.ok_or(PatchesError::NoTap)?.places();
        for tap in &mut taps {
            let map = tap.places();
            if !(0..2).all(|side| largest[side].is_multiple_of(map[side])) {
                let tap = tap.name.clone();
                return Err(PatchesError::Places { tap, map, largest });
            }
            tap.factors = [0, 1].map(|side| largest[side] / map[side]);
        }
        let opset = nodes::opset(&model);
        if let Some(graph) = &mut model.graph {
            nodes::add_joined(graph, opset, &taps);
        }
        let model = with_patches(model).ok_or(PatchesError::NoTap)?;
        let shape = model.patches_shape().ok_or(PatchesError::NoTap)?;
        Ok(Self { taps, model, shape })
    }

    pub(super) fn all(&self) -> &[Tap] {
        &self.taps
    }

    /// Channels of each.
    pub(super) fn channels(&self) -> Vec<usize> {
        self.taps.iter().map(Tap::channels).collect()
    }

    /// Their names in the file.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.taps.iter().map(|tap| tap.name.as_str())
    }

    /// Their names for people.
    #[must_use]
    pub fn text(&self) -> String {
        self.names().collect::<Vec<_>>().join(" + ")
    }

    /// Height and width of the largest map, and the channels of all together.
    #[must_use]
    pub fn shape(&self) -> [usize; 3] {
        self.shape
    }

    /// The network, with the joined vectors as its patches.
    #[must_use]
    pub fn model(&self) -> &FloatModel {
        &self.model
    }
}

/// What nodes compute on the way to the output, in the order of the file.
fn inner<'g>(graph: Option<&'g GraphProto>, signature: &Signature) -> Vec<&'g str> {
    let nodes = graph.into_iter().flat_map(|graph| &graph.node);
    nodes
        .flat_map(|node| &node.output)
        .map(String::as_str)
        .filter(|name| !name.is_empty() && *name != signature.output)
        .collect()
}
