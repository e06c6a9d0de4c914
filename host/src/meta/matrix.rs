//! A tensor as it is kept in a file.

use burn::tensor::{Device, Tensor, TensorData};
use serde::{Deserialize, Serialize};

/// A tensor's numbers and shape.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Matrix {
    shape: [usize; 2],
    data: Vec<f32>,
}

impl From<&Tensor<2>> for Matrix {
    fn from(tensor: &Tensor<2>) -> Self {
        Self {
            shape: tensor.dims(),
            data: tensor
                .clone()
                .into_data()
                .try_to_vec()
                .expect("weights are float32"),
        }
    }
}

impl Matrix {
    #[cfg(test)]
    pub(super) fn new(shape: [usize; 2], data: Vec<f32>) -> Self {
        Self { shape, data }
    }

    #[cfg(test)]
    pub(super) fn of(shape: [usize; 2], value: f32) -> Self {
        Self::new(shape, vec![value; shape[0] * shape[1]])
    }

    pub(super) fn shape(&self) -> [usize; 2] {
        self.shape
    }

    /// Refuses one of another shape, and what are no numbers.
    pub(super) fn check(&self, what: &str, shape: [usize; 2]) -> Result<(), String> {
        if self.shape != shape || shape[0].checked_mul(shape[1]) != Some(self.data.len()) {
            return Err(format!(
                "{what}: {} numbers as {:?}, where {shape:?} fit",
                self.data.len(),
                self.shape
            ));
        }
        if !self.data.iter().all(|x| x.is_finite()) {
            return Err(format!(
                "{what}: not all of it is finite, training diverged"
            ));
        }
        Ok(())
    }

    pub(crate) fn tensor(&self, device: &Device) -> Tensor<2> {
        Tensor::from_data(TensorData::new(self.data.clone(), self.shape), device)
    }
}
