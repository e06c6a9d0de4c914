//! ONNX files: any bytes into what `sudal` reads of one itself.

use sudal::export::convert::{ConvertOptions, MIN_FRAMES, convert, input_shape};
use sudal::export::onnx;
use sudal::export::quantized::QuantizedModel;
use sudal::nets::graph::Normalization;

/// Longest file: damage does not need more.
const MOST: usize = 32 << 10;
/// Most pixels of its input: larger ones only take longer.
const PIXELS: usize = 1 << 12;

/// Reads the bytes as an ONNX file and converts it.
///
/// # Panics
/// When the image that comes out is none.
pub fn run(data: &[u8]) {
    if data.len() > MOST {
        return;
    }
    let _ = onnx::read(data);
    let Ok(shape) = input_shape(data) else {
        return;
    };
    let pixels = shape
        .iter()
        .try_fold(1_usize, |product, &side| product.checked_mul(side));
    let Some(pixels) = pixels.filter(|&pixels| pixels <= PIXELS) else {
        return;
    };
    let frames: Vec<Vec<u8>> = (0..MIN_FRAMES)
        .map(|number| (0..pixels).map(|i| (i * (7 + number)) as u8).collect())
        .collect();
    for normalization in [
        None,
        Some(Normalization {
            mean: 0.5,
            std: 0.25,
            contrast: 40,
        }),
    ] {
        let options = ConvertOptions {
            normalization,
            ram_limit: Some(1 << 20),
            flash_limit: Some(1 << 20),
            ..ConvertOptions::default()
        };
        if let Ok(converted) = convert(data, &frames, &options) {
            QuantizedModel::new(&converted.image).expect("a sound image");
        }
    }
}
