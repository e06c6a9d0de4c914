//! ONNX files that somebody else wrote: converted and run, or refused with the reason.
//!
//! `tests/onnx/make.py` writes them with the `onnx` package.

use std::{fs, path::PathBuf};

use sudal::{
    engine::QuantizedModel,
    export::{
        convert::{ConvertOptions, convert},
        float::FloatModel,
    },
    nets::graph::Normalization,
};

const NORMALIZATION: Normalization = Normalization::new(0.0, 1.0);

fn file(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("onnx")
        .join(name);
    fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn options() -> ConvertOptions {
    ConvertOptions {
        normalization: Some(NORMALIZATION),
        ..ConvertOptions::default()
    }
}

/// Discs and bars, each frame at another place, size and brightness.
fn frames(height: usize, width: usize, count: usize) -> Vec<Vec<u8>> {
    let frame = |index: usize| {
        let (y, x) = (index * 7 % height, index * 5 % width);
        let radius = 2 + index % 5;
        let level = 90 + (index * 37 % 160) as u8;
        let pixel = |place: usize| {
            let (dy, dx) = ((place / width).abs_diff(y), (place % width).abs_diff(x));
            let inside = if index.is_multiple_of(2) {
                dy * dy + dx * dx <= radius * radius
            } else {
                dy.min(dx) <= radius / 2
            };
            if inside {
                level
            } else {
                10 + (place * index % 17) as u8
            }
        };
        (0..height * width).map(pixel).collect()
    };
    (0..count).map(frame).collect()
}

#[test]
fn a_foreign_file_is_converted_and_runs_on_the_engine() {
    let onnx = file("foreign.onnx");
    let float = FloatModel::new(&onnx, Some(NORMALIZATION)).unwrap();
    assert_eq!(float.shape(), [1, 20, 18]);
    let frames = frames(20, 18, 96);
    let (calibration, fresh) = frames.split_at(64);
    let converted = convert(&onnx, calibration, &options()).unwrap();
    println!("{}", converted.report);

    let quantized = QuantizedModel::new(&converted.image).unwrap();
    let model = quantized.model().unwrap();
    let (scale, zero) = (model.output_scale(), model.header().output_zero_point);
    let exact = float.embed(fresh).unwrap();
    let embeddings = quantized.embed(fresh).unwrap();
    let (mut noise, mut signal) = (0.0_f32, 0.0_f32);
    let mean = |dimension: usize| {
        exact.iter().map(|values| values[dimension]).sum::<f32>() / exact.len() as f32
    };
    for (exact, embedding) in exact.iter().zip(&embeddings) {
        for (dimension, (exact, &q)) in exact.iter().zip(embedding).enumerate() {
            noise += (scale * (i32::from(q) - zero) as f32 - exact).powi(2);
            signal += (exact - mean(dimension)).powi(2);
        }
    }
    let error = (noise / signal).sqrt();
    assert!(error < 0.1, "int8 is off by {error}");
}

#[test]
fn broken_files_are_refused_with_the_reason() {
    let frames = frames(8, 8, 8);
    for (name, needed) in [
        ("truncated.onnx", ["cut off", "export or copy it again"]),
        (
            "unsupported_operator.onnx",
            ["node `softplus_1` is Softsign", "supported are Add"],
        ),
        (
            "dynamic_shape.onnx",
            [
                "input `pixels` has shape [batch, 1, height, width]",
                "fixed",
            ],
        ),
        (
            "wrong_rank.onnx",
            ["node `gemm_1` (Gemm)", "put a Flatten before it"],
        ),
        (
            "nan_weight.onnx",
            ["node `conv_0` has a weight that is NaN", "train again"],
        ),
    ] {
        let error = convert(&file(name), &frames, &options())
            .unwrap_err()
            .to_string();
        println!("{name}: {error}");
        for needed in needed {
            assert!(error.contains(needed), "{name}: {error}\nlacks\n{needed}");
        }
    }
}
