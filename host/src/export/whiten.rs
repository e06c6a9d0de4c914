//! A last layer behind an embedding network, found without gradients.
//!
//! Classes that training did not see scatter most along some directions, whatever the class. Divided
//! by that scatter the directions tell as much as each other, and a Euclidean distance is a
//! Mahalanobis distance (within-class covariance normalisation: Hatch et al., 2006, "Within-Class
//! Covariance Normalization for SVM-based Speaker Recognition"). Brought to [unit length](Length::Unit), which takes
//! out how strong a picture's features are (Wang et al., 2019, "SimpleShot"), the result suits networks that were not
//! trained by distances; those that were lose by it.

use nalgebra::{DMatrix, DVector};
use prost::Message;
use tract_onnx::pb::{GraphProto, ModelProto, StringStringEntryProto};

use super::onnx::PLAIN;
use super::proto::{int, node, tensor};
use super::signature::{Signature, SignatureError};
use crate::measure::Embeddings;

/// The entry of the file that tells what the layer was made from.
const ENTRY: &str = "sudal.whitened";
/// Name of the embedding between the layer's matrix and its length.
const WHITE: &str = "embedding.white";
/// Names of the layer's constants.
const WEIGHT: &str = "whiten.weight";
const BIAS: &str = "whiten.bias";

/// How long embeddings are behind the layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// 1.
    Unit,
    /// What the layer makes of them.
    Kept,
}

/// Why a network is not whitened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WhitenError {
    /// The file is no embedding network.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// It has the layer already: [`strip`] it first.
    #[error("it is whitened already ({0})")]
    Twice(String),
    /// The shrinkage is out of range.
    #[error("a shrinkage of {0}: it must be above 0 and at most 1")]
    Shrinkage(f64),
    /// Too few pictures to tell the scatter from.
    #[error(
        "{pictures} pictures of {classes} classes: two classes with two pictures each are needed"
    )]
    TooFew {
        /// Pictures of classes that have two or more.
        pictures: usize,
        /// Such classes.
        classes: usize,
    },
    /// All pictures of each class are embedded the same, or an embedding is no number.
    #[error("the embeddings have no finite scatter within the classes")]
    Scatter,
}

/// Appends the layer to an ONNX embedding network: `x -> A (x - m)`, then the length.
///
/// `sources` are the embeddings of base classes, best those of training, as the network has them now,
/// one set for each kind of data, that which is most like the device's last: `m` is the mean of the last
/// and `A` the inverse Cholesky factor of the covariance within the classes, averaged over the sets, of
/// which the part `shrinkage`, above 0 and at most 1, is replaced by a multiple of the identity. `origin`
/// says in the file what they are of.
///
/// # Errors
/// [`WhitenError`].
///
/// # Panics
/// When there is no set, or the embeddings have another length than the network's.
pub fn whiten(
    onnx: &[u8],
    sources: &[Embeddings],
    shrinkage: f64,
    length: Length,
    origin: &str,
) -> Result<Vec<u8>, WhitenError> {
    let (signature, mut model) = Signature::read(onnx)?;
    if let Some(entry) = model.metadata_props.iter().find(|entry| entry.key == ENTRY) {
        return Err(WhitenError::Twice(entry.value.clone()));
    }
    let (weight, bias) = layer(sources, shrinkage)?;
    append(&mut model, &signature.output, weight, bias, length);
    model.metadata_props.push(StringStringEntryProto {
        key: ENTRY.to_owned(),
        value: format!("{origin}, shrinkage {shrinkage}"),
    });
    Ok(model.encode_to_vec())
}

/// Takes the layer off again; a file without it stays as it is.
///
/// # Errors
/// [`WhitenError::Signature`].
pub fn strip(onnx: &[u8]) -> Result<Vec<u8>, WhitenError> {
    let (signature, mut model) = Signature::read(onnx)?;
    let before = model.metadata_props.len();
    model.metadata_props.retain(|entry| entry.key != ENTRY);
    if model.metadata_props.len() == before {
        return Ok(onnx.to_vec());
    }
    if let Some(graph) = &mut model.graph {
        let of_layer = [WHITE, &signature.output];
        graph.node.retain(|node| {
            !node
                .output
                .iter()
                .any(|name| of_layer.contains(&name.as_str()))
        });
        graph
            .initializer
            .retain(|tensor| ![WEIGHT, BIAS].contains(&tensor.name.as_str()));
        rename(graph, PLAIN, &signature.output);
    }
    Ok(model.encode_to_vec())
}

/// The matrix `[out, in]`, row-major, and the summands of the layer.
fn layer(sources: &[Embeddings], shrinkage: f64) -> Result<(Vec<f32>, Vec<f32>), WhitenError> {
    if !(shrinkage > 0.0 && shrinkage <= 1.0) {
        return Err(WhitenError::Shrinkage(shrinkage));
    }
    let moments: Vec<_> = sources.iter().map(moments).collect::<Result<_, _>>()?;
    let (mean, _) = moments.last().expect("at least one set");
    let dim = mean.len();
    let sum = moments
        .iter()
        .fold(DMatrix::zeros(dim, dim), |sum, (_, one)| sum + one);
    let scatter = sum / moments.len() as f64;
    let level = scatter.trace() / dim as f64;
    if !(level.is_finite() && level > 0.0) {
        return Err(WhitenError::Scatter);
    }
    let shrunk = scatter * ((1.0 - shrinkage) / level) + DMatrix::identity(dim, dim) * shrinkage;
    let inverse = shrunk
        .cholesky()
        .and_then(|factor| factor.l().try_inverse())
        .ok_or(WhitenError::Scatter)?;
    let bias = -(&inverse * mean);
    let weight = inverse.transpose();
    Ok((
        weight.iter().map(|&value| value as f32).collect(),
        bias.iter().map(|&value| value as f32).collect(),
    ))
}

/// The mean of all pictures and the covariance within the classes that have two pictures or more.
fn moments(embeddings: &Embeddings) -> Result<(DVector<f64>, DMatrix<f64>), WhitenError> {
    let dim = embeddings.dim();
    let mut mean = DVector::zeros(dim);
    let mut scatter = DMatrix::zeros(dim, dim);
    let (mut all, mut pictures, mut classes) = (0, 0, 0);
    for (class, size) in embeddings.class_sizes().into_iter().enumerate() {
        let rows = DMatrix::from_fn(size, dim, |row, column| {
            f64::from(embeddings.get(class, row)[column])
        });
        let sum = rows.row_sum().transpose();
        all += size;
        if size > 1 {
            let own = (&sum / size as f64).transpose();
            let mut off = rows;
            off.row_iter_mut().for_each(|mut row| row -= &own);
            scatter += off.transpose() * off;
            pictures += size;
            classes += 1;
        }
        mean += sum;
    }
    if classes < 2 {
        return Err(WhitenError::TooFew { pictures, classes });
    }
    Ok((mean / all as f64, scatter / (pictures - classes) as f64))
}

/// Puts the layer between what was the output and the output.
fn append(model: &mut ModelProto, output: &str, weight: Vec<f32>, bias: Vec<f32>, length: Length) {
    let Some(graph) = &mut model.graph else {
        return;
    };
    let names = graph
        .node
        .iter_mut()
        .flat_map(|node| node.input.iter_mut().chain(&mut node.output));
    for name in names.filter(|name| *name == output) {
        PLAIN.clone_into(name);
    }
    let dim = bias.len();
    let constants = [
        tensor(WEIGHT.to_owned(), &[dim, dim], &weight),
        tensor(BIAS.to_owned(), &[dim], &bias),
    ];
    let inputs = [PLAIN, &constants[0].name, &constants[1].name];
    let white = match length {
        Length::Unit => WHITE,
        Length::Kept => output,
    };
    let gemm = node("Gemm", &inputs, white, vec![int("transB", 1)]);
    graph.node.push(gemm);
    if length == Length::Unit {
        let unit = node("LpNormalization", &[WHITE], output, vec![int("axis", 1)]);
        graph.node.push(unit);
    }
    graph.initializer.extend(constants);
}

/// Renames a value where it is made and where it is read.
fn rename(graph: &mut GraphProto, from: &str, to: &str) {
    let nodes = graph.node.iter_mut();
    let names = nodes.flat_map(|node| node.input.iter_mut().chain(&mut node.output));
    for name in names.filter(|name| *name == from) {
        to.clone_into(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two directions, of which the second scatters ten times as much within the classes.
    fn scattered() -> Embeddings {
        let mut values = Vec::new();
        for class in 0..4 {
            for picture in 0..8 {
                let turn = f64::from(picture) * std::f64::consts::FRAC_PI_4;
                let [x, y] = [turn.cos(), 10.0 * turn.sin()];
                values.extend([(f64::from(class) + x) as f32, (3.0 + y) as f32]);
            }
        }
        Embeddings::new(2, &[8; 4], values)
    }

    /// The layer as a function.
    fn apply(layer: &(Vec<f32>, Vec<f32>), x: [f32; 2]) -> [f32; 2] {
        let (weight, bias) = layer;
        [0, 1].map(|out| weight[2 * out] * x[0] + weight[2 * out + 1] * x[1] + bias[out])
    }

    /// Checks that `mean` becomes the origin and that steps of these lengths become equally long.
    fn centred_and_similar(layer: &(Vec<f32>, Vec<f32>), mean: [f32; 2], steps: [f32; 2]) {
        let origin = apply(layer, mean);
        assert!(origin.iter().all(|value| value.abs() < 1e-4), "{origin:?}");
        let a = apply(layer, [mean[0] + steps[0], mean[1]]);
        let b = apply(layer, [mean[0], mean[1] + steps[1]]);
        let length = |v: [f32; 2]| v[0].hypot(v[1]);
        assert!((length(a) / length(b) - 1.0).abs() < 1e-4, "{a:?} {b:?}");
    }

    #[test]
    fn directions_come_to_scatter_the_same_way_around_the_mean() {
        let layer = layer(&[scattered()], 1e-9).unwrap();
        centred_and_similar(&layer, [1.5, 3.0], [1.0, 10.0]);
    }

    #[test]
    fn of_two_sets_the_scatter_is_averaged_and_the_mean_is_the_last_ones() {
        // The same turned by a quarter, so that both directions scatter the same way, and moved.
        let first = scattered();
        let turned = (0..4).flat_map(|class| (0..8).map(move |picture| (class, picture)));
        let turned = turned.flat_map(|(class, picture)| {
            let [x, y] = first.get(class, picture) else {
                panic!("two numbers")
            };
            [20.0 + y, 30.0 + x - class as f32]
        });
        let second = Embeddings::new(2, &[8; 4], turned.collect());
        let layer = layer(&[first, second], 1e-9).unwrap();
        centred_and_similar(&layer, [23.0, 30.0], [1.0, 1.0]);
    }

    #[test]
    fn a_shrinkage_of_1_only_shifts() {
        let layer = layer(&[scattered()], 1.0).unwrap();
        let moved = apply(&layer, [2.5, 5.0]);
        assert!(
            (moved[0] - 1.0).abs() < 1e-5 && (moved[1] - 2.0).abs() < 1e-5,
            "{moved:?}"
        );
    }

    #[test]
    fn what_can_not_be_whitened_is_refused() {
        let refused = |embeddings: &Embeddings, shrinkage| {
            layer(std::slice::from_ref(embeddings), shrinkage).unwrap_err()
        };
        for shrinkage in [0.0, -1.0, 1.1, f64::NAN] {
            let error = refused(&scattered(), shrinkage);
            assert!(matches!(error, WhitenError::Shrinkage(_)), "{error}");
        }
        let single = Embeddings::new(2, &[2, 1, 1], vec![0.0; 8]);
        assert!(matches!(
            refused(&single, 0.5),
            WhitenError::TooFew { classes: 1, .. }
        ));
        for value in [0.5, f32::NAN] {
            let same = Embeddings::new(2, &[2, 2], vec![value; 8]);
            assert!(matches!(refused(&same, 0.5), WhitenError::Scatter));
        }
    }
}
