//! A network as a chain of blocks.

use burn::tensor::{Device, Tensor, TensorData};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::after;
use super::architecture::Chain;
pub use super::architecture::{After, Architecture, Averaged, End};
use super::block::{self, Activation, BlockShape, BlockWeights, Norm, Statistics};
use super::fake_quantized;
use super::graph::{Graph, Node, Normalization, Op};

/// Shape of a whole network.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// What it was made from.
    pub architecture: Architecture,
    /// Height and width of the picture.
    pub size: (usize, usize),
    /// Channels of the picture: 1 is grey, 3 has colours.
    pub channels: usize,
    /// Its blocks in order.
    pub blocks: Vec<BlockShape>,
    /// For each block the one whose input is added to its output, if any; its own is what the block before it
    /// gives.
    pub skips: Vec<Option<usize>>,
    /// For each block the one before it whose input it reads, if not what the block before it gives.
    pub reads: Vec<Option<usize>>,
    /// What follows each block.
    pub after: Vec<After>,
    /// The blocks whose outputs are maps that patches are taken from, the largest first; that is an eighth
    /// as high and wide as the picture, the next divide it.
    pub taps: Vec<usize>,
    /// What follows the last block.
    pub end: End,
    /// Whether weights and maps are rounded to eight bits on the way, as a board has them; gradients pass as if they
    /// were not.
    pub fake_quantized: bool,
}

/// Why there is no such network.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// The picture is too small.
    #[error(
        "a {height}x{width} picture is too small for {architecture:?}: nothing is left after block {block}; use at least 16x16"
    )]
    TooSmall {
        /// The network.
        architecture: Architecture,
        /// Height of the picture.
        height: usize,
        /// Width of the picture.
        width: usize,
        /// The block that leaves nothing.
        block: usize,
    },
    /// The picture is larger than any that is looked at.
    #[error("a {height}x{width} picture is too large: use at most {MAX_SIDE}x{MAX_SIDE}")]
    TooLarge {
        /// Height of the picture.
        height: usize,
        /// Width of the picture.
        width: usize,
    },
    /// There is nothing to learn, or more than a computer or a board has room for.
    #[error(
        "{architecture:?} is none for a board: give at least 1 channel, and so few that there are at most {MAX_PARAMETERS} parameters"
    )]
    Channels {
        /// The network.
        architecture: Architecture,
    },
}

/// Greatest side of a picture, in pixels.
const MAX_SIDE: usize = 1024;
/// Most learned numbers, a byte each on a board: what the largest has room for.
const MAX_PARAMETERS: usize = 16 << 20;

impl Plan {
    /// Lays out a network for grey pictures of `size` = (height, width).
    ///
    /// # Errors
    /// When the pools and steps leave no pixel, or the network is too large to be one.
    pub fn new(architecture: Architecture, size: (usize, usize)) -> Result<Self, PlanError> {
        Self::with_channels(architecture, size, 1)
    }

    /// The same for pictures of so many channels.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_channels(
        architecture: Architecture,
        size: (usize, usize),
        channels: usize,
    ) -> Result<Self, PlanError> {
        let (height, width) = size;
        if height.max(width) > MAX_SIDE {
            return Err(PlanError::TooLarge { height, width });
        }
        if !(1..=MAX_PARAMETERS).contains(&architecture.channels()) {
            return Err(PlanError::Channels { architecture });
        }
        let Chain {
            mut blocks,
            skips,
            reads,
            after,
            taps,
            end,
        } = architecture.chain(size);
        for (block, b) in blocks.iter_mut().enumerate() {
            if block == 0 || reads[block] == Some(0) {
                b.inputs = channels;
            }
        }
        for (block, b) in blocks.iter().enumerate() {
            let fits = |side: usize| side + 2 * b.padding >= b.kernel && side > 0;
            let (height, width) = after[block].size(b.result());
            if !fits(b.height) || !fits(b.width) || height == 0 || width == 0 {
                return Err(PlanError::TooSmall {
                    architecture,
                    height: size.0,
                    width: size.1,
                    block,
                });
            }
        }
        let plan = Self {
            architecture,
            size,
            channels,
            blocks,
            skips,
            reads,
            after,
            taps,
            end,
            fake_quantized: false,
        };
        if plan.parameters() > MAX_PARAMETERS {
            return Err(PlanError::Channels { architecture });
        }
        Ok(plan)
    }

    /// Values of a picture.
    pub fn picture_len(&self) -> usize {
        self.size.0 * self.size.1 * self.channels
    }

    /// Length of the embedding.
    pub fn embedding(&self) -> usize {
        self.blocks.last().map_or(0, |b| match self.end {
            End::Flat => b.result_len(),
            End::Mean | End::MeanAndMaximum => b.outputs,
        })
    }

    /// Rows and columns of the map that patches are taken from; `None` without one, or where another of
    /// [`Plan::taps`] does not divide it.
    pub fn places(&self) -> Option<(usize, usize)> {
        let mut sizes = self.taps.iter().map(|&block| self.blocks[block].result());
        let (height, width) = sizes.next()?;
        sizes
            .all(|(rows, columns)| height.is_multiple_of(rows) && height / rows * columns == width)
            .then_some((height, width))
    }

    /// Multiplications and additions for one picture.
    pub fn macs(&self) -> usize {
        self.blocks.iter().map(BlockShape::macs).sum()
    }

    /// Number of learned numbers.
    pub fn parameters(&self) -> usize {
        self.blocks
            .iter()
            .map(|b| b.weight_shape()[0] * b.outputs + 2 * b.outputs)
            .sum()
    }

    /// Weights drawn with variance 2 / fan-in (He et al. 2015), batch norm at the identity.
    pub fn init(&self, seed: u64, device: &Device) -> Weights {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let blocks = self.blocks.iter().map(|b| {
            let [rows, cols] = b.weight_shape();
            let deviation = (2.0 / rows as f32).sqrt();
            let data = (0..rows * cols)
                .map(|_| gaussian(&mut rng) * deviation)
                .collect::<Vec<f32>>();
            BlockWeights {
                weight: Tensor::from_data(TensorData::new(data, [rows, cols]), device),
                gamma: Tensor::ones([1, cols], device),
                beta: Tensor::zeros([1, cols], device),
            }
        });
        Weights(blocks.collect())
    }

    /// Embeds pictures `[n, height, width, channels]` with batch norm over this batch; returns
    /// `[n, embedding]` and each block's statistics.
    pub fn embed(&self, weights: &Weights, x: Tensor<4>) -> (Tensor<2>, Vec<Statistics>) {
        let embedded = self.run(weights, x, |_| Norm::Batch);
        (embedded.embeddings, embedded.statistics)
    }

    /// The same, with the maps that patches are taken from.
    pub fn embed_with_maps(&self, weights: &Weights, x: Tensor<4>) -> Embedded {
        self.run(weights, x, |_| Norm::Batch)
    }

    /// Embeds pictures with the statistics of training; the vector of a picture does not depend on
    /// its batch.
    pub fn embed_fixed(&self, weights: &Weights, stats: &[Statistics], x: Tensor<4>) -> Tensor<2> {
        self.run(weights, x, |i| Norm::Fixed(&stats[i])).embeddings
    }

    fn run<'a>(
        &self,
        weights: &Weights,
        mut x: Tensor<4>,
        norm: impl Fn(usize) -> Norm<'a>,
    ) -> Embedded {
        let mut pass = Pass::new(self);
        let mut stats = Vec::with_capacity(self.blocks.len());
        for (i, (shape, weights)) in self.blocks.iter().zip(&weights.0).enumerate() {
            let rounded = self.fake_quantized.then(|| weights.fake_quantized());
            let weights = rounded.as_ref().unwrap_or(weights);
            let (out, s) = block::forward(shape, weights, pass.before(i, x), norm(i));
            x = pass.after(i, out);
            if self.fake_quantized {
                x = fake_quantized::map(x);
            }
            stats.push(s);
        }
        Embedded {
            embeddings: self.end(x),
            maps: pass.maps,
            statistics: stats,
        }
    }

    /// The embedding, `[n, embedding]`, from what the last block gave.
    pub(super) fn end(&self, x: Tensor<4>) -> Tensor<2> {
        let [n, height, width, channels] = x.dims();
        if self.end == End::Flat {
            return x.permute([0, 3, 1, 2]).reshape([n, self.embedding()]);
        }
        let pixels = x.reshape([n, height * width, channels]);
        let mean = pixels.clone().mean_dim(1);
        let pooled = match self.end {
            End::MeanAndMaximum => mean + pixels.max_dim(1),
            _ => mean,
        };
        pooled.reshape([n, channels])
    }

    /// The network for inference, batch norm folded into the convolutions.
    pub fn fold(
        &self,
        weights: &Weights,
        stats: &[Statistics],
        normalization: Normalization,
    ) -> Graph {
        let mut nodes = Vec::new();
        let mut taps = Vec::new();
        // The value that each block reads.
        let mut starts = Vec::new();
        for (index, ((s, w), stats)) in self.blocks.iter().zip(&weights.0).zip(stats).enumerate() {
            starts.push(nodes.len());
            let mut from = self.reads[index].map_or(nodes.len(), |read| starts[read]);
            let mut push = |op| {
                let inputs = vec![from];
                nodes.push(Node { op, inputs });
                from = nodes.len();
            };
            let (scale, shift) = w.affine(stats);
            let scaled = vec(w.weight.clone() * scale);
            let inputs = if s.depthwise { 1 } else { s.inputs };
            let mut weight = vec![0.0; scaled.len()];
            for tap in 0..s.taps() {
                for i in 0..inputs {
                    for o in 0..s.outputs {
                        weight[(o * inputs + i) * s.taps() + tap] =
                            scaled[(tap * inputs + i) * s.outputs + o];
                    }
                }
            }
            push(Op::Conv {
                weight,
                bias: vec(shift),
                out: s.outputs,
                kernel: s.kernel,
                stride: s.stride,
                padding: [s.padding; 4],
                groups: if s.depthwise { s.inputs } else { 1 },
            });
            match s.activation {
                Activation::Linear => {}
                Activation::Relu => push(Op::Relu),
                Activation::Relu6 => push(Op::Relu6),
            }
            if s.pool {
                push(Op::MaxPool { size: 2 });
            }
            if let Some(from) = self.skips[index] {
                let inputs = vec![nodes.len(), starts[from]];
                nodes.push(Node {
                    op: Op::Add,
                    inputs,
                });
            }
            let After { leaky, pool } = self.after[index];
            let leaky = leaky.then_some(Op::LeakyRelu);
            let pool = pool.then_some(Op::MaxPool { size: 2 });
            for op in leaky.into_iter().chain(pool) {
                let inputs = vec![nodes.len()];
                nodes.push(Node { op, inputs });
            }
            if self.taps.contains(&index) {
                taps.push(nodes.len());
            }
        }
        let last = nodes.len();
        let mut push = |op, inputs| nodes.push(Node { op, inputs });
        if self.end != End::Flat {
            push(Op::GlobalAveragePool, vec![last]);
        }
        if self.end == End::MeanAndMaximum {
            push(Op::GlobalMaxPool, vec![last]);
            push(Op::Add, vec![last + 1, last + 2]);
        }
        let inputs = vec![nodes.len()];
        nodes.push(Node {
            op: Op::Flatten,
            inputs,
        });
        Graph {
            input: [self.channels, self.size.0, self.size.1],
            normalization,
            nodes,
            taps,
        }
    }
}

/// What a network gives.
#[derive(Clone, Debug)]
pub struct Embedded {
    /// `[n, embedding]`.
    pub embeddings: Tensor<2>,
    /// What the blocks of [`Plan::taps`] gave, `[n, height, width, channels]` each.
    pub maps: Vec<Tensor<4>>,
    /// What batch norm used in each block.
    pub statistics: Vec<Statistics>,
}

/// What is added further on, on the way through a network.
pub(super) struct Pass<'a> {
    plan: &'a Plan,
    inputs: Vec<Option<Tensor<4>>>,
    maps: Vec<Tensor<4>>,
}

impl<'a> Pass<'a> {
    pub(super) fn new(plan: &'a Plan) -> Self {
        Self {
            plan,
            inputs: vec![None; plan.blocks.len()],
            maps: Vec::new(),
        }
    }

    /// The input of block `index`, where the block before it gave `x`, which is kept if another reads it or adds
    /// it to its output.
    pub(super) fn before(&mut self, index: usize, x: Tensor<4>) -> Tensor<4> {
        let is_kept = |by: &[Option<usize>]| by.contains(&Some(index));
        if is_kept(&self.plan.skips) || is_kept(&self.plan.reads) {
            self.inputs[index] = Some(x.clone());
        }
        let read = self.plan.reads[index].and_then(|from| self.inputs[from].clone());
        read.unwrap_or(x)
    }

    /// What block `index` gave with what is added to it, where something follows that.
    pub(super) fn sum(&self, index: usize, out: &Tensor<4>) -> Option<Tensor<4>> {
        if self.plan.after[index] == After::default() {
            return None;
        }
        let skipped = self.plan.skips[index].and_then(|from| self.inputs[from].clone());
        Some(match skipped {
            Some(x) => out.clone() + x,
            None => out.clone(),
        })
    }

    /// What follows block `index`, which gave `out`.
    pub(super) fn after(&mut self, index: usize, out: Tensor<4>) -> Tensor<4> {
        let skipped = self.plan.skips[index].and_then(|from| self.inputs[from].take());
        let out = match skipped {
            Some(x) => out + x,
            None => out,
        };
        let out = after::forward(self.plan.after[index], out);
        if self.plan.taps.contains(&index) {
            self.maps.push(out.clone());
        }
        out
    }
}

fn vec(tensor: Tensor<2>) -> Vec<f32> {
    tensor
        .into_data()
        .try_to_vec()
        .expect("weights are float32")
}

/// A standard normal number (Box and Muller 1958).
pub(crate) fn gaussian(rng: &mut ChaCha8Rng) -> f32 {
    let (u, v): (f64, f64) = (1.0 - rng.random::<f64>(), rng.random());
    ((-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()) as f32
}

/// Learned numbers of all blocks.
#[derive(Clone, Debug)]
pub struct Weights(pub Vec<BlockWeights>);

impl Weights {
    /// Every tensor, in a fixed order.
    pub fn tensors(&self) -> impl Iterator<Item = &Tensor<2>> {
        self.0.iter().flat_map(|b| [&b.weight, &b.gamma, &b.beta])
    }

    /// The same network with each tensor replaced by `f`'s, in the order of [`Weights::tensors`].
    pub fn map(self, mut f: impl FnMut(Tensor<2>) -> Tensor<2>) -> Self {
        let map = |b: BlockWeights| BlockWeights {
            weight: f(b.weight),
            gamma: f(b.gamma),
            beta: f(b.beta),
        };
        Self(self.0.into_iter().map(map).collect())
    }
}
