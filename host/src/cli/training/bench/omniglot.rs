//! `sudal bench omniglot`: every method beside its published figure.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::{Context, bail};
use serde::Serialize;
use sudal::data::{Loaded, omniglot};
use sudal::episodes::{Episode, EpisodeShape, Sampler};
use sudal::measure::{Accuracy, Run};
use sudal::meta::scratch::Scratch;
use sudal::meta::transfer::Transfer;
use sudal::meta::{Learner, Trained};
use sudal::nets::network::{Architecture, Plan};
use sudal::table::Table;

use super::instances::{self, Instances};
use super::verification::{self, Verified};
use crate::cli::bounds;
use crate::cli::data::{DataArgs, Kind};
use crate::cli::model::ModelFile;
use crate::cli::output::{Output, TableArgs};
use crate::cli::output_file;

/// The ways and shots of the published tables.
const TASKS: [(usize, usize); 4] = [(5, 1), (5, 5), (20, 1), (20, 5)];
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

/// A line of the first table.
struct Row {
    name: &'static str,
    /// File in the models' folder; none for a method that learned nothing before.
    file: Option<&'static str>,
    /// A method other than the file's own.
    learner: Option<fn() -> Learner>,
    /// Published accuracies in the order of [`TASKS`], in percent, and where.
    published: Option<([f64; 4], &'static str)>,
}

/// What the best published networks of this size reach (MAML++, Antoniou et al. 2019).
const RECORD: [f64; 4] = [99.47, 99.93, 97.65, 99.33];

const ROWS: &[Row] = &[
    Row {
        name: "from scratch",
        file: None,
        learner: Some(|| Learner::Scratch(Scratch::default())),
        published: None,
    },
    Row {
        name: "transfer (frozen)",
        file: Some("omniglot-transfer.ckpt"),
        learner: None,
        published: None,
    },
    Row {
        name: "transfer (fine-tuned)",
        file: Some("omniglot-transfer.ckpt"),
        learner: Some(|| {
            Learner::Transfer(Transfer::FineTuned {
                steps: 10,
                rate: 1e-3,
            })
        }),
        published: None,
    },
    Row {
        name: "siamese (contrastive)",
        file: Some("omniglot-siamese.ckpt"),
        learner: None,
        published: Some(([97.3, 98.4, 88.1, 97.0], "Koch et al. 2015")),
    },
    Row {
        name: "siamese (weighted L1)",
        file: Some("omniglot-siamese-l1.ckpt"),
        learner: None,
        published: Some(([97.3, 98.4, 88.1, 97.0], "Koch et al. 2015")),
    },
    Row {
        name: "prototypical",
        file: Some("omniglot.onnx"),
        learner: None,
        published: Some(([98.8, 99.7, 96.0, 98.9], "Snell et al. 2017")),
    },
    Row {
        name: "prototypical (int8)",
        file: Some("omniglot.sudal"),
        learner: None,
        published: Some(([98.8, 99.7, 96.0, 98.9], "Snell et al. 2017")),
    },
    Row {
        name: "prototypical 32x32",
        file: Some("omniglot-32.onnx"),
        learner: None,
        published: Some((RECORD, "Antoniou et al. 2019")),
    },
    Row {
        name: "prototypical 32x32 (int8)",
        file: Some("omniglot-32.sudal"),
        learner: None,
        published: Some((RECORD, "Antoniou et al. 2019")),
    },
    Row {
        name: "memory-augmented",
        file: Some("omniglot-mann.ckpt"),
        learner: None,
        published: None,
    },
    Row {
        name: "MAML",
        file: Some("omniglot-maml.ckpt"),
        learner: None,
        published: Some(([98.7, 99.9, 95.8, 98.9], "Finn et al. 2017")),
    },
    Row {
        name: "MAML 32x32",
        file: Some("omniglot-maml-32.ckpt"),
        learner: None,
        published: Some(([98.7, 99.9, 95.8, 98.9], "Finn et al. 2017")),
    },
    Row {
        name: "first-order MAML",
        file: Some("omniglot-first-order-maml.ckpt"),
        learner: None,
        published: None,
    },
    Row {
        name: "MAML++ 32x32",
        file: Some("omniglot-maml-plus-plus.ckpt"),
        learner: None,
        published: Some((RECORD, "Antoniou et al. 2019")),
    },
    Row {
        name: "ANIL",
        file: Some("omniglot-anil.ckpt"),
        learner: None,
        published: None,
    },
    Row {
        name: "Reptile",
        file: Some("omniglot-reptile.ckpt"),
        learner: None,
        published: Some(([97.7, 99.5, 89.4, 97.1], "Nichol et al. 2018")),
    },
    Row {
        name: "meta-transfer",
        file: Some("omniglot-meta-transfer.ckpt"),
        learner: None,
        published: None,
    },
];

/// A line of the second table: an error in percent.
const ALPHABETS: &[(&str, &str)] = &[
    ("prototypical", "omniglot-background.onnx"),
    ("prototypical (int8)", "omniglot-background.sudal"),
    ("siamese (weighted L1)", "omniglot-background-siamese.ckpt"),
];

/// Published errors of the second table, in percent.
const PUBLISHED_ERRORS: &[(&str, f64)] = &[
    ("people (Lake et al. 2015)", 4.5),
    ("Bayesian program learning (Lake et al. 2015)", 3.3),
    ("siamese (Koch et al. 2015)", 8.0),
    ("prototypical (Lake et al. 2019)", 13.7),
];

#[derive(Serialize)]
struct Report {
    data: String,
    split: &'static str,
    query: usize,
    seed: u64,
    rows: Vec<Measured>,
    instances: Vec<Instances>,
    verification: Vec<Verified>,
    within_alphabet: Vec<Error>,
}

#[derive(Serialize)]
struct Measured {
    method: &'static str,
    model: Option<&'static str>,
    missing: bool,
    tasks: Vec<Task>,
}

#[derive(Serialize)]
struct Task {
    way: usize,
    shot: usize,
    #[serde(flatten)]
    accuracy: Accuracy,
    published: Option<f64>,
}

#[derive(Serialize)]
struct Error {
    method: &'static str,
    model: &'static str,
    /// Mean error over the runs and half its 95 % interval, 0..=1; none where the model is missing.
    error: Option<Accuracy>,
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
    let sections = sections(&report);
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
            let sampler = Sampler::new(&pictures.class_sizes(), shape, args.seed)?;
            let bar = output.bar(episodes, "episodes");
            bar.set_message(format!("{}, {way}-way {shot}-shot", row.name));
            let done = || bar.inc(1);
            let accuracy = prepared.accuracy(&Run::new(&sampler, episodes).done(&done));
            bar.finish_and_clear();
            output.step(format!("{}, {way}-way {shot}-shot: {accuracy}", row.name));
            tasks.push(Task {
                way,
                shot,
                accuracy,
                published: row.published.map(|(all, _)| all[place]),
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

/// A published figure with the decimals that it was published with.
fn published(percent: f64) -> String {
    let tenths = percent * 10.0;
    let decimals = if (tenths - tenths.round()).abs() < 1e-6 {
        1
    } else {
        2
    };
    format!("{percent:.decimals$}")
}

/// The tables, and what they tell.
fn sections(report: &Report) -> Vec<(String, Table)> {
    let mut sections = vec![accuracies(report)];
    sections.extend(instances::section(&report.instances));
    sections.extend(verification::section(&report.verification));
    if !report.within_alphabet.is_empty() {
        sections.push(errors(report));
    }
    sections
}

fn missing(file: &str) -> String {
    format!("no {file} in the models' folder")
}

fn accuracies(report: &Report) -> (String, Table) {
    let caption = format!(
        "{}, {}; accuracy in %, mean and 95 % interval, {} queries a class, seed {}; published figures in brackets",
        report.data, report.split, report.query, report.seed
    );
    let tasks = TASKS.map(|(way, shot)| format!("{way}-way {shot}-shot"));
    let heads = ["method".to_owned()].into_iter().chain(tasks);
    let mut table = Table::new(heads.chain(["episodes".to_owned()]));
    for row in &report.rows {
        if row.missing {
            table.row([
                row.method.to_owned(),
                missing(row.model.unwrap_or_default()),
            ]);
            continue;
        }
        let cells = TASKS.map(|(way, shot)| {
            let measured = |task: &&Task| (task.way, task.shot) == (way, shot);
            let Some(task) = row.tasks.iter().find(measured) else {
                return "-".to_owned();
            };
            let Accuracy { mean, interval, .. } = task.accuracy;
            let published = task
                .published
                .map_or(String::new(), |p| format!(" ({})", published(p)));
            format!("{:.2} ± {:.2}{published}", mean * 100.0, interval * 100.0)
        });
        let episodes = row.tasks.first().map_or(0, |t| t.accuracy.episodes);
        let cells = [row.method.to_owned()].into_iter().chain(cells);
        table.row(cells.chain([episodes.to_string()]));
    }
    (caption, table)
}

fn errors(report: &Report) -> (String, Table) {
    let caption = "One picture each of 20 characters of one alphabet, 20 published runs (Lake et al. 2015), trained on \
        the background set alone; published figures in brackets";
    let mut table = Table::new(["method", "error in %"]);
    for row in &report.within_alphabet {
        let error = match row.error {
            Some(Accuracy { mean, interval, .. }) => {
                format!("{:.1} ± {:.1}", mean * 100.0, interval * 100.0)
            }
            None => missing(row.model),
        };
        table.row([row.method.to_owned(), error]);
    }
    for (who, error) in PUBLISHED_ERRORS {
        table.row([format!("published: {who}"), format!("({error:.1})")]);
    }
    (caption.to_owned(), table)
}
