//! `sudal update`.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, bail};

use super::board::describe;
use super::device::BoardArgs;
use super::output::Output;

/// Send the board another model image over its line, and restart it.
///
/// The board checks the image, its signature and its self-test before it runs it; until then, and
/// if the power is cut, it runs what it ran. An update that was cut off goes on where it stopped.
#[derive(clap::Args)]
#[command(after_help = "Example:
  sudal update parts.sudal --key board1.key")]
pub(crate) struct Args {
    /// The model image, from `sudal convert` or `sudal sign`.
    image: PathBuf,
    #[command(flatten)]
    board: BoardArgs,
}

pub(crate) fn run(args: &Args, output: &Output) -> anyhow::Result<()> {
    let image =
        fs::read(&args.image).with_context(|| format!("reading {}", args.image.display()))?;
    let mut connection = args.board.connect_to_change()?;
    let bar = output.bar(image.len() as u64, "bytes");
    let sent = connection
        .client
        .update(&image, &mut |bytes| bar.set_position(bytes as u64));
    bar.finish_and_clear();
    sent.with_context(|| format!("sending {}", args.image.display()))?;
    let next = connection.client.info()?.protection.next;
    output.step("restarting the board");
    connection.restart()?;
    let info = connection.client.info()?;
    if info.protection.running != next {
        bail!("the board did not take the update:\n{}", describe(&info));
    }
    output.result(&info, describe(&info))
}
