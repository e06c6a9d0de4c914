//! `sudal patches`.

use std::fs;
use std::path::PathBuf;

use anyhow::Context;
use serde::Serialize;
use sudal::data::Loaded;
use sudal::export::patches::{Moments, Taps, add_patches, strip};

use super::data::{AlsoArgs, DataArgs};
use super::model::ModelFile;
use super::output::Output;
use super::output_file;

/// Add the map of places by which a model finds flaws.
///
/// Give an ONNX network a second output, a map of what it holds of each place of a picture.
///
/// Flaws are found by these patches: one embedding of the whole picture averages a small flaw away. They
/// are the principal components of an inner layer's vectors over pictures that training knows, each over
/// the fourth root of its variance, and cost one 1x1 convolution. The embedding stays what it is. A
/// network that has such an output gets the new one in its place.
///
/// Give --tap several times to join what several layers hold of a place, a deep one beside a shallow one:
/// each layer counts the same, and smaller maps are brought to the places of the largest, of which they
/// have to be a whole part.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sudal patches white.onnx --data synthetic:surfaces --out surfaces.onnx
  sudal patches white.onnx --data synthetic:surfaces --also line.zip --tap value18 --channels 32 --out line.onnx
  sudal patches white.onnx --data synthetic:surfaces --tap value10 --tap value22 --out both.onnx
  sudal convert surfaces.onnx --data synthetic:surfaces")]
pub(crate) struct Args {
    /// The ONNX file.
    onnx: PathBuf,
    /// The ONNX file with patches.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Pictures of classes that training knows [default split: train].
    #[command(flatten)]
    data: DataArgs,
    /// As in training; both count the same.
    #[command(flatten)]
    also: AlsoArgs,
    /// The value inside the network; can be given several times [default: the last with 12x12 places or
    /// more].
    #[arg(long, value_name = "NAME")]
    tap: Vec<String>,
    /// Values of a patch.
    #[arg(long, default_value_t = 64)]
    channels: usize,
    /// Most pictures of --data, and most of --also: as many of each class.
    #[arg(long, default_value_t = 3_200)]
    pictures: usize,
}

#[derive(Serialize)]
struct Report {
    onnx: PathBuf,
    /// Names of the values, joined by " + ".
    tap: String,
    /// Height, width and channels.
    patches: [usize; 3],
    data: String,
    split: String,
    pictures: usize,
}

pub(crate) fn run(args: &Args, output: &Output) -> anyhow::Result<()> {
    let at = || format!("{}", args.onnx.display());
    let bytes = fs::read(&args.onnx).with_context(at)?;
    let bytes = strip(&bytes).with_context(at)?;
    output_file::vacant(&args.out)?;
    let taps = Taps::find(&bytes, &args.tap).with_context(at)?;
    let size = ModelFile::picture_size(taps.model().shape())?;
    let split = args.data.split_or("train")?;
    let sets = args.also.sets(&args.data, &split, size, output)?;
    let sets = sets.map(|set| set.first((args.pictures / set.classes()).max(1)));
    let sets: Vec<Loaded> = sets.collect();
    let moments: Vec<Moments> = sets
        .iter()
        .map(|set| moments(&taps, set, output))
        .collect::<Result<_, _>>()?;
    let [height, width, _] = taps.shape();
    let report = Report {
        onnx: args.out.clone(),
        tap: taps.text(),
        patches: [height, width, args.channels],
        data: args.also.name(args.data.name()?),
        split,
        pictures: sets.iter().flat_map(Loaded::class_sizes).sum(),
    };
    let origin = format!(
        "{}, {}, {} pictures",
        report.data, report.split, report.pictures
    );
    let onnx = add_patches(&bytes, &taps, &moments, args.channels, &origin).with_context(at)?;
    output_file::write(&args.out, &onnx)?;
    let text = format!(
        "{}: {height}x{width}x{} patches of {}, by {origin}\nnext: sudal convert {}",
        args.out.display(),
        args.channels,
        report.tap,
        args.out.display()
    );
    output.result(&report, text)
}

/// Mean and covariance of the taps' vectors over all pictures.
fn moments(taps: &Taps, data: &Loaded, output: &Output) -> anyhow::Result<Moments> {
    let frames: Vec<&[u8]> = data.pictures().collect();
    let [.., channels] = taps.shape();
    let bar = output.bar(frames.len() as u64, "pictures");
    let mut moments = Moments::new(channels);
    for part in frames.chunks(256) {
        moments.add(&taps.model().patches(part)?);
        bar.inc(part.len() as u64);
    }
    bar.finish_and_clear();
    Ok(moments)
}
