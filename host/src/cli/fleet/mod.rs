//! `sudal fleet`.

mod hall;
mod known;
mod list;
mod update;
mod watch;

use clap::Subcommand;

use super::output::Output;

/// Watch and update the stations of a hall over an MQTT broker.
///
/// A station is a `sudal serve --sparkplug mqtt://HOST/GROUP/STATION`: an edge node of Sparkplug B 3.0 whose
/// devices are its boards. What is said here goes to all stations of a group.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sudal fleet list --broker mqtt://broker/hall
  sudal fleet health --broker mqtt://broker/hall --json
  sudal fleet update line3.sudalbak --broker mqtt://broker/hall --key maker.key --stage tenth
  sudal fleet back line3.sudalbak --broker mqtt://broker/hall --key maker.key")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    List(list::List),
    Health(list::Health),
    Update(update::Update),
    Back(update::Back),
    Watch(watch::Args),
}

pub(crate) fn run(args: &Args, output: &Output) -> anyhow::Result<()> {
    match &args.command {
        Command::List(args) => args.run(output),
        Command::Health(args) => args.run(output),
        Command::Update(args) => args.run(output),
        Command::Back(args) => args.run(output),
        Command::Watch(args) => args.run(output),
    }
}
