//! `sudal profile --heads`: every classifier head in one table.

use std::path::Path;

use sudal::device::{self, Head, HeadRow, HeadTable, Machine};
use sudal::episodes::EpisodeShape;
use sudal::measure::HeadEpisodes;

use super::bounds;
use super::data::DataArgs;
use super::episodes::Options;
use super::model::{ModelFile, read};
use super::output::{Output, TableArgs};

/// What the heads are measured on.
#[derive(clap::Args)]
pub(crate) struct HeadsArgs {
    /// Compare the classifier heads instead: accuracy on episodes, here, and what one episode costs
    /// on the board, with every answer compared to the bit.
    #[arg(long, conflicts_with_all = ["network", "out"])]
    pub(crate) heads: bool,
    #[command(flatten)]
    data: DataArgs,
    /// With --heads: classes of an episode.
    #[arg(long, default_value_t = 5)]
    way: usize,
    /// With --heads: support pictures of a class; several are all measured.
    #[arg(long, value_delimiter = ',', default_value = "1,5,10")]
    shot: Vec<usize>,
    /// With --heads: query pictures of a class.
    #[arg(long, default_value_t = 10)]
    query: usize,
    /// With --heads: episodes of each number of shots.
    #[arg(long, default_value_t = 1000, value_parser = bounds::episodes())]
    episodes: u64,
    /// With --heads: seed of the episodes.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

pub(crate) fn run(
    args: &HeadsArgs,
    path: &Path,
    machine: Machine,
    tables: TableArgs,
    output: &Output,
) -> anyhow::Result<()> {
    let model = ModelFile::open(path)?;
    let image = model.image("measuring heads")?;
    let split = args.data.split_or("test")?;
    let data = args.data.load(&split, model.size()?, output)?;
    let bytes = read(path)?;
    let profile = device::profile(&bytes, machine, &mut |step| output.step(step))?;
    let embeddings = model.embeddings(&data, output)?;
    let runs = HeadEpisodes::new(&image.model()?, &embeddings);
    let mut table = HeadTable::new(&profile);
    for &shot in &args.shot {
        let shape = EpisodeShape {
            way: args.way,
            shot,
            query: args.query,
        };
        let sampler = Options::USUAL.sampler(&data, shape, 1, args.seed)?;
        let accuracies = Head::ALL
            .map(|head| model.head_accuracy(head, &embeddings, &sampler, args.episodes, output));
        let step = &mut |step: &str| output.step(step);
        let costs = device::profile_heads(&runs, &sampler.episode(0), machine, step)?;
        for (accuracy, cost) in accuracies.into_iter().zip(costs) {
            let accuracy = accuracy?;
            table.rows.push(HeadRow { accuracy, cost });
        }
    }
    table.rows.sort_by_key(|row| row.cost.head as u8);
    let text = format!(
        "{table}  {}, split {split}: {} episodes each, {} queries a class, seed {}",
        args.data.name()?,
        args.episodes,
        args.query,
        args.seed
    );
    output.measured(&table, text, &[table.table()], tables)
}
