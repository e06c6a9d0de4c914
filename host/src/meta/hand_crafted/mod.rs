//! Features that nobody trained: what a learned embedding has to beat.

mod gabor;
mod hog;
mod lbp;
mod picture;

use rayon::prelude::*;

use crate::data::{Colors, Loaded, Raster};
use crate::measure::Embeddings;
use picture::Picture;

/// A hand-made description of a grey picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    /// The pixels themselves.
    Pixels,
    /// Histograms of oriented gradients (Dalal and Triggs 2005): 9 directions, cells of 16 pixels,
    /// blocks of 2x2 cells.
    Hog,
    /// Uniform, rotation-invariant local binary patterns of 8, 16 and 24 neighbours at 1, 2 and 3
    /// pixels (Ojala et al. 2002).
    Lbp,
    /// Mean and deviation of the magnitude of Gabor filters (Manjunath and Ma 1996): 4 wavelengths,
    /// 6 directions.
    Gabor,
}

impl Feature {
    /// All of them, the simplest first.
    pub const ALL: [Self; 4] = [Self::Pixels, Self::Hog, Self::Lbp, Self::Gabor];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pixels => "pixels",
            Self::Hog => "HOG",
            Self::Lbp => "multi-scale LBP",
            Self::Gabor => "Gabor energies",
        }
    }

    /// Describes every picture of `data`. Texture features are standardised over all of it, which
    /// a device could not do: it sees no more than its support set.
    pub fn describe(self, data: &Loaded) -> Embeddings {
        let (width, height) = (data.size().0 as usize, data.size().1 as usize);
        let size = data.picture_size();
        let frames: Vec<&[u8]> = data.pictures().collect();
        let one = |frame: &&[u8]| {
            let picture = Raster {
                width: size.width,
                height: size.height,
                colors: size.colors,
                pixels: frame.to_vec(),
            };
            let levels = picture.to(Colors::Grey).pixels;
            let pixels: Vec<f32> = levels.iter().map(|&p| f32::from(p) / 255.0).collect();
            let picture = Picture {
                width,
                height,
                pixels,
            };
            match self {
                Self::Pixels => picture.pixels,
                Self::Hog => hog::describe(&picture),
                Self::Lbp => lbp::describe(&picture),
                Self::Gabor => gabor::describe(&picture),
            }
        };
        let rows: Vec<Vec<f32>> = frames.par_iter().map(one).collect();
        let dim = rows.first().map_or(0, Vec::len);
        let mut values: Vec<f32> = rows.into_iter().flatten().collect();
        if matches!(self, Self::Lbp | Self::Gabor) {
            standardize(&mut values, dim);
        }
        Embeddings::new(dim, &data.class_sizes(), values)
    }
}

/// Brings each of `dim` columns to mean 0 and deviation 1.
fn standardize(values: &mut [f32], dim: usize) {
    let rows = (values.len() / dim.max(1)).max(1) as f64;
    for column in 0..dim {
        let all = || values.iter().skip(column).step_by(dim);
        let mean = all().map(|&v| f64::from(v)).sum::<f64>() / rows;
        let variance = all().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / rows;
        let scale = if variance > 0.0 {
            variance.sqrt().recip()
        } else {
            0.0
        };
        for value in values.iter_mut().skip(column).step_by(dim) {
            *value = ((f64::from(*value) - mean) * scale) as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::f32::consts::TAU;

    use super::*;

    /// Stripes with a period of 6 pixels.
    fn stripes(direction: f32) -> Picture {
        let (sin, cos) = direction.sin_cos();
        let wave = |i: usize| {
            let (x, y) = ((i % 48) as f32, (i / 48) as f32);
            0.5 + 0.5 * (TAU * (cos * x + sin * y) / 6.0).sin()
        };
        Picture {
            width: 48,
            height: 48,
            pixels: (0..48 * 48).map(wave).collect(),
        }
    }

    fn distance(a: &[f32], b: &[f32]) -> f32 {
        a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum()
    }

    #[test]
    fn directed_features_tell_directions_apart() {
        let (across, same, upright) = (stripes(0.0), stripes(0.02), stripes(1.5));
        for describe in [hog::describe, gabor::describe] {
            let [a, b, c] = [&across, &same, &upright].map(describe);
            assert!(distance(&a, &c) > 10.0 * distance(&a, &b));
        }
    }

    #[test]
    fn patterns_do_not_change_with_brightness_or_by_a_quarter_turn() {
        let picture = stripes(0.3);
        let turned = Picture {
            pixels: (0..48 * 48)
                .map(|i| picture.pixels[(i % 48) * 48 + 47 - i / 48])
                .collect(),
            ..picture
        };
        let darker = Picture {
            pixels: picture.pixels.iter().map(|p| 0.25 * p).collect(),
            ..picture
        };
        let [a, b, c] = [&picture, &turned, &darker].map(lbp::describe);
        assert!(distance(&a, &b) < 1e-3, "{}", distance(&a, &b));
        assert!(distance(&a, &c) < 1e-6, "{}", distance(&a, &c));
        assert!((a.iter().sum::<f32>() - 3.0).abs() < 1e-4);
    }

    #[test]
    fn the_greatest_gabor_energy_is_at_the_wave_that_is_there() {
        let energies = gabor::describe(&stripes(0.0));
        let means: Vec<f32> = energies.iter().step_by(2).copied().collect();
        let greatest = means.iter().copied().fold(0.0, f32::max);
        // The second wavelength is 6 pixels, the first direction across.
        assert_eq!(means[6], greatest);
    }

    #[test]
    fn standardized_columns_have_mean_0_and_deviation_1() {
        let mut values = vec![1.0, 5.0, 3.0, 5.0];
        standardize(&mut values, 2);
        assert_eq!(values, [-1.0, 0.0, 1.0, 0.0]);
    }
}
