//! A task's linear classifier, on the directions of embeddings as seen from their middle.
//!
//! Where all embeddings of a task have much in common, as behind a ReLU, small steps of gradient
//! descent hardly tell classes apart and larger ones diverge. So the mean of the support set is
//! taken off, and what is left is brought to length one (as Wang et al. 2019 do before looking for
//! the nearest class mean).

use burn::tensor::Tensor;
use burn::tensor::activation::softmax;

use super::super::linear::{Linear, UNIT_EPSILON, unit};
use super::super::method::{Classifier, argmax};
use super::{Labelled, Rates};

/// The classifier.
#[derive(Clone)]
pub(crate) struct Head {
    pub(super) linear: Linear,
    /// Mean of the support embeddings, `[1, embedding]`.
    pub(super) centre: Tensor<2>,
}

/// The gradient of a head's loss, and the centre that it was taken at.
pub(super) type Slope = Head;

impl Head {
    /// Every class equally. Classes could start from one learned vector (Ye and Chao 2022), but what
    /// all of them have in common cancels in the softmax, in every step: zero is as good as any.
    pub(super) fn start(dim: usize, way: usize, like: &Tensor<2>) -> Self {
        Self {
            linear: Linear::zeros(dim, way, like),
            centre: Tensor::zeros([1, dim], &like.device()),
        }
    }

    /// Learned from zero on embeddings that stay as they are.
    pub(crate) fn learn(rates: &Rates, steps: usize, support: &Labelled<2>) -> Self {
        let [_, way] = support.targets.dims();
        let mut head = Self::start(support.x.dims()[1], way, &support.x);
        for step in 0..steps {
            let (slope, _) = head.slope(support);
            head = head.moved(slope, rates, step);
        }
        head
    }

    /// Scores of embeddings, `[n, way]`.
    pub(crate) fn scores(&self, x: Tensor<2>) -> Tensor<2> {
        self.linear.scores(unit(x - self.centre.clone()))
    }

    /// The gradients of the mean negative log-likelihood of the support set: by the head, and by the
    /// embeddings.
    pub(super) fn slope(&self, support: &Labelled<2>) -> (Slope, Tensor<2>) {
        let Labelled { x, targets } = support;
        let n = targets.dims()[0];
        let centre = x.clone().mean_dim(0);
        let centred = x.clone() - centre.clone();
        let direction = unit(centred.clone());
        let error =
            (softmax(self.linear.scores(direction.clone()), 1) - targets.clone()) / n as f32;
        let linear = Linear {
            weight: direction.clone().transpose().matmul(error.clone()),
            bias: error.clone().sum_dim(0),
        };
        let by = error.matmul(self.linear.weight.clone().transpose());
        // Back through the length, then through the mean.
        let along = (direction.clone() * by.clone()).sum_dim(1);
        let length = (centred.powi_scalar(2).sum_dim(1) + UNIT_EPSILON).sqrt();
        let by = (by - direction * along) / length;
        let by = by.clone() - by.mean_dim(0);
        (Slope { linear, centre }, by)
    }

    /// After a step down its gradient. The step is `way` times as long: its size then is that of a
    /// class on its own, however many classes there are.
    pub(super) fn moved(&self, slope: Slope, rates: &Rates, step: usize) -> Self {
        let way = self.linear.bias.dims()[1] as f32;
        let change = |gradient| rates.scaled(gradient, step, rates.head(), way);
        Self {
            linear: Linear {
                weight: self.linear.weight.clone() - change(slope.linear.weight),
                bias: self.linear.bias.clone() - change(slope.linear.bias),
            },
            centre: slope.centre,
        }
    }

    pub(super) fn map(self, f: impl Fn(Tensor<2>) -> Tensor<2>) -> Self {
        Self {
            linear: Linear {
                weight: f(self.linear.weight),
                bias: f(self.linear.bias),
            },
            centre: f(self.centre),
        }
    }
}

impl Classifier for Head {
    fn predict(&self, queries: Tensor<2>) -> Vec<usize> {
        argmax(self.scores(queries))
    }
}
