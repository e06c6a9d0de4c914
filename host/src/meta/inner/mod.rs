//! Learning inside a task: gradient descent on a network and its head, every step an expression of
//! tensors, so that a loss after the last step has an exact gradient by what the first began with.

mod head;
mod labelled;
mod rates;

use burn::tensor::Tensor;

pub(crate) use head::Head;
pub(crate) use labelled::Labelled;
pub(crate) use rates::Rates;

use super::method::{Classifier, argmax, pictures};
use crate::nets::network::{Plan, Weights};

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
        argmax(self.task.scores(&self.plan, pictures(&self.plan, queries)))
    }
}

#[cfg(test)]
mod tests;
