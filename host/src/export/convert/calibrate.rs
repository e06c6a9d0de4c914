//! The ranges of the activations, found on frames.

use rayon::prelude::*;

use super::{evaluate::Evaluator, network::Network, quantization::Quantization};

/// Bins of a histogram.
const BINS: usize = 2048;
/// Least part of the observed range that is tried, and the step, in hundredths.
const SHRINK: std::ops::RangeInclusive<u32> = 25..=100;

/// What one value was over all frames.
#[derive(Clone, Debug)]
pub(super) struct Statistics {
    /// Least value.
    pub(super) least: f32,
    /// Greatest value.
    pub(super) greatest: f32,
    /// Mean of each channel.
    pub(super) means: Vec<f64>,
    /// Mean square of each channel.
    pub(super) squares: Vec<f64>,
    /// Greatest absolute value of each channel.
    pub(super) peaks: Vec<f32>,
    /// How often it fell in each of the equal parts of the range, zeros left out.
    histogram: Vec<u64>,
}

/// How a range is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Range {
    /// All that was observed.
    MinMax,
    /// The part with the least mean squared error of rounding and clipping together.
    LeastError,
}

/// Runs all pictures, each `height x width x channels`, and gathers the statistics of every value.
pub(super) fn observe(network: &Network, pictures: &[Vec<f32>]) -> Vec<Statistics> {
    let evaluator = Evaluator::new(network);
    let values = network.layers.len() + 1;
    let channels: Vec<usize> = (0..values)
        .map(|value| network.shape(value).channels)
        .collect();
    let ranges = pictures
        .par_iter()
        .map(|picture| {
            let values = evaluator.run(picture.clone());
            values
                .iter()
                .map(|values| values.iter().fold([0.0, 0.0], widen))
                .collect::<Vec<_>>()
        })
        .reduce(
            || vec![[0.0, 0.0]; values],
            |a, b| {
                a.iter()
                    .zip(&b)
                    .map(|(a, b)| b.iter().fold(*a, widen))
                    .collect()
            },
        );

    let empty = || -> Vec<Statistics> {
        let of = |(&range, &channels): (&[f32; 2], &usize)| Statistics::new(range, channels);
        ranges.iter().zip(&channels).map(of).collect()
    };
    // Parts of fixed size, joined in order: no sum depends on the number of threads.
    let parts: Vec<Vec<Statistics>> = pictures
        .par_chunks(8)
        .map(|pictures| {
            let mut part = empty();
            for picture in pictures {
                let values = evaluator.run(picture.clone());
                for (values, part) in values.iter().zip(&mut part) {
                    part.count(values);
                }
            }
            part
        })
        .collect();
    let mut statistics = empty();
    for part in &parts {
        for (all, part) in statistics.iter_mut().zip(part) {
            all.join(part);
        }
    }
    for (value, statistics) in statistics.iter_mut().enumerate() {
        let pixels = (network.shape(value).pixels() * pictures.len()) as f64;
        let sums = statistics.means.iter_mut().chain(&mut statistics.squares);
        sums.for_each(|sum| *sum /= pixels);
    }
    statistics
}

/// A range that holds one value more.
fn widen([least, greatest]: [f32; 2], value: &f32) -> [f32; 2] {
    [least.min(*value), greatest.max(*value)]
}

impl Statistics {
    /// Nothing observed yet, in a range that is known.
    fn new([least, greatest]: [f32; 2], channels: usize) -> Self {
        Self {
            least,
            greatest,
            means: vec![0.0; channels],
            squares: vec![0.0; channels],
            peaks: vec![0.0; channels],
            histogram: vec![0; BINS],
        }
    }

    /// Adds the values of one picture; means and mean squares are sums for the time being.
    fn count(&mut self, values: &[f32]) {
        let per_unit = BINS as f32 / (self.greatest - self.least);
        // Zero is exact whatever the range.
        for &value in values.iter().filter(|&&value| value != 0.0) {
            let bin = ((value - self.least) * per_unit) as usize;
            self.histogram[bin.min(BINS - 1)] += 1;
        }
        for pixel in values.chunks_exact(self.means.len()) {
            for (channel, &value) in pixel.iter().enumerate() {
                self.means[channel] += f64::from(value);
                self.squares[channel] += f64::from(value) * f64::from(value);
                self.peaks[channel] = self.peaks[channel].max(value.abs());
            }
        }
    }

    /// Adds what was observed on other pictures.
    fn join(&mut self, other: &Self) {
        fn join<T: Copy>(all: &mut [T], part: &[T], join: impl Fn(T, T) -> T) {
            for (all, &part) in all.iter_mut().zip(part) {
                *all = join(*all, part);
            }
        }
        join(&mut self.means, &other.means, |a, b| a + b);
        join(&mut self.squares, &other.squares, |a, b| a + b);
        join(&mut self.peaks, &other.peaks, f32::max);
        join(&mut self.histogram, &other.histogram, |a, b| a + b);
    }

    /// Widens the range to hold what was not observed.
    pub(super) fn cover(&mut self, [least, greatest]: [f32; 2]) {
        self.least = self.least.min(least);
        self.greatest = self.greatest.max(greatest);
    }

    /// The quantisation for what was observed.
    pub(super) fn quantization(&self, range: Range) -> Quantization {
        let (least, greatest) = (f64::from(self.least), f64::from(self.greatest));
        let over = |percent: u32| {
            let part = f64::from(percent) / 100.0;
            Quantization::over(least * part, greatest * part)
        };
        match range {
            Range::MinMax => over(100),
            Range::LeastError => {
                let bins = self.histogram.iter().copied().enumerate();
                let occupied: Vec<(usize, u64)> = bins.filter(|&(_, count)| count > 0).collect();
                // From wide to narrow, so that the wider of two equals wins.
                SHRINK
                    .rev()
                    .map(|percent| (self.error(&occupied, over(percent)), over(percent)))
                    .min_by(|a, b| a.0.total_cmp(&b.0))
                    .map_or(over(100), |(_, quantization)| quantization)
            }
        }
    }

    /// Sum of the squared errors of rounding and clipping, over the bins that are occupied: few of
    /// them, for a small network.
    fn error(&self, occupied: &[(usize, u64)], quantization: Quantization) -> f64 {
        let Quantization { scale, zero_point } = quantization;
        let (least, greatest) = (f64::from(self.least), f64::from(self.greatest));
        let bin = (greatest - least) / BINS as f64;
        let lowest = scale * f64::from(-128 - zero_point);
        let highest = scale * f64::from(127 - zero_point);
        let error = |&(index, count): &(usize, u64)| {
            let value = least + (index as f64 + 0.5) * bin;
            let clipped = (value - value.clamp(lowest, highest)).powi(2);
            count as f64 * (clipped + scale * scale / 12.0)
        };
        occupied.iter().map(error).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_is_exact_in_every_range() {
        for (least, greatest) in [
            (0.0, 6.0),
            (-1.0, 3.0),
            (2.0, 5.0),
            (-7.0, -1.0),
            (0.0, 0.0),
        ] {
            let quantization = Quantization::over(least, greatest);
            assert_eq!(
                i32::from(quantization.quantize(0.0)),
                quantization.zero_point
            );
            assert!((-128..=127).contains(&quantization.zero_point));
        }
    }

    #[test]
    fn an_outlier_is_clipped_where_that_costs_less() {
        let mut histogram = vec![0; BINS];
        histogram[..BINS / 2].fill(1000);
        histogram[BINS - 1] = 1;
        let statistics = Statistics {
            histogram,
            ..Statistics::new([0.0, 2.0], 1)
        };
        let wide = statistics.quantization(Range::MinMax).scale * 255.0;
        let narrow = statistics.quantization(Range::LeastError).scale * 255.0;
        assert!((wide - 2.0).abs() < 1e-9);
        assert!((0.9..1.3).contains(&narrow), "{narrow}");
    }
}
