//! A mean over episodes with its confidence interval.

use serde::{Deserialize, Serialize};

/// A mean over episodes and half the width of its 95 % confidence interval, both 0..=1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Accuracy {
    /// Mean of the episodes' accuracies.
    pub mean: f64,
    /// 1.96 standard errors.
    pub interval: f64,
    /// Number of episodes.
    pub episodes: usize,
}

impl Accuracy {
    /// From the accuracy of each episode.
    pub fn of(episodes: &[f64]) -> Self {
        let n = episodes.len().max(1) as f64;
        let mean = episodes.iter().sum::<f64>() / n;
        let squares = episodes.iter().map(|a| (a - mean).powi(2)).sum::<f64>();
        Self {
            mean,
            interval: 1.96 * (squares / (n - 1.0).max(1.0)).sqrt() / n.sqrt(),
            episodes: episodes.len(),
        }
    }

    /// Mean and interval in percent, with so many decimals: `98.93 ± 0.15`.
    #[must_use]
    pub fn percent(&self, decimals: usize) -> String {
        let (mean, interval) = (100.0 * self.mean, 100.0 * self.interval);
        format!("{mean:.decimals$} ± {interval:.decimals$}")
    }
}

impl std::fmt::Display for Accuracy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} %", self.percent(2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interval_is_that_of_the_textbook() {
        let a = Accuracy::of(&[0.8, 1.0, 0.9, 0.7]);
        assert!((a.mean - 0.85).abs() < 1e-12);
        // Standard deviation 0.1291, four episodes.
        assert!((a.interval - 1.96 * 0.129_099_4 / 2.0).abs() < 1e-6);
    }
}
