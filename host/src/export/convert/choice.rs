//! Of the ways to choose the ranges, the one whose embeddings on the firmware's engine come closest to float32.

use rayon::prelude::*;
use sudal_firmware::image::ImageError;

use super::{
    calibrate::{self, Range, Statistics},
    equalize,
    error::ConvertError,
    evaluate,
    image::{self, Content, Golden},
    input::Input,
    light,
    network::{Network, Shape},
    quality,
    quantization::Quantization,
    quantize,
    report::{Converted, PatchesReport, Report},
    rows::Layout,
};
use crate::engine::QuantizedModel;

/// Frames on which two ways to choose the ranges are compared.
const JUDGED: usize = 128;

/// What every way shares.
pub(super) struct Choice<'c> {
    pub(super) layout: &'c Layout,
    pub(super) input: &'c Input<'c>,
    pub(super) name: &'c str,
    pub(super) metadata: &'c str,
    /// Of calibration; the first is the golden one.
    pub(super) frames: &'c [&'c [u8]],
}

/// Frames, and what float32 makes of them.
struct Judged<'c> {
    frames: Vec<&'c [u8]>,
    embeddings: Vec<Vec<f32>>,
    patches: Vec<Vec<f32>>,
}

impl Choice<'_> {
    /// Converts in each way and keeps the best. The first of `pictures` are the network's inputs for the frames.
    pub(super) fn best(
        &self,
        network: &mut Network,
        pictures: &[Vec<f32>],
        statistics: &[Statistics],
    ) -> Result<Converted, ConvertError> {
        // Evenly spread, as frames often stand class by class.
        let every = self.frames.len().div_ceil(JUDGED);
        let exact = outputs(network, pictures[..self.frames.len()].iter().step_by(every));
        let (embeddings, patches) = exact.into_iter().unzip();
        let judged = Judged {
            frames: self.frames.iter().step_by(every).copied().collect(),
            embeddings,
            patches,
        };
        quality::check_embeddings(&judged.frames, &judged.embeddings)?;

        let mut best: Option<Converted> = None;
        for equalized in [false, true] {
            let mut statistics = statistics.to_vec();
            if equalized {
                if network.given_scales() > 0 {
                    // The file's scales are those of its own channels.
                    continue;
                }
                equalize::equalize(network, &statistics);
                statistics = calibrate::observe(network, pictures);
            }
            statistics[0].cover(light::extent(&self.input.lut));
            for range in [Range::MinMax, Range::LeastError] {
                let most = best.as_ref().map(|best| best.report.relative_error);
                if let Some(mut better) =
                    self.attempt(network, &statistics, range, &judged, most)?
                {
                    better.report.equalized = equalized;
                    best = Some(better);
                }
            }
        }
        best.ok_or_else(|| ConvertError::Image("no range was tried".to_owned()))
    }

    /// Converts in one way; none where the error is not below `most`.
    fn attempt(
        &self,
        network: &Network,
        statistics: &[Statistics],
        range: Range,
        judged: &Judged<'_>,
        most: Option<f64>,
    ) -> Result<Option<Converted>, ConvertError> {
        let fail = |e: ImageError| ConvertError::Image(e.to_string());
        let quantizations = quantize::ranges(network, statistics, range);
        let layers = quantize::quantize(network, statistics, &quantizations);
        let mut content = Content {
            network,
            quantizations: &quantizations,
            layers: &layers,
            lut: self.input.quantized(quantizations[0]),
            contrast: self.input.normalization.contrast,
            balance: self.input.normalization.balance,
            name: self.name,
            metadata: self.metadata,
            golden: None,
        };
        let quantized = QuantizedModel::new(&image::write(&content, self.layout)?).map_err(fail)?;
        let embeddings = quantized
            .embed(&judged.frames)
            .map_err(|e| ConvertError::Image(e.to_string()))?;
        let relative_error =
            quality::relative_error(&judged.embeddings, &embeddings, quantizations[layers.len()]);
        if most.is_some_and(|most| most <= relative_error) {
            return Ok(None);
        }
        let patches = quantized
            .patches(&judged.frames)
            .map_err(|e| ConvertError::Image(e.to_string()))?;
        content.golden = Some(Golden {
            frame: self.frames[0],
            embedding: &embeddings[0],
            patches: network.patches.map(|_| &patches[0][..]),
        });
        let image = image::write(&content, self.layout)?;
        QuantizedModel::new(&image).map_err(fail)?;
        let report = Report {
            name: self.name.to_owned(),
            image_bytes: image.len(),
            range,
            given_scales: network.given_scales(),
            relative_error,
            patches: network.patches.map(|value| {
                let Shape {
                    height,
                    width,
                    channels,
                } = network.shape(value);
                PatchesReport {
                    shape: [height, width, channels],
                    relative_error: relative_error_of_patches(
                        &judged.patches,
                        &patches,
                        channels,
                        quantizations[value],
                    ),
                }
            }),
            ..Report::of(network, self.layout)
        };
        Ok(Some(Converted { image, report }))
    }
}

/// The float32 embeddings of pictures and their patches, which are empty without any.
pub(super) fn outputs<'p>(
    network: &Network,
    pictures: impl Iterator<Item = &'p Vec<f32>>,
) -> Vec<(Vec<f32>, Vec<f32>)> {
    let evaluator = evaluate::Evaluator::new(network);
    let outputs = |picture: &Vec<f32>| {
        let mut values = evaluator.run(picture.clone());
        let patches = network.patches.map(|value| values[value].clone());
        (
            values.pop().unwrap_or_default(),
            patches.unwrap_or_default(),
        )
    };
    let pictures: Vec<&Vec<f32>> = pictures.collect();
    pictures.into_par_iter().map(outputs).collect()
}

/// As [`quality::relative_error`], for patches of n channels, over all places of all frames.
pub(super) fn relative_error_of_patches(
    exact: &[Vec<f32>],
    got: &[Vec<i8>],
    channels: usize,
    quantization: Quantization,
) -> f64 {
    let exact: Vec<_> = exact
        .iter()
        .flat_map(|map| map.chunks(channels))
        .map(<[_]>::to_vec)
        .collect();
    let got: Vec<_> = got
        .iter()
        .flat_map(|map| map.chunks(channels))
        .map(<[_]>::to_vec)
        .collect();
    quality::relative_error(&exact, &got, quantization)
}
