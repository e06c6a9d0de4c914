//! Prototypical networks (Snell et al. 2017): a class is the mean of its support embeddings, and a
//! query belongs to the nearest one by squared Euclidean distance.

use burn::tensor::Tensor;
use burn::tensor::activation::log_softmax;
use serde::{Deserialize, Serialize};

use super::error::TrainError;
use super::limits::check_shots;
use super::method::{Batch, Classifier, EpisodeLoss, Method, Recipe, argmax};
use super::params::Params;
use crate::episodes::EpisodeShape;
use crate::measure::nearest;
use crate::nets::network::Plan;

/// Learning to embed so that class means serve.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prototypical {
    /// The loss is the mean over these shots, each 1 or more and at most the support of an episode.
    pub shots: Vec<usize>,
}

impl Method for Prototypical {
    fn name(&self) -> &'static str {
        "prototypical"
    }

    fn recipe(&self) -> Recipe {
        Recipe {
            support: self.shots.iter().copied().max().unwrap_or(0),
            query: 3,
            episodes: 12_000,
            ..Recipe::default()
        }
    }

    fn check(&self, shape: EpisodeShape) -> Result<(), TrainError> {
        check_shots(&self.shots, shape.shot)
    }

    fn loss(&self, plan: &Plan, params: &Params, batch: &Batch) -> EpisodeLoss {
        let embeddings = params.embed(plan, batch.pictures.clone());
        loss(embeddings, batch.way(), batch.support, &self.shots)
    }

    fn adapt(
        &self,
        _plan: &Plan,
        _params: &Params,
        support: Tensor<2>,
        way: usize,
    ) -> Box<dyn Classifier> {
        let [rows, dim] = support.dims();
        let by_class = support.reshape([way, rows / way, dim]);
        Box::new(Prototypes(by_class.mean_dim(1).reshape([way, dim])))
    }
}

/// The class means of a task, `[way, embedding]`.
struct Prototypes(Tensor<2>);

impl Classifier for Prototypes {
    fn predict(&self, queries: Tensor<2>) -> Vec<usize> {
        argmax(-squared_distances(queries, self.0.clone()))
    }
}

/// The episode's loss, from `[way * (support + query), dim]` embeddings that stand class by class,
/// support before query. It is the mean over the `shots`: each reads n of the support
/// pictures, so that one embedding of the batch serves several of them.
///
/// # Panics
/// When a shot is zero or greater than `support`.
pub fn loss(embeddings: Tensor<2>, way: usize, support: usize, shots: &[usize]) -> EpisodeLoss {
    scaled_loss(embeddings, None, way, support, shots)
}

/// The same with distances times a factor, `[1, 1]`.
///
/// # Panics
/// When a shot is zero or greater than `support`.
pub fn scaled_loss(
    embeddings: Tensor<2>,
    factor: Option<Tensor<2>>,
    way: usize,
    support: usize,
    shots: &[usize],
) -> EpisodeLoss {
    let [pictures, dim] = embeddings.dims();
    let each = pictures / way;
    let query = each - support;
    let by_class = embeddings.reshape([way, each, dim]);
    let queries = by_class
        .clone()
        .slice([0..way, support..each, 0..dim])
        .reshape([way * query, dim]);
    let mut total: Option<Tensor<1>> = None;
    let mut correct = 0;
    for &shot in shots {
        assert!(
            shot > 0 && shot <= support,
            "{shot} of {support} support pictures"
        );
        let prototypes = by_class
            .clone()
            .slice([0..way, 0..shot, 0..dim])
            .mean_dim(1)
            .reshape([way, dim]);
        let distances = squared_distances(queries.clone(), prototypes);
        correct += nearest_is_own(&distances, query);
        let distances = match &factor {
            Some(factor) => distances * factor.clone(),
            None => distances,
        };
        // The target of query `c * query + q` is class `c`: a mean over the block diagonal.
        let log_p = log_softmax(-distances, 1)
            .reshape([way, query, way])
            .mean_dim(1);
        let log_p = log_p.reshape([way, way]);
        let own = Tensor::<2>::eye(way, &log_p.device());
        let loss = -(log_p * own).sum() / way as f32;
        total = Some(match total {
            Some(t) => t + loss,
            None => loss,
        });
    }
    let loss = total.expect("at least one shot") / shots.len() as f32;
    EpisodeLoss {
        loss,
        accuracy: correct as f32 / (way * query * shots.len()) as f32,
    }
}

/// `[n, m]` squared Euclidean distances between the rows of `[n, dim]` and `[m, dim]`.
pub fn squared_distances(a: Tensor<2>, b: Tensor<2>) -> Tensor<2> {
    let squares = |t: &Tensor<2>| t.clone().powi_scalar(2).sum_dim(1);
    squares(&a) + squares(&b).transpose() - a.matmul(b.transpose()) * 2.0
}

/// Number of rows of `[way * query, way]` whose least entry is that of their own class.
fn nearest_is_own(distances: &Tensor<2>, query: usize) -> usize {
    let [_, way] = distances.dims();
    let d: Vec<f32> = distances
        .clone()
        .into_data()
        .try_to_vec()
        .expect("distances are float32");
    d.chunks_exact(way)
        .enumerate()
        .filter(|(i, row)| nearest(row) == i / query)
        .count()
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;

    #[test]
    fn loss_of_a_small_episode_is_that_of_the_definition() {
        let device = Device::flex();
        // 2 classes, 2 support and 1 query each, in one dimension.
        let e = [0.0f32, 1.0, 0.4, 3.0, 5.0, 2.2];
        let x = Tensor::<2>::from_data(TensorData::new(e.to_vec(), [6, 1]), &device);
        let got = loss(x, 2, 2, &[1, 2]);
        let mut expected = 0.0;
        for prototypes in [[0.0f32, 3.0], [0.5, 4.0]] {
            for (q, class) in [(0.4f32, 0), (2.2, 1)] {
                let d = prototypes.map(|p| (q - p).powi(2));
                let log_sum = ((-d[0]).exp() + (-d[1]).exp()).ln();
                expected += d[class] + log_sum;
            }
        }
        let loss: f32 = got.loss.into_scalar();
        assert!(
            (loss - expected / 4.0).abs() < 1e-5,
            "{loss} {}",
            expected / 4.0
        );
        assert!((got.accuracy - 0.75).abs() < 1e-6);
    }

    /// As finite differences have it, by the embeddings and by the factor.
    #[test]
    fn the_gradient_of_the_scaled_loss_is_that_of_differences() {
        let device = Device::flex().autodiff();
        let values: Vec<f32> = (0..18).map(|i| (i as f32 * 1.7).sin()).collect();
        let of = |values: &[f32], factor: f32| {
            let x = Tensor::<2>::from_data(TensorData::new(values.to_vec(), [9, 2]), &device);
            let factor = Tensor::<2>::from_data(TensorData::new(vec![factor], [1, 1]), &device);
            let (x, factor) = (x.require_grad(), factor.require_grad());
            let loss = scaled_loss(x.clone(), Some(factor.clone()), 3, 2, &[1, 2]).loss;
            (loss, x, factor)
        };
        let (loss, x, factor) = of(&values, 1.3);
        let grads = loss.backward();
        let list = |t: Tensor<2>| t.into_data().try_to_vec::<f32>().unwrap();
        let (by_x, by_factor) = (
            list(x.grad(&grads).unwrap()),
            list(factor.grad(&grads).unwrap()),
        );
        let step = 1e-2;
        let at = |values: &[f32], factor: f32| -> f32 { of(values, factor).0.into_scalar() };
        let difference = |up: f32, down: f32| (up - down) / (2.0 * step);
        let expected = difference(at(&values, 1.3 + step), at(&values, 1.3 - step));
        assert!(
            (by_factor[0] - expected).abs() < 1e-3,
            "{by_factor:?} {expected}"
        );
        assert!(expected.abs() > 1e-2);
        for (place, &got) in by_x.iter().enumerate() {
            let moved = |by: f32| {
                let mut values = values.clone();
                values[place] += by;
                at(&values, 1.3)
            };
            let expected = difference(moved(step), moved(-step));
            assert!((got - expected).abs() < 1e-3, "{place}: {got} {expected}");
        }
    }

    #[test]
    fn ties_go_to_the_first() {
        assert_eq!(nearest(&[3.0, 1.0, 1.0]), 1);
    }
}
