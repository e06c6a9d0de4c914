//! Networks that people bring, with weights made at random, on pictures in colours and in grey.

mod earlier;
mod later;

use super::*;
use crate::export::grey::grey;

use crate::export::benchmark::known;
use crate::export::{Metadata, onnx};
use crate::nets::graph::{Graph, Op};

use earlier::squeezenet;
use later::{efficientnet_lite0, mobilenet_v3, shufflenet_v2};

/// The file of a network.
fn written(graph: &Graph) -> Vec<u8> {
    onnx::write(graph, &Metadata::default()).unwrap()
}

fn resnet8() -> Vec<u8> {
    written(&known::resnet8(3).classify([64, 10]))
}

fn mobilenet_v1() -> Vec<u8> {
    written(&known::mobilenet_v1(3).classify([256, 2]))
}

fn mobilenet_v2() -> Vec<u8> {
    let mut network = known::mobilenet_v2(3);
    network.windowed([112, 256], 1, 1).then(Op::Relu6);
    written(&network.classify([256, 100]))
}

/// A network of colour pictures on the engine against ONNX Runtime: what it takes and how far it is off. Its
/// image goes into the folder `SUDAL_IMAGES`, where that is given, for `sudal profile`.
fn bring(name: &str, bytes: &[u8], frames: &[Vec<u8>]) -> Report {
    let (signature, _) = Signature::read(bytes).unwrap();
    let exact = networks::exact(name, bytes, &signature, frames);
    let trial = networks::compare(name, bytes, frames, &exact).unwrap();
    if let Some(folder) = std::env::var_os("SUDAL_IMAGES") {
        let file = name.rsplit('/').next().unwrap_or(name).replace(' ', "-") + ".sudal";
        std::fs::write(std::path::Path::new(&folder).join(file), &trial.image).unwrap();
    }
    let report = trial.report;
    println!(
        "{name}: {} bytes of RAM, {} of flash, {} layers, {:.1} M MACs, int8 adds {:.1} %, off by {:.2} of what \
         rounding costs",
        report.arena_bytes,
        report.image_bytes,
        report.layers.len(),
        report.macs as f64 / 1e6,
        100.0 * report.relative_error,
        trial.off
    );
    assert!(trial.off <= 1.0, "{name}: {}", trial.off);
    report
}

/// What is brought, and RAM and bytes of the image that it takes.
#[test]
fn networks_that_people_bring_see_colours() {
    let brought: [(&str, Vec<u8>, usize, usize); 7] = [
        ("ResNet-8", resnet8(), 38_016, 85_648),
        ("MobileNetV1 0.25", mobilenet_v1(), 31_920, 261_552),
        ("MobileNetV2 0.35", mobilenet_v2(), 34_992, 376_880),
        ("SqueezeNet 1.1", squeezenet().bytes(), 135_424, 827_648),
        (
            "MobileNetV3-Small",
            mobilenet_v3().bytes(),
            64_736,
            1_029_792,
        ),
        ("ShuffleNetV2 0.5", shufflenet_v2().bytes(), 33_632, 407_840),
        (
            "EfficientNet-Lite0",
            efficientnet_lite0().bytes(),
            56_496,
            3_532_752,
        ),
    ];
    for (name, bytes, arena, image) in brought {
        let report = bring(name, &bytes, &frames(&pictures_of(&bytes), 8));
        assert_eq!(report.input[2], 3, "{name}");
        assert!(
            report.arena_bytes <= arena,
            "{name}: {}",
            report.arena_bytes
        );
        assert!(
            report.image_bytes <= image,
            "{name}: {}",
            report.image_bytes
        );
    }
}

/// Any file, named by `SUDAL_ONNX`: for networks with weights that are too large to stand here.
#[test]
fn a_file_that_is_named() {
    let Some(path) = std::env::var_os("SUDAL_ONNX") else {
        println!("skipped: SUDAL_ONNX names no file");
        return;
    };
    let bytes = std::fs::read(&path).unwrap();
    let frames = frames(&pictures_of(&bytes), 16);
    let report = bring(&path.to_string_lossy(), &bytes, &frames);
    println!("{report}");
}

/// The three colours of a grey picture are one, which the first layer sums up.
#[test]
fn networks_that_people_bring_see_grey_pictures() {
    for (name, colour) in [
        ("ResNet-8", resnet8()),
        ("MobileNetV1 0.25", mobilenet_v1()),
        ("ShuffleNetV2 0.5", shufflenet_v2().bytes()),
    ] {
        let bytes = grey(&colour).unwrap();
        let frames = frames(&pictures_of(&bytes), 8);
        let thrice: Vec<Vec<u8>> = frames
            .iter()
            .map(|frame| frame.iter().flat_map(|&level| [level; 3]).collect())
            .collect();
        let (signature, _) = Signature::read(&colour).unwrap();
        let exact = networks::exact(name, &colour, &signature, &thrice);
        let trial = networks::compare(name, &bytes, &frames, &exact).unwrap();
        assert_eq!(trial.report.input[2], 1, "{name}");
        assert!(trial.off <= 1.0, "{name}: {}", trial.off);
        let first = &trial.report.layers[0];
        assert!(first.kind.starts_with("conv"), "{name}: {}", first.kind);
    }
}

/// Colours that the file itself brings to their own means are told apart until they are summed.
#[test]
fn means_of_each_colour_are_kept() {
    let mut file = File::new(3, 12, 12);
    file.floats("mean", &[3, 1, 1], vec![0.3, -0.2, 0.1])
        .floats("std", &[3, 1, 1], vec![0.9, 1.1, 1.3])
        .node("Sub", &["mean"], vec![])
        .node("Div", &["std"], vec![]);
    file.windowed(6, 3, 3, 1).relu().classify(5, 6);
    let (colour, frame) = (file.bytes(), frames(&[1, 12, 12], 8));
    let bytes = grey(&colour).unwrap();
    let thrice: Vec<Vec<u8>> = frame
        .iter()
        .map(|frame| frame.iter().flat_map(|&level| [level; 3]).collect())
        .collect();
    let of = |bytes: &[u8], frames: &[Vec<u8>]| {
        FloatModel::new(bytes, Some(NORMALIZATION))
            .unwrap()
            .embed(frames)
            .unwrap()
    };
    let exact = of(&colour, &thrice);
    for (a, b) in exact
        .iter()
        .flatten()
        .zip(of(&bytes, &frame).iter().flatten())
    {
        assert!((a - b).abs() < 1e-4, "{a} {b}");
    }
    let converted = convert(&bytes, &frame, &options()).unwrap();
    assert!(
        converted.report.relative_error < 0.04,
        "{}",
        converted.report
    );
}

#[test]
fn only_colour_pictures_become_grey() {
    let mut file = File::new(2, 8, 8);
    file.windowed(4, 2, 3, 1);
    let error = grey(&file.bytes()).unwrap_err();
    assert!(error.to_string().contains("2 channels"), "{error}");
    assert!(grey(b"no network").is_err());
}
