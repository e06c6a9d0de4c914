//! `sudal good`, `bad`, `commission` and `inspection`: what good parts look like.

use std::path::PathBuf;

use anyhow::{Context, bail};
use sudal::data::{Colors, Raster};
use sudal::device::{InspectionInfo, InspectionRequest};

use super::device::{BoardArgs, Connection};
use super::interrupt::{Interrupt, Interrupted};
use super::output::Output;
use super::own_pictures;

/// Show good parts: the board then finds flaws by itself.
///
/// One picture of each. The board keeps what each place of them looks like, and `sudal classify` tells a part that has a
/// place like none of them, with where that is. Four parts are a start; more find smaller flaws. Parts
/// should lie the same way, under the light of the line. Either all pictures of a command are kept or none.
/// Without pictures it is one of what the camera sees.
///
/// It takes a model that gives patches, such as surfaces.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sudal good good/*.png
  sudal classify part.png --heatmap part-heat.png
  sudal good part.png            the board was wrong: this part is fine, too
  sudal inspection --undo        not that one")]
pub(crate) struct Good {
    /// Pictures of good parts, or a folder of them: PNG, JPEG, BMP, TIFF or WebP.
    pictures: Vec<PathBuf>,
    #[command(flatten)]
    board: BoardArgs,
}

/// Show a bad part that the board took for good.
///
/// Its most suspicious places are kept as flaws.
#[derive(clap::Args)]
#[command(after_help = "Example:
  sudal bad scratch.png")]
pub(crate) struct Bad {
    /// Pictures of bad parts, or a folder of them.
    pictures: Vec<PathBuf>,
    #[command(flatten)]
    board: BoardArgs,
}

/// Watch good parts run, so that the rate of false alarms holds.
///
/// From a few good parts the board can only guess how much good parts differ. Here it counts the
/// scores of many, and its threshold then comes from them: 200 or more for a rate of 1 %
/// (`sudal decide --rate`). Nothing else is learned from them.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sudal commission --frames 200          of what the camera sees
  sudal commission run/*.png")]
pub(crate) struct Commission {
    /// Pictures of good parts, or a folder of them; without any, what the camera sees.
    pictures: Vec<PathBuf>,
    /// How many frames of what the camera sees.
    #[arg(long, default_value_t = 200, conflicts_with = "pictures")]
    frames: u32,
    #[command(flatten)]
    board: BoardArgs,
}

/// Say what is known of good parts, undo a step, or forget it.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sudal inspection
  sudal inspection --undo")]
pub(crate) struct Inspection {
    /// Go back to what was kept before the last command.
    #[arg(long)]
    undo: bool,
    /// Forget all good parts and flaws.
    #[arg(long, conflicts_with = "undo")]
    forget: bool,
    #[command(flatten)]
    board: BoardArgs,
}

impl Good {
    pub(crate) fn run(&self, output: &Output) -> anyhow::Result<()> {
        learn(
            InspectionRequest::Good,
            &self.pictures,
            1,
            &self.board,
            output,
        )
    }
}

impl Bad {
    pub(crate) fn run(&self, output: &Output) -> anyhow::Result<()> {
        learn(
            InspectionRequest::Bad,
            &self.pictures,
            1,
            &self.board,
            output,
        )
    }
}

impl Commission {
    pub(crate) fn run(&self, output: &Output) -> anyhow::Result<()> {
        if self.frames == 0 {
            bail!("--frames 0 watches nothing: give at least 1");
        }
        learn(
            InspectionRequest::Watch,
            &self.pictures,
            self.frames,
            &self.board,
            output,
        )
    }
}

impl Inspection {
    pub(crate) fn run(&self, output: &Output) -> anyhow::Result<()> {
        let mut c = self.board.connect()?;
        let request = match (self.undo, self.forget) {
            (true, _) => InspectionRequest::Undo,
            (_, true) => InspectionRequest::Forget,
            _ => InspectionRequest::Status,
        };
        if request != InspectionRequest::Status {
            c.unlock(&self.board)?;
        }
        let info = c.client.inspection(request)?;
        output.result(&info, describe(&info))
    }
}

/// Shows the board pictures, or as many frames of what its camera sees, and keeps what it learns from
/// all of them or nothing.
fn learn(
    request: InspectionRequest,
    pictures: &[PathBuf],
    frames: u32,
    board: &BoardArgs,
    output: &Output,
) -> anyhow::Result<()> {
    let pictures = &own_pictures::expand(pictures, output)?;
    // Read all before the first is learned.
    let shown = pictures
        .iter()
        .map(|path| Raster::open_as(path, Colors::Rgb))
        .collect::<Result<Vec<_>, _>>()?;
    let mut c = board.connect_to_change()?;
    // What another command left unfinished is none of this one's.
    c.client.inspection(InspectionRequest::Discard)?;
    let count = if pictures.is_empty() {
        u64::from(frames)
    } else {
        pictures.len() as u64
    };
    let bar = output.bar(count, "frames");
    let interrupt = Interrupt::catch()?;
    let go_on = || match interrupt.is_set() {
        true => Err(Interrupted("nothing of this command was kept".to_owned())),
        false => Ok(()),
    };
    let mut all = || -> anyhow::Result<()> {
        for (path, picture) in pictures.iter().zip(&shown) {
            go_on()?;
            c.show(picture)?;
            let learned = c.client.inspection(request);
            learned.with_context(|| format!("learning {}", path.display()))?;
            bar.inc(1);
        }
        for _ in pictures.len() as u64..count {
            go_on()?;
            c.client.inspection(request)?;
            bar.inc(1);
        }
        Ok(())
    };
    let learned = all();
    bar.finish_and_clear();
    if let Err(error) = learned {
        c.client.inspection(InspectionRequest::Discard)?;
        if error.is::<Interrupted>() {
            return Err(error);
        }
        return Err(error.context("nothing of this command was kept"));
    }
    let info = keep(&mut c)?;
    output.result(&info, describe(&info))
}

fn keep(c: &mut Connection) -> anyhow::Result<InspectionInfo> {
    Ok(c.client.inspection(InspectionRequest::Keep)?)
}

fn describe(info: &InspectionInfo) -> String {
    if info.frames == 0 {
        return "no good part was shown yet: `sudal good` shows some".to_owned();
    }
    let mut text = format!(
        "{} good frames, {} of {} patches stored",
        info.frames, info.patches, info.room
    );
    if info.flaws > 0 {
        text.push_str(&format!(", {} patches of flaws", info.flaws));
    }
    text.push_str(&match info.watched {
        0 => "\nthe threshold comes from these frames alone: `sudal commission` watches more"
            .to_owned(),
        watched => {
            format!("\nthe threshold comes from {watched} more good frames that were watched")
        }
    });
    if info.unsaved {
        text.push_str("\nsome of it is not kept yet");
    }
    text
}
