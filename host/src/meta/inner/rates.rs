//! Sizes of the steps inside a task.

use burn::tensor::Tensor;

/// Sizes of the steps. A part is a block of the network, or the head, which is the last.
pub(crate) struct Rates {
    /// Of each part.
    pub(super) base: Vec<f32>,
    /// What each step's and each part's is multiplied by, `[steps, parts]`.
    pub(super) factors: Option<Tensor<2>>,
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

    pub(super) fn head(&self) -> usize {
        self.base.len() - 1
    }

    /// A gradient times the rate of a part in a step; the last learned step's continues after it.
    pub(super) fn scaled(
        &self,
        gradient: Tensor<2>,
        step: usize,
        part: usize,
        by: f32,
    ) -> Tensor<2> {
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
