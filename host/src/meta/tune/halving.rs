//! When a trial is not worth its end.

use serde::{Deserialize, Serialize};

use super::trial::{Running, Trial, TrialStatus};

/// Asynchronous successive halving (Li et al. 2020) at every report: a trial continues while its best
/// value so far is among the best `1 / factor` of what the trials before it had reached after as
/// many steps. A factor of 2 is the median rule (Golovin et al. 2017).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Halving {
    /// How many trials there are for one that continues.
    pub factor: usize,
    /// Trials that must have come as far before one is judged by them.
    pub trials: usize,
    /// First reports of a trial that are not judged.
    pub warmup: usize,
}

impl Default for Halving {
    fn default() -> Self {
        Self {
            factor: 3,
            trials: 4,
            warmup: 1,
        }
    }
}

impl Halving {
    pub(super) fn stops(&self, trials: &[Trial], running: &Running) -> bool {
        let (Some((step, _)), Some(value)) = (running.reports.last(), running.value()) else {
            return false;
        };
        let mut others: Vec<f64> = trials
            .iter()
            .filter(|t| t.outcome != TrialStatus::Lost)
            .filter_map(|t| t.by(*step))
            .collect();
        if running.reports.len() <= self.warmup || others.len() < self.trials.max(1) {
            return false;
        }
        others.sort_by(f64::total_cmp);
        let kept = others.len().div_ceil(self.factor.max(1));
        value < others[others.len() - kept]
    }
}
