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
mod checks;
mod choice;
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
mod input;
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
pub(super) mod tests;
mod unary;
mod upsample;

pub use calibrate::Range;
pub use ending::{Ending, without_softmax};
pub use error::{ConvertError, SUPPORTED};
pub(super) use image::{align, seal};
pub use quality::MAX_NOISE;
pub use report::{Converted, LayerReport, PatchesReport, Report};

use serde::Serialize;

use self::{choice::Choice, input::Input, light::Light};
use super::{Metadata, float::choose, signature::Signature};
use crate::nets::graph::Normalization;

/// Least number of calibration frames.
pub const MIN_FRAMES: usize = 8;

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
    checks::taps(&network)?;
    let layout = rows::layout(&network);
    checks::ram(&network, &layout, options.ram_limit)?;
    checks::length(&network, options.embedding_limit)?;

    let normalization =
        choose(options.normalization, &model).map_err(ConvertError::Normalization)?;
    if calibration.len() < MIN_FRAMES {
        return Err(ConvertError::TooFewFrames {
            got: calibration.len(),
            needed: MIN_FRAMES,
        });
    }
    if normalization.balance && network.input.channels != 3 {
        return Err(ConvertError::Balance(network.input.channels));
    }
    let light = Light::of(calibration);
    let input = Input::new(&network, &signature, normalization);
    let mut pictures = input.pictures(calibration)?;
    if normalization.contrast == 0 {
        pictures.extend(input.pictures(&light.brighter(calibration))?);
    }
    let statistics = calibrate::observe(&network, &pictures);
    checks::values(&network, &statistics)?;

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

    let choice = Choice {
        layout: &layout,
        input: &input,
        name: &metadata.name,
        metadata: &text,
        frames: &calibration.iter().map(AsRef::as_ref).collect::<Vec<_>>(),
    };
    let mut converted = choice.best(&mut network, &pictures, &statistics)?;
    let report = &mut converted.report;
    report.calibration_frames = calibration.len();
    (report.levels, report.saturated) = (light.levels(), light.saturated());
    quality::check_noise(report.relative_error, options.noise_limit)?;
    report.warnings = quality::warnings(report, normalization.contrast);
    report
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
