//! Siamese networks (Koch et al. 2015): one network embeds both pictures of a pair and learns
//! whether they show the same class; a query gets the class of the most similar support picture.

use burn::tensor::activation::{log_sigmoid, relu, sigmoid};
use burn::tensor::{Tensor, TensorData};
use serde::{Deserialize, Serialize};

use super::error::TrainError;
use super::limits::within;
use super::method::{Batch, Classifier, EpisodeLoss, Method, Recipe, accuracy, argmax};
use super::params::Params;
use super::prototypical::squared_distances;
use crate::episodes::EpisodeShape;
use crate::nets::network::Plan;

/// How the two embeddings of a pair are compared.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Siamese {
    /// Euclidean distance: of equal pairs it shall be 0, of others at least `margin` (Hadsell et
    /// al. 2006).
    Contrastive {
        /// The distance beyond which different pairs are left alone.
        margin: f32,
    },
    /// A logistic unit on `|a - b|` with a learned weight for each dimension (Koch et al. 2015).
    Logistic,
}

impl Siamese {
    /// A margin that embeddings after batch norm and ReLU, of some 64 numbers, can reach.
    pub const CONTRASTIVE: Self = Self::Contrastive { margin: 10.0 };

    /// How similar each row of `[n, dim]` is to each of `[m, dim]`, `[n, m]`: minus the distance, or
    /// the logit of being of one class. Greater is more similar.
    pub fn similarity(self, params: &Params, a: Tensor<2>, b: Tensor<2>) -> Tensor<2> {
        match self {
            Self::Contrastive { .. } => -distances(a, b),
            Self::Logistic => {
                let ([n, dim], [m, _]) = (a.dims(), b.dims());
                let apart = (a.reshape([n, 1, dim]) - b.reshape([1, m, dim])).abs();
                let [weight, bias] = [&params.extras[0], &params.extras[1]];
                let logit = apart.reshape([n * m, dim]).matmul(weight.clone()) + bias.clone();
                logit.reshape([n, m])
            }
        }
    }
}

/// The similarity of single pairs, without tensors: what [`Siamese::similarity`] gives for them.
#[derive(Clone, Debug)]
pub struct Pair {
    /// Weights of each dimension and the bias of the logistic unit; none for distances.
    logistic: Option<(Vec<f32>, f32)>,
}

impl Siamese {
    /// How similar two embeddings are, by what was learned.
    pub fn pair(self, params: &Params) -> Pair {
        let numbers = |i: usize| -> Vec<f32> {
            let data = params.extras[i].clone().into_data();
            data.try_to_vec().expect("weights are float32")
        };
        Pair {
            logistic: match self {
                Self::Contrastive { .. } => None,
                Self::Logistic => Some((numbers(0), numbers(1)[0])),
            },
        }
    }
}

impl Pair {
    /// Greater is more similar; both embeddings are of the network's length.
    pub fn similarity(&self, a: &[f32], b: &[f32]) -> f32 {
        let apart = a.iter().zip(b).map(|(a, b)| a - b);
        match &self.logistic {
            None => -(apart.map(|d| d * d).sum::<f32>() + 1e-6).sqrt(),
            Some((weights, bias)) => {
                apart.zip(weights).map(|(d, w)| d.abs() * w).sum::<f32>() + bias
            }
        }
    }
}

/// `[n, m]` Euclidean distances; the small number keeps the gradient of equal rows finite.
fn distances(a: Tensor<2>, b: Tensor<2>) -> Tensor<2> {
    (squared_distances(a, b).clamp_min(0.0) + 1e-6).sqrt()
}

/// The most similar of a task's support pictures.
struct Nearest {
    method: Siamese,
    params: Params,
    support: Tensor<2>,
    shot: usize,
}

impl Classifier for Nearest {
    fn predict(&self, queries: Tensor<2>) -> Vec<usize> {
        let similarity = self
            .method
            .similarity(&self.params, queries, self.support.clone());
        let nearest = argmax(similarity);
        nearest.into_iter().map(|i| i / self.shot).collect()
    }
}

impl Method for Siamese {
    fn name(&self) -> &'static str {
        match self {
            Self::Contrastive { .. } => "siamese, contrastive",
            Self::Logistic => "siamese, weighted L1",
        }
    }

    fn recipe(&self) -> Recipe {
        // Every pair of the episode's pictures counts.
        Recipe::default()
    }

    fn check(&self, _shape: EpisodeShape) -> Result<(), TrainError> {
        match *self {
            Self::Contrastive { margin } => within("the margin", margin, 1e-6, 1e6),
            Self::Logistic => Ok(()),
        }
    }

    fn extras(&self, plan: &Plan, _classes: usize, _seed: u64) -> Vec<Tensor<2>> {
        let device = crate::nets::backend::device();
        match self {
            Self::Contrastive { .. } => Vec::new(),
            // Pairs start similar where they are near.
            Self::Logistic => vec![
                Tensor::full([plan.embedding(), 1], -0.1, &device),
                Tensor::ones([1, 1], &device),
            ],
        }
    }

    /// Every pair of the batch counts: the equal ones as much together as the different ones, and of
    /// those the ones that are still confused, since nearly all pairs soon are far apart.
    fn loss(&self, plan: &Plan, params: &Params, batch: &Batch) -> EpisodeLoss {
        let x = params.embed(plan, batch.pictures.clone());
        let (way, each) = (batch.way(), batch.support + batch.query);
        let n = way * each;
        let (same, other) = pairs(way, each, &x);
        let similarity = self.similarity(params, x.clone(), x);
        let seen = similarity.clone().detach();
        let (pull, push, confused) = match self {
            Self::Contrastive { margin } => (
                similarity.clone().powi_scalar(2),
                relu(similarity.clone() + *margin).powi_scalar(2),
                (seen + *margin).clamp(0.0, 1e-6) / 1e-6,
            ),
            Self::Logistic => (
                -log_sigmoid(similarity.clone()),
                -log_sigmoid(-similarity.clone()),
                sigmoid(seen),
            ),
        };
        let confused = confused * other;
        let count = confused.clone().sum() + 1.0;
        let loss = (pull * same).sum() / (n * (each - 1)) as f32 + (push * confused).sum() / count;
        // One against the others: is the most similar picture of the batch of one's own class?
        let own = Tensor::<2>::eye(n, &similarity.device()) * 1e9;
        let nearest = argmax(similarity.detach() - own);
        let found: Vec<usize> = nearest.into_iter().map(|i| i / each).collect();
        EpisodeLoss {
            loss,
            accuracy: accuracy(&found, each),
        }
    }

    fn adapt(
        &self,
        _plan: &Plan,
        params: &Params,
        support: Tensor<2>,
        way: usize,
    ) -> Box<dyn Classifier> {
        Box::new(Nearest {
            method: *self,
            params: params.clone(),
            shot: support.dims()[0] / way,
            support,
        })
    }
}

/// Masks `[n, n]` of the pairs of one class (a picture with itself left out) and of two.
fn pairs(way: usize, each: usize, like: &Tensor<2>) -> (Tensor<2>, Tensor<2>) {
    let n = way * each;
    let mask = |want: fn(usize, usize, usize) -> bool| {
        let numbers = (0..n * n).map(|i| f32::from(u8::from(want(i / n, i % n, each))));
        Tensor::from_data(
            TensorData::new(numbers.collect::<Vec<f32>>(), [n, n]),
            &like.device(),
        )
    };
    (
        mask(|i, j, each| i != j && i / each == j / each),
        mask(|i, j, each| i / each != j / each),
    )
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::nets::network::Architecture;

    fn params(siamese: Siamese) -> (Plan, Params) {
        let plan = Plan::new(Architecture::Conv4 { channels: 4 }, (16, 16)).unwrap();
        let params = Params {
            network: plan.init(3, &Device::flex()),
            statistics: Vec::new(),
            extras: siamese.extras(&plan, 10, 0),
        };
        (plan, params)
    }

    fn rows(data: &[f32], dim: usize) -> Tensor<2> {
        let shape = [data.len() / dim, dim];
        Tensor::from_data(TensorData::new(data.to_vec(), shape), &Device::flex())
    }

    #[test]
    fn similarity_is_that_of_the_definitions() {
        let (a, b) = (
            rows(&[1.0, 2.0, 3.0, 4.0], 4),
            rows(&[1.0, 0.0, 3.0, 8.0, 1.0, 2.0, 3.0, 4.0], 4),
        );
        let close = |got: Tensor<2>, want: [f32; 2]| {
            let got: Vec<f32> = got.into_data().try_to_vec().unwrap();
            assert!(
                got.iter().zip(want).all(|(g, w)| (g - w).abs() < 2e-3),
                "{got:?}"
            );
        };
        let contrastive = Siamese::Contrastive { margin: 1.0 };
        let (_, p) = params(contrastive);
        close(
            contrastive.similarity(&p, a.clone(), b.clone()),
            [-20f32.sqrt(), 0.0],
        );
        let (_, p) = params(Siamese::Logistic);
        close(Siamese::Logistic.similarity(&p, a, b), [1.0 - 0.6, 1.0]);
    }

    #[test]
    fn a_single_pair_is_as_similar_as_among_others() {
        let numbers = |from: u32| {
            (from..from + 12)
                .map(|i| (i as f32).sin())
                .collect::<Vec<_>>()
        };
        let (a, b) = (numbers(0), numbers(50));
        for siamese in [Siamese::CONTRASTIVE, Siamese::Logistic] {
            let (_, mut params) = params(siamese);
            if siamese == Siamese::Logistic {
                params.extras[0] = rows(&[-0.5, 0.25, -2.0, 1.0], 1);
            }
            let pair = siamese.pair(&params);
            let among = siamese.similarity(&params, rows(&a, 4), rows(&b, 4));
            let among: Vec<f32> = among.into_data().try_to_vec().unwrap();
            for (i, a) in a.chunks(4).enumerate() {
                for (j, b) in b.chunks(4).enumerate() {
                    let (single, among) = (pair.similarity(a, b), among[3 * i + j]);
                    assert!((single - among).abs() < 1e-4, "{single} {among}");
                }
            }
        }
    }

    #[test]
    fn a_query_gets_the_class_of_the_nearest_picture_not_of_the_nearest_mean() {
        let siamese = Siamese::Contrastive { margin: 1.0 };
        let (plan, params) = params(siamese);
        // Class 0 at 0 and 10, class 1 at 4 and 5: 9 is nearer to the mean 4.5 than to 5 - no, to
        // the mean of class 0 at 5 by 0.5, yet 6 lies next to class 1's 5.
        let task = siamese.adapt(&plan, &params, rows(&[0.0, 10.0, 4.0, 5.0], 1), 2);
        assert_eq!(task.predict(rows(&[9.0, 6.0, 1.0], 1)), [0, 1, 0]);
    }
}
