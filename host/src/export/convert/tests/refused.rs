//! What is not converted, and what the error says.

use super::*;

#[test]
fn what_can_not_be_converted_is_named() {
    let conv = |attributes| {
        let mut file = File::new(1, 8, 8);
        file.conv([4, 1, 3, 3], attributes);
        file
    };
    let cases: Vec<(File, &str)> = vec![
        (
            {
                let mut file = conv(vec![]);
                file.node("Erf", &[], vec![]);
                file
            },
            "node `Erf_1` is Erf, which is not supported",
        ),
        (
            {
                let mut file = conv(vec![]);
                file.node("DynamicQuantizeLinear", &[], vec![]);
                file
            },
            "node `DynamicQuantizeLinear_1` (DynamicQuantizeLinear): it computes in integers",
        ),
        (
            {
                let mut file = conv(vec![]);
                file.node("Softmax", &[], vec![]).node("Relu", &[], vec![]);
                file
            },
            "node `Softmax_1` is Softmax, which is not supported",
        ),
        (
            {
                let mut file = conv(vec![]);
                file.random("m", &[6, 2], 0.0, 1.0)
                    .node("MatMul", &["m"], vec![]);
                file
            },
            "node `MatMul_1` (MatMul): input 0 has the shape [N, 4, 6, 6]: rank 2",
        ),
        (
            conv(vec![ints("pads", &[3, 1, 1, 1])]),
            "node `Conv_0` (Conv): pads",
        ),
        (conv(vec![ints("strides", &[0, 1])]), "strides is [0, 1]"),
        (
            conv(vec![ints("strides", &[1, 1, 1])]),
            "only 2-D is supported",
        ),
        (conv(vec![int("group", 3)]), "in 3 groups do not fit"),
        (
            {
                let mut file = conv(vec![]);
                file.constants[0].float_data[4] = f32::NAN;
                file
            },
            "node `Conv_0` has a weight that is NaN",
        ),
        (
            {
                let mut file = conv(vec![]);
                file.constants[0].float_data.pop();
                file
            },
            "tensor `w0`: 35 values for the shape [4, 1, 3, 3]",
        ),
        (
            {
                let mut file = conv(vec![]);
                file.constants[0].data_type = DataType::Float16 as i32;
                file
            },
            "tensor `w0`: its values are float16",
        ),
        (
            {
                let mut file = conv(vec![]);
                file.node_of("Add", &["Conv_0_out", "x"], vec![]);
                file
            },
            "it reads [N, 4, 6, 6] and [N, 1, 8, 8]",
        ),
        (
            {
                let mut file = File::new(1, 8, 8);
                file.node("MaxPool", &[], vec![ints("kernel_shape", &[9, 2])]);
                file
            },
            "its window of 9x2 is larger than its padded input of 8x8x1",
        ),
        (
            {
                let mut file = conv(vec![]);
                file.node_of("Relu", &["nothing"], vec![]);
                file
            },
            "reads `nothing`, which nothing before it computes",
        ),
        (
            {
                let mut file = File::new(1, 8, 8);
                file.node("Identity", &[], vec![]);
                file
            },
            "is not computed from the picture",
        ),
    ];
    for (file, needed) in cases {
        let error = refuse(&file);
        assert!(error.contains(needed), "{error}\nlacks\n{needed}");
    }
}

#[test]
fn limits_of_the_board_hold() {
    let mut file = File::new(1, 16, 16);
    file.conv([8, 1, 3, 3], vec![])
        .node("GlobalAveragePool", &[], vec![]);
    let frames = frames(&file.shape, 8);
    let with = |ram_limit, flash_limit| {
        convert(
            &file.bytes(),
            &frames,
            &ConvertOptions {
                ram_limit,
                flash_limit,
                ..options()
            },
        )
    };
    let report = with(None, None).unwrap().report;
    assert!(with(Some(report.arena_bytes), Some(report.image_bytes)).is_ok());
    let error = with(Some(report.arena_bytes - 1), None).unwrap_err();
    assert!(
        matches!(&error, ConvertError::Ram { node, .. } if node == "Conv_0"),
        "{error}"
    );
    let error = with(None, Some(report.image_bytes - 1)).unwrap_err();
    assert!(matches!(error, ConvertError::Flash { .. }), "{error}");
    let error = convert(&file.bytes(), &frames[..3], &options()).unwrap_err();
    assert!(
        matches!(error, ConvertError::TooFewFrames { got: 3, .. }),
        "{error}"
    );
    let short = vec![vec![0_u8; 255]; 8];
    let error = convert(&file.bytes(), &short, &options()).unwrap_err();
    assert!(
        matches!(
            error,
            ConvertError::Frame {
                index: 0,
                got: 255,
                needed: 256
            }
        ),
        "{error}"
    );
    let error = convert(&file.bytes(), &frames, &ConvertOptions::default()).unwrap_err();
    assert!(matches!(error, ConvertError::Normalization(_)), "{error}");
}

#[test]
fn values_beyond_float32_and_wrong_normalisation_are_refused() {
    let mut file = File::new(1, 8, 8);
    file.conv([4, 1, 3, 3], vec![])
        .floats("huge", &[], vec![3e38]);
    file.node("Mul", &["huge"], vec![])
        .node("Relu", &[], vec![]);
    file.conv([4, 4, 3, 3], vec![])
        .node("Mul", &["huge"], vec![]);
    assert!(refuse(&file).contains("node `Conv_"), "{}", refuse(&file));
    let mut file = File::new(1, 8, 8);
    file.conv([4, 1, 3, 3], vec![]);
    for (mean, std) in [(0.5, 0.0), (f32::NAN, 1.0), (0.0, f32::INFINITY)] {
        let options = ConvertOptions {
            normalization: Some(Normalization::new(mean, std)),
            ..ConvertOptions::default()
        };
        let error = convert(&file.bytes(), &frames(&file.shape, 8), &options).unwrap_err();
        assert!(matches!(error, ConvertError::Normalization(_)), "{error}");
    }
}

#[test]
fn no_damaged_file_makes_it_panic() {
    let mut file = File::new(1, 8, 8);
    file.conv([4, 1, 3, 3], vec![ints("pads", &[1, 1, 1, 1])])
        .node("Relu", &[], vec![]);
    batch_normalization(&mut file, 4);
    file.node(
        "MaxPool",
        &[],
        vec![ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2])],
    );
    file.node("Flatten", &[], vec![])
        .random("m", &[64, 5], -1.0, 1.0);
    file.node("MatMul", &["m"], vec![]);
    let bytes = file.bytes();
    let frames = frames(&file.shape, 8);
    let options = ConvertOptions {
        ram_limit: Some(1 << 16),
        ..options()
    };
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let mut refused = 0;
    for _ in 0..400 {
        let mut bytes = bytes.clone();
        for _ in 0..rng.random_range(1..4) {
            let index = rng.random_range(0..bytes.len());
            bytes[index] ^= 1 << rng.random_range(0..8);
        }
        refused += usize::from(convert(&bytes, &frames, &options).is_err());
    }
    for length in 0..bytes.len() {
        refused += usize::from(convert(&bytes[..length], &frames, &options).is_err());
    }
    assert!(refused > bytes.len(), "{refused}");
}
