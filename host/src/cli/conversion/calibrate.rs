//! `sudal calibrate`.

use std::path::PathBuf;

use anyhow::Context;
use serde::Serialize;
use sudal::device::{Rate, SigningKey};
use sudal::export::calibration::{measure, with_calibration};
use sudal::table::Table;
use sudal_firmware::decision::Calibration;

use super::data::{DataArgs, Half};
use super::model::{self, ModelFile};
use super::output::Output;
use super::output_file;

/// Write into a model image how much pictures of a class vary.
///
/// Measure how far pictures of a known class may lie from it, and write that into a model image.
///
/// From this table the device takes the threshold for any false-reject rate. Give classes that
/// training did not see. `sudal convert` does the same. The model's identity changes: classes that
/// were enrolled with the image as it was have to be enrolled again; a signature has to be made again.
#[derive(clap::Args)]
#[command(after_help = "Example:
  sudal calibrate mine.sudal --data pictures/")]
pub(crate) struct Args {
    /// The model image.
    image: PathBuf,
    /// Where it is written [default: over the image].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    data: DataArgs,
    /// Only this half of the classes; `sudal openset` can measure on the other.
    #[arg(long, value_enum)]
    half: Option<Half>,
    /// Seed of what is enrolled.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Sign the image with this key, from `sudal key new --sign`.
    #[arg(long, value_name = "FILE")]
    sign: Option<PathBuf>,
}

#[derive(Serialize)]
struct Report {
    image: PathBuf,
    split: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    half: Option<Half>,
    classes: u32,
    variance: f32,
    weight: f32,
    /// Shots, and the thresholds at 0.1, 1 and 10 %.
    rows: Vec<(u32, [f32; 3])>,
}

pub(crate) fn run(args: &Args, output: &Output) -> anyhow::Result<()> {
    let signing = args.sign.as_deref().map(SigningKey::open).transpose()?;
    let model = ModelFile::open(&args.image)?;
    model.image("calibrating")?;
    let path = model::output(&args.image, args.out.as_deref())?;
    output_file::ready(&path)?;
    let split = args.data.split_or("val")?;
    let data = args.data.load(&split, model.size()?, output)?;
    let embeddings = Half::of(args.half, model.embeddings(&data, output)?);
    let calibration = measure(&embeddings, args.seed)
        .with_context(|| format!("calibrating on {} {split}", args.data.data))?;
    let bytes = model::read(&args.image)?;
    let mut image = with_calibration(&bytes, &calibration)?;
    if let Some(key) = &signing {
        image = key.sign(&image)?;
    }
    output_file::write(&path, &image)?;
    let report = Report {
        image: path,
        split,
        half: args.half,
        classes: calibration.classes,
        variance: calibration.variance,
        weight: calibration.weight,
        rows: rows(&calibration),
    };
    output.result(
        &report,
        format!("{}: {}", report.image.display(), describe(&calibration)),
    )
}

fn rows(calibration: &Calibration) -> Vec<(u32, [f32; 3])> {
    let rates = [10, 100, 1000].map(|parts| Rate::new(parts).unwrap_or_default());
    let shots = calibration.shots.iter().take(calibration.rows as usize);
    shots
        .map(|&shots| {
            let at = rates.map(|rate| calibration.threshold(rate, shots as u8));
            (shots, at)
        })
        .collect()
}

/// The table in words.
pub(super) fn describe(calibration: &Calibration) -> String {
    let mut table = Table::new(["shots", "0.1 %", "1 %", "10 %"]).left([]);
    for (shots, at) in rows(calibration) {
        let at = at.map(|novelty| format!("{novelty:.2}"));
        table.row([shots.to_string()].into_iter().chain(at));
    }
    format!(
        "decisions calibrated on {} classes; novelty that so much of known pictures exceeds:\n{table}",
        calibration.classes
    )
}
