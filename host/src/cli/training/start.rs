//! Trained networks to start from.

use std::path::Path;

use anyhow::Context;
use burn::tensor::{Tensor, TensorData};
use sudal::data::Loaded;
use sudal::export::onnx;
use sudal::export::whiten::strip;
use sudal::meta::{Checkpoint, Trained};
use sudal::nets::backend;
use sudal::nets::block::Statistics;
use sudal::nets::network::Weights;
use sudal::nets::unfuse_batch_norm::unfuse_batch_norm;

/// Pictures of which a network that is started from gets its batch norm statistics.
const STATISTICS_PICTURES: usize = 2000;

/// A trained network to start from.
pub(super) struct Start {
    pub(super) weights: Weights,
    /// Of its batch norms.
    pub(super) statistics: Vec<Statistics>,
    /// To which its pictures are brought.
    pub(super) contrast: u32,
    /// Whether their colours are brought to one mean.
    pub(super) balance: bool,
}

/// Reads a trained network.
pub(super) fn from(path: &Path, data: &Loaded) -> anyhow::Result<Start> {
    let at = || format!("--from {}", path.display());
    let bytes = std::fs::read(path).with_context(at)?;
    if bytes.starts_with(b"sudalck") {
        let checkpoint = Checkpoint::load(path)?;
        let trained = Trained::load(&checkpoint).with_context(at)?;
        let params = trained.params();
        return Ok(Start {
            weights: params.network.clone(),
            statistics: params.statistics.clone(),
            contrast: checkpoint.config.contrast,
            balance: checkpoint.config.balance,
        });
    }
    let bytes = strip(&bytes).with_context(at)?;
    let graph = onnx::read(&bytes).with_context(at)?;
    let (width, height) = data.size();
    let size = data.picture_size();
    let area = size.values();
    // Spread over all classes.
    let pictures = data.all().len() / area;
    let step = pictures.div_ceil(STATISTICS_PICTURES);
    let scaled = (0..pictures).step_by(step).flat_map(|i| {
        let pixels = &data.all()[i * area..][..area];
        let pixels = graph.normalization.balanced(pixels, size.colors.channels());
        let table = graph.normalization.table(&pixels);
        let values = pixels.iter().map(|&pixel| table[usize::from(pixel)]);
        values.collect::<Vec<f32>>()
    });
    let scaled: Vec<f32> = scaled.collect();
    let shape = [
        scaled.len() / area,
        height as usize,
        width as usize,
        size.colors.channels(),
    ];
    let x = Tensor::from_data(TensorData::new(scaled, shape), &backend::device());
    let (_, weights, statistics) = unfuse_batch_norm(&graph, &x)
        .with_context(|| format!("{}: not a network that `sudal train` makes", path.display()))?;
    Ok(Start {
        weights,
        statistics,
        contrast: graph.normalization.contrast,
        balance: graph.normalization.balance,
    })
}
