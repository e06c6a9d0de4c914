//! The learning rate over a run.

use serde::{Deserialize, Serialize};

/// Rises linearly from zero, then falls to zero along half a cosine (Loshchilov and Hutter 2017).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    /// The greatest learning rate.
    pub peak: f64,
    /// Steps of the rise.
    pub warmup: u64,
}

impl Schedule {
    /// The learning rate of step `step` out of `total`.
    pub fn at(&self, step: u64, total: u64) -> f64 {
        if step < self.warmup {
            return self.peak * (step + 1) as f64 / self.warmup as f64;
        }
        let left = total.saturating_sub(self.warmup).max(1);
        let done = ((step - self.warmup) as f64 / left as f64).min(1.0);
        self.peak * 0.5 * (1.0 + (std::f64::consts::PI * done).cos())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rises_then_falls_to_zero() {
        let s = Schedule {
            peak: 1e-3,
            warmup: 10,
        };
        assert!((s.at(0, 100) - 1e-4).abs() < 1e-12);
        assert!((s.at(10, 100) - 1e-3).abs() < 1e-12);
        assert!((s.at(55, 100) - 5e-4).abs() < 1e-12);
        assert!(s.at(100, 100) < 1e-12);
        assert!((0..99).all(|i| s.at(i, 100) > 0.0));
    }
}
