//! What a method learns.

use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::matrix::Matrix;
use crate::nets::block::Statistics;
use crate::nets::network::{Plan, Weights};

/// The network and what a method adds to it.
#[derive(Clone, Debug)]
pub struct Params {
    /// The embedding network.
    pub network: Weights,
    /// Batch norm statistics of each block over the base classes; empty in a run whose network is
    /// still learned.
    pub statistics: Vec<Statistics>,
    /// Learned tensors beside the network's, in the method's own order.
    pub extras: Vec<Tensor<2>>,
}

impl Params {
    /// Every learned tensor, the network's first.
    pub fn tensors(&self) -> impl Iterator<Item = &Tensor<2>> {
        self.network.tensors().chain(&self.extras)
    }

    /// The same with each learned tensor replaced by `f`'s, in the order of [`Params::tensors`].
    pub fn map(self, mut f: impl FnMut(Tensor<2>) -> Tensor<2>) -> Self {
        Self {
            network: self.network.map(&mut f),
            statistics: self.statistics,
            extras: self.extras.into_iter().map(f).collect(),
        }
    }

    /// A copy whose learned tensors collect gradients.
    pub fn tracked(&self) -> Self {
        let mut tracked = self.clone().map(|t| t.autodiff().require_grad());
        for s in &mut tracked.statistics {
            s.mean = s.mean.clone().autodiff();
            s.variance = s.variance.clone().autodiff();
        }
        tracked
    }

    /// The pictures' embeddings, `[n, embedding]`: with the statistics of training where there are
    /// any, else with those of the batch.
    pub fn embed(&self, plan: &Plan, pictures: Tensor<4>) -> Tensor<2> {
        if self.statistics.is_empty() {
            plan.embed(&self.network, pictures).0
        } else {
            plan.embed_fixed(&self.network, &self.statistics, pictures)
        }
    }

    pub(crate) fn record(&self) -> Record {
        let pair = |s: &Statistics| (Matrix::from(&s.mean), Matrix::from(&s.variance));
        Record {
            tensors: self.tensors().map(Matrix::from).collect(),
            statistics: self.statistics.iter().map(pair).collect(),
        }
    }
}

/// [`Params`] on disk.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) tensors: Vec<Matrix>,
    /// Mean and variance of each block.
    pub(crate) statistics: Vec<(Matrix, Matrix)>,
}

impl Record {
    /// The parameters of a network of this plan; what the record lacks starts fresh.
    pub(crate) fn params(&self, plan: &Plan, device: &Device) -> Params {
        let mut tensors = self.tensors.iter().map(|m| m.tensor(device));
        let network = plan
            .init(0, device)
            .map(|start| tensors.next().unwrap_or(start));
        let statistics = self.statistics.iter().map(|(mean, variance)| Statistics {
            mean: mean.tensor(device),
            variance: variance.tensor(device),
        });
        Params {
            network,
            statistics: statistics.collect(),
            extras: tensors.collect(),
        }
    }
}
