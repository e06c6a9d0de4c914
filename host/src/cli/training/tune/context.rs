//! What every trial of a study shares.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use sudal::meta::checkpoint::Origin;
use sudal::meta::schedule::Schedule;
use sudal::meta::tune::Params;
use sudal::meta::{Learner, TrainConfig};

use super::super::data::{DataArgs, Kind, check_validation};
use super::super::output::Output;
use super::super::{options, start};
use super::names::{AVERAGING, CHANNELS, RATE, STRENGTH, SUPPORT, WAY};
use super::{Args, TrialContext, word};

impl<'a> TrialContext<'a> {
    pub(super) fn new(args: &'a Args, output: &Output) -> anyhow::Result<Self> {
        let kind = args.data.kind()?;
        let learner = args.options.method.learner(None);
        if learner.method().has_teacher() {
            bail!(
                "--method {}: it learns from a teacher, which `sudal tune` has none of",
                learner.name()
            );
        }
        if learner.method().needs_map() {
            bail!(
                "--method {}: `sudal tune` judges by how classes are told apart, not by flaws; use `sudal train`, and `sudal inspect` after it",
                learner.name()
            );
        }
        if let Some(max_way) = learner.method().max_way()
            && args.validate_way > max_way
        {
            bail!(
                "--validate-way {}: {} tells {max_way} classes apart at most",
                args.validate_way,
                learner.name()
            );
        }
        let mut chosen = args.options.choose(&kind, &learner);
        let size = chosen.size;
        let split = args.data.split_or("train")?;
        let (elsewhere, validate) = validation(args, &kind)?;
        let data = Arc::new(args.data.load(&split, size, output)?);
        let validation = elsewhere.load(&validate, size, output);
        let validation = validation.with_context(|| format!("--validate {validate}"))?;
        check_validation(&data, &validation, output)?;
        let start = match &args.options.from {
            None => None,
            Some(path) => Some(start::from(path, &data)?),
        };
        if let (None, Some(start)) = (args.options.contrast, &start) {
            chosen.contrast = start.contrast;
        }
        let balance = args.options.balance || start.as_ref().is_some_and(|start| start.balance);
        Ok(Self {
            chosen,
            balance,
            origin: Origin {
                data: args.data.name()?,
                split,
                start: args.options.from.as_ref().map(|path| name(path)),
            },
            validate: match elsewhere.data == args.data.data {
                true => validate,
                false => elsewhere.name()?,
            },
            args,
            learner,
            data,
            validation,
            start: start.map(|start| (start.weights, start.statistics)),
        })
    }

    /// What a study is not gone on with when it differs, by the name of the option.
    pub(super) fn about(&self) -> BTreeMap<String, String> {
        let args = self.args;
        let (width, height) = self.data.size();
        let mut about = BTreeMap::new();
        let mut add = |name: &str, value: &dyn ToString| {
            about.insert(name.to_owned(), value.to_string());
        };
        add("data", &self.origin.data);
        add("split", &self.origin.split);
        add("validate", &self.validate);
        add("method", &word(args.options.method));
        add("network", &word(self.chosen.network));
        add("augment", &word(self.chosen.augment));
        add("size", &format!("{width}x{height}"));
        add("query", &self.chosen.query);
        add("tasks", &self.chosen.tasks);
        add("family", &self.chosen.family);
        add("contrast", &self.chosen.contrast);
        // Studies of before have neither.
        if args.options.colour {
            add("colour", &true);
        }
        if self.balance {
            add("balance", &true);
        }
        add("episodes", &args.episodes);
        add("validations", &args.validations);
        add("validate-way", &args.validate_way);
        add("validate-shot", &args.validate_shot);
        add("validate-episodes", &args.validate_episodes);
        if let Some(start) = &self.origin.start {
            add("from", start);
        }
        about
    }

    /// The settings of a trial with those that are fixed.
    pub(super) fn config(&self, params: &Params) -> anyhow::Result<TrainConfig> {
        let recipe = self.learner.recipe();
        let args = self.args;
        let number = |name, fixed: f64| params.number(name).unwrap_or(fixed);
        let count = |name, fixed: usize| match params.integer(name) {
            None => Ok(fixed),
            Some(i) => usize::try_from(i).with_context(|| format!("{name} {i}")),
        };
        let support = count(SUPPORT, self.supports().low)?;
        let (channels, _) = self.channels()?;
        let peak = args.learning_rate.map_or(recipe.learning_rate, |b| b.low);
        Ok(TrainConfig {
            learner: match &self.learner {
                Learner::Prototypical(_) => {
                    let mut shots = vec![1, support];
                    shots.dedup();
                    args.options.method.learner(Some(shots))
                }
                other => other.clone(),
            },
            architecture: self
                .chosen
                .network
                .architecture(count(CHANNELS, channels.low)?),
            way: count(WAY, self.ways().low)?,
            support,
            query: self.chosen.query,
            family: self.chosen.family,
            tasks: self.chosen.tasks,
            episodes: args.episodes,
            schedule: Schedule {
                peak: number(RATE, peak),
                warmup: (args.episodes / 10).min(options::WARMUP),
            },
            augment: self
                .chosen
                .augment
                .augment()
                .times(number(STRENGTH, self.strengths().low) as f32),
            averaging: number(AVERAGING, args.averaging[0]),
            // Measured from outside.
            validate_every: u64::MAX,
            patience: u32::MAX,
            seed: args.seed,
            contrast: self.chosen.contrast,
            new_classes: false,
            balance: self.balance,
            fake_quantize: 0.0,
        })
    }
}

/// Where the pictures to measure on are, and their split.
fn validation(args: &Args, kind: &Kind) -> anyhow::Result<(DataArgs, String)> {
    let elsewhere = args.validate.as_ref().filter(|v| Path::new(v).exists());
    match (elsewhere, &args.validate, kind) {
        (Some(path), ..) => {
            let data = DataArgs {
                squeeze: args.data.squeeze,
                ..DataArgs::of(path.clone())
            };
            match data.kind()? {
                Kind::Folder(path) => {
                    let split = data.folder_split(&path, &["val", "test"])?;
                    Ok((data, split))
                }
                _ => bail!("--validate {path} has splits: give the name of one of --data"),
            }
        }
        (None, None, Kind::Folder(path)) if args.data.folder_split(path, &["val"])? != "val" => {
            bail!(
                "the folder has no split val to measure on: give pictures of other classes by --validate PATH"
            )
        }
        (None, name, _) => {
            let name = name.clone().unwrap_or_else(|| "val".to_owned());
            Ok((args.data.clone(), name))
        }
    }
}

fn name(path: &Path) -> String {
    path.file_name()
        .map_or_else(String::new, |n| n.to_string_lossy().into_owned())
}
