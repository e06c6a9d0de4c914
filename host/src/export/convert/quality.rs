//! Whether a converted network is good for anything.

use super::{
    error::{ConvertError, NOISE_ADVICE},
    quantization::Quantization,
    report::Report,
};

/// Noise of int8 from which a network is refused: half of each squared distance would be noise at 1,
/// a third is at this.
pub const MAX_NOISE: f64 = 0.7;
/// Noise of int8 from which there is a warning.
const MUCH_NOISE: f64 = 0.25;
/// Deviation of the embeddings over their size below which float32 itself only rounds.
const CONSTANT: f64 = 1e-6;
/// The brightest level of calibration below which there is a warning.
const DIM: u8 = 160;

/// Refuses frames that are all one, and embeddings that are: nothing could be told apart by them.
pub(super) fn check_embeddings<F: AsRef<[u8]>>(
    frames: &[F],
    embeddings: &[Vec<f32>],
) -> Result<(), ConvertError> {
    let first = frames.first().map(AsRef::as_ref);
    if frames.iter().all(|frame| Some(frame.as_ref()) == first) {
        return Err(ConvertError::OneFrame(frames.len()));
    }
    let peak = embeddings
        .iter()
        .flatten()
        .fold(0.0_f64, |peak, &value| peak.max(f64::from(value).abs()));
    let dimensions = embeddings.first().map_or(0, Vec::len);
    let spread = (0..dimensions)
        .map(|dimension| variance(&column(embeddings, dimension)).sqrt())
        .fold(0.0, f64::max);
    if spread > CONSTANT * peak {
        Ok(())
    } else {
        Err(ConvertError::Constant { peak })
    }
}

/// Refuses a network of which int8 leaves too little.
pub(super) fn check_noise(relative_error: f64, limit: Option<f64>) -> Result<(), ConvertError> {
    if relative_error < limit.unwrap_or(MAX_NOISE) {
        Ok(())
    } else {
        Err(ConvertError::Noise(relative_error))
    }
}

/// What a person should know before the network is used.
pub(super) fn warnings(report: &Report, contrast: u32) -> Vec<String> {
    let mut warnings = Vec::new();
    if report.relative_error >= MUCH_NOISE {
        warnings.push(format!(
            "int8 adds {:.0} % to the embeddings, which can cost much of the accuracy: {NOISE_ADVICE}",
            100.0 * report.relative_error
        ));
    }
    let [darkest, brightest] = report.levels;
    if contrast == 0 && brightest < DIM {
        warnings.push(format!(
            "the calibration frames hold the levels {darkest} to {brightest} of 0 to 255: calibrate on \
             pictures of all the light that the camera will see"
        ));
    }
    warnings
}

/// Root mean square of the error, its mean taken out, over the standard deviation of the values.
///
/// A shift that is the same for all frames changes no distance between them.
pub(super) fn relative_error(
    exact: &[Vec<f32>],
    got: &[Vec<i8>],
    quantization: Quantization,
) -> f64 {
    let dimensions = exact.first().map_or(0, Vec::len);
    let (mut signal, mut noise) = (0.0, 0.0);
    for dimension in 0..dimensions {
        let exact = column(exact, dimension);
        let errors: Vec<f64> = got
            .iter()
            .zip(&exact)
            .map(|(got, exact)| {
                quantization.scale * f64::from(i32::from(got[dimension]) - quantization.zero_point)
                    - exact
            })
            .collect();
        signal += variance(&exact);
        noise += variance(&errors);
    }
    if noise == 0.0 {
        0.0
    } else {
        (noise / signal.max(f64::MIN_POSITIVE)).sqrt()
    }
}

/// One value of each embedding.
fn column(embeddings: &[Vec<f32>], dimension: usize) -> Vec<f64> {
    embeddings
        .iter()
        .map(|values| f64::from(values[dimension]))
        .collect()
}

/// Mean squared distance from the mean.
fn variance(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    values
        .iter()
        .map(|value| (value - mean).powi(2))
        .sum::<f64>()
        / values.len() as f64
}
