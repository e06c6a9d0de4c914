//! `sudal fleet`.

mod known;
mod list;
mod update;
mod watch;

use std::time::Duration;

use clap::Subcommand;
use sudal::fleet::{Broker, Heard, Watch};

use super::output::Output;

/// How long a broker may take to answer.
const CONNECT: Duration = Duration::from_secs(10);

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

/// Where the stations are.
#[derive(clap::Args)]
struct Hall {
    /// The broker and the group of stations: mqtt://[user:password@]host[:port]/GROUP.
    #[arg(long, value_name = "URL", env = "SUDAL_BROKER", hide_env_values = true)]
    broker: String,
    /// Seconds to wait for what stations say; each says something every five.
    #[arg(long, default_value_t = 7, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=600))]
    wait: u64,
}

impl Hall {
    /// Connected to the broker.
    fn connect(&self, host: Option<String>, heard: Heard) -> anyhow::Result<Watch> {
        let broker: Broker = self.broker.parse()?;
        let watch = Watch::start(broker, host, heard)?;
        watch.connected(CONNECT)?;
        Ok(watch)
    }

    /// The same, with what the stations of the group have said in the time.
    fn gather(&self, output: &Output) -> anyhow::Result<Watch> {
        let watch = self.connect(None, Box::new(|_, _| ()))?;
        output.step(format!("listening for {} s", self.wait));
        watch.wait(Duration::from_secs(self.wait), |_| false);
        Ok(watch)
    }
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
