//! What trains networks and compares ways to train them; feature `train`.

mod bench;
mod choices;
mod export;
mod options;
mod start;
mod sweep;
mod task;
mod teacher;
mod train;
mod tune;
mod verify;

use super::output::{self, Output};
use super::{bounds, data, episodes, interrupt, model, output_file};

/// The commands.
#[derive(clap::Subcommand)]
pub(super) enum Command {
    Train(train::Args),
    Tune(tune::Args),
    Bench(bench::Args),
    Sweep(sweep::Args),
    Export(export::Args),
    Verify(verify::Args),
}

pub(super) fn run(command: &Command, output: &Output) -> anyhow::Result<()> {
    match command {
        Command::Train(args) => train::run(args, output),
        Command::Tune(args) => tune::run(args, output),
        Command::Bench(args) => bench::run(args, output),
        Command::Sweep(args) => sweep::run(args, output),
        Command::Export(args) => export::run(args, output),
        Command::Verify(args) => verify::run(args, output),
    }
}
