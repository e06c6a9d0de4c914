//! What is found in a product: figures over draws of the shots, and over products.

use serde::Serialize;

use crate::measure::Accuracy;

/// How well the flaws of a product were found after n shots; means and 95 % intervals over draws of
/// the shots.
#[derive(Debug, Clone, Serialize)]
pub struct Found {
    /// Good pictures that were taught.
    pub shot: usize,
    /// Area below the receiver operating characteristic over pictures.
    pub auroc: Accuracy,
    /// The same by patches alone, without embedding and brightness.
    pub auroc_patches: Accuracy,
    /// The same over pixels; none without masks.
    pub auroc_pixels: Option<Accuracy>,
    /// Per-region overlap up to 30 % of sound pixels; none without masks.
    pub pro: Option<Accuracy>,
    /// At each rate of false alarms.
    pub rates: Vec<Missed>,
    /// The plain statistic of the picture that does best, in hindsight.
    pub plain: Plain,
}

/// What is missed at a rate of false alarms.
#[derive(Debug, Clone, Serialize)]
pub struct Missed {
    /// The rate that was asked for.
    pub rate: f64,
    /// Flawed pictures that are missed at exactly this rate on the good pictures of the test.
    pub exact: Accuracy,
    /// Flawed pictures that are missed at the threshold that the device chooses from the shots.
    pub device: Accuracy,
    /// Good pictures that are alarms at that threshold.
    pub false_alarms: Accuracy,
    /// What the plain statistic misses at exactly this rate.
    pub plain: Accuracy,
}

/// A plain statistic of a picture: its distance from the mean of the shots'.
#[derive(Debug, Clone, Serialize)]
pub struct Plain {
    /// Which one.
    pub name: &'static str,
    /// Area below its receiver operating characteristic.
    pub auroc: Accuracy,
}

/// The mean over products, draw by draw alike: means of means, and of the draws' intervals the one of
/// a mean of independent products.
#[must_use]
pub fn over_products(each: &[Accuracy]) -> Option<Accuracy> {
    let count = each.len() as f64;
    let draws = each.iter().map(|accuracy| accuracy.episodes).min()?;
    let variance: f64 = each.iter().map(|accuracy| accuracy.interval.powi(2)).sum();
    Some(Accuracy {
        mean: each.iter().map(|accuracy| accuracy.mean).sum::<f64>() / count,
        interval: variance.sqrt() / count,
        episodes: draws,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_over_products_is_that_of_a_mean() {
        let of = |mean, interval| Accuracy {
            mean,
            interval,
            episodes: 5,
        };
        let all = over_products(&[of(0.9, 0.03), of(0.7, 0.04)]).unwrap();
        assert!((all.mean - 0.8).abs() < 1e-12 && (all.interval - 0.025).abs() < 1e-12);
        assert!(over_products(&[]).is_none());
    }
}
