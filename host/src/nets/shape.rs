//! Sizes and weights of a block.

use burn::tensor::Tensor;

use super::fake_quantized;

/// Added to the variance of batch norm.
pub(crate) const EPSILON: f32 = 1e-5;

/// What is done to each value after batch norm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Activation {
    /// Nothing.
    Linear,
    /// `max(x, 0)`.
    Relu,
    /// `min(max(x, 0), 6)` (MobileNet, Howard et al. 2017): its few bits lose little.
    Relu6,
}

impl Activation {
    /// Least and greatest value that it leaves.
    pub(crate) fn limits(self) -> (f32, f32) {
        match self {
            Self::Linear => (f32::NEG_INFINITY, f32::INFINITY),
            Self::Relu => (0.0, f32::INFINITY),
            Self::Relu6 => (0.0, 6.0),
        }
    }
}

/// Sizes of a block; pictures are `[n, height, width, channels]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BlockShape {
    /// Height of the input in pixels.
    pub height: usize,
    /// Width of the input in pixels.
    pub width: usize,
    /// Channels of the input.
    pub inputs: usize,
    /// Channels of the output; as many as `inputs` when `depthwise`.
    pub outputs: usize,
    /// Side of the square kernel in pixels.
    pub kernel: usize,
    /// Step of the kernel in pixels.
    pub stride: usize,
    /// Zero pixels added on every side.
    pub padding: usize,
    /// Whether each channel has a kernel of its own.
    pub depthwise: bool,
    /// What follows batch norm.
    pub activation: Activation,
    /// Whether a 2x2 max pool of step 2 follows.
    pub pool: bool,
}

impl BlockShape {
    /// Height of the convolution's output, before the pool.
    pub fn out_height(&self) -> usize {
        (self.height + 2 * self.padding).saturating_sub(self.kernel) / self.stride + 1
    }

    /// Width of the convolution's output, before the pool.
    pub fn out_width(&self) -> usize {
        (self.width + 2 * self.padding).saturating_sub(self.kernel) / self.stride + 1
    }

    /// Height and width of the block's output.
    pub fn result(&self) -> (usize, usize) {
        let by = if self.pool { 2 } else { 1 };
        (self.out_height() / by, self.out_width() / by)
    }

    /// Pixels of the convolution's output.
    pub(crate) fn out_pixels(&self) -> usize {
        self.out_height() * self.out_width()
    }

    /// Numbers in one input picture.
    pub(crate) fn in_len(&self) -> usize {
        self.height * self.width * self.inputs
    }

    /// Numbers in one output picture.
    pub(crate) fn result_len(&self) -> usize {
        self.result().0 * self.result().1 * self.outputs
    }

    /// Pixels under the kernel.
    pub(crate) fn taps(&self) -> usize {
        self.kernel * self.kernel
    }

    /// Whether the input is its own unfolding.
    pub(crate) fn is_pointwise(&self) -> bool {
        self.kernel == 1 && self.stride == 1 && self.padding == 0
    }

    /// Rows and columns of the weights: `[kernel * kernel * inputs, outputs]`, for a depthwise
    /// block `[kernel * kernel, outputs]`.
    pub fn weight_shape(&self) -> [usize; 2] {
        let inputs = if self.depthwise { 1 } else { self.inputs };
        [self.taps() * inputs, self.outputs]
    }

    /// Multiplications and additions for one picture.
    pub fn macs(&self) -> usize {
        self.out_pixels() * self.weight_shape()[0] * self.outputs
    }
}

/// Learned numbers of a block.
#[derive(Clone, Debug)]
pub struct BlockWeights {
    /// Kernel, [`BlockShape::weight_shape`].
    pub weight: Tensor<2>,
    /// Scale of batch norm, `[1, outputs]`.
    pub gamma: Tensor<2>,
    /// Shift of batch norm, `[1, outputs]`.
    pub beta: Tensor<2>,
}

impl BlockWeights {
    /// Batch norm as one map `y * scale + shift`, `[1, outputs]` each.
    pub fn affine(&self, stats: &Statistics) -> (Tensor<2>, Tensor<2>) {
        let deviation = (stats.variance.clone() + EPSILON).sqrt();
        let scale = self.gamma.clone() / deviation;
        let shift = self.beta.clone() - stats.mean.clone() * scale.clone();
        (scale, shift)
    }

    /// The same with its weights rounded to eight bits, if gradients don't know of it.
    pub(super) fn fake_quantized(&self) -> Self {
        Self {
            weight: fake_quantized::weights(self.weight.clone()),
            ..self.clone()
        }
    }
}

/// Mean and biased variance per channel, `[1, outputs]` each.
#[derive(Clone, Debug)]
pub struct Statistics {
    /// Mean.
    pub mean: Tensor<2>,
    /// Variance.
    pub variance: Tensor<2>,
}
