//! `sudal fleet update` and `sudal fleet back`.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clap::ValueEnum;
use sudal::device::{Backup, SigningKey};
use sudal::fleet::{Drive, DriveError, Ending, Files, Rollout, Stage, StepState};

use super::super::interrupt::{Interrupt, Interrupted};
use super::super::model;
use super::super::output::Output;
use super::hall::Hall;

/// Roll a model or a backup out: to one board, a tenth of them, all.
///
/// A model, a backup, or a model with a backup of a board that runs it: a model without one knows no class.
/// Each stage begins when all boards of the one before have counted --parts parts and are as good as before.
/// If the self-test of one fails, its unknown parts rise or its yield falls by more than --margin, all boards
/// that were changed are brought back. --state keeps what was done: the same command continues after Ctrl-C
/// or anything else, with a later --stage goes further, and `sudal fleet back` brings all back.
///
/// Orders are signed with --key, and stations carry out those of the key that they were started with
/// (sudal serve --take-orders). What a board was taught before is kept at its station.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sudal fleet update line3.sudalbak --broker mqtt://broker/hall --key maker.key --stage one
  sudal fleet update new.sudal new.sudalbak --before parts --broker mqtt://broker/hall --key maker.key")]
pub(super) struct Update {
    #[command(flatten)]
    roll: RollArgs,
    /// How far to go.
    #[arg(long, value_enum, default_value_t = To::All)]
    stage: To,
    /// Parts that a board has to count before it is judged.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    parts: u64,
    /// How much worse the share of unknown parts or the yield may be, in percent of the parts.
    #[arg(long, default_value_t = 10.0, value_name = "PERCENT")]
    margin: f64,
}

/// Bring all boards back that a roll-out changed.
#[derive(clap::Args)]
pub(super) struct Back {
    #[command(flatten)]
    roll: RollArgs,
}

#[derive(clap::Args)]
struct RollArgs {
    /// What is rolled out: a model, a backup (.sudalbak), or one of each.
    #[arg(required = true, num_args = 1..=2, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The model that boards run now, to which a model is taken back.
    #[arg(long, value_name = "MODEL")]
    before: Option<PathBuf>,
    #[command(flatten)]
    hall: Hall,
    /// The key that signs, from sudal key new --sign.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Where what was done is kept.
    #[arg(long, default_value = "rollout.json", value_name = "FILE.json")]
    state: PathBuf,
    /// Minutes that boards may take for a stage.
    #[arg(long, default_value_t = 30, value_name = "MINUTES", value_parser = clap::value_parser!(u64).range(1..=10_000))]
    limit: u64,
}

#[derive(Clone, Copy, ValueEnum)]
enum To {
    /// One board.
    One,
    /// A tenth of them.
    Tenth,
    /// All of them.
    All,
}

impl From<To> for Stage {
    fn from(to: To) -> Self {
        match to {
            To::One => Self::One,
            To::Tenth => Self::Tenth,
            To::All => Self::All,
        }
    }
}

impl Update {
    pub(super) fn run(&self, output: &Output) -> anyhow::Result<()> {
        let go = |drive: &Drive, rollout: &mut Rollout| drive.forward(rollout, self.stage.into());
        let rollout = self
            .roll
            .run(output, (self.parts, self.margin), false, go)?;
        if rollout.ended == Some(Ending::TakenBack) {
            let wrong = rollout.boards.iter().filter(|step| !step.text.is_empty());
            let wrong: Vec<String> = wrong
                .map(|step| format!("{}/{}: {}", step.station, step.board, step.text))
                .collect();
            bail!("taken back, all boards are as before: {}", wrong.join("; "));
        }
        Ok(())
    }
}

impl Back {
    pub(super) fn run(&self, output: &Output) -> anyhow::Result<()> {
        let go = |drive: &Drive, rollout: &mut Rollout| drive.back(rollout);
        self.roll.run(output, (1, 100.0), true, go).map(|_| ())
    }
}

impl RollArgs {
    fn run(
        &self,
        output: &Output,
        (parts, margin): (u64, f64),
        back: bool,
        go: impl Fn(&Drive, &mut Rollout) -> Result<(), DriveError>,
    ) -> anyhow::Result<Rollout> {
        let interrupt = Interrupt::catch()?;
        let key = SigningKey::open(&self.key)?;
        let files = self.read()?;
        files.check()?;
        if back && !self.state.exists() {
            bail!(
                "{} does not exist: give the --state of a roll-out",
                self.state.display()
            );
        }
        let watch = self.hall.gather(output)?;
        let bar = output.bar(0, "boards");
        let drive = Drive {
            watch: &watch,
            key: &key,
            files: &files,
            state: &self.state,
            parts,
            margin,
            limit: Duration::from_secs(60 * self.limit),
            stop: &|| interrupt.is_set(),
            progress: &|through, of| {
                bar.set_length(of as u64);
                bar.set_position(through as u64);
            },
        };
        let mut rollout = match self.state.exists() {
            true => Rollout::open(&self.state)?,
            false => drive.plan()?,
        };
        let began = Instant::now();
        let done = go(&drive, &mut rollout);
        bar.finish_and_clear();
        match done {
            Err(error @ DriveError::Stopped) => return Err(Interrupted(error.to_string()).into()),
            done => done?,
        }
        let of = |state| rollout.boards.iter().filter(|s| s.state == state).count();
        let (good, returned) = (of(StepState::Good), of(StepState::Returned));
        let seconds = began.elapsed().as_secs_f64();
        let mut json = serde_json::to_value(&rollout)?;
        json["seconds"] = seconds.into();
        let text = format!(
            "{good} of {} boards are changed and as good as before, {returned} were brought back, in {seconds:.0} s; {}",
            rollout.boards.len(),
            self.state.display()
        );
        output.result(&json, text)?;
        Ok(rollout)
    }

    fn read(&self) -> anyhow::Result<Files> {
        let mut files = Files::default();
        for path in &self.files {
            let bytes = std::fs::read(path);
            let backup = bytes.ok().filter(|bytes| Backup::from_bytes(bytes).is_ok());
            let (kind, place, bytes) = match backup {
                Some(bytes) => ("backups", &mut files.backup, bytes),
                None => ("models", &mut files.image, image(path)?),
            };
            if place.replace(bytes).is_some() {
                bail!(
                    "{} and the other are two {kind}: one of each at most",
                    path.display()
                );
            }
        }
        files.before = self.before.as_deref().map(image).transpose()?;
        Ok(files)
    }
}

fn image(path: &Path) -> anyhow::Result<Vec<u8>> {
    let image = model::read(path);
    let image = image.map(|image| image.into_owned());
    image.with_context(|| format!("{} is neither a model nor a sound backup", path.display()))
}
