//! `sudal key`.

use std::path::PathBuf;

use clap::Subcommand;
use sudal::device::{LockKey, SigningKey};

use super::model::beside;
use super::output::Output;

/// Make the keys that lock boards and sign models.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sudal key new board1.key
  sudal key new --sign maker.key")]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Make a new key; a file that exists is left alone. Whoever has the file can change the board.
    New {
        /// The file.
        file: PathBuf,
        /// A key that signs model images, and beside it FILE.pub, which `sudal trust` gives to
        /// boards.
        #[arg(long)]
        sign: bool,
    },
}

pub(crate) fn run(args: &Args, output: &Output) -> anyhow::Result<()> {
    let Action::New { file, sign } = &args.action;
    if !sign {
        LockKey::random().save(file)?;
        return output.result(
            &serde_json::json!({ "key": file }),
            format!(
                "{}: keep a copy, the board can't give it back",
                file.display()
            ),
        );
    }
    let public = beside(file, "pub");
    let key = SigningKey::random();
    key.save(file)?;
    key.public().save(&public)?;
    output.result(
        &serde_json::json!({ "key": file, "public": public }),
        format!(
            "{}: signs; {}: for `sudal trust`",
            file.display(),
            public.display()
        ),
    )
}
