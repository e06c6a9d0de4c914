//! Networks on which engines are compared.

use serde::Serialize;

/// A network to compare engines on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Benchmark {
    /// Four blocks of 3x3 convolution with 64 channels and 2x2 max pool, on 28x28 pixels.
    Conv4,
    /// Depthwise-separable, 16 to 128 channels, on 64x64 pixels.
    Separable,
    /// ResNet-8 of MLPerf Tiny's image classification, on 32x32 pixels.
    #[serde(rename = "resnet8")]
    ResNet8,
    /// MobileNetV1 with a quarter of the channels, of MLPerf Tiny's visual wake words, on 96x96 pixels.
    #[serde(rename = "mobilenet-v1")]
    MobileNetV1,
    /// MobileNetV2 with 0.35 of the channels, without its last convolution, on 96x96 pixels.
    #[serde(rename = "mobilenet-v2")]
    MobileNetV2,
}

impl Benchmark {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Conv4,
        Self::Separable,
        Self::ResNet8,
        Self::MobileNetV1,
        Self::MobileNetV2,
    ];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Conv4 => "conv4",
            Self::Separable => "separable",
            Self::ResNet8 => "resnet8",
            Self::MobileNetV1 => "mobilenet-v1",
            Self::MobileNetV2 => "mobilenet-v2",
        }
    }
}
