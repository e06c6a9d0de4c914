//! `sudal backup` and `sudal restore`.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, bail};
use sudal::device::{Backup as Contents, InspectionRequest, Restored};

use super::device::BoardArgs;
use super::output::Output;
use super::output_file;

/// Save what the board was taught to a file.
///
/// What it was taught with its present model. The file holds the model's identity, the head, of each class
/// the name and the embeddings of its shots, and what good frames taught: their patches, known flaws, the
/// scores of commissioning. No pictures.
#[derive(clap::Args)]
#[command(after_help = "Example:
  sudal backup line3.sudalbak")]
pub(crate) struct Backup {
    /// The file.
    file: PathBuf,
    #[command(flatten)]
    board: BoardArgs,
}

impl Backup {
    pub(crate) fn run(&self, output: &Output) -> anyhow::Result<()> {
        output_file::ready(&self.file)?;
        let mut connection = self.board.connect()?;
        let info = connection.client.info()?;
        let backup = Contents::take(&mut connection.client)?;
        let bytes = backup.to_bytes();
        output_file::write(&self.file, &bytes)?;
        let classes = backup.classes().len();
        let mut text = format!(
            "{}: {classes} classes of model {:016x}, {} bytes",
            self.file.display(),
            backup.model,
            bytes.len()
        );
        if info.other_models > 0 {
            text.push_str(&format!(
                "\nnot in it: {} classes of other models",
                info.other_models
            ));
        }
        let held = backup.good_frames();
        if held > 0 {
            text.push_str(&format!("\nwith what {held} good frames taught"));
        }
        // A board without an inspection knows of no good frame.
        let known = connection.client.inspection(InspectionRequest::Status);
        let known = known.map_or(0, |known| known.frames);
        if known != held {
            text.push_str(&format!(
                "\nnot in it: what {known} good frames taught, for another model or not kept yet"
            ));
        }
        if !info.damage.classes.is_empty() {
            text.push_str(
                "\nthe board's flash lost records, so some are older states: see `sudal list`",
            );
        }
        let result = serde_json::json!({
            "file": self.file,
            "model": format!("{:016x}", backup.model),
            "classes": classes,
            "other_models": info.other_models,
            "good_frames": held,
            "good_frames_left_out": known.saturating_sub(held),
            "damage": info.damage,
        });
        output.result(&result, text)
    }
}

/// Teach a board what a backup holds.
///
/// The board has to run the backup's model. Each class takes the place of the one of its name, if all
/// shots of that are in the backup too, or with --replace; other classes stay (`sudal reset` first for a
/// board that is to be like the backed-up one). What good frames taught replaces what others taught;
/// `sudal inspection --undo` brings that back. If it is cut short, each class is either as it was or as
/// in the backup, and so is what good frames taught: run it again.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sudal restore line3.sudalbak
  for dir in boards/*; do sudal restore line3.sudalbak --board-dir \"$dir\"; done")]
pub(crate) struct Restore {
    /// The file, from `sudal backup`.
    file: PathBuf,
    /// Replace classes that were taught more, or otherwise, since the backup: their other shots are lost
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    board: BoardArgs,
}

impl Restore {
    pub(crate) fn run(&self, output: &Output) -> anyhow::Result<()> {
        let bytes =
            fs::read(&self.file).with_context(|| format!("reading {}", self.file.display()))?;
        let backup = Contents::from_bytes(&bytes)
            .with_context(|| format!("reading {}", self.file.display()))?;
        let mut connection = self.board.connect_to_change()?;
        let lost = match self.replace {
            true => Vec::new(),
            false => backup.would_lose(&mut connection.client)?,
        };
        if !lost.is_empty() {
            bail!(
                "the board has shots of {} that the backup lacks: --replace takes the backup's instead, `sudal backup` \
                 saves the board's; nothing was changed",
                lost.join(", ")
            );
        }
        let restored = backup.restore(&mut connection.client)?;
        let Restored {
            classes,
            good_frames,
            left_out,
        } = restored;
        let mut text = format!("restored {classes} classes; head: {}", backup.head.name());
        if good_frames > 0 {
            text.push_str(&format!("\nrestored what {good_frames} good frames taught"));
        }
        if left_out > 0 {
            text.push_str(&format!(
                "\nleft out: what {left_out} good frames taught, this board has no room for it"
            ));
        }
        output.result(
            &serde_json::json!({
                "restored": classes,
                "head": backup.head,
                "good_frames": good_frames,
                "good_frames_left_out": left_out,
            }),
            text,
        )
    }
}
