//! Files that were quantised before: by ONNX Runtime's `quantize_static`, activations with one scale a
//! tensor, weights by channel.

use super::*;
use crate::export::verify::run_onnx_runtime;

/// ResNet-8 of random weights, activations as QUInt8; made by `tests/quantize.py`.
const RESNET8: &[u8] = include_bytes!("resnet8-qdq.onnx");
/// Depthwise and strided convolutions, Concat, Sigmoid, LeakyRelu, a product and Gemm, activations as QInt8.
const MIXED: &[u8] = include_bytes!("mixed-qdq.onnx");

/// Steps of the embedding by which the engine is off ONNX Runtime, at most and in the mean.
fn steps(bytes: &[u8]) -> Option<(f32, f32, Report)> {
    let frames = frames(&pictures_of(bytes), 24);
    let (signature, _) = Signature::read(bytes).unwrap();
    let pictures: Vec<f32> = frames
        .iter()
        .flat_map(|frame| {
            crate::export::float::normalize(frame, &signature, NORMALIZATION).unwrap()
        })
        .collect();
    let exact = match run_onnx_runtime(bytes, &signature, &pictures) {
        Ok((_, exact, _)) => exact,
        Err(error) => {
            println!("skipped: {error}");
            return None;
        }
    };
    let converted = convert(bytes, &frames, &options()).unwrap();
    let image = QuantizedModel::new(&converted.image).unwrap();
    let header = *image.model().unwrap().header();
    let got = image.embed(&frames).unwrap().concat();
    let off = got.iter().zip(&exact).map(|(&got, exact)| {
        let exact = exact / header.output_scale + header.output_zero_point as f32;
        (f32::from(got) - exact).abs()
    });
    let off: Vec<f32> = off.collect();
    let most = off.iter().copied().fold(0.0, f32::max);
    let mean = off.iter().sum::<f32>() / off.len() as f32;
    Some((most, mean, converted.report))
}

#[test]
fn a_quantised_file_keeps_its_scales_and_gives_what_onnx_runtime_gives() {
    for (name, bytes, given) in [("ResNet-8", RESNET8, 16), ("mixed", MIXED, 15)] {
        let Some((most, mean, report)) = steps(bytes) else {
            return;
        };
        println!(
            "{name}: {} tensors with the file's scales, off by {most} steps at most, {mean} in the mean",
            report.given_scales
        );
        assert!(report.given_scales >= given, "{report}");
        assert!(
            most <= 1.01 && mean < 0.1,
            "{name}: {most} {mean}\n{report}"
        );
    }
}
