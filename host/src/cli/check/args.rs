//! What `sudal check` is asked.

use std::path::PathBuf;

use anyhow::bail;
use clap::value_parser;
use sudal::device::MAX_SHOTS;
use sudal::measure::Trial;

use super::super::model;
use super::measure::{Candidate, QUERIES, shipped};

/// Most pictures that are left out one after the other; of more, shots are drawn.
pub(super) const MOST_LEFT_OUT: usize = 150;
/// Shots that are drawn where nothing else is said.
pub(super) const SHOTS: usize = 5;
/// Check own pictures: which model, and is it good enough?
///
/// FOLDER is a folder or zip with a folder of pictures per class. Every model that comes with sudal is
/// tried with every way to classify (`sudal head`), by the firmware's own code in this process; no board
/// is needed and nothing is taught. Of few pictures each is left out in turn; of many, shots are drawn at
/// random. It ends in plain words: what to take, which classes are not told apart, and what helps.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sudal check parts/                          a folder per class
  sudal check x-sdd.zip --shots 10 --out check.png
  sudal check parts/ --model surfaces --model mine.sudal")]
pub(crate) struct Args {
    /// The folder or zip.
    pub(super) folder: PathBuf,
    /// Try only this model, one that comes with sudal or a model image; may be given several times
    /// [default: all that come with sudal].
    #[arg(long = "model", value_name = "MODEL")]
    pub(super) models: Vec<PathBuf>,
    /// Draw this many shots of each class at random [default: each picture left out in turn; of more than
    /// 150 pictures, 5].
    #[arg(long, value_name = "N", value_parser = value_parser!(u8).range(1..=MAX_SHOTS as i64))]
    pub(super) shots: Option<u8>,
    /// How often they are drawn.
    #[arg(long, default_value_t = 30, value_name = "N", value_parser = value_parser!(u64).range(2..=10_000))]
    pub(super) draws: u64,
    /// Most pictures of a class that are looked at, spread evenly over all.
    #[arg(long, default_value_t = 40, value_name = "N", value_parser = value_parser!(u32).range(2..=10_000))]
    pub(super) pictures: u32,
    /// Look at the whole of pictures of other proportions, squeezed (for a board: `sudal region whole
    /// --squeeze`).
    #[arg(long)]
    pub(super) squeeze: bool,
    /// Seed of the draws.
    #[arg(long, default_value_t = 1)]
    pub(super) seed: u64,
    /// Draw which classes are taken for which to this PNG file.
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
}

impl Args {
    pub(super) fn candidates(&self) -> anyhow::Result<Vec<Candidate>> {
        if self.models.is_empty() {
            return shipped();
        }
        let named = self.models.iter();
        named
            .map(|path| Candidate::new(path.display().to_string(), &model::read(path)?))
            .collect()
    }

    /// How it is tried, by how many pictures there are of each class.
    pub(super) fn trial(&self, counts: &[usize]) -> anyhow::Result<Trial> {
        let fewest = counts.iter().copied().min().unwrap_or(0);
        let most = counts.iter().copied().max().unwrap_or(0);
        if most < 2 {
            bail!(
                "{}: each class has one picture, so there is none left to ask about: take two or more of each, \
                 moved or turned in between",
                self.folder.display()
            );
        }
        let few = counts.iter().sum::<usize>() <= MOST_LEFT_OUT && most <= MAX_SHOTS + 1;
        let shots = match self.shots.map(usize::from) {
            None if few => return Ok(Trial::LeaveOneOut),
            None => SHOTS.min(fewest.saturating_sub(1)).max(1),
            Some(shots) if shots >= fewest => bail!(
                "--shots {shots}: the smallest class has {fewest} pictures, of which one has to be left to ask about"
            ),
            Some(shots) => shots,
        };
        Ok(Trial::Drawn {
            shots,
            draws: self.draws,
            queries: QUERIES,
            seed: self.seed,
        })
    }
}
