//! A study of `sudal tune` that several workers share.

use std::path::PathBuf;
use std::time::Duration;

use sudal::meta::tune::{Setup, Study, TuneError};

#[derive(clap::Args)]
pub(super) struct Args {
    /// Share the study with other workers by Optuna's journal in this file, made if need be.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["out", "resume"])]
    pub(super) journal: Option<PathBuf>,
    /// Name of the study in --journal.
    #[arg(
        long,
        value_name = "NAME",
        default_value = "sudal",
        requires = "journal"
    )]
    study: String,
    /// Seconds between two signs of life in --journal; when four are missing, other workers take the
    /// trial over.
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 15,
        value_parser = clap::value_parser!(u64).range(1..=3600),
        requires = "journal"
    )]
    heartbeat: u64,
}

impl Args {
    /// Takes part in the study.
    pub(super) fn join(&self, setup: Setup) -> Result<Study, TuneError> {
        let journal = self.journal.as_ref().expect("--out was not given");
        let heartbeat = Duration::from_secs(self.heartbeat);
        Study::join(journal, &self.study, setup, heartbeat)
    }
}
