//! Any ONNX file evaluated in float, so that a command needs neither a trainer nor a runtime library.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use rayon::prelude::*;
use tract_onnx::{pb::ModelProto, prelude::*};

use super::{
    Metadata, metadata,
    signature::{Signature, SignatureError},
    tract,
    validate::{self, ValidateError},
};
use crate::nets::graph::Normalization;

/// Why a file can not be evaluated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FloatError {
    /// What goes in or comes out is not that of an embedding network.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// The file is one that tract fails on, or holds weights that are no numbers.
    #[error(transparent)]
    Sound(#[from] ValidateError),
    /// An embedding is not made of numbers.
    #[error(
        "the embedding of frame {0} is not made of finite numbers: the training diverged, or the normalisation of \
         the pixels is not that of the training"
    )]
    NotFinite(usize),
    /// The file does not say how pixels become its input, and the caller did not either.
    #[error(
        "the file does not state sudal.mean and sudal.std, so it is unknown how pixels become its input: \
         give the mean and the standard deviation used in training (0 and 1 for pixels divided by 255)"
    )]
    NoNormalization,
    /// The mean or standard deviation given can not be used.
    #[error(
        "mean {} and standard deviation {} can not be used: both are on the scale 0..=1 of pixels, the deviation \
         above 0; for a mean of 128 and a deviation of 64 of 255 give 0.502 and 0.251",
        .0.mean, .0.std
    )]
    BadNormalization(Normalization),
    /// tract refused the file or failed on it.
    #[error("tract: {0}")]
    Tract(String),
    /// The second output is no map of vectors.
    #[error("the output `patches` has the shape [N, {}]: it must be [N, channels, height, width]",
        .0.iter().map(usize::to_string).collect::<Vec<_>>().join(", "))]
    Patches(Vec<usize>),
    /// A frame has another size than the network's input.
    #[error("frame {index} has {got} pixels, the network reads {needed}")]
    Frame {
        /// Index of the frame.
        index: usize,
        /// Its number of pixels.
        got: usize,
        /// Height times width times channels of the input.
        needed: usize,
    },
}

/// An embedding network read from an ONNX file, evaluated in float32 by tract.
pub struct FloatModel {
    plan: Arc<TypedRunnableModel>,
    signature: Signature,
    normalization: Normalization,
    metadata: Metadata,
    length: usize,
    /// Height, width and channels.
    patches: Option<[usize; 3]>,
}

impl FloatModel {
    /// Reads an ONNX file; `normalization` overrides what it states.
    ///
    /// # Errors
    /// [`FloatError`] if the file is no readable embedding network or its normalisation is unknown.
    pub fn new(onnx: &[u8], normalization: Option<Normalization>) -> Result<Self, FloatError> {
        let (signature, mut model) = Signature::read(onnx)?;
        tract::scales_as_inputs(&mut model);
        let normalization = choose(normalization, &model)?;
        validate::check(&model, &signature)?;
        let typed = guarded(|| {
            tract::reader()
                .model_for_proto_model(&model)?
                .with_input_fact(0, f32::fact(signature.dims(1)).into())?
                .into_typed()
        })?;
        let values = |fact: &TypedFact| fact.shape.volume().to_i64().unwrap_or(i64::MAX);
        let too_large = |node: &&TypedNode| {
            let mut outputs = node.outputs.iter();
            outputs.any(|output| values(&output.fact) > validate::MAX_VALUES as i64)
        };
        if let Some(node) = typed.nodes().iter().find(too_large) {
            return Err(ValidateError::Size(node.name.clone()).into());
        }
        let plan = guarded(|| typed.into_optimized()?.into_runnable())?;
        let length = signature.shape.iter().product();
        let mut model = Self {
            plan,
            signature,
            normalization,
            metadata: Metadata::read(&model),
            length: 0,
            patches: None,
        };
        let outputs = model.outputs(&vec![0.0; length])?;
        model.length = outputs[0].len();
        if model.length == 0 {
            return Err(ValidateError::Size(model.signature.output).into());
        }
        if let Some(map) = outputs.get(1) {
            let shape = map.shape().get(1..).unwrap_or_default();
            let [channels, height, width] =
                <[usize; 3]>::try_from(shape).map_err(|_| FloatError::Patches(shape.to_vec()))?;
            model.patches = Some([height, width, channels]);
        }
        Ok(model)
    }

    /// Channels, height and width of the input.
    pub fn shape(&self) -> [usize; 3] {
        self.signature.shape
    }

    /// Length of an embedding.
    pub fn length(&self) -> usize {
        self.length
    }

    /// Height, width and channels of the patches, where the network gives some.
    pub fn patches_shape(&self) -> Option<[usize; 3]> {
        self.patches
    }

    /// How pixels become the input.
    pub fn normalization(&self) -> Normalization {
        self.normalization
    }

    /// Where the network comes from, as the file states it.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Embeds frames, each `height x width x channels` pixels, in parallel.
    ///
    /// # Errors
    /// [`FloatError::Frame`] for a frame of another size, [`FloatError::NotFinite`] for an embedding
    /// that is not made of numbers, [`FloatError::Tract`] if tract fails.
    pub fn embed<F: AsRef<[u8]> + Sync>(&self, frames: &[F]) -> Result<Vec<Vec<f32>>, FloatError> {
        self.each(frames, |picture| self.run(picture))
    }

    /// The patches of frames, as [`FloatModel::embed`]; each height x width x channels, empty if the
    /// network gives none.
    ///
    /// # Errors
    /// As [`FloatModel::embed`].
    pub fn patches<F: AsRef<[u8]> + Sync>(
        &self,
        frames: &[F],
    ) -> Result<Vec<Vec<f32>>, FloatError> {
        let Some([.., channels]) = self.patches else {
            return Ok(vec![vec![]; frames.len()]);
        };
        self.each(frames, |picture| {
            let outputs = self.outputs(picture)?;
            let values: Vec<f32> = guarded(|| {
                Ok(outputs[1]
                    .to_plain_array_view::<f32>()?
                    .iter()
                    .copied()
                    .collect())
            })?;
            Ok(by_place(&values, channels))
        })
    }

    /// What `compute` makes of each frame's normalised picture, in parallel.
    fn each<F: AsRef<[u8]> + Sync>(
        &self,
        frames: &[F],
        compute: impl Fn(&[f32]) -> Result<Vec<f32>, FloatError> + Sync,
    ) -> Result<Vec<Vec<f32>>, FloatError> {
        // Of several errors the first frame's, whichever thread is first.
        let each: Vec<Result<_, _>> = frames
            .par_iter()
            .enumerate()
            .map(|(index, frame)| {
                let input = normalize(frame.as_ref(), &self.signature, self.normalization)
                    .map_err(|[got, needed]| FloatError::Frame { index, got, needed })?;
                let values = compute(&input)?;
                match values.iter().all(|value| value.is_finite()) {
                    true => Ok(values),
                    false => Err(FloatError::NotFinite(index)),
                }
            })
            .collect();
        each.into_iter().collect()
    }

    /// Embeds one picture that is already normalised, as the file's input has it.
    ///
    /// # Errors
    /// [`FloatError::Tract`] if tract fails, which it does on a picture of another size.
    pub fn run(&self, picture: &[f32]) -> Result<Vec<f32>, FloatError> {
        let outputs = self.outputs(picture)?;
        guarded(|| {
            Ok(outputs[0]
                .to_plain_array_view::<f32>()?
                .iter()
                .copied()
                .collect())
        })
    }

    /// What the network gives for one normalised picture: the embedding, and the patches if it has some.
    fn outputs(&self, picture: &[f32]) -> Result<TVec<TValue>, FloatError> {
        guarded(|| {
            let input = Tensor::from_shape(&self.signature.dims(1), picture)?;
            self.plan.run(tvec!(input.into_tvalue()))
        })
    }
}

/// How pixels become the input: as the caller says, else as the file does.
///
/// # Errors
/// [`FloatError::NoNormalization`] if neither says it, [`FloatError::BadNormalization`] if it can not
/// be used.
pub(super) fn choose(
    given: Option<Normalization>,
    model: &ModelProto,
) -> Result<Normalization, FloatError> {
    let stated = given.or_else(|| metadata::normalization(model));
    let normalization = stated.ok_or(FloatError::NoNormalization)?;
    let Normalization { mean, std, .. } = normalization;
    if (0.0..=1.0).contains(&mean) && std > 0.0 && std <= 1.0 {
        Ok(normalization)
    } else {
        Err(FloatError::BadNormalization(normalization))
    }
}

/// Pixels of one frame, `height x width x channels`, normalised and in the order of the file's input.
///
/// # Errors
/// The frame's number of pixels and the needed one where they differ.
pub(super) fn normalize(
    frame: &[u8],
    signature: &Signature,
    normalization: Normalization,
) -> Result<Vec<f32>, [usize; 2]> {
    let needed = signature.shape.iter().product();
    if frame.len() != needed {
        return Err([frame.len(), needed]);
    }
    let frame = &normalization.balanced(frame, signature.shape[0])[..];
    let table = normalization.table(frame);
    // With the channels last all pixels are of one plane.
    let channels = match signature.channels_last {
        true => 1,
        false => signature.shape[0],
    };
    let plane = |channel| {
        frame
            .iter()
            .skip(channel)
            .step_by(channels)
            .map(|&pixel| table[usize::from(pixel)])
    };
    Ok((0..channels).flat_map(plane).collect())
}

/// What tract does, its errors with their causes in one line, a panic being one.
fn guarded<T>(work: impl FnOnce() -> TractResult<T>) -> Result<T, FloatError> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result.map_err(|error| FloatError::Tract(format!("{error:#}"))),
        Err(_) => Err(FloatError::Tract(
            "it failed on this file, which is damaged or unusual: export the model again"
                .to_owned(),
        )),
    }
}

/// The values of a map, `channels x height x width`, as `height x width x channels`.
pub(super) fn by_place(values: &[f32], channels: usize) -> Vec<f32> {
    let places = values.len() / channels;
    let at = |place| values.iter().skip(place).step_by(places);
    (0..places).flat_map(at).copied().collect()
}
