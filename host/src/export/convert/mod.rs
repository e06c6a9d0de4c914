//! From any ONNX file with the supported operators to the int8 model image of the firmware.
//!
//! `read` turns the nodes into layers, `simplify` folds and fuses them, `calibrate` finds the ranges
//! of the activations on frames, `equalize` makes the channels of a tensor equally large, `quantize`
//! makes integers of everything, `rows` and `plan` lay the tensors into the arena and `image` writes the
//! result. Each way to choose the ranges is run on the firmware's engine, and the one whose
//! embeddings come closest to float32 is kept.
//!
//! Weights are symmetric int8 with one scale for each output channel, activations asymmetric int8
//! with one scale for each tensor (Jacob et al., 2018, "Quantization and Training of Neural
//! Networks for Efficient Integer-Arithmetic-Only Inference"); biases are corrected for the rounding
//! of the weights and channels are equalised (Nagel et al., 2019, "Data-Free Quantization Through
//! Weight Equalization and Bias Correction"). The normalisation of the pixels becomes a table of 256
//! entries a channel, behind the change of contrast.

mod calibrate;
mod clip;
mod concat;
mod constant;
mod curve;
mod edit;
mod ending;
mod equalize;
mod error;
mod evaluate;
mod given;
mod image;
mod layers;
mod lengths;
mod light;
mod network;
mod node;
mod operators;
mod order;
mod plan;
mod quality;
mod quantization;
mod quantize;
mod read;
mod records;
mod report;
mod reshape;
mod rows;
mod shapes;
mod shuffle;
mod simplify;
#[cfg(test)]
mod tests;
mod unary;
mod upsample;

pub use calibrate::Range;
pub use ending::{Ending, without_softmax};
pub use error::{ConvertError, SUPPORTED};
pub(super) use image::{align, seal};
pub use quality::MAX_NOISE;
pub use report::{LayerReport, PatchesReport, Report};

use rayon::prelude::*;
use serde::Serialize;
use sudal_firmware::image::{Kind, OpRecord};
use sudal_firmware::preprocess::contrast;

use self::{
    calibrate::Statistics,
    image::{Content, Golden},
    network::{NO_LIMITS, Network, Op, Shape},
    quantization::Quantization,
    rows::Layout,
};
use super::{
    Metadata,
    float::{choose, normalize},
    signature::Signature,
};
use crate::engine::{QuantizedModel, kernel};
use crate::nets::graph::Normalization;

/// Least number of calibration frames.
pub const MIN_FRAMES: usize = 8;
/// Frames on which two ways to choose the ranges are compared.
const JUDGED: usize = 128;

/// How a file is converted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConvertOptions {
    /// Name of the network on the board, of which 32 bytes are kept; else that in the file.
    pub name: Option<String>,
    /// How pixels become the input; else what the file states.
    pub normalization: Option<Normalization>,
    /// Most RAM that a frame may need on the board, in bytes.
    pub ram_limit: Option<usize>,
    /// Most flash that the image may take on the board, in bytes.
    pub flash_limit: Option<usize>,
    /// Most values that an embedding may have on the board.
    pub embedding_limit: Option<usize>,
    /// Noise of int8 from which the network is refused; [`MAX_NOISE`] unless given.
    pub noise_limit: Option<f64>,
}

/// A converted network.
#[derive(Clone, Debug, PartialEq)]
pub struct Converted {
    /// The model image.
    pub image: Vec<u8>,
    /// What it needs.
    pub report: Report,
}

/// What the image says about its origin, as JSON.
#[derive(Serialize)]
struct ImageMetadata<'m> {
    #[serde(flatten)]
    metadata: &'m Metadata,
    mean: f32,
    std: f32,
    contrast: u32,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    balance: bool,
    converter: &'static str,
    calibration_frames: usize,
}

/// Channels, height and width of the frames that an ONNX file reads.
///
/// # Errors
/// When it is no ONNX file of one input and one embedding, or its shape is not fixed.
pub fn input_shape(onnx: &[u8]) -> Result<[usize; 3], ConvertError> {
    Ok(Signature::read(onnx)?.0.shape)
}

/// Converts an ONNX file to a model image.
///
/// `calibration` are real frames of `height x width x channels` pixels, a few hundred of those that
/// the camera will see; on them the ranges of the activations are found, and where all are dim on
/// brighter copies too. The first is the golden frame of the image's self-test. The same file and
/// frames always give the same image.
///
/// # Errors
/// [`ConvertError`] names the node that can not be converted and says what to do.
pub fn convert<F: AsRef<[u8]> + Sync>(
    onnx: &[u8],
    calibration: &[F],
    options: &ConvertOptions,
) -> Result<Converted, ConvertError> {
    let (onnx, ending) = without_softmax(onnx)?;
    let (signature, model) = Signature::read(&onnx)?;
    let mut network = read::read(&signature, &model)?;
    simplify::simplify(&mut network)?;
    check_taps(&network)?;
    let layout = rows::layout(&network);
    check_ram(&network, &layout, options.ram_limit)?;
    check_length(&network, options.embedding_limit)?;

    let normalization =
        choose(options.normalization, &model).map_err(ConvertError::Normalization)?;
    let lut = lut(&network, normalization);
    let light = light::Light::of(calibration);
    if calibration.len() < MIN_FRAMES {
        return Err(ConvertError::TooFewFrames {
            got: calibration.len(),
            needed: MIN_FRAMES,
        });
    }
    let contrast = normalization.contrast;
    if normalization.balance && network.input.channels != 3 {
        return Err(ConvertError::Balance(network.input.channels));
    }
    let mut pictures = pictures(&network, &signature, calibration, &lut, normalization)?;
    if contrast == 0 {
        let brighter = light.brighter(calibration);
        pictures.extend(self::pictures(
            &network,
            &signature,
            &brighter,
            &lut,
            normalization,
        )?);
    }
    let statistics = calibrate::observe(&network, &pictures);
    check_values(&network, &statistics)?;

    let mut metadata = Metadata::read(&model);
    match (&options.name, &model.graph) {
        (Some(name), _) => metadata.name.clone_from(name),
        (None, Some(graph)) if metadata.name.is_empty() => metadata.name.clone_from(&graph.name),
        _ => {}
    }
    let text = serde_json::to_string(&ImageMetadata {
        metadata: &metadata,
        mean: normalization.mean,
        std: normalization.std,
        contrast: normalization.contrast,
        balance: normalization.balance,
        converter: env!("CARGO_PKG_VERSION"),
        calibration_frames: calibration.len(),
    })
    .map_err(|e| ConvertError::Image(e.to_string()))?;

    // Evenly spread, as frames often stand class by class.
    let every = calibration.len().div_ceil(JUDGED);
    let judged: Vec<&[u8]> = calibration
        .iter()
        .step_by(every)
        .map(AsRef::as_ref)
        .collect();
    let exact = outputs(
        &network,
        pictures[..calibration.len()].iter().step_by(every),
    );
    let (exact, exact_patches): (Vec<_>, Vec<_>) = exact.into_iter().unzip();
    quality::check_embeddings(&judged, &exact)?;
    let covered = light::extent(&lut);
    let fail = |e: sudal_firmware::image::ImageError| ConvertError::Image(e.to_string());
    let mut best: Option<Converted> = None;
    let scales = network.given_scales();
    for equalized in [false, true] {
        if equalized && scales > 0 {
            // The file's scales are those of its own channels.
            continue;
        }
        let mut statistics = statistics.clone();
        if equalized {
            equalize::equalize(&mut network, &statistics);
            statistics = calibrate::observe(&network, &pictures);
        }
        statistics[0].cover(covered);
        for range in [Range::MinMax, Range::LeastError] {
            let quantizations = quantize::ranges(&network, &statistics, range);
            let layers = quantize::quantize(&network, &statistics, &quantizations);
            let mut content = Content {
                network: &network,
                quantizations: &quantizations,
                layers: &layers,
                lut: quantize_lut(&lut, quantizations[0]),
                contrast,
                balance: normalization.balance,
                name: &metadata.name,
                metadata: &text,
                golden: None,
            };
            let quantized = QuantizedModel::new(&image::write(&content, &layout)?).map_err(fail)?;
            let embeddings = quantized
                .embed(&judged)
                .map_err(|e| ConvertError::Image(e.to_string()))?;
            let relative_error =
                quality::relative_error(&exact, &embeddings, quantizations[layers.len()]);
            if best
                .as_ref()
                .is_some_and(|best| best.report.relative_error <= relative_error)
            {
                continue;
            }
            let patches = quantized
                .patches(&judged)
                .map_err(|e| ConvertError::Image(e.to_string()))?;
            content.golden = Some(Golden {
                frame: calibration[0].as_ref(),
                embedding: &embeddings[0],
                patches: network.patches.map(|_| &patches[0][..]),
            });
            let image = image::write(&content, &layout)?;
            QuantizedModel::new(&image).map_err(fail)?;
            let report = Report {
                name: metadata.name.clone(),
                image_bytes: image.len(),
                calibration_frames: calibration.len(),
                levels: light.levels(),
                saturated: light.saturated(),
                range,
                equalized,
                given_scales: scales,
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
                            &exact_patches,
                            &patches,
                            channels,
                            quantizations[value],
                        ),
                    }
                }),
                ..report(&network, &layout)
            };
            best = Some(Converted { image, report });
        }
    }
    let mut converted = best.ok_or_else(|| ConvertError::Image("no range was tried".to_owned()))?;
    quality::check_noise(converted.report.relative_error, options.noise_limit)?;
    converted.report.warnings = quality::warnings(&converted.report, contrast);
    converted
        .report
        .warnings
        .extend(ending.map(|ending| ending.to_string()));
    match options.flash_limit {
        Some(limit) if converted.image.len() > limit => Err(ConvertError::Flash {
            needed: converted.image.len(),
            limit,
        }),
        _ => Ok(converted),
    }
}

/// The float32 embeddings of pictures and their patches, which are empty without any.
fn outputs<'p>(
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

/// Refuses sums with more taps than the engine adds up safely.
fn check_taps(network: &Network) -> Result<(), ConvertError> {
    const MAX_TAPS: usize = 1 << 16;
    for layer in &network.layers {
        if let Op::Conv(conv) = &layer.op
            && conv.taps() > MAX_TAPS
        {
            return Err(ConvertError::Node {
                node: layer.name.clone(),
                operator: "Conv".to_owned(),
                reason: format!(
                    "each output reads {} values, {MAX_TAPS} at most are supported: pool before it",
                    conv.taps()
                ),
            });
        }
    }
    Ok(())
}

/// Refuses a plan that needs more memory than there is.
fn check_ram(network: &Network, layout: &Layout, limit: Option<usize>) -> Result<(), ConvertError> {
    let limit = limit.unwrap_or(u32::MAX as usize);
    if layout.arena <= limit {
        return Ok(());
    }
    let most = layout
        .in_use
        .iter()
        .enumerate()
        .max_by_key(|(_, bytes)| **bytes);
    let node = most.map_or_else(String::new, |(index, _)| network.layers[index].name.clone());
    Err(ConvertError::Ram {
        needed: layout.arena,
        limit,
        node,
    })
}

/// Refuses an embedding of more values than the board holds.
fn check_length(network: &Network, limit: Option<usize>) -> Result<(), ConvertError> {
    let got = network.shape(network.layers.len()).len();
    match limit {
        Some(limit) if got > limit => Err(ConvertError::Length { got, limit }),
        _ => Ok(()),
    }
}

/// Refuses a network whose values are not finite numbers on the calibration frames.
fn check_values(network: &Network, statistics: &[Statistics]) -> Result<(), ConvertError> {
    let finite = |statistics: &Statistics| statistics.squares.iter().all(|value| value.is_finite());
    let overflow = network
        .layers
        .iter()
        .zip(&statistics[1..])
        .find(|(_, values)| !finite(values));
    match overflow {
        Some((layer, _)) => Err(ConvertError::Overflow(layer.name.clone())),
        None => Ok(()),
    }
}

/// The network's input for each level of each channel of a pixel.
fn lut(network: &Network, Normalization { mean, std, .. }: Normalization) -> Vec<[f32; 256]> {
    let table = |&[scale, offset]: &[f32; 2]| {
        std::array::from_fn(|pixel| ((pixel as f32 / 255.0) - mean) / std * scale + offset)
    };
    network.input_affine.iter().map(table).collect()
}

/// The table in integers, channel after channel.
fn quantize_lut(lut: &[[f32; 256]], quantization: Quantization) -> Vec<i8> {
    lut.as_flattened()
        .iter()
        .map(|&value| quantization.quantize(f64::from(value)))
        .collect()
}

/// The network's input for each frame.
fn pictures<F: AsRef<[u8]>>(
    network: &Network,
    signature: &Signature,
    frames: &[F],
    lut: &[[f32; 256]],
    normalization: Normalization,
) -> Result<Vec<Vec<f32>>, ConvertError> {
    let channels = network.input.channels;
    let picture = |(index, frame): (usize, &F)| {
        let frame = frame.as_ref();
        // Only for its check of the length.
        normalize(frame, signature, Normalization::new(0.0, 1.0))
            .map_err(|[got, needed]| ConvertError::Frame { index, got, needed })?;
        let frame = &normalization.balanced(frame, channels)[..];
        let levels = contrast::table(frame, normalization.contrast);
        let value = |(index, &pixel): (usize, &u8)| {
            lut[index % channels][usize::from(levels[usize::from(pixel)])]
        };
        Ok(frame.iter().enumerate().map(value).collect())
    };
    frames.iter().enumerate().map(picture).collect()
}

/// As [`quality::relative_error`], for patches of n channels, over all places of all frames.
fn relative_error_of_patches(
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

/// What the board needs.
fn report(network: &Network, layout: &Layout) -> Report {
    let layers: Vec<LayerReport> = network
        .layers
        .iter()
        .zip(&layout.records)
        .zip(&layout.in_use)
        .map(|((layer, record), &ram_bytes)| LayerReport {
            name: layer.name.clone(),
            kind: kind(record, layer.limits),
            output: [layer.shape.height, layer.shape.width, layer.shape.channels],
            macs: record.macs(),
            weight_bytes: record.weights_len()
                + record.channels_len() * size_of::<sudal_firmware::image::Channel>(),
            ram_bytes,
        })
        .collect();
    let input = network.input;
    Report {
        name: String::new(),
        input: [input.height, input.width, input.channels],
        embedding: network.shape(layers.len()).len(),
        patches: None,
        macs: layers.iter().map(|layer| layer.macs).sum(),
        weight_bytes: layers.iter().map(|layer| layer.weight_bytes).sum(),
        layers,
        image_bytes: 0,
        arena_bytes: layout.arena,
        calibration_frames: 0,
        levels: [0; 2],
        saturated: 0.0,
        range: Range::MinMax,
        equalized: false,
        given_scales: 0,
        relative_error: 0.0,
        warnings: vec![],
    }
}

/// What a layer computes, in words.
fn kind(record: &OpRecord, limits: [f32; 2]) -> String {
    let mut text = kernel(record);
    if record.kind() == Some(Kind::Clamp) && limits == NO_LIMITS {
        return "flatten".to_owned();
    }
    if limits == [0.0, f32::INFINITY] && record.kind() != Some(Kind::Clamp) {
        text.push_str(" + relu");
    } else if limits != NO_LIMITS && record.kind() != Some(Kind::Clamp) {
        text.push_str(" + clamp");
    }
    if record.pool > 0 {
        text.push_str(" + max pool");
    }
    text
}
