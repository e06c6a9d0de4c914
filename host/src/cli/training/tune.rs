//! `sudal tune`.

mod chart;
mod context;
mod names;
mod shared;
mod space;

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
use sudal::meta::tune::{Params, Running, Study, Trial, TrialStatus};
use sudal::meta::{Learner, TrainError, Trainer};
use sudal::nets::block::Statistics;
use sudal::nets::network::Weights;

use super::bounds::{self, Bounds};
use super::data::DataArgs;
use super::interrupt::{Interrupt, Interrupted};
use super::options::{Chosen, Options};
use super::output::Output;
use super::output_file;
use names::{AVERAGING, CHANNELS, RATE, STRENGTH, SUPPORT, WAY};

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
///
/// --journal shares the study instead: the same command on several machines with the file on a disk
/// that they share works on one study, and so do Optuna's own workers; its dashboard shows it.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sudal tune --data synthetic:parts --out parts.jsonl
  sudal tune --data ~/omniglot --trials 60 --episodes 500 --out omniglot.jsonl
  sudal tune --data ~/omniglot --trials 90 --episodes 500 --out omniglot.jsonl --resume
  sudal tune --data ~/omniglot --channels 64 --learning-rate 1e-3..1e-2 --out narrow.jsonl
  sudal tune --data my-pictures --validate my-other-pictures --out mine.jsonl
  sudal tune --data ~/omniglot --journal /mnt/shared/study.log --study omniglot    on each machine
  jq -s 'map(select(.value)) | sort_by(-.value) | .[:5]' omniglot.jsonl    the best five")]
pub(crate) struct Args {
    #[command(flatten)]
    data: DataArgs,
    /// What to measure on: another split of the data, or a path to other pictures, needed where
    /// the data is a folder without a split val [default: val].
    #[arg(long, value_name = "NAME|PATH")]
    validate: Option<String>,
    /// File of the trials, one a line.
    #[arg(long, value_name = "FILE.jsonl", required_unless_present = "journal")]
    out: Option<PathBuf>,
    /// Resume the study in --out.
    #[arg(long, requires = "out")]
    resume: bool,
    #[command(flatten)]
    shared: shared::Args,
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

impl Args {
    /// The file of the trials.
    fn file(&self) -> &Path {
        let file = self.out.as_ref().or(self.shared.journal.as_ref());
        file.expect("one of the two is required")
    }
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
    let out = args.file();
    match (args.resume, out.exists()) {
        (false, true) if args.out.is_some() => bail!(
            "{} exists: give --resume to continue with it, another --out, or remove it",
            out.display()
        ),
        (true, false) => bail!("{} does not exist: leave --resume out", out.display()),
        _ => {}
    }
    if args.out.is_some() {
        output_file::ready(out)?;
    }
    output_file::ready_chart(out)?;
    if let Some(wrong) = args.averaging.iter().find(|a| !(0.0..1.0).contains(*a)) {
        bail!("--averaging {wrong} is not in 0..1");
    }
    let context = TrialContext::new(args, output)?;
    let setup = context.setup()?;
    let mut study = if args.out.is_none() {
        args.shared.join(setup)?
    } else if args.resume {
        let (study, torn) = Study::open(out, setup)?;
        if let Some(line) = torn {
            output.step(format!(
                "{}, line {line} was not written to its end: that trial is done again",
                out.display()
            ));
        }
        study
    } else {
        Study::create(out, setup)?
    };
    for dimension in study.setup().space.dimensions() {
        output.step(format!("searched: {} {}", dimension.name, dimension.range));
    }

    let bar: ProgressBar = output.bar(args.episodes.saturating_mul(args.trials as u64), "episodes");
    let interrupted = |study: &Study| {
        let resume = if args.resume || args.out.is_none() {
            ""
        } else {
            " and --resume"
        };
        Interrupted(format!(
            "{} trials are kept in {}; continue with the same command{resume}",
            study.trials().len(),
            out.display()
        ))
    };
    while let Some(mut running) = study.next(args.trials, || interrupt.is_set())? {
        bar.set_position(study.trials().len() as u64 * args.episodes);
        let started = Instant::now();
        let outcome = context.train(&mut running, &mut study, &interrupt, &bar)?;
        let Some(outcome) = outcome else {
            bar.abandon();
            study.give_back(running)?;
            return Err(interrupted(&study).into());
        };
        let trial = study.tell(running, outcome, started.elapsed().as_secs_f64())?;
        let line = describe_trial(trial);
        bar.suspend(|| output.step(line));
    }
    if interrupt.is_set() && args.out.is_none() {
        bar.abandon();
        return Err(interrupted(&study).into());
    }
    bar.finish_and_clear();
    chart::draw(&study, out)?;

    let count = |outcome| {
        let trials = study.trials().iter();
        trials.filter(|t| t.outcome == outcome).count()
    };
    let Some(best) = study.best() else {
        bail!(
            "none of the {} trials came to its end: lower --learning-rate, or continue with more --trials",
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
        out,
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
        (TrialStatus::Lost, _) => ", another worker took it over".to_owned(),
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
    /// Whether colours are brought to one mean.
    balance: bool,
    /// The method with its own settings.
    learner: Learner,
    origin: Origin,
    validate: String,
    data: Arc<Loaded>,
    validation: Loaded,
    start: Option<(Weights, Vec<Statistics>)>,
}

impl TrialContext<'_> {
    /// Trains and measures; none where Ctrl-C was pressed.
    fn train(
        &self,
        running: &mut Running,
        study: &mut Study,
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
            study.share(running)?;
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
        add("out", &args.file().with_extension("ckpt").display());
        for (given, option) in [
            (args.options.colour, " --colour"),
            (config.balance, " --balance"),
            (args.data.squeeze, " --squeeze"),
        ] {
            if given {
                line.push_str(option);
            }
        }
        Ok(line)
    }
}

/// How a value is called on the command line.
fn word(value: impl ValueEnum) -> String {
    let value = value.to_possible_value();
    value.map_or_else(String::new, |v| v.get_name().to_owned())
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
}
