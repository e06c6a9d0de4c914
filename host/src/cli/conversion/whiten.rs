//! `sudal whiten`.

use std::fs;
use std::path::PathBuf;

use anyhow::Context;
use serde::Serialize;
use sudal::data::Loaded;
use sudal::export::float::FloatModel;
use sudal::export::whiten::{Length, strip, whiten};
use sudal::measure::Embeddings;

use super::data::{AlsoArgs, DataArgs};
use super::model::ModelFile;
use super::output::Output;
use super::output_file;

/// Add a last layer that makes embeddings easier to tell apart.
///
/// Put a last layer behind an ONNX network that makes its embeddings easier to tell apart.
///
/// Pictures of known classes show along which directions embeddings scatter whatever the class
/// (within-class covariance normalisation, Hatch et al. 2006); the layer divides by that and brings
/// the result to unit length, unless --keep-length says not to. It takes no gradients, a few minutes,
/// and as many weights as the embedding's length squared. Whether it helps depends on the network: measure on classes that
/// training did not see, with `sudal eval`, before and after. A network that has such a layer gets the
/// new one in its place.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sudal whiten plain.onnx --data synthetic:surfaces --out surfaces.onnx
  sudal whiten models/surfaces.onnx --data synthetic:surfaces --also line.zip --out line.onnx   a few classes of yours
  sudal whiten plain.onnx --data omniglot --split trainval --keep-length --out omniglot.onnx
  sudal eval plain.onnx --data synthetic:surfaces --split val
  sudal eval surfaces.onnx --data synthetic:surfaces --split val")]
pub(crate) struct Args {
    /// The ONNX file.
    onnx: PathBuf,
    /// The ONNX file with the layer.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Pictures of classes that training knows [default split: train].
    #[command(flatten)]
    data: DataArgs,
    /// As in training; the scatter is averaged over both, and the mean that is taken off is theirs.
    #[command(flatten)]
    also: AlsoArgs,
    /// Most pictures of --data, and most of --also: as many of each class, at least two.
    #[arg(long, default_value_t = 12_800)]
    pictures: usize,
    /// How much of the scatter is taken to be the same in every direction, above 0 and at most 1:
    /// more where there are fewer pictures.
    #[arg(long, default_value_t = 0.5)]
    shrinkage: f64,
    /// Leave embeddings as long as the layer makes them, instead of bringing them to unit length: for networks trained
    /// by distances, as prototypical ones are.
    #[arg(long)]
    keep_length: bool,
}

#[derive(Serialize)]
struct Report {
    onnx: PathBuf,
    data: String,
    split: String,
    classes: usize,
    pictures: usize,
    shrinkage: f64,
}

pub(crate) fn run(args: &Args, output: &Output) -> anyhow::Result<()> {
    let at = || format!("{}", args.onnx.display());
    let bytes = fs::read(&args.onnx).with_context(at)?;
    let bytes = strip(&bytes).with_context(at)?;
    let model = ModelFile::Onnx(Box::new(FloatModel::new(&bytes, None).with_context(at)?));
    output_file::vacant(&args.out)?;
    let split = args.data.split_or("train")?;
    let size = model.size()?;
    let sets = args.also.sets(&args.data, &split, size, output)?;
    let sets = sets.map(|set| set.first((args.pictures / set.classes()).max(2)));
    let sets: Vec<Loaded> = sets.collect();
    let sources: Vec<Embeddings> = sets
        .iter()
        .map(|set| model.embeddings(set, output))
        .collect::<Result<_, _>>()?;
    let report = Report {
        onnx: args.out.clone(),
        data: args.also.name(args.data.name()?),
        split,
        classes: sets.iter().map(Loaded::classes).sum(),
        pictures: sets.iter().flat_map(Loaded::class_sizes).sum(),
        shrinkage: args.shrinkage,
    };
    let origin = format!(
        "{}, {}, {} pictures of {} classes",
        report.data, report.split, report.pictures, report.classes
    );
    let length = match args.keep_length {
        true => Length::Kept,
        false => Length::Unit,
    };
    let white = whiten(&bytes, &sources, args.shrinkage, length, &origin).with_context(at)?;
    output_file::write(&args.out, &white)?;
    let text = format!(
        "{}: whitened by {origin}\nnext: sudal convert {}",
        args.out.display(),
        args.out.display()
    );
    output.result(&report, text)
}
