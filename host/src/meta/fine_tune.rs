//! A whole network and its head, trained on the support set of one task.

use burn::tensor::Tensor;

use super::adam::Moments;
use super::linear::{Linear, cross_entropy, unit};
use super::method::{Classifier, pictures};
use super::params::Params;
use crate::nets::network::Plan;

/// How long and how fast.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fit {
    /// Steps of Adam over the whole support set.
    pub(crate) steps: usize,
    /// Their learning rate.
    pub(crate) rate: f64,
}

/// The trained network.
pub(crate) struct FineTuned {
    plan: Plan,
    params: Params,
    head: Linear,
}

impl FineTuned {
    /// Trains a copy of `params` and `head` on `support`, class by class. Batch norm keeps the
    /// statistics of `params`; where there are none it uses those of the support set.
    pub(crate) fn fit(
        plan: &Plan,
        params: &Params,
        head: Linear,
        support: Tensor<4>,
        way: usize,
        fit: Fit,
    ) -> Self {
        let each = support.dims()[0] / way;
        let classes: Vec<usize> = (0..way * each).map(|i| i / each).collect();
        let mut all = Params {
            extras: vec![head.weight, head.bias],
            ..params.clone()
        };
        let mut moments = Moments::new();
        let x = support.clone().autodiff();
        for _ in 0..fit.steps {
            let tracked = all.tracked();
            let head = Linear {
                weight: tracked.extras[0].clone(),
                bias: tracked.extras[1].clone(),
            };
            let scores = head.scores(unit(tracked.embed(plan, x.clone())));
            let gradients = cross_entropy(scores, &classes).backward();
            all = moments.step(tracked, &gradients, fit.rate);
        }
        if all.statistics.is_empty() {
            all.statistics = plan.embed(&all.network, support).1;
        }
        let mut head = all.extras.drain(..);
        Self {
            plan: plan.clone(),
            head: Linear {
                weight: head.next().expect("the head's weights"),
                bias: head.next().expect("the head's bias"),
            },
            params: Params {
                network: all.network,
                statistics: all.statistics,
                extras: Vec::new(),
            },
        }
    }
}

impl Classifier for FineTuned {
    fn predict(&self, queries: Tensor<2>) -> Vec<usize> {
        let x = pictures(&self.plan, queries);
        self.head.predict(unit(self.params.embed(&self.plan, x)))
    }
}
