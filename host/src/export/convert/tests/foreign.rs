//! Networks that people bring, with weights made at random, seen through grey pictures.

use super::*;
use crate::export::grey::grey;

/// A residual block's, a separable layer's and a fire module's parts.
impl File {
    /// A convolution after which a ReLU leaves values as large as they were (He et al. 2015).
    fn even(&mut self, input: &str, dims: [i64; 4], stride: i64, group: i64) -> &mut Self {
        let (weight, bias) = (
            format!("w{}", self.nodes.len()),
            format!("b{}", self.nodes.len()),
        );
        let limit = (6.0 / (dims[1] * dims[2] * dims[3]) as f32).sqrt();
        self.random(&weight, &dims, -limit, limit)
            .random(&bias, &dims[..1], -0.1, 0.1);
        let attributes = vec![
            ints("pads", &[dims[2] / 2; 4]),
            ints("strides", &[stride; 2]),
            int("group", group),
        ];
        self.node_of("Conv", &[input, &weight, &bias], attributes)
    }

    fn windowed(&mut self, out: i64, from: i64, side: i64, stride: i64) -> &mut Self {
        let last = self.last();
        self.even(&last, [out, from, side, side], stride, 1)
    }

    fn depthwise(&mut self, channels: i64, stride: i64) -> &mut Self {
        let last = self.last();
        self.even(&last, [channels, 1, 3, 3], stride, channels)
    }

    fn relu(&mut self) -> &mut Self {
        self.node("Relu", &[], vec![])
    }

    fn relu6(&mut self) -> &mut Self {
        self.node("Clip", &["zero", "six"], vec![])
    }

    /// The mean of each channel and a fully connected layer.
    fn classify(&mut self, classes: i64, channels: i64) -> &mut Self {
        let limit = (3.0 / channels as f32).sqrt();
        self.random("dense", &[channels, classes], -limit, limit);
        self.node("GlobalAveragePool", &[], vec![])
            .node("Flatten", &[], vec![])
            .node("MatMul", &["dense"], vec![])
    }
}

/// MLPerf Tiny's image classification.
fn resnet8() -> File {
    let mut file = File::new(3, 32, 32);
    file.windowed(16, 3, 3, 1).relu();
    let mut from = 16;
    for (out, stride) in [(16, 1), (32, 2), (64, 2)] {
        let input = file.last();
        file.windowed(out, from, 3, stride).relu();
        file.windowed(out, out, 3, 1);
        let path = file.last();
        let short = match stride {
            1 => input,
            _ => file.even(&input, [out, from, 1, 1], stride, 1).last(),
        };
        file.node_of("Add", &[&path, &short], vec![]).relu();
        from = out;
    }
    file.classify(10, 64);
    file
}

/// MLPerf Tiny's visual wake words: MobileNetV1 with a quarter of the channels.
fn mobilenet_v1() -> File {
    let mut file = File::new(3, 96, 96);
    file.windowed(8, 3, 3, 2).relu();
    let mut from = 8;
    let layers = [
        (16, 1),
        (32, 2),
        (32, 1),
        (64, 2),
        (64, 1),
        (128, 2),
        (128, 1),
        (128, 1),
        (128, 1),
        (128, 1),
        (128, 1),
        (256, 2),
        (256, 1),
    ];
    for (out, stride) in layers {
        file.depthwise(from, stride).relu();
        file.windowed(out, from, 1, 1).relu();
        from = out;
    }
    file.classify(2, 256);
    file
}

/// MobileNetV2 with 0.35 of the channels.
fn mobilenet_v2() -> File {
    let mut file = File::new(3, 96, 96);
    file.floats("zero", &[], vec![0.0])
        .floats("six", &[], vec![6.0]);
    file.windowed(16, 3, 3, 2).relu6();
    let mut from = 16;
    let stages = [
        (1, 8, 1, 1),
        (6, 8, 2, 2),
        (6, 16, 3, 2),
        (6, 24, 4, 2),
        (6, 32, 3, 1),
        (6, 56, 3, 2),
        (6, 112, 1, 1),
    ];
    for (widen, out, times, stride) in stages {
        for block in 0..times {
            let (input, stride) = (file.last(), if block == 0 { stride } else { 1 });
            let wide = from * widen;
            if widen > 1 {
                file.windowed(wide, from, 1, 1).relu6();
            }
            file.depthwise(wide, stride).relu6();
            file.windowed(out, wide, 1, 1);
            if stride == 1 && from == out {
                let path = file.last();
                file.node_of("Add", &[&input, &path], vec![]);
            }
            from = out;
        }
    }
    file.windowed(256, from, 1, 1).relu6();
    file.classify(100, 256);
    file
}

/// SqueezeNet 1.1 up to a classifier of 100.
fn squeezenet() -> File {
    let mut file = File::new(3, 96, 96);
    file.conv([64, 3, 3, 3], vec![ints("strides", &[2; 2])])
        .relu();
    let pool = || vec![ints("kernel_shape", &[3; 2]), ints("strides", &[2; 2])];
    file.node("MaxPool", &[], pool());
    let mut from = 64;
    let fires = [
        (16, 64),
        (16, 64),
        (32, 128),
        (32, 128),
        (48, 192),
        (48, 192),
        (64, 256),
        (64, 256),
    ];
    for (index, (narrow, out)) in fires.into_iter().enumerate() {
        if index == 2 || index == 4 {
            file.node("MaxPool", &[], pool());
        }
        file.windowed(narrow, from, 1, 1).relu();
        let squeezed = file.last();
        let parts = [1, 3].map(|side| {
            file.even(&squeezed, [out, narrow, side, side], 1, 1)
                .relu()
                .last()
        });
        file.node_of("Concat", &[&parts[0], &parts[1]], vec![int("axis", 1)]);
        from = 2 * out;
    }
    file.windowed(100, from, 1, 1).relu();
    file.node("GlobalAveragePool", &[], vec![]);
    file
}

/// What is brought, and RAM and bytes of the image that it takes.
#[test]
fn networks_that_people_bring_see_grey_pictures() {
    let brought: [(&str, File, usize, usize); 4] = [
        ("ResNet-8", resnet8(), 38_016, 82_800),
        ("MobileNetV1 0.25", mobilenet_v1(), 16_640, 242_464),
        ("MobileNetV2 0.35", mobilenet_v2(), 23_856, 357_648),
        ("SqueezeNet 1.1", squeezenet(), 135_424, 807_552),
    ];
    for (name, file, arena, image) in brought {
        let colour = file.bytes();
        let bytes = grey(&colour).unwrap();
        let frames = frames(&pictures_of(&bytes), 16);
        let thrice: Vec<Vec<u8>> = frames
            .iter()
            .map(|frame| frame.iter().flat_map(|&level| [level; 3]).collect())
            .collect();
        let float = |bytes: &[u8], frames: &[Vec<u8>]| {
            let model = FloatModel::new(bytes, Some(NORMALIZATION)).unwrap();
            model.embed(frames).unwrap()
        };
        let exact = float(&colour, &thrice);
        let trial = networks::compare(name, &bytes, &frames, &exact).unwrap();
        let report = &trial.report;
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
        assert_eq!(report.input[2], 1, "{name}");
        assert!(trial.off <= 1.0, "{name}: {}", trial.off);
        assert!(
            !kinds(report).contains(&"concat") || name.starts_with("Squeeze"),
            "{name}"
        );
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
