//! The network between the ONNX file and the image: float32, channels last, the batch left out.

use super::{curve::Unary, quantization::Quantization};

/// One tensor's height, width and channels; vectors are `1 x 1 x length`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) channels: usize,
}

impl Shape {
    /// A vector.
    pub(super) fn vector(length: usize) -> Self {
        Self {
            height: 1,
            width: 1,
            channels: length,
        }
    }

    /// Number of values, which is the number of bytes as int8.
    pub(super) fn len(self) -> usize {
        self.height * self.width * self.channels
    }

    /// Number of pixels.
    pub(super) fn pixels(self) -> usize {
        self.height * self.width
    }
}

impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.pixels() == 1 {
            write!(f, "{}", self.channels)
        } else {
            write!(f, "{}x{}x{}", self.height, self.width, self.channels)
        }
    }
}

/// Where a convolution or a pool looks, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    /// Height and width.
    pub(super) kernel: [usize; 2],
    /// Steps down and right.
    pub(super) stride: [usize; 2],
    /// Padding at the top, left, bottom and right.
    pub(super) pads: [usize; 4],
}

impl Window {
    /// One window over a whole tensor.
    pub(super) fn whole(shape: Shape) -> Self {
        Self {
            kernel: [shape.height, shape.width],
            stride: [1, 1],
            pads: [0; 4],
        }
    }

    /// Height and width of what comes out; `None` where the window is larger than the padded input.
    pub(super) fn output(&self, input: Shape) -> Option<[usize; 2]> {
        let side = |size: usize, axis: usize| {
            let padded = size + self.pads[axis] + self.pads[axis + 2];
            Some(padded.checked_sub(self.kernel[axis])? / self.stride[axis] + 1)
        };
        Some([side(input.height, 0)?, side(input.width, 1)?])
    }

    /// Number of pixels in the window.
    pub(super) fn area(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }
}

/// A convolution; fully connected layers are convolutions whose window is the whole input.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Conv {
    /// Weights, `[out, kernel height, kernel width, in / groups]` row-major.
    pub(super) weight: Vec<f32>,
    /// Bias, `[out]`.
    pub(super) bias: Vec<f32>,
    pub(super) window: Window,
    pub(super) groups: usize,
    /// The scale of each output channel's weights where the file has them in integers.
    pub(super) scales: Option<Vec<f32>>,
    /// Whether a 2x2 max pool follows as part of this layer.
    pub(super) pool: bool,
}

impl Conv {
    /// Number of output channels.
    pub(super) fn out(&self) -> usize {
        self.bias.len()
    }

    /// Weights of one output channel.
    pub(super) fn row(&self, channel: usize) -> &[f32] {
        let taps = self.taps();
        &self.weight[channel * taps..][..taps]
    }

    /// Number of weights of one output channel.
    pub(super) fn taps(&self) -> usize {
        self.weight.len() / self.out()
    }

    /// Input channels that each output channel reads.
    pub(super) fn group_inputs(&self) -> usize {
        self.taps() / self.window.area()
    }
}

/// What a layer computes.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Op {
    /// Convolution or fully connected.
    Conv(Conv),
    /// Greatest value of each window; padding never wins.
    MaxPool(Window),
    /// Mean of each window, padding counting as zeros.
    AveragePool(Window),
    /// Sum of two tensors.
    Add,
    /// Product of two tensors, the second of the first's shape or one value for each of its channels.
    Multiply,
    /// Channels of the input by their numbers.
    Gather(Vec<usize>),
    /// `scale * x + offset` per channel; gone after simplification.
    Affine {
        /// Factors, one for each channel.
        scale: Vec<f32>,
        /// Summands, one for each channel.
        offset: Vec<f32>,
    },
    /// Zeros around the picture: top, left, bottom, right; gone after simplification.
    Pad([usize; 4]),
    /// To one vector in the order channel, height, width.
    Flatten,
    /// To one vector in the order in which the values lie: height, width, channel.
    View,
    /// The channels of each pixel scaled to unit length.
    Normalize,
    /// Rows and columns repeated n times, down and right.
    Upsample([usize; 2]),
    /// A function of each value.
    Unary(Unary),
    /// The channels of two tensors behind one another.
    Concat,
    /// Nothing but the limits of the layer.
    Clamp,
}

/// A step of the network.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Layer {
    /// Name of the node in the file.
    pub(super) name: String,
    pub(super) op: Op,
    /// The values read: 0 is the picture, `i` the output of layer `i - 1`.
    pub(super) inputs: Vec<usize>,
    pub(super) shape: Shape,
    /// Least and greatest value that comes out.
    pub(super) limits: [f32; 2],
    /// The quantisation of what comes out, where the file gives it.
    pub(super) given: Option<Quantization>,
}

/// Limits that hold nothing back.
pub(super) const NO_LIMITS: [f32; 2] = [f32::NEG_INFINITY, f32::INFINITY];

/// Layers in an order in which they can be computed; the last one gives the embedding, and another one
/// may give the patches.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Network {
    pub(super) input: Shape,
    /// For each channel of the picture the factor and the summand that the file itself applies to
    /// the normalised pixels.
    pub(super) input_affine: Vec<[f32; 2]>,
    /// The quantisation of the picture, where the file gives it.
    pub(super) given: Option<Quantization>,
    pub(super) layers: Vec<Layer>,
    /// The value that is the map of patches.
    pub(super) patches: Option<usize>,
}

impl Network {
    /// Shape of a value.
    pub(super) fn shape(&self, value: usize) -> Shape {
        if value == 0 {
            self.input
        } else {
            self.layers[value - 1].shape
        }
    }

    /// The quantisation of a value, where the file gives it.
    pub(super) fn given(&self, value: usize) -> Option<Quantization> {
        match value.checked_sub(1) {
            Some(index) => self.layers[index].given,
            None => self.given,
        }
    }

    /// Gives a value a quantisation.
    pub(super) fn give(&mut self, value: usize, given: Option<Quantization>) {
        match value.checked_sub(1) {
            Some(index) => self.layers[index].given = given,
            None => self.given = given,
        }
    }

    /// Number of values that the file gives a quantisation.
    pub(super) fn given_scales(&self) -> usize {
        let values = 0..=self.layers.len();
        values.filter(|&value| self.given(value).is_some()).count()
    }

    /// Puts a layer before layer `index`; those that read the values behind still do.
    pub(super) fn insert(&mut self, index: usize, layer: Layer) {
        let inputs = self.layers.iter_mut().flat_map(|layer| &mut layer.inputs);
        for value in inputs
            .chain(&mut self.patches)
            .filter(|value| **value > index)
        {
            *value += 1;
        }
        self.layers.insert(index, layer);
    }

    /// Whether a value is the embedding or the patches.
    pub(super) fn is_output(&self, value: usize) -> bool {
        value == self.layers.len() || self.patches == Some(value)
    }

    /// How many times a value is read, the embedding and the patches once more.
    pub(super) fn uses(&self, value: usize) -> usize {
        let reads = self.layers.iter().flat_map(|layer| &layer.inputs);
        reads.filter(|&&input| input == value).count()
            + usize::from(value == self.layers.len())
            + usize::from(self.patches == Some(value))
    }

    /// Which layers the embedding depends on.
    pub(super) fn behind_embedding(&self) -> Vec<bool> {
        let mut needed = vec![false; self.layers.len()];
        if let Some(last) = needed.last_mut() {
            *last = true;
        }
        for index in (0..self.layers.len())
            .rev()
            .filter(|_| self.patches.is_some())
        {
            if needed[index] {
                for input in &self.layers[index].inputs {
                    if let Some(before) = input.checked_sub(1) {
                        needed[before] = true;
                    }
                }
            }
        }
        needed
    }
}
