//! `sudal sign`.

use std::fs;
use std::path::PathBuf;

use anyhow::Context;
use sudal::device::SigningKey;

use super::output::Output;
use super::place;

/// Sign a model image, for boards that trust the key.
///
/// The signature follows the image, whose identity stays; what was enrolled with it stays good.
#[derive(clap::Args)]
#[command(after_help = "Example:
  sudal key new --sign maker.key
  sudal sign parts.sudal --key maker.key")]
pub(crate) struct Args {
    /// The model image, from `sudal convert`.
    image: PathBuf,
    /// The key, from `sudal key new --sign`.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The signed image [default: in place of the image].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, output: &Output) -> anyhow::Result<()> {
    let key = SigningKey::open(&args.key)?;
    let image =
        fs::read(&args.image).with_context(|| format!("reading {}", args.image.display()))?;
    let signed = key
        .sign(&image)
        .with_context(|| format!("signing {}", args.image.display()))?;
    let path = args.out.as_ref().unwrap_or(&args.image);
    place::write(path, &signed)?;
    output.result(
        &serde_json::json!({ "image": path, "bytes": signed.len() }),
        format!("{}: signed, {} bytes", path.display(), signed.len()),
    )
}
