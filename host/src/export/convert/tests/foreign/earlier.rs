//! MLPerf Tiny's two networks, MobileNetV2 and SqueezeNet, with random weights.

use super::*;

/// A residual block's, a separable layer's and a fire module's parts.
impl File {
    /// A convolution after which a ReLU leaves values as large as they were (He et al. 2015).
    pub(super) fn even(
        &mut self,
        input: &str,
        dims: [i64; 4],
        stride: i64,
        group: i64,
    ) -> &mut Self {
        let (weight, bias) = (
            format!("w{}", self.nodes.len()),
            format!("b{}", self.nodes.len()),
        );
        let limit = (6.0 / (dims[1] * dims[2] * dims[3]) as f32).sqrt();
        self.random(&weight, &dims, -limit, limit)
            .random(&bias, &dims[..1], -0.1, 0.1);
        let attributes = vec![
            ints("pads", &[dims[2] / 2; 4]),
            ints("strides", &[stride; 2]),
            int("group", group),
        ];
        self.node_of("Conv", &[input, &weight, &bias], attributes)
    }

    pub(super) fn windowed(&mut self, out: i64, from: i64, side: i64, stride: i64) -> &mut Self {
        let last = self.last();
        self.even(&last, [out, from, side, side], stride, 1)
    }

    pub(super) fn depthwise(&mut self, channels: i64, stride: i64) -> &mut Self {
        self.depthwise_of(channels, 3, stride)
    }

    pub(super) fn depthwise_of(&mut self, channels: i64, side: i64, stride: i64) -> &mut Self {
        let last = self.last();
        self.even(&last, [channels, 1, side, side], stride, channels)
    }

    pub(super) fn relu(&mut self) -> &mut Self {
        self.node("Relu", &[], vec![])
    }

    pub(super) fn relu6(&mut self) -> &mut Self {
        self.node("Clip", &["zero", "six"], vec![])
    }

    /// The mean of each channel and a fully connected layer.
    pub(super) fn classify(&mut self, classes: i64, channels: i64) -> &mut Self {
        let limit = (3.0 / channels as f32).sqrt();
        self.random("dense", &[channels, classes], -limit, limit);
        self.node("GlobalAveragePool", &[], vec![])
            .node("Flatten", &[], vec![])
            .node("MatMul", &["dense"], vec![])
    }
}

/// MLPerf Tiny's image classification.
pub(super) fn resnet8() -> File {
    let mut file = File::new(3, 32, 32);
    file.windowed(16, 3, 3, 1).relu();
    let mut from = 16;
    for (out, stride) in [(16, 1), (32, 2), (64, 2)] {
        let input = file.last();
        file.windowed(out, from, 3, stride).relu();
        file.windowed(out, out, 3, 1);
        let path = file.last();
        let short = match stride {
            1 => input,
            _ => file.even(&input, [out, from, 1, 1], stride, 1).last(),
        };
        file.node_of("Add", &[&path, &short], vec![]).relu();
        from = out;
    }
    file.classify(10, 64);
    file
}

/// MLPerf Tiny's visual wake words: MobileNetV1 with a quarter of the channels.
pub(super) fn mobilenet_v1() -> File {
    let mut file = File::new(3, 96, 96);
    file.windowed(8, 3, 3, 2).relu();
    let mut from = 8;
    let layers = [
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
    for (out, stride) in layers {
        file.depthwise(from, stride).relu();
        file.windowed(out, from, 1, 1).relu();
        from = out;
    }
    file.classify(2, 256);
    file
}

/// MobileNetV2 with 0.35 of the channels.
pub(super) fn mobilenet_v2() -> File {
    let mut file = File::new(3, 96, 96);
    file.floats("zero", &[], vec![0.0])
        .floats("six", &[], vec![6.0]);
    file.windowed(16, 3, 3, 2).relu6();
    let mut from = 16;
    let stages = [
        (1, 8, 1, 1),
        (6, 8, 2, 2),
        (6, 16, 3, 2),
        (6, 24, 4, 2),
        (6, 32, 3, 1),
        (6, 56, 3, 2),
        (6, 112, 1, 1),
    ];
    for (widen, out, times, stride) in stages {
        for block in 0..times {
            let (input, stride) = (file.last(), if block == 0 { stride } else { 1 });
            let wide = from * widen;
            if widen > 1 {
                file.windowed(wide, from, 1, 1).relu6();
            }
            file.depthwise(wide, stride).relu6();
            file.windowed(out, wide, 1, 1);
            if stride == 1 && from == out {
                let path = file.last();
                file.node_of("Add", &[&input, &path], vec![]);
            }
            from = out;
        }
    }
    file.windowed(256, from, 1, 1).relu6();
    file.classify(100, 256);
    file
}

/// SqueezeNet 1.1 up to a classifier of 100.
pub(super) fn squeezenet() -> File {
    let mut file = File::new(3, 96, 96);
    file.conv([64, 3, 3, 3], vec![ints("strides", &[2; 2])])
        .relu();
    let pool = || vec![ints("kernel_shape", &[3; 2]), ints("strides", &[2; 2])];
    file.node("MaxPool", &[], pool());
    let mut from = 64;
    let fires = [
        (16, 64),
        (16, 64),
        (32, 128),
        (32, 128),
        (48, 192),
        (48, 192),
        (64, 256),
        (64, 256),
    ];
    for (index, (narrow, out)) in fires.into_iter().enumerate() {
        if index == 2 || index == 4 {
            file.node("MaxPool", &[], pool());
        }
        file.windowed(narrow, from, 1, 1).relu();
        let squeezed = file.last();
        let parts = [1, 3].map(|side| {
            file.even(&squeezed, [out, narrow, side, side], 1, 1)
                .relu()
                .last()
        });
        file.node_of("Concat", &[&parts[0], &parts[1]], vec![int("axis", 1)]);
        from = 2 * out;
    }
    file.windowed(100, from, 1, 1).relu();
    file.node("GlobalAveragePool", &[], vec![]);
    file
}
