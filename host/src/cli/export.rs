//! `sudal export`.

use std::fs;
use std::path::PathBuf;

use anyhow::Context;
use serde::Serialize;
use sudal::export::{Metadata, onnx};
use sudal::meta::{Checkpoint, Trained};

use super::model::beside;
use super::output::Output;

/// Write a trained network as an ONNX file of standard operators, batch norm folded.
#[derive(clap::Args)]
#[command(after_help = "Example:
  sudal export parts.ckpt --out parts.onnx")]
pub(crate) struct Args {
    /// The finished checkpoint.
    checkpoint: PathBuf,
    /// The ONNX file [default: beside the checkpoint].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// What the network is called [default: the file's name].
    #[arg(long)]
    name: Option<String>,
}

#[derive(Serialize)]
struct Report {
    onnx: PathBuf,
    bytes: usize,
    metadata: Metadata,
}

pub(crate) fn run(args: &Args, output: &Output) -> anyhow::Result<()> {
    let checkpoint = Checkpoint::load(&args.checkpoint)?;
    let trained = Trained::load(&checkpoint)?;
    let path = args
        .out
        .clone()
        .unwrap_or_else(|| beside(&args.checkpoint, "onnx"));
    let name = args.name.clone().unwrap_or_else(|| {
        path.file_stem()
            .map_or_else(String::new, |n| n.to_string_lossy().into_owned())
    });
    let metadata = Metadata::new(
        name,
        checkpoint.origin.data.clone(),
        checkpoint.origin.split.clone(),
        checkpoint.config.seed,
    );
    let bytes = onnx::write(&trained.graph(), &metadata)?;
    fs::write(&path, &bytes).with_context(|| format!("writing {}", path.display()))?;
    let text = format!(
        "{}: {} bytes, input `image` [N, 1, {}, {}], output `embedding` [N, {}]\nnext: sudal convert {}",
        path.display(),
        bytes.len(),
        checkpoint.size.0,
        checkpoint.size.1,
        trained.plan().embedding(),
        path.display()
    );
    let report = Report {
        onnx: path,
        bytes: bytes.len(),
        metadata,
    };
    output.result(&report, text)
}
