//! A trained network without its trainer: what export, verification and the tests read.

use std::borrow::Cow;

use sudal_firmware::preprocess::{balance::Balance, contrast};

/// Part of what is below 0 that [`Op::LeakyRelu`] leaves of it.
pub const SLOPE: f32 = 0.1;

/// One step of a [`Graph`]; tensors are float32, NCHW, the batch is left out.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// Convolution with bias, batch norm already folded in.
    Conv {
        /// Weights, `[out, in / groups, kernel, kernel]` row-major.
        weight: Vec<f32>,
        /// Bias, `[out]`.
        bias: Vec<f32>,
        /// Number of output channels.
        out: usize,
        /// Side of the square kernel, in pixels.
        kernel: usize,
        /// Step in both directions, in pixels.
        stride: usize,
        /// Zero padding on the four sides as `[top, left, bottom, right]`, in pixels.
        padding: [usize; 4],
        /// Number of groups: 1 is dense, the number of input channels is depthwise.
        groups: usize,
    },
    /// `max(x, 0)`.
    Relu,
    /// `min(max(x, 0), 6)`.
    Relu6,
    /// `x`, or a tenth of it where it is below 0.
    LeakyRelu,
    /// The greatest value of each window, no padding, the remainder at the edge dropped.
    MaxPool {
        /// Side of the window and step, in pixels.
        size: usize,
    },
    /// Mean over height and width, leaving `[channels, 1, 1]`.
    GlobalAveragePool,
    /// The greatest value over height and width, leaving `[channels, 1, 1]`.
    GlobalMaxPool,
    /// Sum of two tensors of the same shape.
    Add,
    /// `[channels, height, width]` to one vector in that order.
    Flatten,
    /// Fully connected layer on a vector.
    Linear {
        /// Weights, `[out, in]` row-major.
        weight: Vec<f32>,
        /// Bias, `[out]`.
        bias: Vec<f32>,
        /// Length of the output.
        out: usize,
    },
}

/// A step and the values that it reads.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What is computed.
    pub op: Op,
    /// Its inputs: 0 is the picture, `i` the output of node `i - 1`.
    pub inputs: Vec<usize>,
}

/// How pixels 0..=255 become the network's input: brought to one contrast, then
/// `(pixel / 255 - mean) / std`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Normalization {
    /// Mean of the pixels on the scale 0..=1.
    pub mean: f32,
    /// Standard deviation of the pixels on the scale 0..=1.
    pub std: f32,
    /// Standard deviation, in levels of 0..=255, to which each picture is brought about a mean of 128
    /// before; 0 leaves pictures as they are.
    pub contrast: u32,
    /// Whether the colours of each picture are brought to one mean before that.
    pub balance: bool,
}

impl Normalization {
    /// By mean and deviation alone.
    pub const fn new(mean: f32, std: f32) -> Self {
        Self {
            mean,
            std,
            contrast: 0,
            balance: false,
        }
    }

    /// A picture of `channels` channels, of which three are balanced where that is asked for.
    pub fn balanced<'p>(&self, picture: &'p [u8], channels: usize) -> Cow<'p, [u8]> {
        match self.balance && channels == 3 {
            true => Cow::Owned(Balance::of(picture).levels(picture).collect()),
            false => Cow::Borrowed(picture),
        }
    }

    /// The network's input for each level of `picture`.
    pub fn table(&self, picture: &[u8]) -> [f32; 256] {
        let level = |level: u8| (f32::from(level) / 255.0 - self.mean) / self.std;
        contrast::table(picture, self.contrast).map(level)
    }
}

/// A network for inference, its nodes in an order in which they can be computed.
///
/// The output of the last node is the embedding.
#[derive(Clone, Debug, PartialEq)]
pub struct Graph {
    /// Channels, height and width of the picture.
    pub input: [usize; 3],
    /// How pixels become the input.
    pub normalization: Normalization,
    /// The steps.
    pub nodes: Vec<Node>,
    /// The values that patches are taken from, none if the network was not made for some: as the inputs
    /// of a [`Node`].
    pub taps: Vec<usize>,
}

/// A 1x1 convolution that makes patches of the values that [`Graph::taps`] names, the smaller maps
/// brought to the size of the largest and the vectors joined in that order.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// Weights, `[patch, channels of all maps]` row-major.
    pub weight: Vec<f32>,
    /// Bias, as long as a patch.
    pub bias: Vec<f32>,
}
