//! Adam (Kingma and Ba 2015) over everything that a method learns.

use burn::optim::{Adam, AdamConfig, AdamState, AdaptiveMomentumState, Optimizer};
use burn::tensor::{Device, Gradients};

use super::matrix::Matrix;
use super::params::Params;

/// The optimiser and its two moments of each tensor; a tensor without a gradient has none.
pub(crate) struct Moments {
    adam: Adam,
    states: Vec<Option<AdamState<2>>>,
}

/// The moments of one tensor on disk.
pub(crate) type Moment = Option<(Matrix, Matrix)>;

impl Moments {
    pub(crate) fn new() -> Self {
        Self {
            adam: AdamConfig::new().with_epsilon(1e-8).build(),
            states: Vec::new(),
        }
    }

    /// Moments after `step` steps.
    pub(crate) fn resume(moments: &[Moment], step: u64, device: &Device) -> Self {
        let state = |(one, two): &(Matrix, Matrix)| {
            AdamState::new(AdaptiveMomentumState::new(
                step as usize,
                one.tensor(device),
                two.tensor(device),
            ))
        };
        Self {
            states: moments.iter().map(|m| m.as_ref().map(state)).collect(),
            ..Self::new()
        }
    }

    /// One step on `tracked` parameters; those without a gradient stay as they are.
    pub(crate) fn step(&mut self, tracked: Params, gradients: &Gradients, rate: f64) -> Params {
        self.states.resize(tracked.tensors().count(), None);
        let adam = &self.adam;
        let mut states = self.states.iter_mut();
        let mut next = tracked.map(|tensor| {
            let state = states.next().expect("a moment for each tensor");
            let Some(gradient) = tensor.grad(gradients) else {
                return tensor.inner();
            };
            let (next, moved) = adam.step(rate, tensor.inner(), gradient, state.take());
            *state = moved;
            next
        });
        for s in &mut next.statistics {
            s.mean = s.mean.clone().inner();
            s.variance = s.variance.clone().inner();
        }
        next
    }

    pub(crate) fn record(&self) -> Vec<Moment> {
        let moment = |s: &AdamState<2>| {
            (
                Matrix::from(&s.momentum.moment_1),
                Matrix::from(&s.momentum.moment_2),
            )
        };
        let each = self.states.iter();
        each.map(|s| s.as_ref().map(moment)).collect()
    }
}
