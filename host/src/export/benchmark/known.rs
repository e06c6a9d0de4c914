//! Networks that others publish figures of, for grey pictures or such with colours, with random weights.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::nets::graph::{Graph, Node, Normalization, Op};

/// Of all that is random in the networks on which engines are compared.
pub(super) const SEED: u64 = 1;
pub(super) const NORMALIZATION: Normalization = Normalization::new(0.5, 0.29);

/// A network in the making.
pub(in crate::export) struct Known {
    graph: Graph,
    rng: ChaCha8Rng,
}

impl Known {
    fn new(channels: usize, side: usize) -> Self {
        Self {
            graph: Graph {
                input: [channels, side, side],
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
    pub(in crate::export) fn then(&mut self, op: Op) -> &mut Self {
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
        let (weight, bias) = (self.random(out * taps, limit), self.random(out, 0.1));
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

    fn random(&mut self, count: usize, limit: f32) -> Vec<f32> {
        let numbers = (0..count).map(|_| self.rng.random_range(-limit..limit));
        numbers.collect()
    }

    pub(in crate::export) fn windowed(
        &mut self,
        channels: [usize; 2],
        kernel: usize,
        stride: usize,
    ) -> &mut Self {
        self.conv(self.last(), channels, kernel, stride, 1);
        self
    }

    fn depthwise(&mut self, channels: usize, stride: usize) -> &mut Self {
        self.conv(self.last(), [channels; 2], 3, stride, channels);
        self
    }

    /// The mean of each channel.
    pub(in crate::export) fn end(mut self) -> Graph {
        self.then(Op::GlobalAveragePool).then(Op::Flatten);
        self.graph
    }

    /// That, and a fully connected layer.
    #[cfg(test)]
    pub(in crate::export) fn classify(mut self, [from, out]: [usize; 2]) -> Graph {
        self.then(Op::GlobalAveragePool).then(Op::Flatten);
        let limit = (3.0 / from as f32).sqrt();
        let (weight, bias) = (self.random(out * from, limit), vec![0.0; out]);
        self.then(Op::Linear { weight, bias, out });
        self.graph
    }
}

/// MLPerf Tiny's image classification.
pub(in crate::export) fn resnet8(channels: usize) -> Known {
    let mut net = Known::new(channels, 32);
    net.windowed([channels, 16], 3, 1).then(Op::Relu);
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
    net
}

/// MLPerf Tiny's visual wake words: MobileNetV1 with a quarter of the channels (Howard et al. 2017).
pub(in crate::export) fn mobilenet_v1(channels: usize) -> Known {
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
    let mut net = Known::new(channels, 96);
    net.windowed([channels, 8], 3, 2).then(Op::Relu);
    let mut from = 8;
    for (out, stride) in LAYERS {
        net.depthwise(from, stride).then(Op::Relu);
        net.windowed([from, out], 1, 1).then(Op::Relu);
        from = out;
    }
    net
}

/// MobileNetV2 with 0.35 of the channels (Sandler et al. 2018), without its last convolution.
pub(in crate::export) fn mobilenet_v2(channels: usize) -> Known {
    const STAGES: [(usize, usize, usize, usize); 7] = [
        (1, 8, 1, 1),
        (6, 8, 2, 2),
        (6, 16, 3, 2),
        (6, 24, 4, 2),
        (6, 32, 3, 1),
        (6, 56, 3, 2),
        (6, 112, 1, 1),
    ];
    let mut net = Known::new(channels, 96);
    net.windowed([channels, 16], 3, 2).then(Op::Relu6);
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
    net
}
