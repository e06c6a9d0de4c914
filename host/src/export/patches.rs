//! A map of patch descriptors as a second output of an ONNX embedding network, found without gradients.
//!
//! What an inner layer holds of each place of a picture tells sound surface from a flaw far better than
//! one embedding of the whole (Roth et al., 2022, "Towards Total Recall in Industrial Anomaly
//! Detection"). Here its vectors are brought to fewer values by their principal components. Each
//! component is divided by the fourth root of its variance, half way to whitening: without that the
//! first few decide every distance, and fully whitened the last ones are noise.

use nalgebra::{DMatrix, DVector, SymmetricEigen};
use prost::Message;
use rayon::prelude::*;
use tract_onnx::pb::{ModelProto, NodeProto, StringStringEntryProto};

use super::float::{FloatError, FloatModel};
use super::onnx::{tensor, value_info};
use super::signature::{PATCHES, Signature, SignatureError};
use crate::nets::graph::Head;

/// The entry of the file that tells what the output was made from.
const ENTRY: &str = "sudal.patches";
/// Names of the constants.
const WEIGHT: &str = "patches.weight";
const BIAS: &str = "patches.bias";
/// Least side of the map that is taken when none is named.
pub const LEAST_SIDE: usize = 12;
/// Part of the first component's variance below which there is nothing but rounding.
const NOTHING: f64 = 1e-9;

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

/// Mean and covariance of the vectors of an inner value, in the making.
#[derive(Clone, Debug)]
pub struct Moments {
    count: usize,
    sum: DVector<f64>,
    products: DMatrix<f64>,
}

impl Moments {
    /// Of no vector yet, each of which will be so many values.
    #[must_use]
    pub fn new(channels: usize) -> Self {
        Self {
            count: 0,
            sum: DVector::zeros(channels),
            products: DMatrix::zeros(channels, channels),
        }
    }

    /// Takes in maps of whole vectors, the channel fastest.
    pub fn add(&mut self, maps: &[Vec<f32>]) {
        let channels = self.sum.len();
        let of_map = |map: &Vec<f32>| {
            let values = map.iter().map(|&value| f64::from(value));
            let vectors = DMatrix::from_iterator(channels, map.len() / channels, values);
            (
                vectors.ncols(),
                vectors.column_sum(),
                &vectors * vectors.transpose(),
            )
        };
        // Joined in order: no sum depends on the number of threads.
        let parts: Vec<_> = maps.par_iter().map(of_map).collect();
        for (count, sum, products) in parts {
            self.count += count;
            self.sum += sum;
            self.products += products;
        }
    }
}

/// Where vectors lie, and how they spread.
#[derive(Clone, Debug)]
struct Spread {
    mean: DVector<f64>,
    covariance: DMatrix<f64>,
}

impl Spread {
    /// Of all sets together, each counting the same; `None` if that is no number.
    fn of(sets: &[Moments]) -> Option<Self> {
        let channels = sets.first()?.sum.len();
        let mut mean = DVector::zeros(channels);
        let mut products = DMatrix::zeros(channels, channels);
        for set in sets {
            let vectors = (sets.len() * set.count) as f64;
            mean += &set.sum / vectors;
            products += &set.products / vectors;
        }
        let covariance = products - &mean * mean.transpose();
        let finite = mean
            .iter()
            .chain(covariance.iter())
            .all(|value| value.is_finite());
        finite.then_some(Self { mean, covariance })
    }

    /// The matrix `[channels, inputs]`, row-major, and the summands that bring a vector to its half-whitened
    /// principal components.
    fn basis(&self, channels: usize) -> Result<(Vec<f32>, Vec<f32>), PatchesError> {
        let SymmetricEigen {
            eigenvalues,
            eigenvectors,
        } = self.covariance.clone().symmetric_eigen();
        let mut order: Vec<usize> = (0..eigenvalues.len()).collect();
        order.sort_by(|&a, &b| eigenvalues[b].total_cmp(&eigenvalues[a]));
        let greatest = order.first().map_or(0.0, |&first| eigenvalues[first]);
        let differs = |&&index: &&usize| eigenvalues[index] > NOTHING * greatest;
        let have = order.iter().take_while(differs).count();
        if channels == 0 || channels > have {
            return Err(PatchesError::Channels {
                asked: channels,
                have,
            });
        }
        let (mut weight, mut bias) = (Vec::new(), Vec::new());
        for &index in &order[..channels] {
            let vector = eigenvectors.column(index);
            // Of a vector and its opposite always the same, so that nothing depends on the solver.
            let largest = vector.iter().max_by(|a, b| a.abs().total_cmp(&b.abs()));
            let factor =
                eigenvalues[index].powf(-0.25) * largest.map_or(1.0, |value| value.signum());
            let row = vector * factor;
            bias.push(-row.dot(&self.mean) as f32);
            weight.extend(row.iter().map(|&value| value as f32));
        }
        Ok((weight, bias))
    }
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
        graph
            .node
            .retain(|node| !node.output.iter().any(|name| name == PATCHES));
        graph
            .initializer
            .retain(|tensor| ![WEIGHT, BIAS].contains(&tensor.name.as_str()));
    }
    Ok(model.encode_to_vec())
}

/// An inner value of a network, whose vectors become patches.
pub struct Tap {
    name: String,
    model: FloatModel,
    shape: [usize; 3],
}

impl Tap {
    /// Finds the value of this name, or the last that has a map of [`LEAST_SIDE`] rows and columns or
    /// more. `onnx` has no patches.
    ///
    /// # Errors
    /// [`PatchesError::Tap`] and [`PatchesError::NoTap`], and when the network can not be evaluated.
    pub fn find(onnx: &[u8], name: Option<&str>) -> Result<Self, PatchesError> {
        let (signature, model) = Signature::read(onnx)?;
        // What follows tells only of values that are no maps.
        FloatModel::new(onnx, None)?;
        let nodes = model.graph.iter().flat_map(|graph| &graph.node);
        let names: Vec<&String> = nodes
            .flat_map(|node| &node.output)
            .filter(|name| !name.is_empty() && **name != signature.output)
            .collect();
        let mut maps = names
            .iter()
            .rev()
            .filter_map(|name| Self::open(&model, name));
        let Some(tap) = name else {
            let large = |tap: &Self| tap.shape[..2].iter().all(|&side| side >= LEAST_SIDE);
            return maps.find(large).ok_or(PatchesError::NoTap);
        };
        let named = names.iter().find(|name| **name == tap);
        named
            .and_then(|name| Self::open(&model, name))
            .ok_or_else(|| {
                let mut have: Vec<String> = maps.map(|tap| tap.name).collect();
                have.reverse();
                PatchesError::Tap {
                    tap: tap.to_owned(),
                    have,
                }
            })
    }

    /// The network with this value as it is for patches; `None` if it is no map.
    fn open(model: &ModelProto, name: &str) -> Option<Self> {
        let mut model = model.clone();
        let graph = model.graph.as_mut()?;
        graph.node.push(NodeProto {
            op_type: "Identity".to_owned(),
            name: PATCHES.to_owned(),
            input: vec![name.to_owned()],
            output: vec![PATCHES.to_owned()],
            ..Default::default()
        });
        graph.output.push(value_info(PATCHES, &[]));
        let model = FloatModel::new(&model.encode_to_vec(), None).ok()?;
        let shape = model.patches_shape()?;
        Some(Self {
            name: name.to_owned(),
            model,
            shape,
        })
    }

    /// Its name in the file.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Height, width and channels.
    #[must_use]
    pub fn shape(&self) -> [usize; 3] {
        self.shape
    }

    /// The network, with this value as its patches.
    #[must_use]
    pub fn model(&self) -> &FloatModel {
        &self.model
    }
}

/// Adds the second output to a network without one: so many channels of what `tap` holds.
///
/// `sets` are the moments of its vectors over training pictures, one for each kind of data; they count
/// the same. `origin` says in the file what they are of.
///
/// # Errors
/// [`PatchesError`].
pub fn add_patches(
    onnx: &[u8],
    tap: &Tap,
    sets: &[Moments],
    channels: usize,
    origin: &str,
) -> Result<Vec<u8>, PatchesError> {
    let spread = Spread::of(sets).ok_or(PatchesError::Moments)?;
    let (weight, bias) = spread.basis(channels)?;
    attach(onnx, tap, &Head { weight, bias }, origin)
}

/// Adds the second output to a network without one, by a head that was learned for what `tap` holds.
/// `origin` says in the file what it was learned of.
///
/// # Errors
/// [`PatchesError::Signature`].
pub fn attach(onnx: &[u8], tap: &Tap, head: &Head, origin: &str) -> Result<Vec<u8>, PatchesError> {
    let (_, mut model) = Signature::read(onnx)?;
    let [height, width, inputs] = tap.shape;
    let channels = head.bias.len();
    if let Some(graph) = &mut model.graph {
        graph.initializer.extend([
            tensor(WEIGHT.to_owned(), &[channels, inputs, 1, 1], &head.weight),
            tensor(BIAS.to_owned(), &[channels], &head.bias),
        ]);
        graph.node.push(NodeProto {
            op_type: "Conv".to_owned(),
            name: PATCHES.to_owned(),
            input: [tap.name(), WEIGHT, BIAS].map(str::to_owned).into(),
            output: vec![PATCHES.to_owned()],
            ..Default::default()
        });
        graph
            .output
            .push(value_info(PATCHES, &[channels, height, width]));
    }
    model.metadata_props.push(StringStringEntryProto {
        key: ENTRY.to_owned(),
        value: format!("{}, {origin}", tap.name()),
    });
    Ok(model.encode_to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Vectors that differ along two directions, one of them four times as far as the other, and not along
    /// the third.
    fn maps() -> Vec<Vec<f32>> {
        let vector = |step: usize| {
            let turn = step as f32 * std::f32::consts::FRAC_PI_4;
            [3.0 + turn.cos(), -2.0 + 4.0 * turn.sin(), 7.0]
        };
        (0..4)
            .map(|map| (map..map + 8).flat_map(vector).collect())
            .collect()
    }

    fn of(maps: &[Vec<f32>]) -> Moments {
        let mut moments = Moments::new(3);
        moments.add(maps);
        moments
    }

    fn apply((weight, bias): &(Vec<f32>, Vec<f32>), x: [f32; 3]) -> Vec<f32> {
        let rows = weight.chunks(3).zip(bias);
        rows.map(|(row, bias)| row.iter().zip(x).map(|(w, x)| w * x).sum::<f32>() + bias)
            .collect()
    }

    #[test]
    fn components_are_centred_and_divided_by_the_root_of_their_deviation() {
        let basis = Spread::of(&[of(&maps())]).unwrap().basis(2).unwrap();
        assert!(
            apply(&basis, [3.0, -2.0, 7.0])
                .iter()
                .all(|value| value.abs() < 1e-4)
        );
        // Deviations of 4 and 1, over the root of 2 both.
        let far = apply(&basis, [3.0, 2.0, 7.0]);
        let near = apply(&basis, [4.0, -2.0, 7.0]);
        let root = |deviation: f32| (deviation / std::f32::consts::SQRT_2).sqrt();
        assert!((far[0].abs() - 4.0 / root(4.0)).abs() < 1e-3, "{far:?}");
        assert!((near[1].abs() - 1.0 / root(1.0)).abs() < 1e-3, "{near:?}");
        assert!(far[1].abs() < 1e-3 && near[0].abs() < 1e-3);
    }

    #[test]
    fn directions_in_which_nothing_differs_are_refused() {
        let spread = Spread::of(&[of(&maps())]).unwrap();
        for asked in [0, 3] {
            let error = spread.basis(asked).unwrap_err();
            assert!(
                matches!(error, PatchesError::Channels { have: 2, .. }),
                "{error}"
            );
        }
        assert!(Spread::of(&[of(&maps()), of(&[])]).is_none());
        assert!(Spread::of(&[]).is_none());
    }

    #[test]
    fn sets_count_the_same_whatever_their_size() {
        let shifted: Vec<Vec<f32>> = maps()
            .iter()
            .map(|map| {
                map.chunks(3)
                    .flat_map(|x| [x[0] + 2.0, x[1], x[2]])
                    .collect()
            })
            .collect();
        let spread = Spread::of(&[of(&maps()[..1]), of(&shifted)]).unwrap();
        assert!((spread.mean[0] - 4.0).abs() < 1e-6, "{spread:?}");
        // Half the square of the circle's radius, and the variance between the two means.
        assert!((spread.covariance[(0, 0)] - 1.5).abs() < 1e-6, "{spread:?}");
    }
}
