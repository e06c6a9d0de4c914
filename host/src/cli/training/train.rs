//! `sudal train`.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use indicatif::ProgressBar;
use serde::Serialize;
use sudal::data::{Loaded, Size};
use sudal::episodes::{EpisodeShape, by_likeness};
use sudal::meta::checkpoint::Origin;
use sudal::meta::schedule::Schedule;
use sudal::meta::{Checkpoint, TrainConfig, TrainError, Trainer};
use sudal::nets::network::Plan;

use super::choices::Pool;
use super::data::{AlsoArgs, DataArgs, Kind, check_validation};
use super::episodes;
use super::interrupt::{Interrupt, Interrupted};
use super::model::{ModelFile, beside};
use super::options::{AVERAGING, Options, WARMUP, strength};
use super::output::Output;
use super::output_file::{self, Claim};
use super::start;
use super::task::TaskArgs;
use super::teacher::TeacherArgs;

/// Time between checkpoints.
const SAVE_EVERY: Duration = Duration::from_secs(60);

/// Meta-train a network on many small tasks.
///
/// Every episode is a small classification task drawn from the data: --way classes, --support and
/// --query pictures of each. What is not given is set to what suits the method. The run is kept in
/// --out once a minute and on Ctrl-C; --resume continues from there to the same result.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sudal train --data synthetic:parts --out parts.ckpt
  sudal train --data ~/omniglot --split trainval --network conv4 --episodes 12000 --out omniglot.ckpt
  sudal train --out omniglot.ckpt --resume --data ~/omniglot
  sudal train --method siamese --data ~/omniglot --split trainval --out siamese.ckpt
  sudal train --method distilled --teacher teacher.onnx --data synthetic:surfaces --out surfaces.ckpt")]
pub(crate) struct Args {
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    also: AlsoArgs,
    /// The checkpoint: the run under way, then the finished network.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Resume the run in --out, with its own settings.
    #[arg(long)]
    resume: bool,
    #[command(flatten)]
    options: Options,
    /// Channels: of every block of conv4 [default: 64] and conv5
    /// [default: 58], of the first block of separable and residual [default: 16].
    #[arg(long)]
    channels: Option<usize>,
    /// How the embedding is made of the last map of separable, residual and lite networks.
    #[arg(long, default_value = "mean")]
    pool: Pool,
    /// Classes of a training episode; more than in testing helps [default: what suits the method].
    #[arg(long)]
    way: Option<usize>,
    /// Support pictures of a class [default: what suits the method].
    #[arg(long)]
    support: Option<usize>,
    /// Shots of training, at most --support: a prototypical network's loss is the mean over them
    /// [default: 1,3], MAML and its kin take them by turns [default: 1].
    #[arg(long, value_delimiter = ',')]
    shots: Option<Vec<usize>>,
    #[command(flatten)]
    task: TaskArgs,
    #[command(flatten)]
    teacher: TeacherArgs,
    /// Optimiser steps, of --tasks episodes each [default: what suits the method].
    #[arg(long)]
    episodes: Option<u64>,
    /// Greatest learning rate of Adam; it rises for --warmup episodes, then falls along a cosine
    /// [default: what suits the method].
    #[arg(long)]
    learning_rate: Option<f64>,
    /// Episodes of rising learning rate.
    #[arg(long, default_value_t = WARMUP)]
    warmup: u64,
    /// How great the random changes of --augment are, 1 being usual and 0 none.
    #[arg(long, default_value_t = 1.0, value_parser = strength)]
    augment_strength: f32,
    /// Make other classes of the classes of every episode: mirror, turn and slant all pictures of one alike. For
    /// characters and symbols, whose mirror image is another; not for parts, which are the same from behind.
    #[arg(long)]
    new_classes: bool,
    /// Make families of the classes that this trained network finds alike, --family of them each, so that every second
    /// episode is of what is easily mistaken: an ONNX file of `sudal export`. Needed with --resume as well.
    #[arg(long, value_name = "FILE")]
    alike: Option<PathBuf>,
    /// Decay of the running average of the weights that becomes the network; 0 takes the last.
    #[arg(long, default_value_t = AVERAGING)]
    averaging: f64,
    /// Round weights and maps to eight bits, as a board has them, in this last part of the run, 0 to 1; for networks
    /// whose int8 accuracy is below that of float.
    #[arg(long, value_name = "PART", default_value_t = 0.0)]
    fake_quantize: f32,
    /// Split to validate on; none trains without validation [default: val of Omniglot and of the
    /// generators, where the training split does not hold it, none of a folder].
    #[arg(long, value_name = "NAME|none")]
    validate: Option<String>,
    /// Episodes between validations (600 5-way 1-shot episodes each).
    #[arg(long, default_value_t = 500)]
    validate_every: u64,
    /// Validations without a new best after which the run stops early.
    #[arg(long, default_value_t = 10)]
    patience: u32,
    /// Seed of weights, episodes and augmentation: the same seed gives the same network.
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

#[derive(Serialize)]
struct Report {
    checkpoint: PathBuf,
    episodes: u64,
    seconds: f64,
    parameters: usize,
    macs: usize,
    embedding: usize,
    loss: Option<f32>,
    validation: Option<f64>,
}

pub(crate) fn run(args: &Args, output: &Output) -> anyhow::Result<()> {
    output_file::ready(&args.out)?;
    let _claim = Claim::on(&args.out)?;
    // Until the first episode there is nothing to keep.
    let mut trainer = begin(args, output)?;
    let interrupt = Interrupt::catch()?;
    let validation = validation_data(args, trainer.origin(), trainer.data(), output)?;
    let shape = EpisodeShape {
        way: 5,
        shot: 1,
        query: 15,
    };
    output.step(format!(
        "{}, {:?}: {} parameters, {} MACs, embedding of {}",
        trainer.config().learner.name(),
        trainer.plan().architecture,
        trainer.plan().parameters(),
        trainer.plan().macs(),
        trainer.plan().embedding()
    ));
    let total = trainer.config().episodes;
    let bar: ProgressBar = output.bar(total, "episodes");
    bar.set_position(trainer.episode());
    let mut mean = Running::default();
    let mut last_saved = Instant::now();
    let mut last_validation = None;
    while !trainer.is_done() {
        let step = trainer.step()?;
        mean.add(step.loss, step.accuracy);
        bar.set_position(step.episode);
        bar.set_message(format!(
            "loss {:.3} accuracy {:.1} %",
            mean.loss,
            mean.accuracy * 100.0
        ));
        if let Some(data) = validation.as_ref().filter(|_| trainer.validation_due()) {
            let accuracy = trainer.validate(data, shape, 600)?;
            last_validation = Some(accuracy.mean);
            let line = format!(
                "episode {}: validation 5-way 1-shot {accuracy}",
                step.episode
            );
            bar.suspend(|| output.step(line));
        }
        let stop = interrupt.is_set();
        if stop || last_saved.elapsed() > SAVE_EVERY {
            trainer.save(&args.out)?;
            last_saved = Instant::now();
        }
        if stop {
            bar.abandon();
            return Err(Interrupted(format!(
                "episode {} is kept in {}; continue with --resume",
                trainer.episode(),
                args.out.display()
            ))
            .into());
        }
    }
    bar.finish_and_clear();
    trainer.save(&args.out)?;
    if trainer.config().learner.method().has_teacher() {
        let path = teacher_cache(args);
        std::fs::remove_file(&path).with_context(|| format!("removing {}", path.display()))?;
    }
    let report = Report {
        checkpoint: args.out.clone(),
        episodes: trainer.episode(),
        seconds: trainer.seconds(),
        parameters: trainer.plan().parameters(),
        macs: trainer.plan().macs(),
        embedding: trainer.plan().embedding(),
        loss: mean.count.gt(&0).then_some(mean.loss),
        validation: last_validation,
    };
    let text = format!(
        "{} episodes in {:.0} s, kept in {}\nnext: sudal export {} --out model.onnx",
        report.episodes,
        report.seconds,
        args.out.display(),
        args.out.display()
    );
    output.result(&report, text)
}

/// Where what a teacher saw is kept until the run is done.
fn teacher_cache(args: &Args) -> PathBuf {
    beside(&args.out, "teacher")
}

fn begin(args: &Args, output: &Output) -> anyhow::Result<Trainer> {
    if args.resume {
        let checkpoint = Checkpoint::load(&args.out)?;
        let (height, width) = checkpoint.size;
        let (origin, given) = (&checkpoint.origin, args.also.name(args.data.name()?));
        if given != origin.data {
            bail!(
                "{} is a run on {}; --data and --also give {given}",
                args.out.display(),
                origin.data
            );
        }
        let size = Size {
            width,
            height,
            colors: checkpoint.colors,
        };
        let data = args.data.load(&origin.split, size, output)?;
        let data = in_families(args, checkpoint.config.family, data, output)?;
        let data = Arc::new(args.also.join(data, args.data.fit(), output)?);
        let run = Trainer::resume(&checkpoint, Arc::clone(&data))?;
        return args.teacher.look(run, &data, &teacher_cache(args), output);
    }
    if args.out.exists() {
        bail!(
            "{} exists: give --resume to continue with it, another --out, or remove it",
            args.out.display()
        );
    }
    let mut learner = args.options.method.learner(args.shots.clone());
    args.task.apply(&mut learner)?;
    args.teacher.apply(&mut learner)?;
    let chosen = args.options.choose(&args.data.kind()?, &learner);
    let channels = args.channels.unwrap_or(chosen.network.channels());
    let architecture = match args.pool {
        Pool::Mean => chosen.network.architecture(channels),
        Pool::MeanMax => chosen.network.peaked(channels).context(
            "--pool mean-max takes a network that ends in a mean: --network separable, residual or lite",
        )?,
    };
    let augment = chosen.augment.augment().times(args.augment_strength);
    let size = chosen.size;
    let recipe = learner.recipe();
    let mut config = TrainConfig {
        learner,
        architecture,
        way: args.way.unwrap_or(recipe.way),
        support: args.support.unwrap_or(recipe.support),
        query: chosen.query,
        tasks: chosen.tasks,
        family: chosen.family,
        episodes: args.episodes.unwrap_or(recipe.episodes),
        schedule: Schedule {
            peak: args.learning_rate.unwrap_or(recipe.learning_rate),
            warmup: args.warmup,
        },
        augment,
        averaging: args.averaging,
        validate_every: args.validate_every.max(1),
        patience: args.patience,
        seed: args.seed,
        contrast: chosen.contrast,
        new_classes: args.new_classes,
        balance: args.options.balance,
        fake_quantize: args.fake_quantize,
    };
    // Before minutes of reading pictures.
    config.check().context("the run cannot start")?;
    let sides = (size.height as usize, size.width as usize);
    Plan::with_channels(architecture, sides, size.colors.channels())
        .context("the run cannot start")?;
    let split = args.data.split_or("train")?;
    let origin = Origin {
        data: args.also.name(args.data.name()?),
        split: split.clone(),
        start: args.options.from.as_ref().map(|path| {
            path.file_name()
                .map_or_else(String::new, |n| n.to_string_lossy().into_owned())
        }),
    };
    let data = args.data.load(&split, size, output)?;
    let data = in_families(args, config.family, data, output)?;
    let data = args.also.join(data, args.data.fit(), output)?;
    let start = match &args.options.from {
        None => None,
        Some(path) => Some(start::from(path, &data)?),
    };
    if let (None, Some(start)) = (args.options.contrast, &start) {
        config.contrast = start.contrast;
    }
    config.balance |= start.as_ref().is_some_and(|start| start.balance);
    let start = start.map(|start| (start.weights, start.statistics));
    let data = Arc::new(data);
    let run = Trainer::new(config, origin, Arc::clone(&data), start)
        .map_err(|error| match error {
            TrainError::Episode(error) => {
                episodes::Options::TRAINING.explain(&error, |class| Some(data.class_name(class)))
            }
            other => other.into(),
        })
        .context("the run cannot start")?;
    args.teacher.look(run, &data, &teacher_cache(args), output)
}

/// The classes in families of those that the network of --alike finds alike.
fn in_families(
    args: &Args,
    family: usize,
    data: Loaded,
    output: &Output,
) -> anyhow::Result<Loaded> {
    let Some(path) = &args.alike else {
        return Ok(data);
    };
    if family < 2 {
        bail!("--alike makes families of classes: say with --family how many classes each has");
    }
    let model = ModelFile::for_pictures("--alike", path, &data)?;
    output.step(format!("{} looks at the pictures", path.display()));
    let embeddings = model
        .embeddings(&data, output)
        .with_context(|| format!("--alike {}", path.display()))?;
    let sizes = data.class_sizes().into_iter().enumerate();
    let means: Vec<Vec<f32>> = sizes
        .map(|(class, size)| {
            let own: Vec<_> = (0..size).map(|index| (class, index)).collect();
            embeddings.mean(&own)
        })
        .collect();
    Ok(data.select(&by_likeness(&means, family)))
}

fn validation_data(
    args: &Args,
    origin: &Origin,
    training: &Loaded,
    output: &Output,
) -> anyhow::Result<Option<Loaded>> {
    let split = match (args.validate.as_deref(), args.data.kind()?) {
        (Some("none"), _) => return Ok(None),
        (Some(name), _) => name,
        (None, Kind::Parts | Kind::Surfaces | Kind::Omniglot(_)) if origin.split == "train" => {
            "val"
        }
        (None, _) => return Ok(None),
    };
    let data = args.data.load(split, training.picture_size(), output);
    let data = data.with_context(|| format!("--validate {split}"))?;
    check_validation(training, &data, output)?;
    Ok(Some(data))
}

/// Loss and accuracy averaged over about the last fifty episodes.
#[derive(Default)]
struct Running {
    loss: f32,
    accuracy: f32,
    count: u32,
}

impl Running {
    fn add(&mut self, loss: f32, accuracy: f32) {
        self.count += 1;
        let part = (1.0 / self.count as f32).max(0.02);
        self.loss += part * (loss - self.loss);
        self.accuracy += part * (accuracy - self.accuracy);
    }
}
