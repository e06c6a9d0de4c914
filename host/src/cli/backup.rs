use std::fs;
use std::path::PathBuf;

use anyhow::Context;
use sudal::device::{Backup as Contents, InspectionRequest};

use super::device::BoardArgs;
use super::output::Output;
use super::place;

/// Save what the board was taught to a file.
///
/// What it was taught with its present model. The file holds the model's identity, the head, and of each class the name and the embeddings of
/// its shots; no pictures.
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
        place::ready(&self.file)?;
        let mut connection = self.board.connect()?;
        let info = connection.client.info()?;
        let backup = Contents::take(&mut connection.client)?;
        let bytes = backup.to_bytes();
        place::write(&self.file, &bytes)?;
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
        // A board without an inspection knows of no good frame.
        let good = connection.client.inspection(InspectionRequest::Status);
        let good = good.map_or(0, |known| known.frames);
        if good > 0 {
            text.push_str(&format!(
                "\nnot in it: what {good} good frames taught (`sudal good`): keep their pictures"
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
            "good_frames_left_out": good,
            "damage": info.damage,
        });
        output.result(&result, text)
    }
}

/// Teach a board what a backup holds.
///
/// The board has to run the backup's model. Each class replaces the one of its name; other classes
/// stay (`sudal reset` first for a board that is to be like the backed-up one). If it is cut short,
/// each class is either as it was or as in the backup: run it again.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sudal restore line3.sudalbak
  for dir in boards/*; do sudal restore line3.sudalbak --board-dir \"$dir\"; done")]
pub(crate) struct Restore {
    /// The file, from `sudal backup`.
    file: PathBuf,
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
        backup.restore(&mut connection.client)?;
        let classes = backup.classes().len();
        output.result(
            &serde_json::json!({ "restored": classes, "head": backup.head }),
            format!("restored {classes} classes; head: {}", backup.head.name()),
        )
    }
}
