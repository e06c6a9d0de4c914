//! Learning from a teacher: a larger network, trained elsewhere, says how similar the pictures of an
//! episode are, and the small network learns to find them so.
//!
//! Which picture is how near to which is what a prototypical network lives on, so that is what is
//! passed on rather than the teacher's numbers themselves (relational knowledge distillation: Park et
//! al. 2019; as distributions over neighbours: Tejankar et al. 2021, Fang et al. 2021). It takes no
//! labels.

use burn::tensor::Tensor;
use burn::tensor::activation::{log_softmax, softmax};
use serde::{Deserialize, Serialize};

use super::error::TrainError;
use super::limits::{check_shots, within};
use super::method::{Batch, Classifier, EpisodeLoss, Method, Recipe};
use super::params::Params;
use super::prototypical::{self, Prototypical};
use crate::episodes::EpisodeShape;
use crate::nets::network::Plan;

/// Learning to find pictures as similar as a teacher does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Distilled {
    /// Which teacher: the checksum of its file, so that a run continues with no other.
    pub teacher: u32,
    /// Cosines are divided by it before they become probabilities of the neighbours: the smaller, the more
    /// the nearest ones count. Above 0.
    pub temperature: f32,
    /// How much the loss of a prototypical network counts as well, 0 or more.
    pub labels: f32,
    /// Its shots, as of [`Prototypical`].
    pub shots: Vec<usize>,
}

impl Default for Distilled {
    fn default() -> Self {
        Self {
            teacher: 0,
            temperature: 0.15,
            labels: 0.05,
            shots: vec![1],
        }
    }
}

impl Distilled {
    /// The usual one, of these shots where any are given.
    pub fn of_shots(shots: Option<Vec<usize>>) -> Self {
        let usual = Self::default();
        Self {
            shots: shots.unwrap_or(usual.shots),
            ..usual
        }
    }

    /// The loss of these embeddings, the neighbours counting so much.
    ///
    /// # Panics
    /// When the batch has no teacher.
    pub(super) fn loss_of(
        &self,
        embeddings: Tensor<2>,
        batch: &Batch,
        neighbours: f32,
    ) -> EpisodeLoss {
        let teacher = batch.teacher.clone().expect("a teacher's embeddings");
        let own = prototypical::loss(embeddings.clone(), batch.way(), batch.support, &self.shots);
        let relational = relational_loss(embeddings, teacher, self.temperature);
        EpisodeLoss {
            loss: relational * neighbours + own.loss * self.labels,
            accuracy: own.accuracy,
        }
    }

    fn prototypical(&self) -> Prototypical {
        Prototypical {
            shots: self.shots.clone(),
        }
    }
}

impl Method for Distilled {
    fn name(&self) -> &'static str {
        "distilled"
    }

    fn recipe(&self) -> Recipe {
        // Many neighbours, few of them of one class.
        Recipe {
            way: 120,
            support: self.shots.iter().copied().max().unwrap_or(0),
            query: 1,
            ..Recipe::default()
        }
    }

    fn check(&self, shape: EpisodeShape) -> Result<(), TrainError> {
        within("the temperature", self.temperature, 1e-3, 1e3)?;
        within("the weight of the labels", self.labels, 0.0, 1e3)?;
        check_shots(&self.shots, shape.shot)
    }

    fn has_teacher(&self) -> bool {
        true
    }

    /// # Panics
    /// When the batch has no teacher.
    fn loss(&self, plan: &Plan, params: &Params, batch: &Batch) -> EpisodeLoss {
        self.loss_of(params.embed(plan, batch.pictures.clone()), batch, 1.0)
    }

    fn adapt(
        &self,
        plan: &Plan,
        params: &Params,
        support: Tensor<2>,
        way: usize,
    ) -> Box<dyn Classifier> {
        self.prototypical().adapt(plan, params, support, way)
    }
}

/// How far the neighbours that each of `[n, dim]` embeddings finds are from those of the teacher's
/// `[n, other]`: the Kullback-Leibler divergence of their probabilities, mean over the pictures.
pub(super) fn relational_loss(
    embeddings: Tensor<2>,
    teacher: Tensor<2>,
    temperature: f32,
) -> Tensor<1> {
    let [n, _] = embeddings.dims();
    let own = cosines(embeddings) / temperature;
    let teacher = cosines(teacher) / temperature;
    // No picture is its own neighbour.
    let device = own.device();
    let itself = Tensor::<2>::eye(n, &device) * 1e4;
    let own = log_softmax(own - itself.clone(), 1);
    let teacher = teacher - itself;
    let probabilities = softmax(teacher.clone(), 1);
    (probabilities * (log_softmax(teacher, 1) - own)).sum() / n as f32
}

/// The cosines between all rows, `[n, n]`, taken from their mean.
fn cosines(rows: Tensor<2>) -> Tensor<2> {
    let off = rows.clone() - rows.mean_dim(0);
    let length = (off.clone().powi_scalar(2).sum_dim(1) + 1e-6).sqrt();
    let unit = off / length;
    unit.clone().matmul(unit.transpose())
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;

    fn rows(values: &[[f32; 2]]) -> Tensor<2> {
        let shape = [values.len(), 2];
        let data = TensorData::new(values.as_flattened().to_vec(), shape);
        Tensor::from_data(data, &Device::flex())
    }

    const TEACHER: [[f32; 2]; 4] = [[1.0, 0.2], [0.8, 0.4], [-0.7, 0.9], [-1.0, -1.1]];

    #[test]
    fn neighbours_as_the_teacher_finds_them_cost_nothing() {
        // Turned by a quarter, three times as large, and moved.
        let alike = TEACHER.map(|[x, y]| [5.0 - 3.0 * y, 3.0 * x - 2.0]);
        let loss: f32 = relational_loss(rows(&alike), rows(&TEACHER), 0.2).into_scalar();
        assert!(loss.abs() < 1e-3, "{loss}");
        let mut other = TEACHER;
        other.swap(1, 2);
        let loss: f32 = relational_loss(rows(&other), rows(&TEACHER), 0.2).into_scalar();
        assert!(loss > 1.0, "{loss}");
    }

    #[test]
    fn the_divergence_is_that_of_the_definition() {
        let own = [[0.3f32, -0.2], [1.0, 0.5], [-0.4, 0.9], [0.1, -1.2]];
        let probabilities = |rows: &[[f32; 2]; 4]| {
            let mean = [0, 1].map(|k| rows.iter().map(|r| f64::from(r[k])).sum::<f64>() / 4.0);
            let unit = rows.map(|r| {
                let [x, y] = [0, 1].map(|k| f64::from(r[k]) - mean[k]);
                [x / x.hypot(y), y / x.hypot(y)]
            });
            [0, 1, 2, 3].map(|i| {
                let cosine = |j: usize| unit[i][0] * unit[j][0] + unit[i][1] * unit[j][1];
                let raised = [0, 1, 2, 3].map(|j| match j == i {
                    true => 0.0,
                    false => (cosine(j) / 0.5).exp(),
                });
                raised.map(|share| share / raised.iter().sum::<f64>())
            })
        };
        let (teacher, found) = (probabilities(&TEACHER), probabilities(&own));
        let pairs = teacher.as_flattened().iter().zip(found.as_flattened());
        let terms = pairs
            .filter(|(p, _)| **p > 0.0)
            .map(|(p, q)| p * (p / q).ln());
        let expected = terms.sum::<f64>() / 4.0;
        let loss: f32 = relational_loss(rows(&own), rows(&TEACHER), 0.5).into_scalar();
        assert!(
            (f64::from(loss) - expected).abs() < 1e-4,
            "{loss} {expected}"
        );
    }
}
