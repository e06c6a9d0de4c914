//! Learning inside a task: gradient descent on a network and its head, every step an expression of
//! tensors, so that a loss after the last step has an exact gradient by what the first began with.

mod head;

use burn::tensor::Tensor;

pub(crate) use head::Head;

use super::linear::one_hot;
use super::method::{Classifier, greatest, pictures};
use crate::nets::network::{Plan, Weights};

/// Sizes of the steps. A part is a block of the network, or the head, which is the last.
pub(crate) struct Rates {
    /// Of each part.
    base: Vec<f32>,
    /// What each step's and each part's is multiplied by, `[steps, parts]`.
    factors: Option<Tensor<2>>,
}

impl Rates {
    /// For `blocks` blocks; `logarithms` of learned factors, `[steps, blocks + 1]`, where there are
    /// any.
    pub(crate) fn new(
        blocks: usize,
        (network, head): (f32, f32),
        logarithms: Option<&Tensor<2>>,
    ) -> Self {
        let mut base = vec![network; blocks];
        base.push(head);
        Self {
            base,
            factors: logarithms.map(|l| l.clone().exp()),
        }
    }

    fn head(&self) -> usize {
        self.base.len() - 1
    }

    /// A gradient times the rate of a part in a step; the last learned step's goes on after it.
    fn scaled(&self, gradient: Tensor<2>, step: usize, part: usize, by: f32) -> Tensor<2> {
        let gradient = gradient * (self.base[part] * by);
        match &self.factors {
            None => gradient,
            Some(factors) => {
                let step = step.min(factors.dims()[0] - 1);
                gradient * factors.clone().slice([step..step + 1, part..part + 1])
            }
        }
    }
}

/// A support set's rows with their classes.
#[derive(Clone)]
pub(crate) struct Labelled<const D: usize> {
    /// Pictures or embeddings.
    pub(crate) x: Tensor<D>,
    /// Ones at each one's class, `[n, way]`.
    pub(crate) targets: Tensor<2>,
}

impl<const D: usize> Labelled<D> {
    /// Rows that stand class by class.
    pub(crate) fn by_class(x: Tensor<D>, way: usize) -> Self {
        let each = x.dims()[0] / way;
        let like = Tensor::<2>::zeros([1, 1], &x.device());
        Self {
            targets: one_hot(each, way, &like),
            x,
        }
    }

    fn plain(self) -> Self {
        Self {
            x: self.x.inner(),
            targets: self.targets.inner(),
        }
    }
}

/// A network and a head on the way to one task.
#[derive(Clone)]
pub(crate) struct Task {
    pub(crate) network: Weights,
    head: Head,
    /// Whether the head is still zero, so that the loss does not yet move the network.
    fresh: bool,
}

impl Task {
    /// Before the first step.
    pub(crate) fn start(plan: &Plan, network: Weights, way: usize) -> Self {
        let like = match network.0.first() {
            Some(block) => block.gamma.clone(),
            None => Tensor::zeros([1, 1], &crate::nets::backend::device()),
        };
        Self {
            head: Head::start(plan.embedding(), way, &like),
            network,
            fresh: true,
        }
    }

    fn plain(self) -> Self {
        Self {
            network: self.network.map(Tensor::inner),
            head: self.head.map(Tensor::inner),
            fresh: self.fresh,
        }
    }

    /// The gradients of the loss on `support`, batch norm over its pictures: by the network, where
    /// it has one, and by the head.
    fn slope(&self, plan: &Plan, support: &Labelled<4>) -> (Option<Weights>, Head) {
        let trace = plan.trace(&self.network, support.x.clone());
        let embedded = Labelled {
            x: trace.embedding(),
            targets: support.targets.clone(),
        };
        let (head, by) = self.head.slope(&embedded);
        let network = (!self.fresh).then(|| trace.gradient(plan, &self.network, by));
        (network, head)
    }

    fn moved(&self, rates: &Rates, step: usize, slope: (Option<Weights>, Head)) -> Self {
        let (network, head) = slope;
        let parts = network.into_iter().flat_map(|n| n.0).enumerate();
        let mut changes = parts.flat_map(|(part, g)| {
            [g.weight, g.gamma, g.beta].map(|g| rates.scaled(g, step, part, 1.0))
        });
        Self {
            network: self.network.clone().map(|weight| match changes.next() {
                Some(change) => weight - change,
                None => weight,
            }),
            head: self.head.moved(head, rates, step),
            fresh: false,
        }
    }

    /// After one step down the gradient of the loss on `support`.
    pub(crate) fn stepped(
        &self,
        plan: &Plan,
        rates: &Rates,
        step: usize,
        support: &Labelled<4>,
    ) -> Self {
        self.moved(rates, step, self.slope(plan, support))
    }

    /// The same with a gradient that counts as a constant, so that where the step began passes
    /// straight through to where it ends (first-order MAML, Finn et al. 2017, section 5.2).
    pub(crate) fn stepped_first_order(
        &self,
        plan: &Plan,
        rates: &Rates,
        step: usize,
        support: &Labelled<4>,
    ) -> Self {
        let (network, head) = self.clone().plain().slope(plan, &support.clone().plain());
        let slope = (
            network.map(|n| n.map(Tensor::autodiff)),
            head.map(Tensor::autodiff),
        );
        self.moved(rates, step, slope)
    }

    /// Scores of pictures, `[n, way]`, batch norm over them.
    pub(crate) fn scores(&self, plan: &Plan, pictures: Tensor<4>) -> Tensor<2> {
        let embedding = plan.embed(&self.network, pictures).0;
        self.head.scores(embedding)
    }

    /// What the task learned, for its queries.
    pub(crate) fn classifier(self, plan: &Plan) -> Box<dyn Classifier> {
        Box::new(Adapted {
            plan: plan.clone(),
            task: self,
        })
    }
}

/// A network that learned a task. Batch norm is over the queries that are given together, as in
/// MAML: a query's class depends a little on the others ("transductive").
struct Adapted {
    plan: Plan,
    task: Task,
}

impl Classifier for Adapted {
    fn predict(&self, queries: Tensor<2>) -> Vec<usize> {
        greatest(self.task.scores(&self.plan, pictures(&self.plan, queries)))
    }
}

#[cfg(test)]
mod tests;
