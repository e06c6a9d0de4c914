//! Why a file can not be converted.

use crate::export::{float::FloatError, signature::SignatureError};

/// What to do against noise.
pub(super) const NOISE_ADVICE: &str = "calibrate on a few hundred pictures of what the camera will see, check mean and std, train with \
     batch normalisation, or export without an offset that is common to all embeddings";

/// Why a file can not be converted; each names the node and says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConvertError {
    /// The file is no embedding network with a fixed picture size.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// An operator that the board has no kernel for.
    #[error(
        "node `{node}` is {operator}, which is not supported: replace it in the network, or leave it out of \
         the export{}; supported are {SUPPORTED}", cut_at(.before)
    )]
    Operator {
        /// Name of the node.
        node: String,
        /// Its operator with its domain.
        operator: String,
        /// A value before it that can be the embedding instead.
        before: Option<String>,
    },
    /// A supported operator used in a way that is not.
    #[error("node `{node}` ({operator}): {reason}")]
    Node {
        /// Name of the node.
        node: String,
        /// Its operator.
        operator: String,
        /// What is wrong and what to do.
        reason: String,
    },
    /// A tensor of constants that can not be read.
    #[error("tensor `{tensor}`: {reason}")]
    Tensor {
        /// Name of the tensor.
        tensor: String,
        /// What is wrong and what to do.
        reason: String,
    },
    /// A weight is not a finite number.
    #[error(
        "node `{node}` has a weight that is {value}: the training diverged; train again with a lower \
         learning rate, or take an earlier checkpoint"
    )]
    NotFinite {
        /// Name of the node.
        node: String,
        /// `NaN` or an infinity.
        value: f32,
    },
    /// What a node computes is no finite number.
    #[error(
        "node `{0}` computes values beyond float32 on the calibration frames: its weights are far too large; \
         train again or check the normalisation of the pixels"
    )]
    Overflow(String),
    /// The network's output is the picture itself.
    #[error(
        "the output `{0}` is not computed from the picture: export the embedding as the output"
    )]
    NoEmbedding(String),
    /// The second output is no map of vectors.
    #[error(
        "the output `patches` must be computed from the picture and have the shape [N, channels, height, \
         width]: leave it out, or make it with `sudal patches`"
    )]
    NoPatches,
    /// The patches are computed from the embedding.
    #[error(
        "the output `patches` is computed from the embedding `{0}`: take it from a layer before"
    )]
    Order(String),
    /// No normalisation given and none in the file.
    #[error(transparent)]
    Normalization(FloatError),
    /// White balance of pictures without colours.
    #[error(
        "white balance takes pictures of three channels, red, green and blue, the network reads {0}: leave it out"
    )]
    Balance(usize),
    /// The embedding has more values than the board holds.
    #[error(
        "the embedding has {got} values, the board holds {limit} at most: pool before it (GlobalAveragePool), or \
         put a fully connected layer with {limit} outputs behind it"
    )]
    Length {
        /// Values of the embedding.
        got: usize,
        /// Most values.
        limit: usize,
    },
    /// All frames are one.
    #[error("all {0} calibration frames are the same picture: give a few hundred different ones")]
    OneFrame(usize),
    /// The embedding does not depend on the picture.
    #[error(
        "the embedding is the same for all calibration frames (up to {peak} in size): the network is dead, for \
         instance behind a ReLU that never opens, or mean and std are not those of its training; both are on the \
         scale 0..=1 of pixels"
    )]
    Constant {
        /// Greatest absolute value.
        peak: f64,
    },
    /// Int8 leaves too little of the embeddings.
    #[error("int8 adds {:.0} % to the embeddings, so that nothing can be told apart: {}", 100.0 * .0, NOISE_ADVICE)]
    Noise(f64),
    /// Too few frames to find the ranges of the activations.
    #[error("{got} calibration frames: give at least {needed}, a few hundred are better")]
    TooFewFrames {
        /// Number of frames given.
        got: usize,
        /// Least number.
        needed: usize,
    },
    /// A calibration frame of another size.
    #[error("calibration frame {index} has {got} pixels, the network reads {needed}")]
    Frame {
        /// Index of the frame.
        index: usize,
        /// Its number of pixels.
        got: usize,
        /// Height times width times channels of the input.
        needed: usize,
    },
    /// The network is too large for the board.
    #[error(
        "the network needs {needed} bytes of RAM, the limit is {limit}; the peak is at node `{node}`: use \
         smaller pictures, fewer channels or an earlier stride, or raise the limit"
    )]
    Ram {
        /// Bytes needed.
        needed: usize,
        /// Bytes allowed.
        limit: usize,
        /// Name of the node at which most is needed.
        node: String,
    },
    /// The image would be too large for the board.
    #[error(
        "the image needs {needed} bytes of flash, the limit is {limit}: use fewer channels or layers"
    )]
    Flash {
        /// Bytes needed.
        needed: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// The written image was refused by the firmware; a mistake in this crate.
    #[error("the firmware refuses the image: {0}; this is a mistake in sudal, please report it")]
    Image(String),
}

/// The operators that the converter understands.
pub const SUPPORTED: &str = "Add, AveragePool, BatchNormalization, Clip, Concat, Constant, Conv, DequantizeLinear, Div, Dropout, Elu, Flatten, Gather, Gemm, \
     GlobalAveragePool, GlobalMaxPool, HardSigmoid, HardSwish, Identity, LeakyRelu, LpNormalization, MatMul, MaxPool, Mul, PRelu, Pad, \
     QuantizeLinear, ReduceL2, ReduceMean, Relu, Reshape, Resize, Sigmoid, Slice, Softplus, Split, Squeeze, Sub, Tanh, Transpose, \
     Unsqueeze, Upsample, and Softmax at the end";

/// How to end the network before an operator.
fn cut_at(before: &Option<String>) -> String {
    match before {
        Some(value) => format!(", or end the network before it with --output '{value}'"),
        None => String::new(),
    }
}
