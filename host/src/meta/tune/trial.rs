//! One try of some settings.

use serde::{Deserialize, Serialize};

use super::space::Params;

/// How a trial ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrialStatus {
    /// It went to its end.
    Finished,
    /// It was stopped because it did worse than others.
    Pruned,
    /// It gave no number, as a run whose loss became infinite.
    Failed,
    /// Its worker ended before it did; another trial has its settings.
    Lost,
}

/// A trial under way.
#[derive(Clone, Debug, PartialEq)]
pub struct Running {
    /// Its number, from 0.
    pub number: u64,
    /// Seed of whatever is random in it: that of the study, so that trials differ by their settings
    /// alone.
    pub seed: u64,
    /// The settings to try.
    pub params: Params,
    pub(super) reports: Vec<(u64, f64)>,
}

impl Running {
    /// Tells how well it does after `step` steps; greater is better. Of a step that was told
    /// already the later word counts.
    pub fn report(&mut self, step: u64, value: f64) {
        self.reports.retain(|(s, _)| *s < step);
        self.reports.push((step, value));
    }

    /// The best value so far.
    pub fn value(&self) -> Option<f64> {
        best(&self.reports)
    }
}

/// A trial that ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trial {
    /// Its number, from 0.
    pub number: u64,
    /// How it ended.
    pub outcome: TrialStatus,
    /// The best of its reports; greater is better.
    pub value: Option<f64>,
    /// Its settings.
    pub params: Params,
    /// Steps done and the value there, in order.
    pub reports: Vec<(u64, f64)>,
    /// Seed of whatever was random in it.
    pub seed: u64,
    /// How long it took.
    pub seconds: f64,
}

impl Trial {
    /// The best value of the first `step` steps.
    pub(super) fn by(&self, step: u64) -> Option<f64> {
        let reached = self.reports.iter().any(|(s, _)| *s >= step);
        let until = self.reports.partition_point(|(s, _)| *s <= step);
        best(&self.reports[..until]).filter(|_| reached)
    }

    /// What is wrong with a trial that was read as the `number`-th.
    pub(super) fn fault(&self, number: u64) -> Option<String> {
        if self.number != number {
            let n = self.number;
            return Some(format!("trial {n} stands where trial {number} belongs"));
        }
        if self.outcome == TrialStatus::Finished && self.value.is_none() {
            return Some("a finished trial without a value".to_owned());
        }
        if !self.reports.is_sorted_by(|a, b| a.0 < b.0) {
            return Some("its reports are not in the order of their steps".to_owned());
        }
        if self.value != best(&self.reports) {
            return Some("its value is not the best of its reports".to_owned());
        }
        None
    }
}

pub(super) fn best(reports: &[(u64, f64)]) -> Option<f64> {
    reports.iter().map(|(_, v)| *v).max_by(f64::total_cmp)
}
