//! Random starts of learned tensors.

use burn::tensor::{Device, Tensor, TensorData};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::nets::network::gaussian as normal;

/// Normal numbers of the given deviation.
pub(crate) fn gaussian(shape: [usize; 2], deviation: f32, seed: u64, device: &Device) -> Tensor<2> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x0e87_2a50);
    let count = shape[0] * shape[1];
    let data: Vec<f32> = (0..count).map(|_| normal(&mut rng) * deviation).collect();
    Tensor::from_data(TensorData::new(data, shape), device)
}
