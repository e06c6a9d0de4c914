//! Every operator, written into a file by itself: the layers made of it against tract in float32,
//! the image against the layers.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tract_onnx::pb::{AttributeProto, tensor_proto::DataType};

use super::{
    choice::relative_error_of_patches,
    network::{Network, Op},
    quantization::Quantization,
    *,
};
use crate::engine::QuantizedModel;
use crate::export::{float::FloatModel, signature::PATCHES};

mod arithmetic;
mod conv;
mod converted;
mod exporters;
mod file;
mod foreign;
pub(in crate::export) mod networks;
mod patches;
mod pool;
mod products;
mod quantized;
mod refused;
mod shuffle;
mod unary;
mod unsound;
mod upsample;
mod useless;

use file::{File, float, floats, int, ints, text};

const NORMALIZATION: Normalization = Normalization::new(0.4, 0.3);

/// Frames with structure: a few bright rectangles on a dark ground, and noise.
fn frames(shape: &[i64], count: usize) -> Vec<Vec<u8>> {
    let [channels, height, width] = [shape[0], shape[1], shape[2]].map(|side| side as usize);
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let mut frame = || {
        let mut pixels = vec![20_u8; channels * height * width];
        for _ in 0..3 {
            let (top, left) = (rng.random_range(0..height), rng.random_range(0..width));
            let (bottom, right) = (rng.random_range(top..height), rng.random_range(left..width));
            for channel in 0..channels {
                let level = rng.random_range(0..230);
                for y in top..=bottom {
                    for x in left..=right {
                        pixels[(y * width + x) * channels + channel] = level;
                    }
                }
            }
        }
        pixels
            .iter_mut()
            .for_each(|pixel| *pixel = pixel.saturating_add(rng.random_range(0..25)));
        pixels
    };
    (0..count).map(|_| frame()).collect()
}

/// Channels, height and width of a file's pictures.
fn pictures_of(onnx: &[u8]) -> [i64; 3] {
    input_shape(onnx).unwrap().map(|side| side as i64)
}

fn options() -> ConvertOptions {
    ConvertOptions {
        normalization: Some(NORMALIZATION),
        ..ConvertOptions::default()
    }
}

/// Converts a file; its layers must agree with tract, its image with its layers.
fn check(file: &File) -> Report {
    check_with(file, NORMALIZATION)
}

fn check_with(file: &File, normalization: Normalization) -> Report {
    let bytes = file.bytes();
    let frames = frames(&pictures_of(&bytes), 32);
    let float = FloatModel::new(&bytes, Some(normalization)).unwrap();
    let exact = float.embed(&frames).unwrap();

    let (signature, model) = Signature::read(&bytes).unwrap();
    let mut network = read::read(&signature, &model).unwrap();
    simplify::simplify(&mut network).unwrap();
    let pictures = Input::new(&network, &signature, normalization)
        .pictures(&frames)
        .unwrap();
    let evaluator = evaluate::Evaluator::new(&network);
    for (picture, exact) in pictures.into_iter().zip(&exact) {
        let embedding = evaluator.run(picture).pop().unwrap();
        assert_eq!(embedding.len(), exact.len());
        for (got, exact) in embedding.iter().zip(exact) {
            assert!(
                (got - exact).abs() < 1e-4 * exact.abs().max(1.0),
                "{got} {exact}"
            );
        }
    }

    let options = ConvertOptions {
        normalization: Some(normalization),
        ..options()
    };
    let converted = convert(&bytes, &frames, &options).unwrap();
    let image = QuantizedModel::new(&converted.image).unwrap();
    let header = *image.model().unwrap().header();
    let quantization = Quantization {
        scale: header.output_scale.into(),
        zero_point: header.output_zero_point,
    };
    let error = quality::relative_error(&exact, &image.embed(&frames).unwrap(), quantization);
    assert!(error < 0.04, "int8 adds {error} to {}", converted.report);
    assert!(
        (error - converted.report.relative_error).abs() < 1e-3,
        "{error} {}",
        converted.report
    );
    converted.report
}

fn kinds(report: &Report) -> Vec<&str> {
    report
        .layers
        .iter()
        .map(|layer| layer.kind.as_str())
        .collect()
}

/// The error of a file that can not be converted.
fn refuse(file: &File) -> String {
    let bytes = file.bytes();
    convert(&bytes, &frames(&pictures_of(&bytes), 8), &options())
        .unwrap_err()
        .to_string()
}

/// A vector of 12 values, none of them the mean of its pixels' levels.
fn vector() -> File {
    let mut file = File::new(1, 8, 8);
    file.conv([12, 1, 3, 3], vec![])
        .node("Relu", &[], vec![])
        .node("GlobalAveragePool", &[], vec![])
        .node("Flatten", &[], vec![]);
    file
}

/// Adds a batch normalisation with random parameters.
fn batch_normalization(file: &mut File, channels: i64) {
    let index = file.nodes.len();
    let names = ["gamma", "beta", "mean", "variance"].map(|name| format!("{name}{index}"));
    file.random(&names[0], &[channels], 0.5, 1.5)
        .random(&names[1], &[channels], -0.5, 0.5);
    file.random(&names[2], &[channels], -0.5, 0.5)
        .random(&names[3], &[channels], 0.3, 2.0);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    file.node("BatchNormalization", &names, vec![float("epsilon", 1e-3)]);
}
