//! `sudal update`.

use std::path::PathBuf;

use anyhow::{Context, bail};
use sudal::device::Claim;

use super::board::describe;
use super::device::BoardArgs;
use super::model;
use super::output::Output;

/// Send another model over the board's line.
///
/// The board is restarted with it.
///
/// The board checks the image, its signature and its self-test before it runs it; until then, and
/// if the power is cut, it runs what it ran. Once it runs a signed image, it takes none with a lesser
/// counter. An update that was cut off continues where it stopped.
#[derive(clap::Args)]
#[command(after_help = "Example:
  sudal update parts.sudal --key board1.key")]
pub(crate) struct Args {
    /// The model: one that comes with sudal, by name, or an image of `sudal convert` or `sudal sign`.
    image: PathBuf,
    #[command(flatten)]
    board: BoardArgs,
}

pub(crate) fn run(args: &Args, output: &Output) -> anyhow::Result<()> {
    let image = model::read(&args.image)?;
    let claim = Claim::of(&image).with_context(|| format!("reading {}", args.image.display()))?;
    let mut connection = args.board.connect_to_change()?;
    let protection = connection.client.info()?.protection;
    if protection.trusted.is_some() {
        // Better known before the slot is erased for it.
        let Some(claim) = &claim else {
            bail!(
                "{} is not signed: sign it with `sudal sign`",
                args.image.display()
            );
        };
        if let Some(why) = protection.bound.refuses(claim) {
            bail!("the board does not take {}: {why}", args.image.display());
        }
    }
    if let Some(claim) = &claim {
        output.step(format_args!(
            "{} is signed for {claim}",
            args.image.display()
        ));
    }
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
