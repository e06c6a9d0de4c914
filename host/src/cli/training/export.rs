//! `sudal export`.

use std::path::PathBuf;

use anyhow::Context;
use serde::Serialize;
use sudal::export::patches::{Taps, attach};
use sudal::export::{Metadata, onnx};
use sudal::meta::{Checkpoint, Trained};

use super::model::beside;
use super::output::Output;
use super::output_file;

/// Write a trained network as an ONNX file.
///
/// Write a trained network as an ONNX file of standard operators, batch norm folded.
///
/// With --out ending in .ckpt: what was learned, without what only the run needs, in the trainer's
/// own format; for methods that need more than the network.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sudal export parts.ckpt --out parts.onnx
  sudal export maml.ckpt --out models/maml.ckpt")]
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

#[derive(Serialize)]
struct Learned {
    checkpoint: PathBuf,
}

pub(crate) fn run(args: &Args, output: &Output) -> anyhow::Result<()> {
    let checkpoint = Checkpoint::load(&args.checkpoint)?;
    let trained = Trained::load(&checkpoint)?;
    if let Some(path) = args
        .out
        .as_ref()
        .filter(|p| p.extension().is_some_and(|e| e == "ckpt"))
    {
        output_file::vacant(path)?;
        let learned = checkpoint.learned().context("the run is not finished")?;
        learned.save(path)?;
        let learned = Learned {
            checkpoint: path.clone(),
        };
        return output.result(&learned, format!("{}", path.display()));
    }
    let path = args
        .out
        .clone()
        .unwrap_or_else(|| beside(&args.checkpoint, "onnx"));
    output_file::ready(&path)?;
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
    let graph = trained.graph();
    let mut bytes = onnx::write(&graph, &metadata)?;
    if let Some(head) = trained.head().filter(|_| !graph.taps.is_empty()) {
        let names: Vec<String> = graph.taps.iter().map(|&tap| onnx::inner(tap)).collect();
        let taps = Taps::find(&bytes, &names)?;
        bytes = attach(
            &bytes,
            &taps,
            &head,
            &format!("learned of {}", checkpoint.origin.data),
        )?;
    }
    output_file::write(&path, &bytes)?;
    let text = format!(
        "{}: {} bytes, input `image` [N, {}, {}, {}], output `embedding` [N, {}]\nnext: sudal convert {}",
        path.display(),
        bytes.len(),
        checkpoint.colors.channels(),
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
