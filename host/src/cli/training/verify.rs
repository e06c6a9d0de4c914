//! `sudal verify`.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, bail};
use sudal::data::Size;
use sudal::export::float::FloatModel;
use sudal::export::{runtime, verify};
use sudal::meta::{Checkpoint, Trained};

use super::data::DataArgs;
use super::model::ModelFile;
use super::output::Output;

/// Compare an ONNX file in two runtimes with its trainer.
///
/// Compare an ONNX file in ONNX Runtime and in tract with its trainer on real pictures.
///
/// Fails when any value of any embedding differs by 1e-4 or more. ONNX Runtime is loaded from
/// ORT_DYLIB_PATH, python3's packages or the system's libraries; --setup fetches it with pip.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sudal verify parts.onnx --checkpoint parts.ckpt --data synthetic:parts
  sudal verify models/omniglot.onnx --checkpoint omniglot.ckpt --data ~/omniglot --frames 500")]
pub(crate) struct Args {
    /// The ONNX file.
    onnx: PathBuf,
    /// The checkpoint that it was exported from; without it the two runtimes are compared with each
    /// other only.
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    #[command(flatten)]
    data: DataArgs,
    /// Pictures to compare.
    #[arg(long, default_value_t = 200)]
    frames: usize,
    /// Fetch ONNX Runtime with pip where it is missing.
    #[arg(long)]
    setup: bool,
}

pub(crate) fn run(args: &Args, output: &Output) -> anyhow::Result<()> {
    if args.setup {
        let library = runtime::setup()?;
        output.step(format!("ONNX Runtime: {}", library.display()));
    }
    let trained = match &args.checkpoint {
        Some(path) => Some(Trained::load(&Checkpoint::load(path)?)?),
        None => None,
    };
    let bytes = fs::read(&args.onnx).with_context(|| format!("reading {}", args.onnx.display()))?;
    let tract = FloatModel::new(&bytes, None)?;
    let size = ModelFile::picture_size(tract.shape())?;
    let (height, width) = (size.height as usize, size.width as usize);
    if let Some(trained) = &trained
        && trained.plan().size != (height, width)
    {
        bail!(
            "{} reads {height}x{width} pictures and the checkpoint {:?}: they are not the same network",
            args.onnx.display(),
            trained.plan().size
        );
    }
    let split = args.data.split_or("test")?;
    let data = args.data.load(&split, size, output)?;
    let all: Vec<&[u8]> = data.pictures().collect();
    let every = (all.len() / args.frames.max(1)).max(1);
    let frames: Vec<&[u8]> = all.into_iter().step_by(every).take(args.frames).collect();
    let report = verify::verify(&bytes, &frames, |pictures| match &trained {
        Some(trained) => Ok(trained.embed_normalized(&by_pixel(pictures, size))),
        None => {
            let runs = pictures.chunks_exact(size.values()).map(|p| tract.run(p));
            Ok(runs.collect::<Result<Vec<_>, _>>()?.concat())
        }
    })?;
    let reference = if trained.is_some() {
        "the trainer"
    } else {
        "tract"
    };
    let text = format!(
        "{}: {} pictures of {} ({split}), embeddings of {} values up to {:.3}\n\
         largest difference to {reference}: ONNX Runtime {:.1e}, tract {:.1e} (limit {:.0e})\n{}\
         ONNX Runtime from {}",
        args.onnx.display(),
        report.frames,
        args.data.name()?,
        report.length,
        report.magnitude,
        report.onnx_runtime,
        report.tract,
        report.tolerance,
        report
            .patches
            .map_or_else(String::new, |difference| format!(
                "their maps of patches differ by {difference:.1e} of the greatest value\n"
            )),
        report.library.display()
    );
    output.result(&report, text)
}

/// Pictures whose channels follow each other, as an exported file has them, with those of each pixel side by side.
fn by_pixel(pictures: &[f32], size: Size) -> Vec<f32> {
    let channels = size.colors.channels();
    let area = size.values() / channels;
    let pictures = pictures.chunks_exact(size.values());
    let of = |picture: &'_ [f32]| -> Vec<f32> {
        let pixels = (0..area).flat_map(|at| (0..channels).map(move |channel| channel * area + at));
        pixels.map(|place| picture[place]).collect()
    };
    pictures.flat_map(of).collect()
}
