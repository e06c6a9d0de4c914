//! What a search is set up with.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::error::TuneError;
use super::halving::Halving;
use super::space::{Params, Space};

/// What decides, with the trials so far, which settings come next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setup {
    /// What is searched.
    pub space: Space,
    /// Seed of the proposals.
    pub seed: u64,
    /// Trials that spread over the space before it is learned from them where to look.
    pub startup: usize,
    /// Settings of the first trial, such as those that are usual.
    pub first: Option<Params>,
    /// When trials are stopped; none lets all come to their end.
    pub pruning: Option<Halving>,
    /// What else a trial depends on, for example the data: a study is not gone on with when it
    /// differs.
    pub about: BTreeMap<String, String>,
}

impl Setup {
    /// Trials that spread over the space, where nothing speaks for another number.
    pub const STARTUP: usize = 8;

    pub(super) fn check(&self) -> Result<(), TuneError> {
        self.space.check()?;
        if let Some(first) = &self.first {
            self.space.contains(first)?;
        }
        Ok(())
    }
}
