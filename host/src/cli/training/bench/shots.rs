//! Accuracy by the nearest class mean at several shots: the columns of a table.

use serde::Serialize;
use sudal::episodes::{EpisodeShape, Sampler};
use sudal::measure::{Accuracy, Embeddings, Run};

use crate::cli::bounds;
use crate::cli::episodes::Options;

/// Which episodes.
#[derive(clap::Args)]
pub(super) struct ShotsArgs {
    /// Classes of an episode.
    #[arg(long, default_value_t = 5)]
    way: usize,
    /// Support pictures of a class; several are all measured.
    #[arg(long, value_delimiter = ',', default_value = "1,5")]
    shot: Vec<usize>,
    /// Query pictures of a class.
    #[arg(long, default_value_t = 15)]
    query: usize,
    /// Episodes of each shot.
    #[arg(long, default_value_t = 600, value_parser = bounds::episodes())]
    episodes: u64,
    /// Seed of the episodes.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// The episodes that were measured.
#[derive(Serialize)]
pub(super) struct Measured {
    way: usize,
    query: usize,
    seed: u64,
}

/// One cell.
#[derive(Serialize)]
pub(super) struct Shots {
    shot: usize,
    #[serde(flatten)]
    accuracy: Accuracy,
}

impl ShotsArgs {
    /// What a report says of them.
    pub(super) fn measured(&self) -> Measured {
        Measured {
            way: self.way,
            query: self.query,
            seed: self.seed,
        }
    }

    /// One row.
    pub(super) fn measure(&self, embeddings: &Embeddings) -> anyhow::Result<Vec<Shots>> {
        let measure = |&shot| {
            let shape = EpisodeShape {
                way: self.way,
                shot,
                query: self.query,
            };
            let sampler = Sampler::new(&embeddings.class_sizes(), shape, self.seed)
                .map_err(|error| Options::USUAL.explain(&error, |_| None))?;
            let accuracy = embeddings.accuracy_on(&Run::new(&sampler, self.episodes));
            Ok(Shots { shot, accuracy })
        };
        self.shot.iter().map(measure).collect()
    }

    /// What the numbers are.
    pub(super) fn caption(&self) -> String {
        format!(
            "{} episodes, {} queries a class, seed {}; accuracy in %, mean and 95 % interval",
            self.episodes, self.query, self.seed
        )
    }

    /// The heads of the columns.
    pub(super) fn heads(&self) -> impl Iterator<Item = String> {
        let head = |shot: &usize| format!("{}-way {shot}-shot", self.way);
        self.shot.iter().map(head)
    }
}

/// The cells of a row.
pub(super) fn cells(shots: &[Shots]) -> impl Iterator<Item = String> {
    shots.iter().map(|shots| shots.accuracy.percent(2))
}
