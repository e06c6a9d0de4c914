//! Networks that others publish figures of, for grey pictures, with random weights.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::nets::graph::{Graph, Node, Normalization, Op};

/// Of all that is random in the networks on which engines are compared.
pub(super) const SEED: u64 = 1;
pub(super) const NORMALIZATION: Normalization = Normalization::new(0.5, 0.29);

/// A network in the making.
struct Known {
    graph: Graph,
    rng: ChaCha8Rng,
}

impl Known {
    fn new(side: usize) -> Self {
        Self {
            graph: Graph {
                input: [1, side, side],
                normalization: NORMALIZATION,
                nodes: Vec::new(),
                taps: Vec::new(),
            },
            rng: ChaCha8Rng::seed_from_u64(SEED),
        }
    }

    /// The value that was computed last.
    fn last(&self) -> usize {
        self.graph.nodes.len()
    }

    fn node(&mut self, op: Op, inputs: &[usize]) -> usize {
        let inputs = inputs.to_vec();
        self.graph.nodes.push(Node { op, inputs });
        self.last()
    }

    /// After the last value.
    fn then(&mut self, op: Op) -> &mut Self {
        self.node(op, &[self.last()]);
        self
    }

    /// A convolution after which a ReLU leaves values as large as they were (He et al. 2015).
    fn conv(
        &mut self,
        input: usize,
        [from, out]: [usize; 2],
        kernel: usize,
        stride: usize,
        groups: usize,
    ) -> usize {
        let taps = from / groups * kernel * kernel;
        let limit = (6.0 / taps as f32).sqrt();
        let mut random = |count, limit: f32| {
            (0..count)
                .map(|_| self.rng.random_range(-limit..limit))
                .collect()
        };
        let (weight, bias) = (random(out * taps, limit), random(out, 0.1));
        let op = Op::Conv {
            weight,
            bias,
            out,
            kernel,
            stride,
            padding: [kernel / 2; 4],
            groups,
        };
        self.node(op, &[input])
    }

    fn windowed(&mut self, channels: [usize; 2], kernel: usize, stride: usize) -> &mut Self {
        self.conv(self.last(), channels, kernel, stride, 1);
        self
    }

    fn depthwise(&mut self, channels: usize, stride: usize) -> &mut Self {
        self.conv(self.last(), [channels; 2], 3, stride, channels);
        self
    }

    /// The mean of each channel.
    fn end(mut self) -> Graph {
        self.then(Op::GlobalAveragePool).then(Op::Flatten);
        self.graph
    }
}

/// MLPerf Tiny's image classification.
pub(super) fn resnet8() -> Graph {
    let mut net = Known::new(32);
    net.windowed([1, 16], 3, 1).then(Op::Relu);
    let mut from = 16;
    for (out, stride) in [(16, 1), (32, 2), (64, 2)] {
        let input = net.last();
        net.windowed([from, out], 3, stride).then(Op::Relu);
        let path = net.windowed([out, out], 3, 1).last();
        let short = match stride {
            1 => input,
            _ => net.conv(input, [from, out], 1, stride, 1),
        };
        net.node(Op::Add, &[path, short]);
        net.then(Op::Relu);
        from = out;
    }
    net.end()
}

/// MLPerf Tiny's visual wake words: MobileNetV1 with a quarter of the channels (Howard et al. 2017).
pub(super) fn mobilenet_v1() -> Graph {
    const LAYERS: [(usize, usize); 13] = [
        (16, 1),
        (32, 2),
        (32, 1),
        (64, 2),
        (64, 1),
        (128, 2),
        (128, 1),
        (128, 1),
        (128, 1),
        (128, 1),
        (128, 1),
        (256, 2),
        (256, 1),
    ];
    let mut net = Known::new(96);
    net.windowed([1, 8], 3, 2).then(Op::Relu);
    let mut from = 8;
    for (out, stride) in LAYERS {
        net.depthwise(from, stride).then(Op::Relu);
        net.windowed([from, out], 1, 1).then(Op::Relu);
        from = out;
    }
    net.end()
}

/// MobileNetV2 with 0.35 of the channels (Sandler et al. 2018), without its last convolution.
pub(super) fn mobilenet_v2() -> Graph {
    const STAGES: [(usize, usize, usize, usize); 7] = [
        (1, 8, 1, 1),
        (6, 8, 2, 2),
        (6, 16, 3, 2),
        (6, 24, 4, 2),
        (6, 32, 3, 1),
        (6, 56, 3, 2),
        (6, 112, 1, 1),
    ];
    let mut net = Known::new(96);
    net.windowed([1, 16], 3, 2).then(Op::Relu6);
    let mut from = 16;
    for (widen, out, times, first_stride) in STAGES {
        for block in 0..times {
            let input = net.last();
            let stride = if block == 0 { first_stride } else { 1 };
            let wide = from * widen;
            if widen > 1 {
                net.windowed([from, wide], 1, 1).then(Op::Relu6);
            }
            net.depthwise(wide, stride).then(Op::Relu6);
            let path = net.windowed([wide, out], 1, 1).last();
            if stride == 1 && from == out {
                net.node(Op::Add, &[input, path]);
            }
            from = out;
        }
    }
    net.end()
}
