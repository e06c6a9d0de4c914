//! What works on ONNX files and makes model images of them; feature `convert`.

mod calibrate;
mod convert;
mod patches;
mod whiten;

use super::output::{self, Output};
use super::{data, model, output_file};

/// The commands.
#[derive(clap::Subcommand)]
pub(super) enum Command {
    Whiten(whiten::Args),
    Patches(patches::Args),
    Convert(convert::Args),
    Calibrate(calibrate::Args),
}

pub(super) fn run(command: &Command, output: &Output) -> anyhow::Result<()> {
    match command {
        Command::Whiten(args) => whiten::run(args, output),
        Command::Patches(args) => patches::run(args, output),
        Command::Convert(args) => convert::run(args, output),
        Command::Calibrate(args) => calibrate::run(args, output),
    }
}
