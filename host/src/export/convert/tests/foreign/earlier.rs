//! SqueezeNet with random weights, and what its kind is made of.

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
