//! `sudal bench omniglot`: every method beside its published figure.

mod rows;
mod tables;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::{Context, bail};
use sudal::data::{Loaded, omniglot};
use sudal::episodes::{Episode, EpisodeShape};
use sudal::measure::{Accuracy, Run};
use sudal::meta::Trained;
use sudal::nets::network::{Architecture, Plan};

use super::{instances, verification};
use crate::cli::bounds;
use crate::cli::data::{DataArgs, Kind};
use crate::cli::episodes::Options;
use crate::cli::model::ModelFile;
use crate::cli::output::{Output, TableArgs};
use crate::cli::output_file;
use rows::{ALPHABETS, ROWS, Row, TASKS};
use tables::{Error, Measured, Report, Task};

/// A fresh network takes a second or more for each of its tasks.
const SCRATCH_EPISODES: u64 = 100;

/// Measure every method on Omniglot, beside its published figure.
///
/// Two tables, from the models in --models: accuracy on the test classes of Vinyals' split
/// (rotations are classes, 28x28), and error on the 20 published one-shot runs within one alphabet
/// (Lake et al. 2015), there with networks that saw nothing but the background set. Methods whose
/// model is missing are named as such.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sudal bench omniglot --data ~/omniglot
  sudal bench omniglot --data ~/omniglot --only siamese,maml --episodes 200")]
pub(super) struct Args {
    /// The folder with Omniglot's official zips.
    #[arg(long, value_name = "PATH")]
    data: String,
    /// The folder of the trained models.
    #[arg(long, default_value = "models", value_name = "PATH")]
    models: PathBuf,
    /// Episodes of each way and shot (a tenth of it for training from scratch, at most 100).
    #[arg(long, default_value_t = 1000, value_parser = bounds::episodes())]
    episodes: u64,
    /// Query pictures of a class.
    #[arg(long, default_value_t = 15)]
    query: usize,
    /// Seed of the episodes.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Draw the Siamese networks' receiver operating characteristics to this file (and .svg).
    #[arg(long, value_name = "FILE.png")]
    roc: Option<PathBuf>,
    /// Only the rows whose name holds one of these.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    #[command(flatten)]
    tables: TableArgs,
}

pub(super) fn run(args: &Args, output: &Output) -> anyhow::Result<()> {
    if let Some(path) = &args.roc {
        output_file::ready_chart(path)?;
    }
    let data = DataArgs::of(args.data.clone());
    let Kind::Omniglot(folder) = data.kind()? else {
        bail!(
            "{} is not Omniglot: give the folder with images_background.zip, images_evaluation.zip and all_runs.zip",
            args.data
        );
    };
    let only: Vec<String> = args.only.iter().map(|o| o.to_lowercase()).collect();
    let wanted =
        |name: &str| only.is_empty() || only.iter().any(|o| name.to_lowercase().contains(&**o));
    let mut context = TableContext {
        args,
        data: &data,
        output,
        pictures: HashMap::new(),
    };
    let (mut rows, mut instances, mut verification) = (Vec::new(), Vec::new(), Vec::new());
    for row in ROWS.iter().filter(|row| wanted(row.name)) {
        let mut measured = Measured {
            method: row.name,
            model: row.file,
            missing: false,
            tasks: Vec::new(),
        };
        if let Some(model) = context.open(row)? {
            let pictures = context.pictures(model.size()?.sides())?;
            measured.tasks = context.tasks(row, &model, &pictures)?;
            if let ModelFile::Checkpoint(trained) = &model {
                instances.extend(instances::measure(
                    row.name,
                    trained,
                    &pictures,
                    args.episodes,
                    args.seed,
                )?);
                verification.extend(verification::measure(
                    row.name, trained, &pictures, args.seed,
                )?);
            }
        } else {
            measured.missing = true;
        }
        rows.push(measured);
    }
    if let Some(path) = args.roc.as_ref().filter(|_| !verification.is_empty()) {
        verification::draw(&verification, path)?;
        output.step(format!("drawn: {}", path.display()));
    }
    let mut within_alphabet = Vec::new();
    for (method, file) in ALPHABETS.iter().filter(|(name, _)| wanted(name)) {
        let path = args.models.join(file);
        within_alphabet.push(Error {
            method,
            model: file,
            error: path
                .exists()
                .then(|| alphabet_error(&path, &folder, output))
                .transpose()?,
        });
    }
    let report = Report {
        data: data.name()?,
        split: "test classes of Vinyals et al. 2016, rotations as classes",
        query: args.query,
        seed: args.seed,
        rows,
        instances,
        verification,
        within_alphabet,
    };
    let sections = tables::sections(&report);
    let text: Vec<_> = sections
        .iter()
        .map(|(caption, table)| format!("{caption}\n{table}"))
        .collect();
    let tables: Vec<_> = sections.into_iter().map(|(_, table)| table).collect();
    output.measured(&report, text.join("\n"), &tables, args.tables)
}

/// What the rows of the first table share.
struct TableContext<'a> {
    args: &'a Args,
    data: &'a DataArgs,
    output: &'a Output,
    /// The test classes, by width and height.
    pictures: HashMap<(u32, u32), Rc<Loaded>>,
}

impl TableContext<'_> {
    /// The model of a row; none where its file is missing.
    fn open(&self, row: &Row) -> anyhow::Result<Option<ModelFile>> {
        let mut model = match row.file {
            Some(file) => {
                let path = self.args.models.join(file);
                if !path.exists() {
                    return Ok(None);
                }
                ModelFile::open(&path)?
            }
            None => {
                let plan = Plan::new(Architecture::Conv4 { channels: 64 }, (28, 28))?;
                let learner = row.learner.context("a method without a model")?();
                ModelFile::Checkpoint(Box::new(Trained::untrained(plan, learner)))
            }
        };
        if let (ModelFile::Checkpoint(trained), Some(learner)) = (&mut model, row.learner) {
            **trained = trained.with(learner());
        }
        Ok(Some(model))
    }

    /// The test classes as pictures of this width and height.
    fn pictures(&mut self, size: (u32, u32)) -> anyhow::Result<Rc<Loaded>> {
        if let Some(pictures) = self.pictures.get(&size) {
            return Ok(Rc::clone(pictures));
        }
        let pictures = Rc::new(self.data.load("test", size, self.output)?);
        self.pictures.insert(size, Rc::clone(&pictures));
        Ok(pictures)
    }

    fn tasks(&self, row: &Row, model: &ModelFile, pictures: &Loaded) -> anyhow::Result<Vec<Task>> {
        let (args, output) = (self.args, self.output);
        let episodes = match row.file {
            Some(_) => args.episodes,
            None => args.episodes.div_ceil(10).min(SCRATCH_EPISODES),
        };
        let prepared = model.prepare(pictures, output)?;
        let max_way = model.max_way().map(|(max_way, _)| max_way);
        let mut tasks = Vec::new();
        for (place, (way, shot)) in TASKS.into_iter().enumerate() {
            if max_way.is_some_and(|max_way| way > max_way) {
                continue;
            }
            let shape = EpisodeShape {
                way,
                shot,
                query: args.query,
            };
            let sampler = Options::USUAL.sampler(pictures, shape, 1, args.seed)?;
            let what = format!("{}, {way}-way {shot}-shot", row.name);
            let measure = |run: &Run<'_>| prepared.accuracy(run);
            let accuracy = output.episodes(&sampler, episodes, &*what, measure);
            output.step(format!("{what}: {accuracy}"));
            tasks.push(Task {
                way,
                shot,
                accuracy,
                published: row.published.map(|all| all[place]),
            });
        }
        Ok(tasks)
    }
}

/// Error over the published runs: 20 characters of one alphabet, one picture each to learn from.
fn alphabet_error(path: &Path, folder: &Path, output: &Output) -> anyhow::Result<Accuracy> {
    let model = ModelFile::open(path)?;
    let mut errors = Vec::new();
    for run in omniglot::runs(folder)? {
        let data = run.load(model.size()?.sides());
        let prepared = model.prepare(&data, output)?;
        let episode = Episode {
            classes: (0..data.classes()).collect(),
            support: vec![vec![0]; data.classes()],
            query: (0..data.classes())
                .map(|c| (1..data.len(c)).collect())
                .collect(),
        };
        errors.push(1.0 - prepared.accuracy(&Run::of(&[episode])).mean);
    }
    Ok(Accuracy::of(&errors))
}
