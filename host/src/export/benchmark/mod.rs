//! The model images of the networks on which engines are compared, with random weights.

pub(super) mod known;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use known::{NORMALIZATION, SEED};

use super::{
    Metadata,
    convert::{ConvertError, ConvertOptions, convert},
    onnx,
};
use crate::engine::Benchmark;
use crate::nets::{
    backend,
    graph::{Graph, Normalization},
    network::{Architecture, Plan, PlanError},
    reference::GraphError,
};
use burn::tensor::{Tensor, TensorData};

/// Pictures on which batch norm and the ranges are set.
const PICTURES: usize = 32;

/// Why a network was not made.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
#[non_exhaustive]
pub enum BenchmarkError {
    /// It could not be laid out.
    Plan(#[from] PlanError),
    /// It could not be written as ONNX.
    Graph(#[from] GraphError),
    /// It could not be converted.
    Convert(#[from] ConvertError),
}

impl Benchmark {
    /// Its model image: weights and pictures from a fixed seed, so that it is always the same.
    ///
    /// # Errors
    /// None in practice; those of the export.
    pub fn image(self) -> Result<Vec<u8>, BenchmarkError> {
        let graph = match self {
            Self::Conv4 => planned(Architecture::Conv4 { channels: 64 }, (28, 28))?,
            Self::Separable => planned(Architecture::Separable { channels: 16 }, (64, 64))?,
            Self::ResNet8 => known::resnet8(1).end(),
            Self::MobileNetV1 => known::mobilenet_v1(1).end(),
            Self::MobileNetV2 => known::mobilenet_v2(1).end(),
        };
        let [_, height, width] = graph.input;
        let metadata = Metadata::new(self.name(), "random", "none", SEED);
        let onnx = onnx::write(&graph, &metadata)?;
        let options = ConvertOptions {
            // Noise is no picture: its embeddings hardly differ, and nobody looks at them.
            noise_limit: Some(f64::INFINITY),
            ..ConvertOptions::default()
        };
        Ok(convert(&onnx, &noise((height, width)), &options)?.image)
    }
}

/// Pictures of noise.
fn noise((height, width): (usize, usize)) -> Vec<Vec<u8>> {
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    (0..PICTURES)
        .map(|_| (0..height * width).map(|_| rng.random()).collect())
        .collect()
}

/// One of the networks that are trained here, its batch norm set by noise.
fn planned(architecture: Architecture, size: (usize, usize)) -> Result<Graph, BenchmarkError> {
    let plan = Plan::new(architecture, size)?;
    let (height, width) = plan.size;
    let Normalization { mean, std, .. } = NORMALIZATION;
    let pixels: Vec<f32> = noise(size)
        .iter()
        .flatten()
        .map(|&pixel| (f32::from(pixel) / 255.0 - mean) / std)
        .collect();
    let device = backend::device();
    let weights = plan.init(SEED, &device);
    let pictures = TensorData::new(pixels, [PICTURES, height, width, 1]);
    let (_, statistics) = plan.embed(&weights, Tensor::from_data(pictures, &device));
    Ok(plan.fold(&weights, &statistics, NORMALIZATION))
}
