//! A support set as it is learned from.

use burn::tensor::Tensor;

use crate::meta::linear::one_hot;

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

    pub(super) fn plain(self) -> Self {
        Self {
            x: self.x.inner(),
            targets: self.targets.inner(),
        }
    }
}
