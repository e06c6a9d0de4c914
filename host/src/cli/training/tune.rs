//! `sudal tune`.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, bail};
use clap::ValueEnum;
use indicatif::ProgressBar;
use serde::Serialize;
use sudal::data::Loaded;
use sudal::episodes::EpisodeShape;
use sudal::meta::checkpoint::Origin;
use sudal::meta::schedule::Schedule;
use sudal::meta::tune::{
    Dimension, Halving, Params, Range, Running, Setup, Space, Study, Trial, TrialStatus, Value,
};
use sudal::meta::{Learner, TrainConfig, TrainError, Trainer};
use sudal::nets::block::Statistics;
use sudal::nets::network::{Plan, Weights};
use sudal::report::{Axis, Chart, Point, ReportError, Series, Style};

use super::bounds::{self, Bounds};
use super::choices::Augmentation;
use super::data::{DataArgs, Kind, check_validation, folder_split};
use super::interrupt::{Interrupt, Interrupted};
use super::options::{self, Chosen, Options};
use super::output::Output;
use super::output_file;
use super::start;

// The settings that are searched, called as the options of `sudal train`.
const RATE: &str = "learning-rate";
const CHANNELS: &str = "channels";
const WAY: &str = "way";
const SUPPORT: &str = "support";
const STRENGTH: &str = "augment-strength";
const AVERAGING: &str = "averaging";

/// Search for good settings of `sudal train`.
///
/// Search for good settings of `sudal train` by many short trainings.
///
/// Each trial trains a network for --episodes on --split and measures it --validations times on
/// --validate. The first trial takes the usual settings, the next seven spread over the space, all
/// later ones are where a tree-structured Parzen estimator expects more than the best so far. A
/// trial that has fallen behind (not in the best third at the same point) is stopped.
///
/// Each of --learning-rate, --channels, --way, --support and --augment-strength takes a range to
/// search, as 16..64, or one number to keep it fixed; left out, a range about the usual setting is
/// searched. Trials count episodes, not time: where time counts, bound --channels and --way.
///
/// --out gets a line of JSON for each trial as it ends; a chart of them all is drawn beside it (.png
/// and .svg).
/// Ctrl-C loses only the trial under way; the same command with --resume continues to the same trials
/// as if it had not stopped, and may ask for more --trials.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sudal tune --data synthetic:parts --out parts.jsonl
  sudal tune --data ~/omniglot --trials 60 --episodes 500 --out omniglot.jsonl
  sudal tune --data ~/omniglot --trials 90 --episodes 500 --out omniglot.jsonl --resume
  sudal tune --data ~/omniglot --channels 64 --learning-rate 1e-3..1e-2 --out narrow.jsonl
  sudal tune --data my-pictures --validate my-other-pictures --out mine.jsonl
  jq -s 'map(select(.value)) | sort_by(-.value) | .[:5]' omniglot.jsonl    the best five")]
pub(crate) struct Args {
    #[command(flatten)]
    data: DataArgs,
    /// What to measure on: another split of the data, or a path to other pictures, needed where
    /// the data is a folder without a split val [default: val].
    #[arg(long, value_name = "NAME|PATH")]
    validate: Option<String>,
    /// File of the trials, one a line.
    #[arg(long, value_name = "FILE.jsonl")]
    out: PathBuf,
    /// Resume the study in --out.
    #[arg(long)]
    resume: bool,
    #[command(flatten)]
    options: Options,
    /// Trials in all, those of a study that resumes counted.
    #[arg(long, default_value_t = 30)]
    trials: usize,
    /// Training episodes of a trial.
    #[arg(long, default_value_t = 300, value_parser = bounds::episodes())]
    episodes: u64,
    /// Measurements in a trial, evenly spread; the best counts.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=1000))]
    validations: u64,
    /// Let every trial come to its end.
    #[arg(long)]
    no_pruning: bool,
    /// Classes of an episode of measurement.
    #[arg(long, default_value_t = 5)]
    validate_way: usize,
    /// Support pictures of a class in measurement.
    #[arg(long, default_value_t = 1)]
    validate_shot: usize,
    /// Episodes of a measurement, of 15 queries a class.
    #[arg(long, default_value_t = 600, value_parser = bounds::episodes())]
    validate_episodes: u64,
    /// Greatest learning rate of Adam, searched by its logarithm [default: a third to three times
    /// the usual one].
    #[arg(long, value_name = "N|A..B")]
    learning_rate: Option<Bounds<f64>>,
    /// Channels of the network, and so the length of its embedding [default: a quarter to one and a
    /// half of the usual].
    #[arg(long, value_name = "N|A..B")]
    channels: Option<Bounds<usize>>,
    /// Classes of a training episode [default: 5 to twice the usual].
    #[arg(long, value_name = "N|A..B")]
    way: Option<Bounds<usize>>,
    /// Support pictures of a class; a prototypical network trains with 1 shot and with all of them
    /// [default: to 5].
    #[arg(long, value_name = "N|A..B")]
    support: Option<Bounds<usize>>,
    /// How great the random changes of --augment are, 1 being usual [default: 0..2].
    #[arg(long, value_name = "N|A..B")]
    augment_strength: Option<Bounds<f64>>,
    /// Decays of the running average of the weights to choose from.
    #[arg(long, value_delimiter = ',', value_name = "N,..", default_values_t = [0.0, 0.9, 0.99, 0.999])]
    averaging: Vec<f64>,
    /// Seed of the trials' settings, and of every training.
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

#[derive(Serialize)]
struct Report<'a> {
    trials: usize,
    finished: usize,
    pruned: usize,
    failed: usize,
    seconds: f64,
    best: &'a Trial,
    command: String,
    out: &'a Path,
}

pub(crate) fn run(args: &Args, output: &Output) -> anyhow::Result<()> {
    let interrupt = Interrupt::catch()?;
    // Before minutes of reading pictures.
    match (args.resume, args.out.exists()) {
        (false, true) => bail!(
            "{} exists: give --resume to continue with it, another --out, or remove it",
            args.out.display()
        ),
        (true, false) => bail!("{} does not exist: leave --resume out", args.out.display()),
        _ => {}
    }
    output_file::ready(&args.out)?;
    output_file::ready_chart(&args.out)?;
    if let Some(wrong) = args.averaging.iter().find(|a| !(0.0..1.0).contains(*a)) {
        bail!("--averaging {wrong} is not in 0..1");
    }
    let context = TrialContext::new(args, output)?;
    let setup = context.setup()?;
    let mut study = if args.resume {
        let (study, torn) = Study::open(&args.out, setup)?;
        if let Some(line) = torn {
            output.step(format!(
                "{}, line {line} was not written to its end: that trial is done again",
                args.out.display()
            ));
        }
        study
    } else {
        Study::create(&args.out, setup)?
    };
    for dimension in study.setup().space.dimensions() {
        output.step(format!("searched: {} {}", dimension.name, dimension.range));
    }

    let bar: ProgressBar = output.bar(args.episodes.saturating_mul(args.trials as u64), "episodes");
    while study.trials().len() < args.trials {
        bar.set_position(study.trials().len() as u64 * args.episodes);
        let mut running = study.ask();
        let started = Instant::now();
        let outcome = context.train(&mut running, &study, &interrupt, &bar)?;
        let Some(outcome) = outcome else {
            bar.abandon();
            return Err(Interrupted(format!(
                "{} trials are kept in {}; continue with the same command and --resume",
                study.trials().len(),
                args.out.display()
            ))
            .into());
        };
        let trial = study.tell(running, outcome, started.elapsed().as_secs_f64())?;
        let line = describe_trial(trial);
        bar.suspend(|| output.step(line));
    }
    bar.finish_and_clear();
    draw(&study, &args.out)?;

    let count = |outcome| {
        let trials = study.trials().iter();
        trials.filter(|t| t.outcome == outcome).count()
    };
    let Some(best) = study.best() else {
        bail!(
            "none of the {} trials came to its end: lower --learning-rate, or ask for more --trials with --resume",
            study.trials().len()
        );
    };
    let report = Report {
        trials: study.trials().len(),
        finished: count(TrialStatus::Finished),
        pruned: count(TrialStatus::Pruned),
        failed: count(TrialStatus::Failed),
        seconds: study.trials().iter().map(|t| t.seconds).sum(),
        best,
        command: context.command(&best.params)?,
        out: &args.out,
    };
    let text = format!(
        "best of {} trials ({} stopped early, {} failed) in {:.0} s: {}\nnext: {}",
        report.trials,
        report.pruned,
        report.failed,
        report.seconds,
        describe_trial(best),
        report.command,
    );
    output.result(&report, text)
}

/// Draws the study beside its file, where there is a point to draw.
fn draw(study: &Study, out: &Path) -> Result<(), ReportError> {
    let chart = history(study);
    if chart.series.is_empty() {
        return Ok(());
    }
    chart.save(out)
}

/// What each trial reached and the best so far, over their numbers.
fn history(study: &Study) -> Chart {
    let axis = |label: &str| Axis {
        label: label.to_owned(),
        log: false,
    };
    let at = |trial: &Trial, value: f64| Point {
        x: trial.number as f64,
        y: value * 100.0,
        interval: 0.0,
    };
    let series = |name: &str, points, style| Series {
        name: name.to_owned(),
        points,
        style,
        color: None,
    };
    let of = |outcome| {
        let trials = study.trials().iter().filter(|t| t.outcome == outcome);
        trials.filter_map(|t| Some(at(t, t.value?))).collect()
    };
    let best = study.trials().iter().zip(study.best_so_far());
    let best = best.filter_map(|(t, best)| Some(at(t, best?))).collect();
    let all = [
        series("best so far", best, Style::Bare),
        series("finished", of(TrialStatus::Finished), Style::Marks),
        series("stopped early", of(TrialStatus::Pruned), Style::Marks),
        series("failed", of(TrialStatus::Failed), Style::Marks),
    ];
    // Each keeps its colour when another is empty.
    let drawn = all.into_iter().enumerate().map(|(i, s)| Series {
        color: Some(i),
        ..s
    });
    let about = |name: &str| study.setup().about.get(name).map_or("", String::as_str);
    Chart {
        title: format!("Tuning {} on {}", about("method"), about("data")),
        x: axis("trial"),
        y: axis("validation accuracy, %"),
        series: drawn.filter(|s| !s.points.is_empty()).collect(),
    }
}

/// A trial in a line.
fn describe_trial(trial: &Trial) -> String {
    let value = match trial.value {
        Some(value) => format!("{:.2} %", value * 100.0),
        None => "nothing".to_owned(),
    };
    let end = match (trial.outcome, trial.reports.last()) {
        (TrialStatus::Finished, _) => String::new(),
        (TrialStatus::Pruned, Some((step, _))) => format!(", stopped at episode {step}"),
        (TrialStatus::Pruned, None) => ", stopped".to_owned(),
        (TrialStatus::Failed, _) => ", it diverged".to_owned(),
    };
    let Trial {
        number,
        params,
        seconds,
        ..
    } = trial;
    format!("trial {number}: {value}{end} ({params}; {seconds:.0} s)")
}

/// What every trial shares.
struct TrialContext<'a> {
    args: &'a Args,
    chosen: Chosen,
    /// The method with its own settings.
    learner: Learner,
    origin: Origin,
    validate: String,
    data: Arc<Loaded>,
    validation: Loaded,
    start: Option<(Weights, Vec<Statistics>)>,
}

impl<'a> TrialContext<'a> {
    fn new(args: &'a Args, output: &Output) -> anyhow::Result<Self> {
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
        Ok(Self {
            chosen,
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

    /// The bounds of each number that is searched or fixed, in the order of the search.
    fn setup(&self) -> anyhow::Result<Setup> {
        let recipe = self.learner.recipe();
        let mut about = self.about();
        let mut dimensions = Vec::new();
        let mut first = Vec::new();

        let peak = recipe.learning_rate;
        let usual = Bounds::new(short(peak / 3.0), short(peak * 3.0));
        let Bounds { low, high } = self.args.learning_rate.unwrap_or(usual);
        if low <= 0.0 || high > 10.0 {
            bail!("--learning-rate {low}..{high} is not above 0 and at most 10");
        }
        let usual = Value::Number(peak.clamp(low, high));
        let rate = (RATE, Range::LogUniform { low, high }, usual);
        let Bounds { low, high } = self.strengths();
        if low < 0.0 || high > 4.0 {
            bail!("--augment-strength {low}..{high} is not in 0..4");
        }
        let usual = Value::Number(1f64.clamp(low, high));
        let strength = (STRENGTH, Range::Uniform { low, high }, usual);
        let choice = self.args.averaging.iter().map(|a| Value::Number(*a));
        let mut of: Vec<Value> = choice.collect();
        of.dedup();
        let usual = Value::Number(options::AVERAGING);
        let usual = if of.contains(&usual) {
            usual
        } else {
            of[0].clone()
        };
        let averaging = (AVERAGING, Range::Choice { of }, usual);

        let (channels, step) = self.channels()?;
        let size = self.data.picture_size();
        let sides = (size.height as usize, size.width as usize);
        let widest = self.chosen.network.architecture(channels.high);
        Plan::with_channels(widest, sides, size.colors.channels())?;
        let channels = integer(CHANNELS, channels, step, self.chosen.network.channels())?;
        let way = integer(WAY, self.ways(), 5, recipe.way)?;
        let support = integer(SUPPORT, self.supports(), 1, recipe.support)?;
        for (name, range, usual) in [rate, channels, way, support, strength, averaging] {
            let fixed = match &range {
                Range::LogUniform { low, high } | Range::Uniform { low, high } => low == high,
                Range::Integer { low, high, step } => low + step > *high,
                Range::Choice { of } => of.len() == 1,
            };
            if fixed {
                about.insert(name.to_owned(), usual.to_string());
            } else {
                let name = name.to_owned();
                first.push((name.clone(), usual));
                dimensions.push(Dimension { name, range });
            }
        }
        let first: Params = first.into_iter().collect();
        self.config(&first)?.check()?;
        Ok(Setup {
            space: Space::new(dimensions)?,
            seed: self.args.seed,
            startup: Setup::STARTUP,
            first: Some(first),
            pruning: (!self.args.no_pruning).then(Halving::default),
            about,
        })
    }

    /// What a study is not gone on with when it differs, by the name of the option.
    fn about(&self) -> BTreeMap<String, String> {
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

    fn channels(&self) -> anyhow::Result<(Bounds<usize>, usize)> {
        let usual = self.chosen.network.channels();
        let step = usual / 4;
        let bounds = match (self.args.channels, &self.start) {
            (Some(bounds), _) => bounds,
            // Those of the network to start from.
            (None, Some(_)) => Bounds::new(usual, usual),
            (None, None) => Bounds::new(step, 6 * step),
        };
        if self.start.is_some() && bounds.low < bounds.high {
            bail!(
                "--channels {bounds}: a network to start from has its channels, give their number"
            );
        }
        Ok((bounds, step))
    }

    fn ways(&self) -> Bounds<usize> {
        let usual = || {
            let classes = self.data.classes();
            let whole = match self.chosen.family {
                0 | 1 => classes,
                family => classes / family * family,
            };
            let most = (2 * self.learner.recipe().way).min(whole);
            // A method may need all the classes of its greatest task.
            let least = self.learner.method().max_way().unwrap_or(0).max(5);
            Bounds::new(least.min(most), most)
        };
        self.args.way.unwrap_or_else(usual)
    }

    fn supports(&self) -> Bounds<usize> {
        let usual = || {
            let pictures = self.data.class_sizes().into_iter().min().unwrap_or(0);
            // Other methods have shots of their own, which must find their pictures.
            let least = match &self.learner {
                Learner::Prototypical(_) => 1,
                other => other.recipe().support,
            };
            let most = pictures.saturating_sub(self.chosen.query).min(5).max(least);
            Bounds::new(least, most)
        };
        self.args.support.unwrap_or_else(usual)
    }

    fn strengths(&self) -> Bounds<f64> {
        match self.chosen.augment {
            Augmentation::None => Bounds::new(1.0, 1.0),
            _ => self.args.augment_strength.unwrap_or(Bounds::new(0.0, 2.0)),
        }
    }

    /// The settings of a trial with those that are fixed.
    fn config(&self, params: &Params) -> anyhow::Result<TrainConfig> {
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
        })
    }

    /// Trains and measures; none where Ctrl-C was pressed.
    fn train(
        &self,
        running: &mut Running,
        study: &Study,
        interrupt: &Interrupt,
        bar: &ProgressBar,
    ) -> anyhow::Result<Option<TrialStatus>> {
        let args = self.args;
        let config = self.config(&running.params)?;
        let best = study.best().and_then(|t| t.value);
        let best = best.map_or("none".to_owned(), |v| format!("{:.2} %", v * 100.0));
        bar.set_message(format!("trial {}, best {best}", running.number));
        let shape = EpisodeShape {
            way: args.validate_way,
            shot: args.validate_shot,
            query: 15,
        };
        let (origin, data) = (self.origin.clone(), Arc::clone(&self.data));
        let mut trainer = Trainer::new(config, origin, data, self.start.clone())
            .with_context(|| format!("trial {} ({})", running.number, running.params))?;
        for n in 1..=args.validations {
            let until = (args.episodes * n).div_ceil(args.validations);
            while trainer.episode() < until {
                match trainer.step() {
                    Ok(_) => bar.inc(1),
                    Err(TrainError::Diverged { .. }) => return Ok(Some(TrialStatus::Failed)),
                    Err(error) => return Err(error.into()),
                }
                if interrupt.is_set() {
                    return Ok(None);
                }
            }
            let measured = trainer.validate(&self.validation, shape, args.validate_episodes);
            let accuracy = match measured {
                Err(TrainError::NotFinite { .. }) => return Ok(Some(TrialStatus::Failed)),
                measured => measured?,
            };
            running.report(until, accuracy.mean);
            if until < args.episodes && study.should_stop(running) {
                return Ok(Some(TrialStatus::Pruned));
            }
            if interrupt.is_set() && until < args.episodes {
                return Ok(None);
            }
        }
        Ok(Some(TrialStatus::Finished))
    }

    /// A whole training with the settings of a trial.
    fn command(&self, params: &Params) -> anyhow::Result<String> {
        let config = self.config(params)?;
        let args = self.args;
        let mut line = format!("sudal train --data {}", quoted(&args.data.data));
        let mut add = |name: &str, value: &dyn ToString| {
            let value = quoted(&value.to_string());
            // A string takes whatever is written to it.
            let _ = write!(line, " --{name} {value}");
        };
        if let Some(split) = &args.data.split {
            add("split", split);
        }
        if let Some(crops) = &args.data.crops {
            add("crops", crops);
        }
        add("method", &word(args.options.method));
        if let Some(from) = &args.options.from {
            add("from", &from.display());
        }
        add("network", &word(self.chosen.network));
        if let Some(size) = &args.options.size {
            add("size", size);
        }
        add(CHANNELS, &config.architecture.channels());
        add(WAY, &config.way);
        add(SUPPORT, &config.support);
        add("query", &config.query);
        if let Learner::Prototypical(p) = &config.learner {
            let shots: Vec<_> = p.shots.iter().map(usize::to_string).collect();
            add("shots", &shots.join(","));
        }
        add("tasks", &config.tasks);
        add("family", &config.family);
        add("contrast", &config.contrast);
        add(RATE, &config.schedule.peak);
        add("augment", &word(self.chosen.augment));
        let strength = params.number(STRENGTH).unwrap_or(self.strengths().low);
        add(STRENGTH, &strength);
        add(AVERAGING, &config.averaging);
        add("seed", &config.seed);
        add("out", &args.out.with_extension("ckpt").display());
        if args.data.squeeze {
            line.push_str(" --squeeze");
        }
        Ok(line)
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
                Kind::Folder(path) => Ok((data, folder_split(&path, &["val", "test"])?)),
                _ => bail!("--validate {path} has splits: give the name of one of --data"),
            }
        }
        (None, None, Kind::Folder(path)) if folder_split(path, &["val"])? != "val" => bail!(
            "the folder has no split val to measure on: give pictures of other classes by --validate PATH"
        ),
        (None, name, _) => {
            let name = name.clone().unwrap_or_else(|| "val".to_owned());
            Ok((args.data.clone(), name))
        }
    }
}

/// The range of a setting that is counted, and the usual value or the one next to it.
fn integer(
    name: &'static str,
    Bounds { low, high }: Bounds<usize>,
    step: usize,
    usual: usize,
) -> anyhow::Result<(&'static str, Range, Value)> {
    if low == 0 {
        bail!("--{name} 0 leaves nothing to learn: give at least 1");
    }
    let number = |n: usize| i64::try_from(n).with_context(|| format!("--{name} {n}"));
    let step = step.min(high - low).max(1);
    let usual = low + (usual.clamp(low, high) - low) / step * step;
    let range = Range::Integer {
        low: number(low)?,
        high: number(high)?,
        step: number(step)?,
    };
    Ok((name, range, Value::Integer(number(usual)?)))
}

/// Two digits of a number, for a bound that nobody gave.
fn short(x: f64) -> f64 {
    format!("{x:.1e}").parse().unwrap_or(x)
}

/// How a value is called on the command line.
fn word(value: impl ValueEnum) -> String {
    let value = value.to_possible_value();
    value.map_or_else(String::new, |v| v.get_name().to_owned())
}

fn name(path: &Path) -> String {
    path.file_name()
        .map_or_else(String::new, |n| n.to_string_lossy().into_owned())
}

/// A word of a command line, in quotes where a shell would take it apart.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./,:=+~".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_a_shell() {
        assert_eq!(quoted("/data/omniglot-1.0"), "/data/omniglot-1.0");
        assert_eq!(quoted("my pictures"), "'my pictures'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn the_usual_value_is_one_of_the_range() {
        let usual = |bounds, step, usual| integer(WAY, bounds, step, usual).unwrap().2;
        assert_eq!(usual(Bounds::new(5, 120), 5, 60), Value::Integer(60));
        assert_eq!(usual(Bounds::new(5, 30), 5, 60), Value::Integer(30));
        assert_eq!(usual(Bounds::new(16, 30), 16, 64), Value::Integer(30));
        assert_eq!(usual(Bounds::new(7, 30), 5, 60), Value::Integer(27));
        assert_eq!(usual(Bounds::new(80, 90), 5, 60), Value::Integer(80));
        assert!(integer(WAY, Bounds::new(0, 3), 1, 1).is_err());
    }
}
