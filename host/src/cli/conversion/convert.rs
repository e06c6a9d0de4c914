//! `sudal convert`.

use std::fs;
use std::path::PathBuf;

use anyhow::Context;
use serde::Serialize;
use sudal::data::Loaded;
use sudal::device::{self, SigningKey};
use sudal::engine::QuantizedModel;
use sudal::episodes::EpisodeShape;
use sudal::export::calibration::{measure, with_calibration};
use sudal::export::convert::{
    ConvertOptions, Report as Conversion, convert, input_shape, without_softmax,
};
use sudal::export::float::FloatModel;
use sudal::export::grey::grey;
use sudal::export::signature::cut;
use sudal::export::standardize::standardize;
use sudal::export::views::{MOST_VIEWS, with_views};
use sudal::measure::{Accuracy, Embeddings};
use sudal::nets::graph::Normalization;
use sudal_firmware::heads::MAX_DIM;

use super::calibrate;
use super::data::{DataArgs, Kind};
use super::model::{ModelFile, beside};
use super::output::Output;
use super::output_file;

/// Quantise an ONNX file to the int8 model image that boards run.
///
/// Takes any ONNX file with the supported operators, whoever made it. Prints what the image will
/// need before anything is flashed, and the accuracy that int8 costs on real episodes.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sudal convert parts.onnx --data synthetic:parts
  sudal convert foreign.onnx --data pictures/ --mean 0.485 --std 0.229 --ram 96KiB
  sudal convert classifier.onnx --data pictures/ --mean 0 --std 1 --output features
  sudal convert imagenet.onnx --data pictures/ --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225
  sudal convert mobilenet.onnx --data pictures/ --mean 0.449 --std 0.226 --grey")]
pub(crate) struct Args {
    /// The ONNX file.
    onnx: PathBuf,
    /// The model image [default: beside the ONNX file].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Frames to calibrate on, then episodes to measure on; give what the camera will see.
    #[command(flatten)]
    data: DataArgs,
    /// Number of calibration frames.
    #[arg(long, default_value_t = 512)]
    frames: usize,
    /// What the network is called on the board [default: as in the file].
    #[arg(long)]
    name: Option<String>,
    /// Mean of the pixels on the scale 0..=1, for files that do not state it: one, or one for each channel.
    #[arg(long, requires = "std", value_delimiter = ',')]
    mean: Vec<f32>,
    /// Standard deviation of the pixels on the scale 0..=1, for files that do not state it: one, or one for
    /// each channel.
    #[arg(long, requires = "mean", value_delimiter = ',')]
    std: Vec<f32>,
    /// Bring the red, green and blue of each picture to one mean first, on the board too: white balance by
    /// grey world. A network of `sudal train --balance` says it itself; another should have been trained so,
    /// or the lamps differ much.
    #[arg(long)]
    balance: bool,
    /// Teach each shot by so many views of it: the picture, and copies that are shifted a little. The board
    /// runs the network once for each of them, when it is taught only.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=MOST_VIEWS as i64))]
    views: u16,
    /// End the network at this value of the file instead of at its output: for a classifier the
    /// features before its last layer.
    #[arg(long, value_name = "NAME")]
    output: Option<String>,
    /// Give a network of colour pictures grey ones: as red, as green and as blue. It costs nothing on the
    /// board where the first layer is a convolution.
    #[arg(long)]
    grey: bool,
    /// Board whose memory the image must fit.
    #[arg(long, default_value = "mps2-an500")]
    board: String,
    /// Most RAM for a frame, in bytes or KiB [default: the board's].
    #[arg(long, value_parser = bytes, value_name = "BYTES")]
    ram: Option<usize>,
    /// Sign the image with this key, from `sudal key new --sign`.
    #[arg(long, value_name = "FILE")]
    sign: Option<PathBuf>,
    /// Episodes for the accuracy lost to int8; 0 leaves it out.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u64).range(..=10_000_000))]
    episodes: u64,
}

/// `4096`, `96KiB`.
fn bytes(text: &str) -> Result<usize, String> {
    let (number, factor) = match text.strip_suffix("KiB") {
        Some(number) => (number.trim(), 1024),
        None => (text, 1),
    };
    number
        .parse::<usize>()
        .ok()
        .and_then(|n| n.checked_mul(factor))
        .ok_or_else(|| format!("{text:?} is no number of bytes: write 98304 or 96KiB"))
}

#[derive(Serialize)]
struct Report {
    image: PathBuf,
    #[serde(flatten)]
    conversion: Conversion,
    accuracy: Vec<Loss>,
}

#[derive(Serialize)]
struct Loss {
    way: usize,
    shot: usize,
    float: Accuracy,
    int8: Accuracy,
}

pub(crate) fn run(args: &Args, output: &Output) -> anyhow::Result<()> {
    let signing = args.sign.as_deref().map(SigningKey::open).transpose()?;
    let path = args
        .out
        .clone()
        .unwrap_or_else(|| beside(&args.onnx, "sudal"));
    output_file::ready(&path)?;
    let onnx = fs::read(&args.onnx).with_context(|| format!("reading {}", args.onnx.display()))?;
    let onnx = match &args.output {
        Some(value) => cut(&onnx, value).with_context(|| format!("{}", args.onnx.display()))?,
        None => onnx,
    };
    let (onnx, normalization) = match (&args.mean[..], &args.std[..]) {
        ([], []) => (onnx, None),
        (&[mean], &[std]) => (onnx, Some(Normalization::new(mean, std))),
        (mean, std) => {
            let standard = standardize(&onnx, mean, std)
                .with_context(|| format!("{}", args.onnx.display()))?;
            (standard, None)
        }
    };
    let onnx = match args.grey {
        true => grey(&onnx).with_context(|| format!("{}", args.onnx.display()))?,
        false => onnx,
    };
    // Else the accuracy in float would be that of another network.
    let (network, _) =
        without_softmax(&onnx).with_context(|| format!("converting {}", args.onnx.display()))?;
    let size = input_shape(&onnx)
        .map_err(anyhow::Error::from)
        .and_then(ModelFile::picture_size)
        .with_context(|| format!("converting {}", args.onnx.display()))?;
    let normalization = match args.balance {
        true => Some(Normalization {
            balance: true,
            ..stated(&network, normalization)?
        }),
        false => normalization,
    };
    let memory = device::open(&args.board, &device::state_dir(&args.board))?.memory();
    let options = ConvertOptions {
        name: args.name.clone(),
        normalization,
        ram_limit: Some(args.ram.unwrap_or(memory.arena)),
        flash_limit: Some(memory.image),
        embedding_limit: Some(MAX_DIM),
        noise_limit: None,
    };
    let split = calibration_split(&args.data)?;
    let calibration = args.data.load(&split, size, output)?;
    let frames = spread(&calibration, args.frames);
    output.step(format!("calibrating on {} pictures", frames.len()));
    let converted = convert(&onnx, &frames, &options)
        .with_context(|| format!("converting {}", args.onnx.display()))?;
    let mut text = converted.report.to_string();
    let mut image = with_views(&converted.image, args.views.into())?;
    let decision_split = decision_split(&args.data)?;
    let decided = match decision_split == split {
        true => calibration,
        false => args.data.load(&decision_split, size, output)?,
    };
    match measure(&embed(&image, &decided)?, 0) {
        Ok(calibration) => {
            image = with_calibration(&image, &calibration)?;
            text.push_str(&format!("\n{}", calibrate::describe(&calibration)));
        }
        Err(error) => text.push_str(&format!("\nwithout calibration of decisions: {error}")),
    }
    if let Some(key) = &signing {
        image = key.sign(&image)?;
    }
    output_file::write(&path, &image)?;

    let mut accuracy = Vec::new();
    if args.episodes > 0 {
        let split = args.data.split_or("test")?;
        let data = args.data.load(&split, size, output)?;
        let int8 = ModelFile::open(&path)?.embeddings(&data, output)?;
        let float = ModelFile::Onnx(Box::new(FloatModel::new(&network, normalization)?))
            .embeddings(&data, output)?;
        for (way, shot) in [(5, 1), (5, 5)] {
            let shape = EpisodeShape {
                way,
                shot,
                query: 15,
            };
            match (
                float.accuracy(shape, args.episodes, 1),
                int8.accuracy(shape, args.episodes, 1),
            ) {
                (Ok(float), Ok(int8)) => {
                    text.push_str(&format!(
                        "\n{way}-way {shot}-shot, {} episodes of {} ({split}): float {float}, int8 {int8}, {:+.2} points",
                        args.episodes,
                        args.data.name()?,
                        (int8.mean - float.mean) * 100.0
                    ));
                    accuracy.push(Loss {
                        way,
                        shot,
                        float,
                        int8,
                    });
                }
                (Err(e), _) | (_, Err(e)) => {
                    text.push_str(&format!("\n{way}-way {shot}-shot was not measured: {e}"));
                }
            }
        }
    }
    text.push_str(&format!("\nnext: sudal flash {}", path.display()));
    let report = Report {
        image: path,
        conversion: converted.report,
        accuracy,
    };
    output.result(&report, text)
}

/// How pixels become the input of a network, by what is given or by what the file states.
fn stated(onnx: &[u8], given: Option<Normalization>) -> anyhow::Result<Normalization> {
    Ok(FloatModel::new(onnx, given)?.normalization())
}

/// Calibration never uses classes that are measured on afterwards, where there are others.
fn calibration_split(data: &DataArgs) -> anyhow::Result<String> {
    Ok(match data.kind()? {
        Kind::Parts | Kind::Surfaces => "val".to_owned(),
        Kind::Omniglot(_) => "trainval".to_owned(),
        Kind::Folder(path) => data.folder_split(&path, &["train"])?,
    })
}

/// What decisions are calibrated on: classes that training did not see, where there are some beside
/// those that are measured on.
fn decision_split(data: &DataArgs) -> anyhow::Result<String> {
    Ok(match data.kind()? {
        Kind::Folder(path) => data.folder_split(&path, &["val", "train"])?,
        Kind::Parts | Kind::Surfaces | Kind::Omniglot(_) => "val".to_owned(),
    })
}

/// The int8 embeddings of all pictures.
fn embed(image: &[u8], data: &Loaded) -> anyhow::Result<Embeddings> {
    let frames: Vec<&[u8]> = data.pictures().collect();
    let image = QuantizedModel::new(image)?;
    Ok(Embeddings::of_image(
        &image,
        &frames,
        &data.class_sizes(),
        &|_| (),
    )?)
}

/// At most `count` pictures, evenly spread over the data.
fn spread(data: &Loaded, count: usize) -> Vec<&[u8]> {
    let all: Vec<&[u8]> = data.pictures().collect();
    let count = count.clamp(1, all.len().max(1));
    (0..count)
        .filter_map(|i| all.get(i * all.len() / count).copied())
        .collect()
}
