//! `sudal serve` as an edge node of Sparkplug.

use std::path::{Path, PathBuf};

use sudal::device::PublicKey;
use sudal::serve::Sparkplug;

#[derive(clap::Args)]
pub(super) struct Args {
    /// Be an edge node of Sparkplug B, each device one of it, at
    /// mqtt://[user:password@]host[:port]/GROUP/STATION, or mqtts:// for TLS. While the broker is away decisions wait in the
    /// log.
    #[arg(
        long,
        value_name = "URL",
        env = "SUDAL_SPARKPLUG",
        hide_env_values = true
    )]
    sparkplug: Option<String>,
    /// The host application without which nothing is sent to --sparkplug: decisions wait in the log
    /// until it says that it is there.
    #[arg(long, value_name = "NAME", requires = "sparkplug")]
    primary_host: Option<String>,
    /// Carry out orders from --sparkplug, such as those of sudal fleet update, that are signed with the
    /// key of this public key; without it none is.
    #[arg(long, value_name = "FILE.pub", requires = "sparkplug")]
    take_orders: Option<PathBuf>,
}

impl Args {
    /// With the file of who vouches for brokers.
    pub(super) fn options(&self, ca: Option<&Path>) -> anyhow::Result<Option<Sparkplug>> {
        let Some(url) = &self.sparkplug else {
            return Ok(None);
        };
        let trusted = self
            .take_orders
            .as_deref()
            .map(PublicKey::open)
            .transpose()?;
        let node = Sparkplug::new(url, self.primary_host.clone(), trusted)?;
        Ok(Some(node.trusting(ca)?))
    }
}
