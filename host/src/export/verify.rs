//! Whether an exported file computes what its trainer computes, in two runtimes that others wrote.

use std::path::PathBuf;

use ort::{session::Session, value::TensorRef};
use serde::Serialize;

use super::{
    float::{FloatError, FloatModel, by_place, normalize},
    runtime::{self, RuntimeError},
    signature::{Signature, SignatureError},
};

/// Largest absolute difference that passes, exclusive, in units of the embedding.
pub const TOLERANCE: f32 = 1e-4;
/// Pictures given to ONNX Runtime at once, where the file allows it.
const BATCH: usize = 32;

/// Why a file was not verified.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The file is no embedding network.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// tract can not evaluate the file or a frame does not fit it.
    #[error(transparent)]
    Float(#[from] FloatError),
    /// ONNX Runtime can not be loaded.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// ONNX Runtime refused the file or failed on it.
    #[error("ONNX Runtime: {0}")]
    OnnxRuntime(String),
    /// The reference failed.
    #[error("the reference can not embed the frames: {0}")]
    Reference(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// No frames to compare on.
    #[error("no frames to verify on: give at least one")]
    NoFrames,
    /// Embeddings of different lengths.
    #[error("{runtime} gives {got} values for {frames} frames, the reference gives {needed}")]
    Length {
        /// Which runtime.
        runtime: &'static str,
        /// Values that it gave.
        got: usize,
        /// Number of frames.
        frames: usize,
        /// Values of the reference.
        needed: usize,
    },
    /// A runtime computes something else.
    #[error(
        "{runtime} differs from the reference by {difference:e} (frame {frame}, dimension {dimension}: \
         {got} instead of {needed}), the limit is {TOLERANCE:e}: this file does not hold the network that \
         it is compared with"
    )]
    Differs {
        /// Which runtime.
        runtime: &'static str,
        /// Largest absolute difference.
        difference: f32,
        /// Index of the frame with it.
        frame: usize,
        /// Index in its embedding.
        dimension: usize,
        /// What the runtime gave there.
        got: f32,
        /// What the reference gave there.
        needed: f32,
    },
}

/// What a verification found; differences are in units of the embedding.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VerifyReport {
    /// Frames compared.
    pub frames: usize,
    /// Length of an embedding.
    pub length: usize,
    /// Greatest absolute value in the reference's embeddings.
    pub magnitude: f32,
    /// Largest absolute difference between ONNX Runtime and the reference.
    pub onnx_runtime: f32,
    /// Largest absolute difference between tract and the reference.
    pub tract: f32,
    /// Largest absolute difference between the patches of ONNX Runtime and of tract, divided by the
    /// greatest absolute value in them; where the network gives some.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patches: Option<f32>,
    /// The limit below which both are.
    pub tolerance: f32,
    /// The ONNX Runtime library that was used.
    pub library: PathBuf,
}

/// Compares an ONNX file in ONNX Runtime and in tract with a reference on real frames.
///
/// `frames` are `height x width x channels` pixels each; `reference` gets them normalised as the
/// file states, in the order of its input, and returns `[n, length]`.
///
/// # Errors
/// [`VerifyError::Differs`] if any value is [`TOLERANCE`] or more away from the reference, the
/// other variants if something can not be run at all.
pub fn verify<F, R>(onnx: &[u8], frames: &[F], reference: R) -> Result<VerifyReport, VerifyError>
where
    F: AsRef<[u8]> + Sync,
    R: FnOnce(&[f32]) -> Result<Vec<f32>, Box<dyn std::error::Error + Send + Sync>>,
{
    if frames.is_empty() {
        return Err(VerifyError::NoFrames);
    }
    let (signature, _) = Signature::read(onnx)?;
    let model = FloatModel::new(onnx, None)?;
    let mut pictures = Vec::new();
    for (index, frame) in frames.iter().enumerate() {
        let picture = normalize(frame.as_ref(), &signature, model.normalization())
            .map_err(|[got, needed]| FloatError::Frame { index, got, needed })?;
        pictures.extend(picture);
    }
    let needed = reference(&pictures).map_err(VerifyError::Reference)?;
    let length = needed.len() / frames.len();

    let tract = model.embed(frames)?.concat();
    let tract = difference("tract", &tract, &needed, length)?;
    let (library, output, patches) = run_onnx_runtime(onnx, &signature, &pictures)?;
    let onnx_runtime = difference("ONNX Runtime", &output, &needed, length)?;
    let patches = match model.patches_shape() {
        Some([height, width, channels]) => {
            let map = height * width * channels;
            let needed = model.patches(frames)?.concat();
            let got: Vec<f32> = patches
                .chunks(map)
                .flat_map(|map| by_place(map, channels))
                .collect();
            let greatest = magnitude(&needed).max(f32::MIN_POSITIVE);
            let parts = |values: Vec<f32>| -> Vec<f32> {
                values.iter().map(|value| value / greatest).collect()
            };
            Some(difference(
                "ONNX Runtime's map of patches, in parts of the greatest,",
                &parts(got),
                &parts(needed),
                map,
            )?)
        }
        None => None,
    };

    Ok(VerifyReport {
        frames: frames.len(),
        length,
        magnitude: magnitude(&needed),
        onnx_runtime,
        tract,
        patches,
        tolerance: TOLERANCE,
        library,
    })
}

fn magnitude(values: &[f32]) -> f32 {
    values
        .iter()
        .fold(0.0, |greatest, value| value.abs().max(greatest))
}

/// Embeds normalised pictures in ONNX Runtime: which library that was, the embeddings, the patches.
pub(super) fn run_onnx_runtime(
    onnx: &[u8],
    signature: &Signature,
    pictures: &[f32],
) -> Result<(PathBuf, Vec<f32>, Vec<f32>), VerifyError> {
    let fail = |error: ort::Error| VerifyError::OnnxRuntime(error.to_string());
    let (library, environment) = runtime::load()?;
    let mut session = Session::builder(&environment)
        .and_then(|mut builder| builder.commit_from_memory(onnx))
        .map_err(fail)?;
    let picture: usize = signature.shape.iter().product();
    let batch = if signature.dynamic_batch { BATCH } else { 1 };
    let (mut output, mut patches) = (Vec::new(), Vec::new());
    for batch in pictures.chunks(batch * picture) {
        let shape = signature.dims(batch.len() / picture);
        let input = TensorRef::from_array_view((shape, batch)).map_err(fail)?;
        let outputs = session
            .run(ort::inputs![signature.input.as_str() => input])
            .map_err(fail)?;
        let read = |name: &String, into: &mut Vec<f32>| {
            let value = outputs
                .get(name)
                .ok_or_else(|| VerifyError::OnnxRuntime(format!("no output `{name}`")))?;
            let (_, values) = value.try_extract_tensor::<f32>().map_err(fail)?;
            into.extend_from_slice(values);
            Ok::<(), VerifyError>(())
        };
        read(&signature.output, &mut output)?;
        signature
            .patches
            .iter()
            .try_for_each(|name| read(name, &mut patches))?;
    }
    Ok((library, output, patches))
}

/// The largest absolute difference, if it is below the tolerance.
fn difference(
    runtime: &'static str,
    got: &[f32],
    needed: &[f32],
    length: usize,
) -> Result<f32, VerifyError> {
    if got.len() != needed.len() || length == 0 {
        let frames = needed.len().checked_div(length).unwrap_or(0);
        return Err(VerifyError::Length {
            runtime,
            got: got.len(),
            frames,
            needed: needed.len(),
        });
    }
    // A difference that is no number is the largest of all.
    let distance = |(got, needed): (&f32, &f32)| (got - needed).abs();
    let worst = got
        .iter()
        .zip(needed)
        .map(distance)
        .enumerate()
        .max_by(|a, b| a.1.total_cmp(&b.1));
    let (index, difference) = worst.unwrap_or((0, f32::NAN));
    if difference < TOLERANCE {
        return Ok(difference);
    }
    Err(VerifyError::Differs {
        runtime,
        difference,
        frame: index / length,
        dimension: index % length,
        got: got[index],
        needed: needed[index],
    })
}
