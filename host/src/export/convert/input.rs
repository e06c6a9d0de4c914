//! From the pixels of a frame to what the network takes.

use sudal_firmware::preprocess::contrast;

use super::super::{float::normalize, signature::Signature};
use super::{error::ConvertError, network::Network, quantization::Quantization};
use crate::nets::graph::Normalization;

/// How a frame becomes the network's input.
pub(super) struct Input<'c> {
    signature: &'c Signature,
    pub(super) normalization: Normalization,
    /// The input for each level of each channel of a pixel.
    pub(super) lut: Vec<[f32; 256]>,
}

impl<'c> Input<'c> {
    pub(super) fn new(
        network: &Network,
        signature: &'c Signature,
        normalization: Normalization,
    ) -> Self {
        let Normalization { mean, std, .. } = normalization;
        let table = |&[scale, offset]: &[f32; 2]| {
            std::array::from_fn(|pixel| ((pixel as f32 / 255.0) - mean) / std * scale + offset)
        };
        Self {
            signature,
            normalization,
            lut: network.input_affine.iter().map(table).collect(),
        }
    }

    /// The table in integers, channel after channel.
    pub(super) fn quantized(&self, quantization: Quantization) -> Vec<i8> {
        self.lut
            .as_flattened()
            .iter()
            .map(|&value| quantization.quantize(f64::from(value)))
            .collect()
    }

    /// The network's input for each frame.
    pub(super) fn pictures<F: AsRef<[u8]>>(
        &self,
        frames: &[F],
    ) -> Result<Vec<Vec<f32>>, ConvertError> {
        let channels = self.lut.len();
        let picture = |(index, frame): (usize, &F)| {
            let frame = frame.as_ref();
            // Only for its check of the length.
            normalize(frame, self.signature, Normalization::new(0.0, 1.0))
                .map_err(|[got, needed]| ConvertError::Frame { index, got, needed })?;
            let frame = &self.normalization.balanced(frame, channels)[..];
            let levels = contrast::table(frame, self.normalization.contrast);
            let value = |(index, &pixel): (usize, &u8)| {
                self.lut[index % channels][usize::from(levels[usize::from(pixel)])]
            };
            Ok(frame.iter().enumerate().map(value).collect())
        };
        frames.iter().enumerate().map(picture).collect()
    }
}
