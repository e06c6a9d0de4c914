//! `sudal train`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use burn::tensor::{Tensor, TensorData};
use clap::ValueEnum;
use indicatif::ProgressBar;
use serde::Serialize;
use sudal::data::{Loaded, parts, surfaces};
use sudal::episodes::EpisodeShape;
use sudal::export::onnx;
use sudal::export::whiten::strip;
use sudal::meta::augment::Augment;
use sudal::meta::checkpoint::Origin;
use sudal::meta::distilled::Distilled;
use sudal::meta::lesson::{Lesson, checksum};
use sudal::meta::maml::Maml;
use sudal::meta::mann::Mann;
use sudal::meta::meta_transfer::MetaTransfer;
use sudal::meta::patches::Patches;
use sudal::meta::prototypical::Prototypical;
use sudal::meta::reptile::Reptile;
use sudal::meta::schedule::Schedule;
use sudal::meta::siamese::Siamese;
use sudal::meta::transfer::Transfer;
use sudal::meta::{Checkpoint, Learner, TrainConfig, TrainError, Trained, Trainer};
use sudal::nets::backend;
use sudal::nets::block::Statistics;
use sudal::nets::network::{Architecture, Plan, Weights};
use sudal::nets::unfold::unfold;

use super::data::{AlsoArgs, DataArgs, Kind, check_validation};
use super::interrupt::{Interrupt, Interrupted};
use super::model::{ModelFile, beside};
use super::output::Output;
use super::place::{self, Claim};

/// Pictures of which a network that is started from gets its batch norm statistics.
const STATISTICS_PICTURES: usize = 2000;
/// Time between checkpoints.
const SAVE_EVERY: Duration = Duration::from_secs(60);

/// Meta-train a network on many small tasks.
///
/// Every episode is a small classification task drawn from the data: --way classes, --support and
/// --query pictures of each. What is not given is set to what suits the method. The run is kept in
/// --out once a minute and on Ctrl-C; --resume goes on from there to the same result.
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
    /// Go on with the run in --out, with its own settings.
    #[arg(long)]
    resume: bool,
    /// How to learn.
    #[arg(long, default_value = "prototypical")]
    method: MethodName,
    /// A trained network to start from: a finished checkpoint, or an ONNX file of `sudal export`.
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// The kind of network [default: residual for --method patches, conv4 for Omniglot, else separable].
    #[arg(long)]
    network: Option<Network>,
    /// Channels: of every block of conv4 [default: 64] and conv5
    /// [default: 58], of the first block of separable and residual [default: 16].
    #[arg(long)]
    channels: Option<usize>,
    /// Side of the square picture in pixels [default: 128 for patches, 28 for Omniglot, 96 for surfaces,
    /// else 64].
    #[arg(long, value_parser = clap::value_parser!(u32).range(16..=512))]
    size: Option<u32>,
    /// Classes of a training episode; more than in testing helps [default: what suits the method].
    #[arg(long)]
    way: Option<usize>,
    /// Support pictures of a class [default: what suits the method].
    #[arg(long)]
    support: Option<usize>,
    /// Query pictures of a class [default: what suits the method].
    #[arg(long)]
    query: Option<usize>,
    /// Episodes of one optimiser step, their losses averaged [default: what suits the method].
    #[arg(long)]
    tasks: Option<usize>,
    /// Shots of training, at most --support: a prototypical network's loss is the mean over them
    /// [default: 1,3], MAML and its kin take them by turns [default: 1].
    #[arg(long, value_delimiter = ',')]
    shots: Option<Vec<usize>>,
    #[command(flatten)]
    task: TaskArgs,
    #[command(flatten)]
    teacher: TeacherArgs,
    /// Classes of a family, which follow each other in the data and are alike; every second episode
    /// then is of whole families, a task of small differences [default: 4 for parts, 8
    /// for surfaces, else 1].
    #[arg(long)]
    family: Option<usize>,
    /// Bring every picture to this standard deviation, in levels of 0..=255, about a mean of 128, so that
    /// lamp and exposure do not matter; 0 leaves pictures as they are [default: that of --from, else
    /// 44 for surfaces and for patches, else 0].
    #[arg(long, value_parser = clap::value_parser!(u32).range(0..=255))]
    contrast: Option<u32>,
    /// Optimiser steps, of --tasks episodes each [default: what suits the method].
    #[arg(long)]
    episodes: Option<u64>,
    /// Greatest learning rate of Adam; it rises for --warmup episodes, then falls along a cosine
    /// [default: what suits the method].
    #[arg(long)]
    learning_rate: Option<f64>,
    /// Episodes of rising learning rate.
    #[arg(long, default_value_t = 50)]
    warmup: u64,
    /// Random changes of the training pictures [default: none for patches of a teacher, strokes for
    /// Omniglot, else camera].
    #[arg(long)]
    augment: Option<Augmentation>,
    /// How great these changes are, 1 being usual and 0 none.
    #[arg(long, default_value_t = 1.0, value_parser = strength)]
    augment_strength: f32,
    /// Decay of the running average of the weights that becomes the network; 0 takes the last.
    #[arg(long, default_value_t = 0.999)]
    averaging: f64,
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

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Network {
    /// Four 3x3 convolutions with max pools, the reference of the papers.
    Conv4,
    /// The same with a fifth, for pictures of 32x32 to 63x63.
    Conv5,
    /// Depthwise-separable convolutions, for a microcontroller.
    Separable,
    /// The same with inverted residuals and a map of patches, to find flaws by.
    Residual,
    /// The first blocks of EfficientNet-Lite0, whose published weights --from takes; it has maps of
    /// patches too.
    Lite,
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum MethodName {
    /// Nearest class mean (Snell et al. 2017).
    Prototypical,
    /// Pairs by distance (Koch et al. 2015, Hadsell et al. 2006).
    Siamese,
    /// Pairs by a weighted L1 distance and a logistic unit (Koch et al. 2015).
    SiameseL1,
    /// A classifier of the base classes, a new linear head for each task (Chen et al. 2019).
    Transfer,
    /// An external memory behind a feed-forward controller, on top of a trained network (Santoro et
    /// al. 2016).
    Mann,
    /// The same behind an LSTM.
    MannLstm,
    /// A start for gradient descent, by exact second order (Finn et al. 2017).
    Maml,
    /// The same by first order.
    FirstOrderMaml,
    /// With learned step sizes and the loss of every step (Antoniou et al. 2019).
    MamlPlusPlus,
    /// With the head alone moving in a task (Raghu et al. 2020).
    Anil,
    /// A start near to where many tasks end (Nichol et al. 2018).
    Reptile,
    /// Learned scales and shifts of a trained network, given by --from (Sun et al. 2019).
    MetaTransfer,
    /// Neighbours as a larger network finds them, given by --teacher (Park et al. 2019).
    Distilled,
    /// Patches that tell flaws from sound surface: as a larger network has them, given by --teacher
    /// (Bergmann et al. 2020), and from flaws drawn into the pictures, by --flaws.
    Patches,
}

/// Learning from a larger network.
#[derive(clap::Args)]
struct TeacherArgs {
    /// The teacher, for --method distilled and patches: an ONNX network that embeds pictures of the run's
    /// size. `models/teacher.py` makes one, `models/patch_teacher.py` one of patches.
    #[arg(long, value_name = "FILE")]
    teacher: Option<PathBuf>,
    /// How much more a picture's nearest neighbours count than the rest: the smaller, the more
    /// [default: 0.15].
    #[arg(long, value_parser = temperature)]
    temperature: Option<f32>,
    /// How much the labels count beside the teacher [default: 0.05].
    #[arg(long, value_parser = strength)]
    labels: Option<f32>,
    /// How much flaws that are drawn into the queries count, for --method patches; 0 draws none
    /// [default: 0.3].
    #[arg(long, value_parser = strength)]
    flaws: Option<f32>,
}

impl TeacherArgs {
    /// Changes what was given, in the method that has it.
    fn apply(&self, learner: &mut Learner) -> anyhow::Result<()> {
        match learner {
            Learner::Distilled(distilled) if self.flaws.is_none() => {
                distilled.teacher = self.read()?.1;
                distilled.temperature = self.temperature.unwrap_or(distilled.temperature);
                distilled.labels = self.labels.unwrap_or(distilled.labels);
            }
            Learner::Patches(patches) => {
                if self.teacher.is_some() {
                    patches.teacher = self.read()?.1;
                }
                patches.flaws = self.flaws.unwrap_or(patches.flaws);
                patches.temperature = self.temperature.unwrap_or(patches.temperature);
                patches.labels = self.labels.unwrap_or(patches.labels);
            }
            _ if self.flaws.is_some() => {
                bail!(
                    "--flaws is for --method patches; {} learns no patches",
                    learner.name()
                )
            }
            _ if self.teacher.is_some() || self.temperature.is_some() || self.labels.is_some() => {
                bail!(
                    "--teacher, --temperature and --labels are for --method distilled and patches; {} has no teacher",
                    learner.name()
                )
            }
            _ => {}
        }
        Ok(())
    }

    /// The teacher's file and its checksum.
    fn read(&self) -> anyhow::Result<(&Path, u32)> {
        let path = self.teacher.as_ref().ok_or(TrainError::NoTeacher)?;
        let bytes = std::fs::read(path).with_context(|| format!("--teacher {}", path.display()))?;
        Ok((path, checksum(&bytes)))
    }

    /// Lets the teacher look at the data, where the run has one, or recalls what it saw.
    fn look(
        &self,
        run: Trainer,
        data: &Loaded,
        kept: &Path,
        output: &Output,
    ) -> anyhow::Result<Trainer> {
        let known = match &run.config().learner {
            Learner::Distilled(distilled) => distilled.teacher,
            Learner::Patches(patches) if patches.teacher != 0 => patches.teacher,
            _ => return Ok(run),
        };
        let (path, checksum) = self.read()?;
        if checksum != known {
            bail!(
                "--teacher {} is another network than the run began with",
                path.display()
            );
        }
        let at = || format!("--teacher {}", path.display());
        let model = ModelFile::open(path).with_context(at)?;
        let ((width, height), size) = (data.size(), model.size()?);
        if size != data.size() {
            bail!(
                "--teacher {} looks at pictures of {}x{}; those of the run have {width}x{height}",
                path.display(),
                size.0,
                size.1
            );
        }
        let lesson = Lesson::new(checksum, data);
        if let Some(told) = lesson.recall(data, kept) {
            return Ok(run.taught(told)?);
        }
        output.step(format!("{} looks at the pictures", path.display()));
        let told = model.embeddings(data, output)?;
        let at = || format!("keeping what the teacher saw in {}", kept.display());
        lesson.keep(&told, kept).with_context(at)?;
        Ok(run.taught(told)?)
    }
}

/// Learning inside a task, for the methods that do so by gradient descent.
#[derive(clap::Args)]
struct TaskArgs {
    /// Steps inside a task in training [default: what suits the method].
    #[arg(long)]
    steps: Option<usize>,
    /// Steps on a new task [default: the method's own, at least --steps].
    #[arg(long)]
    test_steps: Option<usize>,
    /// Size of the network's steps inside a task [default: what suits the method].
    #[arg(long)]
    rate: Option<f32>,
    /// Size of the head's steps inside a task [default: what suits the method].
    #[arg(long)]
    head_rate: Option<f32>,
}

impl TaskArgs {
    /// Changes what was given, in a method that has it.
    fn apply(&self, learner: &mut Learner) -> anyhow::Result<()> {
        let mut unused = 0.0;
        let (steps, test_steps, rate, head_rate) = match learner {
            Learner::Maml(m) => (
                &mut m.steps,
                &mut m.test_steps,
                &mut m.rate,
                &mut m.head_rate,
            ),
            Learner::Reptile(r) => (
                &mut r.steps,
                &mut r.test_steps,
                &mut r.rate,
                &mut r.head_rate,
            ),
            Learner::MetaTransfer(m) => {
                if self.rate.is_some() {
                    bail!("--rate: {} leaves the network as it is", learner.name());
                }
                (
                    &mut m.steps,
                    &mut m.test_steps,
                    &mut unused,
                    &mut m.head_rate,
                )
            }
            other => {
                if self.steps.is_some()
                    || self.test_steps.is_some()
                    || self.rate.is_some()
                    || self.head_rate.is_some()
                {
                    bail!(
                        "--steps, --test-steps, --rate and --head-rate say how gradient descent learns a task; {} does not",
                        other.name()
                    );
                }
                return Ok(());
            }
        };
        *steps = self.steps.unwrap_or(*steps);
        *test_steps = self.test_steps.unwrap_or((*test_steps).max(*steps));
        *rate = self.rate.unwrap_or(*rate);
        *head_rate = self.head_rate.unwrap_or(*head_rate);
        Ok(())
    }
}

impl MethodName {
    pub(super) fn learner(self, shots: Option<Vec<usize>>) -> Learner {
        let maml = |mut maml: Maml| {
            maml.shots = shots.clone().unwrap_or(maml.shots);
            Learner::Maml(maml)
        };
        match self {
            Self::Maml => maml(Maml::exact()),
            Self::FirstOrderMaml => maml(Maml::first_order()),
            Self::MamlPlusPlus => maml(Maml::plus_plus()),
            Self::Anil => maml(Maml::anil()),
            Self::Reptile => Learner::Reptile(Reptile::default()),
            Self::MetaTransfer => Learner::MetaTransfer(MetaTransfer::default()),
            Self::Distilled => {
                let usual = Distilled::default();
                Learner::Distilled(Distilled {
                    shots: shots.unwrap_or(usual.shots),
                    ..usual
                })
            }
            Self::Patches => {
                let usual = Patches::default();
                Learner::Patches(Patches {
                    shots: shots.unwrap_or(usual.shots),
                    ..usual
                })
            }
            Self::Prototypical => Learner::Prototypical(Prototypical {
                shots: shots.unwrap_or_else(|| vec![1, 3]),
            }),
            Self::Siamese => Learner::Siamese(Siamese::CONTRASTIVE),
            Self::SiameseL1 => Learner::Siamese(Siamese::Logistic),
            Self::Transfer => Learner::Transfer(Transfer::Frozen),
            Self::Mann => Learner::Mann(Mann::default()),
            Self::MannLstm => Learner::Mann(Mann::lstm()),
        }
    }
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Augmentation {
    None,
    Strokes,
    Camera,
}

impl Network {
    /// What suits the data.
    pub(super) fn usual(data: &Kind) -> Self {
        match data {
            Kind::Omniglot(_) => Self::Conv4,
            Kind::Parts | Kind::Surfaces | Kind::Folder(_) => Self::Separable,
        }
    }

    /// Channels where nothing else is asked for.
    pub(super) fn channels(self) -> usize {
        match self {
            Self::Conv4 => 64,
            Self::Conv5 => 58,
            Self::Separable | Self::Residual => 16,
            Self::Lite => 32,
        }
    }

    pub(super) fn architecture(self, channels: usize) -> Architecture {
        match self {
            Self::Conv4 => Architecture::Conv4 { channels },
            Self::Conv5 => Architecture::Conv5 { channels },
            Self::Separable => Architecture::Separable { channels },
            Self::Residual => Architecture::Residual { channels },
            Self::Lite => Architecture::Lite { channels },
        }
    }
}

impl Augmentation {
    /// What suits the data.
    pub(super) fn usual(data: &Kind) -> Self {
        match data {
            Kind::Omniglot(_) => Self::Strokes,
            Kind::Parts | Kind::Surfaces | Kind::Folder(_) => Self::Camera,
        }
    }

    pub(super) fn augment(self) -> Augment {
        match self {
            Self::None => Augment::default(),
            Self::Strokes => Augment::STROKES,
            Self::Camera => Augment::CAMERA,
        }
    }
}

/// Classes of a family of the data.
pub(super) fn usual_family(data: &Kind) -> usize {
    match data {
        Kind::Parts => parts::FAMILY as usize,
        Kind::Surfaces => surfaces::FAMILY as usize,
        Kind::Omniglot(_) | Kind::Folder(_) => 1,
    }
}

/// Deviation to which pictures of the data are brought.
pub(super) fn usual_contrast(data: &Kind) -> u32 {
    match data {
        Kind::Surfaces => 44,
        Kind::Parts | Kind::Omniglot(_) | Kind::Folder(_) => 0,
    }
}

/// Parses how strong something is, 1 being usual.
pub(super) fn strength(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(x) if (0.0..=4.0).contains(&x) => Ok(x),
        _ => Err("give a number of 0 to 4".to_owned()),
    }
}

fn temperature(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(x) if (0.01..=10.0).contains(&x) => Ok(x),
        _ => Err("give a number of 0.01 to 10".to_owned()),
    }
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
    place::ready(&args.out)?;
    let _claim = Claim::on(&args.out)?;
    // Until the first episode there is nothing to keep.
    let mut trainer = start(args, output)?;
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
                "episode {} is kept in {}; go on with --resume",
                trainer.episode(),
                args.out.display()
            ))
            .into());
        }
    }
    bar.finish_and_clear();
    trainer.save(&args.out)?;
    if trainer.config().learner.method().has_teacher() {
        let path = lesson(args);
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
fn lesson(args: &Args) -> PathBuf {
    beside(&args.out, "teacher")
}

fn start(args: &Args, output: &Output) -> anyhow::Result<Trainer> {
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
        let data = args.data.load(&origin.split, (width, height), output)?;
        let data = Arc::new(args.also.join(data, args.data.fit(), output)?);
        let run = Trainer::resume(&checkpoint, Arc::clone(&data))?;
        return args.teacher.look(run, &data, &lesson(args), output);
    }
    if args.out.exists() {
        bail!(
            "{} exists: give --resume to go on with it, another --out, or remove it",
            args.out.display()
        );
    }
    let mut learner = args.method.learner(args.shots.clone());
    args.task.apply(&mut learner)?;
    args.teacher.apply(&mut learner)?;
    let kind = args.data.kind()?;
    // What a teacher said of a place holds for that place alone.
    let has_map_of_teacher = matches!(&learner, Learner::Patches(p) if p.teacher != 0);
    let learns_patches = matches!(learner, Learner::Patches(_));
    let network = args.network.unwrap_or_else(|| match learns_patches {
        true => Network::Residual,
        false => Network::usual(&kind),
    });
    let architecture = network.architecture(args.channels.unwrap_or(network.channels()));
    let augment = args.augment.unwrap_or_else(|| match has_map_of_teacher {
        true => Augmentation::None,
        false => Augmentation::usual(&kind),
    });
    let augment = augment.augment().times(args.augment_strength);
    let size = match args.size {
        Some(side) => (side, side),
        None if learns_patches => (128, 128),
        None => args.data.natural_size()?,
    };
    let recipe = learner.recipe();
    let mut config = TrainConfig {
        learner,
        architecture,
        way: args.way.unwrap_or(recipe.way),
        support: args.support.unwrap_or(recipe.support),
        query: args.query.unwrap_or(recipe.query),
        tasks: args.tasks.unwrap_or(recipe.tasks),
        family: args.family.unwrap_or_else(|| usual_family(&kind)),
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
        contrast: args.contrast.unwrap_or(match learns_patches {
            true => usual_contrast(&Kind::Surfaces),
            false => usual_contrast(&kind),
        }),
    };
    // Before minutes of reading pictures.
    config.check().context("the run cannot start")?;
    Plan::new(architecture, (size.1 as usize, size.0 as usize)).context("the run cannot start")?;
    let split = args.data.split_or("train")?;
    let origin = Origin {
        data: args.also.name(args.data.name()?),
        split: split.clone(),
        start: args.from.as_ref().map(|path| {
            path.file_name()
                .map_or_else(String::new, |n| n.to_string_lossy().into_owned())
        }),
    };
    let data = args.data.load(&split, size, output)?;
    let data = args.also.join(data, args.data.fit(), output)?;
    let start = match &args.from {
        None => None,
        Some(path) => Some(from(path, &data)?),
    };
    if let (None, Some(start)) = (args.contrast, &start) {
        config.contrast = start.contrast;
    }
    let start = start.map(|start| (start.weights, start.statistics));
    let data = Arc::new(data);
    let run =
        Trainer::new(config, origin, Arc::clone(&data), start).context("the run cannot start")?;
    args.teacher.look(run, &data, &lesson(args), output)
}

/// A trained network to start from.
pub(super) struct Start {
    pub(super) weights: Weights,
    /// Of its batch norms.
    pub(super) statistics: Vec<Statistics>,
    /// To which its pictures are brought.
    pub(super) contrast: u32,
}

/// Reads a trained network.
pub(super) fn from(path: &Path, data: &Loaded) -> anyhow::Result<Start> {
    let at = || format!("--from {}", path.display());
    let bytes = std::fs::read(path).with_context(at)?;
    if bytes.starts_with(b"sudalck") {
        let checkpoint = Checkpoint::load(path)?;
        let trained = Trained::load(&checkpoint).with_context(at)?;
        let params = trained.params();
        return Ok(Start {
            weights: params.network.clone(),
            statistics: params.statistics.clone(),
            contrast: checkpoint.config.contrast,
        });
    }
    let bytes = strip(&bytes).with_context(at)?;
    let graph = onnx::read(&bytes).with_context(at)?;
    let (width, height) = data.size();
    let area = (width * height) as usize;
    // Spread over all classes.
    let pictures = data.all().len() / area;
    let step = pictures.div_ceil(STATISTICS_PICTURES);
    let scaled = (0..pictures).step_by(step).flat_map(|i| {
        let pixels = &data.all()[i * area..][..area];
        let table = graph.normalization.table(pixels);
        pixels.iter().map(move |&pixel| table[usize::from(pixel)])
    });
    let scaled: Vec<f32> = scaled.collect();
    let shape = [scaled.len() / area, height as usize, width as usize, 1];
    let x = Tensor::from_data(TensorData::new(scaled, shape), &backend::device());
    let (_, weights, statistics) = unfold(&graph, &x)
        .with_context(|| format!("{}: not a network that `sudal train` makes", path.display()))?;
    Ok(Start {
        weights,
        statistics,
        contrast: graph.normalization.contrast,
    })
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
    let data = args.data.load(split, training.size(), output);
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
