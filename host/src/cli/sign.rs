//! `sudal sign`.

use std::path::PathBuf;

use anyhow::Context;
use sudal::device::{Claim, Product, SigningKey};

use super::model;
use super::output::Output;
use super::output_file;

/// Sign a model image, for boards that trust the key.
///
/// The signature follows the image, whose identity stays; what was enrolled with it stays good. It says
/// for which product the image is, and a counter: a board of another product does not take it, nor one
/// that has run an image of a greater counter.
#[derive(clap::Args)]
#[command(after_help = "Example:
  sudal key new --sign maker.key
  sudal sign parts.sudal --key maker.key --product line-camera --counter 2")]
pub(crate) struct Args {
    /// The model image, from `sudal convert`.
    image: PathBuf,
    /// The key, from `sudal key new --sign`.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The product that it is for [default: any].
    #[arg(long, value_name = "NAME", value_parser = product)]
    product: Option<Product>,
    /// A number that is greater than that of the images before it.
    #[arg(long, value_name = "N", default_value_t = 0)]
    counter: u32,
    /// The signed image [default: in place of the image].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, output: &Output) -> anyhow::Result<()> {
    let key = SigningKey::open(&args.key)?;
    let path = model::output(&args.image, args.out.as_deref())?;
    let image = model::read(&args.image)?;
    let signed = key
        .sign_as(&image, args.product.unwrap_or_default(), args.counter)
        .with_context(|| format!("signing {}", args.image.display()))?;
    output_file::write(&path, &signed)?;
    let claim = Claim::of(&signed)?.unwrap_or_default();
    output.result(
        &serde_json::json!({ "image": path, "bytes": signed.len(), "claim": claim }),
        format!(
            "{}: signed for {claim}, {} bytes",
            path.display(),
            signed.len()
        ),
    )
}

/// Reads the name of a product.
pub(super) fn product(name: &str) -> Result<Product, String> {
    let most = Product::MAX;
    Product::new(name)
        .ok_or_else(|| format!("a product's name has 1 to {most} bytes and no control characters"))
}
