//! `sudal lock`, `sudal trust`, `sudal recover`.

use std::path::PathBuf;

use anyhow::bail;
use sudal::device::{LockState, Product, Protection, PublicKey, Slot};

use super::device::BoardArgs;
use super::output::Output;
use super::sign::product;

/// Lock the board by its key.
///
/// A board without one is given the key.
///
/// Reading and classifying stay open; what changes the board then needs the key (`--key FILE` or
/// SUDAL_KEY). The key goes over the line this once: do it where nobody listens.
#[derive(clap::Args)]
#[command(after_help = "Example:
  sudal key new board1.key
  sudal lock --key board1.key
  sudal enroll gear gear1.png --key board1.key")]
pub(crate) struct Lock {
    #[command(flatten)]
    board: BoardArgs,
}

impl Lock {
    pub(crate) fn run(&self, output: &Output) -> anyhow::Result<()> {
        let mut c = self.board.connect()?;
        if c.client.info()?.protection.lock == LockState::Open {
            let Some(key) = self.board.lock_key()? else {
                bail!(
                    "the board has no key yet: make one with `sudal key new FILE` and give --key FILE"
                );
            };
            c.client.provision(&key)?;
        } else {
            c.client.lock()?;
        }
        let protection = c.client.info()?.protection;
        output.result(&protection, describe(&protection))
    }
}

/// Have the board take only models that a key signed.
///
/// For its product, and none that is too old.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sudal key new --sign maker.key
  sudal trust maker.pub --product line-camera --key board1.key
  sudal trust --counter 3 --key board1.key")]
pub(crate) struct Trust {
    /// The public key, from `sudal key new --sign` [default: the one that it trusts].
    #[arg(required_unless_present_any = ["product", "counter"])]
    public: Option<PathBuf>,
    /// What product the board is: images that are signed for another one are refused.
    #[arg(long, value_name = "NAME", value_parser = product)]
    product: Option<Product>,
    /// The least counter that an image has to be signed with. It rises by itself with each update that runs.
    #[arg(long, value_name = "N")]
    counter: Option<u32>,
    #[command(flatten)]
    board: BoardArgs,
}

impl Trust {
    pub(crate) fn run(&self, output: &Output) -> anyhow::Result<()> {
        let public = self.public.as_deref().map(PublicKey::open).transpose()?;
        let mut c = self.board.connect_to_change()?;
        if let Some(public) = &public {
            c.client.trust(public)?;
        }
        if self.product.is_some() || self.counter.is_some() {
            c.client.bind(self.product, self.counter)?;
        }
        let protection = c.client.info()?.protection;
        output.result(&protection, describe(&protection))
    }
}

/// Make a board forget all, its key too, by its recovery pin.
///
/// Start the board with its recovery pin held: it forgets all classes, its key, the trusted key and
/// updates.
///
/// For who has the board in hand and lost the key.
#[derive(clap::Args)]
#[command(after_help = "Example:
  sudal recover --yes")]
pub(crate) struct Recover {
    /// Do it: there is no way back.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    board: BoardArgs,
}

impl Recover {
    pub(crate) fn run(&self, output: &Output) -> anyhow::Result<()> {
        if !self.yes {
            bail!("this forgets every enrolled class and all settings: give --yes to do it");
        }
        let (mut board, _hold) = self.board.open_alone()?;
        board.recover()?;
        let protection = board.connect()?.info()?.protection;
        output.result(&protection, describe(&protection))
    }
}

/// Protection for people.
pub(crate) fn describe(protection: &Protection) -> String {
    let lock = match protection.lock {
        LockState::Open => "open (no key)",
        LockState::Locked => "locked",
        LockState::Unlocked => "unlocked",
        LockState::Unreadable => "closed: its settings can't be read (`sudal recover`)",
    };
    let trust = match &protection.trusted {
        Some(key) => format!(
            "takes images signed by {key}.. for {} or later",
            protection.bound
        ),
        None => "takes any image (development mode)".to_owned(),
    };
    let mut text = format!("{lock}; {trust}; runs {}", slot(protection.running));
    if let Some(claim) = &protection.claim {
        text.push_str(&format!(" (for {claim})"));
    }
    if protection.next != protection.running {
        text.push_str(&format!(", {} when next started", slot(protection.next)));
    }
    if let Some(fault) = &protection.rejected {
        text.push_str(&format!("\nfell back to it: {fault}"));
    }
    text
}

fn slot(slot: Slot) -> &'static str {
    match slot {
        Slot::Factory => "the image it was flashed with",
        Slot::A => "the update in slot A",
        Slot::B => "the update in slot B",
    }
}
