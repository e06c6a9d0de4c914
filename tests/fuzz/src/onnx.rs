//! ONNX files: any bytes into what `sudal` reads of one itself.

use std::cell::LazyCell;

use rayon::{ThreadPool, ThreadPoolBuilder};
use sudal::engine::QuantizedModel;
use sudal::export::convert::{ConvertOptions, MIN_FRAMES, convert, input_shape};
use sudal::export::onnx;
use sudal::nets::graph::Normalization;

/// Longest file: damage does not need more.
const MOST: usize = 32 << 10;
/// Most pixels of its input: larger ones only take longer.
const PIXELS: usize = 1 << 10;

thread_local! {
    /// This thread alone: others would take longer to wake than to do their part of so little.
    static POOL: LazyCell<ThreadPool> = LazyCell::new(|| {
        let pool = ThreadPoolBuilder::new().num_threads(1).use_current_thread();
        pool.build().expect("a thread that exists")
    });
}

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
    if let Some(pixels) = pixels.filter(|&pixels| pixels <= PIXELS) {
        POOL.with(|pool| pool.install(|| convert_both(data, pixels)));
    }
}

/// As the file says that its pixels are normalised, and in a way that few files say.
fn convert_both(data: &[u8], pixels: usize) {
    let frames: Vec<Vec<u8>> = (0..MIN_FRAMES)
        .map(|number| (0..pixels).map(|i| (i * (7 + number)) as u8).collect())
        .collect();
    for normalization in [
        None,
        Some(Normalization {
            contrast: 40,
            ..Normalization::new(0.5, 0.25)
        }),
    ] {
        let options = ConvertOptions {
            normalization,
            ram_limit: Some(1 << 16),
            flash_limit: Some(1 << 20),
            ..ConvertOptions::default()
        };
        if let Ok(converted) = convert(data, &frames, &options) {
            QuantizedModel::new(&converted.image).expect("a sound image");
        }
    }
}
