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
    let options = ConvertOptions {
        noise_limit: Some(f64::INFINITY),
        ..options()
    };
    let converted = convert(bytes, &frames, &options).unwrap();
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
    let mut wrong = Vec::new();
    for (name, bytes, given) in [("ResNet-8", RESNET8, 14), ("mixed", MIXED, 15)] {
        let Some((most, mean, report)) = steps(bytes) else {
            return;
        };
        println!("{name}: off by {most} steps at most, {mean} in the mean\n{report}");
        if report.given_scales < given || most > 1.01 || mean > 0.1 {
            wrong.push((name, report.given_scales, most, mean));
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// A file of one convolution whose input, weights and output have scales.
fn scaled(change: impl FnOnce(&mut File)) -> File {
    let mut file = File::new(1, 8, 8);
    file.floats("step", &[], vec![0.02])
        .floats("steps", &[4], vec![0.01, 0.02, 0.005, 0.001])
        .bytes_of("zero", &[], &[100])
        .bytes_of("w", &[4, 1, 3, 3], &[7; 36])
        .bytes_of("zeros", &[4], &[0; 4]);
    file.node("QuantizeLinear", &["step", "zero"], vec![]).node(
        "DequantizeLinear",
        &["step", "zero"],
        vec![],
    );
    let picture = file.last();
    file.node_of(
        "DequantizeLinear",
        &["w", "steps", "zeros"],
        vec![int("axis", 0)],
    );
    let weights = file.last();
    file.node_of("Conv", &[&picture, &weights], vec![]);
    change(&mut file);
    file
}

#[test]
fn scales_that_are_none_are_refused() {
    let end = |file: &mut File| {
        file.node("QuantizeLinear", &["step", "zero"], vec![]).node(
            "DequantizeLinear",
            &["step", "zero"],
            vec![],
        );
    };
    let bytes = scaled(end).bytes();
    let limit = Some(f64::INFINITY);
    let options = ConvertOptions {
        noise_limit: limit,
        ..options()
    };
    let report = convert(&bytes, &frames(&[1, 8, 8], 8), &options)
        .unwrap()
        .report;
    assert_eq!(report.given_scales, 2, "{report}");

    let refused = |change: fn(&mut File), reason: &str| {
        let mut file = scaled(end);
        change(&mut file);
        let error = refuse(&file);
        assert!(error.contains(reason), "{error}");
    };
    refused(|file| file.constants[0].float_data[0] = 0.0, "8 bits");
    refused(|file| file.constants[0].float_data[0] = f32::NAN, "NaN");
    refused(
        |file| {
            file.constants[2].data_type = DataType::Int32 as i32;
            file.constants[2].raw_data = vec![100, 0, 0, 0];
        },
        "8 bits",
    );
    refused(
        |file| {
            file.constants[1].float_data.pop();
            file.constants[1].dims[0] = 3;
        },
        "3 scales and 4 zero points do not fit",
    );
    refused(
        |file| {
            let last = file.nodes.len() - 2;
            file.nodes[last].input[1] = "steps".to_owned();
        },
        "one scale a tensor",
    );
}
