//! When a trial is not worth its end.

use serde::{Deserialize, Serialize};

use super::trial::{Running, Trial};

/// The median rule (Golovin et al. 2017): a trial is stopped when its best value so far is below
/// the median of what the trials before it had reached after as many steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Median {
    /// Trials that must have come as far before one is judged by them.
    pub trials: usize,
    /// First reports of a trial that are not judged.
    pub warmup: usize,
}

impl Default for Median {
    fn default() -> Self {
        Self {
            trials: 4,
            warmup: 1,
        }
    }
}

impl Median {
    pub(super) fn stops(&self, trials: &[Trial], running: &Running) -> bool {
        let (Some((step, _)), Some(value)) = (running.reports.last(), running.value()) else {
            return false;
        };
        let mut others: Vec<f64> = trials.iter().filter_map(|t| t.by(*step)).collect();
        if running.reports.len() <= self.warmup || others.len() < self.trials.max(1) {
            return false;
        }
        others.sort_by(f64::total_cmp);
        let middle = others.len() / 2;
        let median = match others.len() % 2 {
            0 => (others[middle - 1] + others[middle]) / 2.0,
            _ => others[middle],
        };
        value < median
    }
}
