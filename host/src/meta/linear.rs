//! A linear classifier on embeddings: the head of supervised training and of transfer.

use burn::tensor::activation::{log_softmax, softmax};
use burn::tensor::{Int, Tensor, TensorData};

use super::method::{Classifier, argmax};

/// `scores = x * weight + bias`.
#[derive(Clone, Debug)]
pub(crate) struct Linear {
    /// `[embedding, classes]`.
    pub(crate) weight: Tensor<2>,
    /// `[1, classes]`.
    pub(crate) bias: Tensor<2>,
}

impl Linear {
    /// All zero: every class equally.
    pub(crate) fn zeros(dim: usize, classes: usize, like: &Tensor<2>) -> Self {
        Self {
            weight: Tensor::zeros([dim, classes], &like.device()),
            bias: Tensor::zeros([1, classes], &like.device()),
        }
    }

    /// Scores of each class, `[n, classes]`.
    pub(crate) fn scores(&self, x: Tensor<2>) -> Tensor<2> {
        x.matmul(self.weight.clone()) + self.bias.clone()
    }

    /// Multinomial logistic regression on rows that stand class by class, by `steps` steps of
    /// gradient descent from zero with an L2 penalty of `decay` on the weights.
    pub(crate) fn fit(x: &Tensor<2>, way: usize, steps: usize, rate: f32, decay: f32) -> Self {
        let [rows, dim] = x.dims();
        let targets = one_hot(rows / way, way, x);
        let mut linear = Self::zeros(dim, way, x);
        for _ in 0..steps {
            let error = (softmax(linear.scores(x.clone()), 1) - targets.clone()) / rows as f32;
            let slope = x.clone().transpose().matmul(error.clone());
            linear.weight = linear.weight.clone() * (1.0 - rate * decay) - slope * rate;
            linear.bias = linear.bias - error.sum_dim(0) * rate;
        }
        linear
    }
}

impl Classifier for Linear {
    fn predict(&self, queries: Tensor<2>) -> Vec<usize> {
        argmax(self.scores(queries))
    }
}

/// `[way * each, way]`: ones where the row's class is.
pub(crate) fn one_hot(each: usize, way: usize, like: &Tensor<2>) -> Tensor<2> {
    let eye = Tensor::<2>::eye(way, &like.device()).reshape([way, 1, way]);
    eye.repeat(&[1, each, 1]).reshape([way * each, way])
}

/// Mean negative log-likelihood of the class of each row of `scores`.
pub(crate) fn cross_entropy(scores: Tensor<2>, classes: &[usize]) -> Tensor<1> {
    let n = classes.len();
    let places: Vec<i64> = classes.iter().map(|&c| c as i64).collect();
    let places = Tensor::<2, Int>::from_data(TensorData::new(places, [n, 1]), &scores.device());
    -log_softmax(scores, 1).gather(1, places).mean()
}

/// Keeps the length of a row of zeros from zero.
pub(crate) const UNIT_EPSILON: f32 = 1e-12;

/// Rows of length one.
pub(crate) fn unit(x: Tensor<2>) -> Tensor<2> {
    let length = (x.clone().powi_scalar(2).sum_dim(1) + UNIT_EPSILON).sqrt();
    x / length
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    #[test]
    fn logistic_regression_separates_what_a_line_can() {
        let rows = [[0.0f32, 1.0], [0.2, 0.9], [1.0, 0.1], [0.9, 0.0]].concat();
        let x = Tensor::<2>::from_data(TensorData::new(rows, [4, 2]), &Device::flex());
        let linear = Linear::fit(&x, 2, 200, 1.0, 1e-3);
        assert_eq!(linear.predict(x.clone()), [0, 0, 1, 1]);
        // At its minimum the gradient is that of the penalty.
        let loss = |l: &Linear| -> f32 {
            let data = cross_entropy(l.scores(x.clone()), &[0, 0, 1, 1]);
            let penalty = l.weight.clone().powi_scalar(2).sum() * 0.5e-3;
            (data + penalty).into_scalar()
        };
        let long = Linear::fit(&x, 2, 5000, 1.0, 1e-3);
        for (row, column) in [(0, 0), (1, 0), (0, 1)] {
            let mut moved = long.clone();
            let push = Tensor::<2>::from_data(
                TensorData::new(
                    (0..4)
                        .map(|i| if i == row * 2 + column { 0.05 } else { 0.0 })
                        .collect::<Vec<f32>>(),
                    [2, 2],
                ),
                &Device::flex(),
            );
            moved.weight = moved.weight + push;
            assert!(loss(&moved) > loss(&long));
        }
    }
}
