//! The stations that a command is about.

use std::path::PathBuf;
use std::time::Duration;

use sudal::fleet::{Broker, Heard, Watch};

use super::super::output::Output;

/// How long a broker may take to answer.
const CONNECT: Duration = Duration::from_secs(10);

/// Where the stations are.
#[derive(clap::Args)]
pub(super) struct Hall {
    /// The broker and the group of stations: mqtt://[user:password@]host[:port]/GROUP.
    #[arg(long, value_name = "URL", env = "SUDAL_BROKER", hide_env_values = true)]
    broker: String,
    /// Certificates (PEM) of who vouches for a broker at mqtts://, which speaks TLS.
    #[arg(long, value_name = "FILE.pem")]
    broker_ca: Option<PathBuf>,
    /// Seconds to wait for what stations say; each says something every five.
    #[arg(long, default_value_t = 7, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=600))]
    wait: u64,
}

impl Hall {
    /// Connected to the broker.
    pub(super) fn connect(&self, host: Option<String>, heard: Heard) -> anyhow::Result<Watch> {
        let broker: Broker = self.broker.parse()?;
        let broker = broker.trusting(self.broker_ca.as_deref())?;
        let watch = Watch::start(broker, host, heard)?;
        watch.connected(CONNECT)?;
        Ok(watch)
    }

    /// The same, with what the stations of the group have said in the time.
    pub(super) fn gather(&self, output: &Output) -> anyhow::Result<Watch> {
        let watch = self.connect(None, Box::new(|_, _| ()))?;
        output.step(format!("listening for {} s", self.wait));
        watch.wait(Duration::from_secs(self.wait), |_| false);
        Ok(watch)
    }
}
