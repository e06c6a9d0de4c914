//! The families of networks, and the blocks that each is a chain of.

use serde::{Deserialize, Serialize};
use sudal_firmware::heads::MAX_DIM;

use super::block::{Activation, BlockShape};

/// What kind of network, and how wide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Architecture {
    /// Four blocks of 3x3 convolution, batch norm, ReLU and 2x2 max pool (Vinyals et al. 2016,
    /// Snell et al. 2017). At 28x28 the embedding has `channels` numbers.
    Conv4 {
        /// Channels of every block; 64 in the papers.
        channels: usize,
    },
    /// The same with a fifth block: an embedding of `channels` numbers for 32x32 to 63x63, where no
    /// pool drops a border.
    Conv5 {
        /// Channels of every block; 58 keep the weights below 128 KiB.
        channels: usize,
    },
    /// Depthwise-separable convolutions after one 3x3 convolution of step 2, ending in a global
    /// average (after MobileNet, Howard et al. 2017): few weights, little memory.
    Separable {
        /// Channels of the first block; the last has eight times as many, but no more than a
        /// device keeps of a shot ([`MAX_DIM`]).
        channels: usize,
    },
    /// Depthwise-separable convolutions and inverted residuals (MobileNetV2, Sandler et al. 2018).
    Residual {
        /// Channels of the first block; the map has six times as many, the embedding eight times, but
        /// no more than a device keeps of a shot ([`MAX_DIM`]).
        channels: usize,
    },
    /// Seven of the first nine blocks of EfficientNet-Lite0 (Tan and Le 2019, Liu 2020): inverted residuals
    /// with ReLU6 and kernels of 3x3 and 5x5. Published weights can be started from.
    Lite {
        /// Channels of the first block, 32 as published; the embedding has 3.5 times as many, but no more
        /// than a device keeps of a shot ([`MAX_DIM`]).
        channels: usize,
    },
    /// One that ends in a global average, whose embedding is the sum of it and of the greatest value of each
    /// channel: what a picture shows anywhere counts as much as what it shows everywhere.
    Peaked {
        /// Which one.
        of: Averaged,
        /// Its channels.
        channels: usize,
    },
    /// Four residual stages of three 3x3 convolutions with a 1x1 convolution around them (ResNet-12, Lee et al.
    /// 2019), ending in a global average: a teacher, much too large for a board.
    Resnet12 {
        /// Channels of the first stage; the next have 2.5, 5 and 10 times as many. 64 in the paper.
        channels: usize,
    },
}

/// The networks that end in a global average.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Averaged {
    /// [`Architecture::Separable`].
    Separable,
    /// [`Architecture::Residual`].
    Residual,
    /// [`Architecture::Lite`].
    Lite,
}

impl After {
    /// Rows and columns of what comes out.
    pub(super) fn size(self, (height, width): (usize, usize)) -> (usize, usize) {
        match self.pool {
            true => (height / 2, width / 2),
            false => (height, width),
        }
    }
}

impl Averaged {
    /// The network.
    #[must_use]
    pub const fn network(self, channels: usize) -> Architecture {
        match self {
            Self::Separable => Architecture::Separable { channels },
            Self::Residual => Architecture::Residual { channels },
            Self::Lite => Architecture::Lite { channels },
        }
    }
}

/// How the embedding is made of what the last block gives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum End {
    /// All values, channels first, as ONNX flattens.
    #[default]
    Flat,
    /// The mean of each channel.
    Mean,
    /// The sum of the mean and the greatest value of each channel.
    MeanAndMaximum,
}

/// What is done to the output of a block, after what is added to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct After {
    /// Values below 0 are made a tenth.
    pub leaky: bool,
    /// A 2x2 max pool of step 2 follows.
    pub pool: bool,
}

/// Stages of an EfficientNet: how many blocks, side of the kernel, stride of the first block, how many
/// times as many channels within a block, channels of the result in parts of eight of the first block's.
const LITE: [(usize, usize, usize, usize, usize); 5] = [
    (1, 3, 1, 1, 4),
    (2, 3, 2, 6, 6),
    (2, 5, 2, 6, 10),
    (1, 3, 2, 6, 20),
    (1, 5, 1, 6, 28),
];
/// The stages of it whose results are maps that patches are taken from.
const LITE_TAPS: [usize; 2] = [2, 4];

/// Inverted residuals before the map of a [`Architecture::Residual`] network.
const INVERTED: usize = 3;

/// What a network is made of.
#[derive(Default)]
pub(super) struct Chain {
    pub(super) blocks: Vec<BlockShape>,
    pub(super) skips: Vec<Option<usize>>,
    pub(super) reads: Vec<Option<usize>>,
    pub(super) after: Vec<After>,
    pub(super) taps: Vec<usize>,
    pub(super) end: End,
}

impl Chain {
    /// Adds a block with batch norm and a ReLU; padded so that a kernel of step 1 keeps the size.
    fn push(&mut self, size: (usize, usize), outputs: usize, kernel: usize, stride: usize) {
        let ((height, width), inputs) = match (self.blocks.last(), self.after.last()) {
            (Some(b), Some(after)) => (after.size(b.result()), b.outputs),
            _ => (size, 1),
        };
        self.blocks.push(BlockShape {
            height,
            width,
            inputs,
            outputs,
            kernel,
            stride,
            padding: kernel / 2,
            depthwise: false,
            activation: Activation::Relu,
            pool: false,
        });
        self.skips.push(None);
        self.reads.push(None);
        self.after.push(After::default());
    }

    /// Three convolutions, a 1x1 convolution of what they read added to what they give, and a max pool.
    fn stage(&mut self, size: (usize, usize), outputs: usize) {
        let first = self.blocks.len();
        for block in 0..3 {
            self.push(size, outputs, 3, 1);
            self.last().activation = Activation::Linear;
            self.after[first + block].leaky = block < 2;
        }
        let inputs = self.blocks[first].inputs;
        self.push(size, outputs, 1, 1);
        self.last().activation = Activation::Linear;
        self.last().inputs = inputs;
        self.reads[first + 3] = Some(first);
        self.skips[first + 3] = Some(first + 3);
        self.after[first + 3] = After {
            leaky: true,
            pool: true,
        };
    }

    /// A kernel for each channel.
    fn depthwise(&mut self, size: (usize, usize), kernel: usize, stride: usize) {
        let channels = self.blocks.last().map_or(1, |b| b.outputs);
        self.push(size, channels, kernel, stride);
        self.last().depthwise = true;
    }

    fn last(&mut self) -> &mut BlockShape {
        self.blocks.last_mut().expect("a block was added")
    }

    /// The last block has no ReLU, and the input of the block `over` before the end is added to it.
    fn skip(&mut self, over: usize) {
        self.last().activation = Activation::Linear;
        let from = self.blocks.len() - over;
        *self.skips.last_mut().expect("a block was added") = Some(from);
    }
}

impl Architecture {
    /// As it was asked for.
    pub fn channels(self) -> usize {
        match self {
            Self::Conv4 { channels }
            | Self::Conv5 { channels }
            | Self::Separable { channels }
            | Self::Residual { channels }
            | Self::Lite { channels }
            | Self::Peaked { channels, .. }
            | Self::Resnet12 { channels } => channels,
        }
    }

    /// What it is made of for a grey picture of `size` = (height, width).
    pub(super) fn chain(self, size: (usize, usize)) -> Chain {
        let mut chain = Chain::default();
        match self {
            Self::Conv4 { channels } | Self::Conv5 { channels } => {
                let count = if matches!(self, Self::Conv4 { .. }) {
                    4
                } else {
                    5
                };
                for _ in 0..count {
                    chain.push(size, channels, 3, 1);
                    chain.last().pool = true;
                }
            }
            Self::Separable { channels: c } => {
                chain.push(size, c, 3, 2);
                let widths = [2 * c, 4 * c, 8 * c, 8 * c, (8 * c).min(MAX_DIM)];
                for (stride, outputs) in [1, 2, 2, 1, 2].into_iter().zip(widths) {
                    chain.depthwise(size, 3, stride);
                    chain.push(size, outputs, 1, 1);
                }
                chain.taps.push(chain.blocks.len() - 3);
                chain.end = End::Mean;
            }
            Self::Residual { channels: c } => {
                chain.push(size, c, 3, 2);
                chain.depthwise(size, 3, 2);
                chain.push(size, 2 * c, 1, 1);
                for _ in 0..2 {
                    chain.depthwise(size, 3, 1);
                    chain.push(size, 2 * c, 1, 1);
                    chain.skip(2);
                }
                chain.depthwise(size, 3, 2);
                chain.push(size, 6 * c, 1, 1);
                chain.last().activation = Activation::Linear;
                for _ in 0..INVERTED {
                    chain.push(size, 12 * c, 1, 1);
                    chain.depthwise(size, 3, 1);
                    chain.push(size, 6 * c, 1, 1);
                    chain.skip(3);
                }
                chain.taps.push(chain.blocks.len() - 1);
                chain.depthwise(size, 3, 2);
                chain.push(size, 12 * c, 1, 1);
                chain.depthwise(size, 3, 1);
                chain.push(size, (8 * c).min(MAX_DIM), 1, 1);
                chain.end = End::Mean;
            }
            Self::Lite { channels: c } => {
                chain.push(size, c, 3, 2);
                for (stage, (count, kernel, stride, expansion, eighths)) in
                    LITE.into_iter().enumerate()
                {
                    let outputs = (c * eighths / 8).clamp(1, MAX_DIM);
                    for block in 0..count {
                        let inputs = chain.last().outputs;
                        if expansion > 1 {
                            chain.push(size, expansion * inputs, 1, 1);
                        }
                        chain.depthwise(size, kernel, if block == 0 { stride } else { 1 });
                        chain.push(size, outputs, 1, 1);
                        chain.last().activation = Activation::Linear;
                        if block > 0 {
                            chain.skip(3);
                        }
                    }
                    if LITE_TAPS.contains(&stage) {
                        chain.taps.push(chain.blocks.len() - 1);
                    }
                }
                for block in &mut chain.blocks {
                    if block.activation == Activation::Relu {
                        block.activation = Activation::Relu6;
                    }
                }
                chain.end = End::Mean;
            }
            Self::Peaked { of, channels } => {
                chain = of.network(channels).chain(size);
                chain.end = End::MeanAndMaximum;
            }
            Self::Resnet12 { channels: c } => {
                for outputs in [c, 5 * c / 2, 5 * c, 10 * c] {
                    chain.stage(size, outputs);
                }
                chain.end = End::Mean;
            }
        }
        chain
    }
}
