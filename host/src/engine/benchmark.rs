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
}

impl Benchmark {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Conv4, Self::Separable];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Conv4 => "conv4",
            Self::Separable => "separable",
        }
    }
}
