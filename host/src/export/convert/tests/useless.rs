//! Networks that convert and could tell nothing apart.

use super::*;

/// A small network of three blocks whose embedding is worth something.
fn sound() -> File {
    let mut file = File::new(1, 16, 16);
    file.conv([8, 1, 3, 3], vec![ints("strides", &[2, 2])])
        .node("Relu", &[], vec![]);
    file.conv([12, 8, 3, 3], vec![]).node("Relu", &[], vec![]);
    file.node("GlobalAveragePool", &[], vec![])
        .node("Flatten", &[], vec![]);
    file
}

#[test]
fn a_network_that_gives_one_embedding_is_refused() {
    for bias in [-100.0, 0.5] {
        let mut file = File::new(1, 8, 8);
        file.conv([4, 1, 3, 3], vec![]);
        for constant in &mut file.constants {
            let dead = |value: &mut f32| *value = if constant.name == "b0" { bias } else { 0.0 };
            constant.float_data.iter_mut().for_each(dead);
        }
        file.node("Relu", &[], vec![])
            .node("GlobalAveragePool", &[], vec![]);
        let error = refuse(&file);
        assert!(
            error.contains("the same for all calibration frames"),
            "{error}"
        );
        assert!(error.contains("mean and std"), "{error}");
    }
    let one = vec![vec![9_u8; 256]; 20];
    let error = convert(&sound().bytes(), &one, &options()).unwrap_err();
    assert!(matches!(error, ConvertError::OneFrame(20)), "{error}");
}

#[test]
fn noise_is_told_of_and_too_much_is_refused() {
    // An offset that all embeddings have in common takes the steps of int8 for itself.
    let with_offset = |offset: f32| {
        let mut file = sound();
        file.floats("offset", &[], vec![offset])
            .node("Add", &["offset"], vec![]);
        convert(&file.bytes(), &frames(&file.shape, 64), &options())
    };
    let report = with_offset(0.0).unwrap().report;
    assert!(
        report.relative_error < 0.1 && report.warnings.is_empty(),
        "{report}"
    );
    let report = with_offset(40.0).unwrap().report;
    assert!((0.25..0.7).contains(&report.relative_error), "{report}");
    let text = report.to_string();
    assert!(
        text.contains("warning: int8 adds") && text.contains("batch normalisation"),
        "{text}"
    );
    let error = with_offset(400.0).unwrap_err();
    assert!(
        matches!(error, ConvertError::Noise(noise) if noise > 0.7),
        "{error}"
    );
    assert!(
        error.to_string().contains("common to all embeddings"),
        "{error}"
    );
}

#[test]
fn an_embedding_longer_than_the_board_holds_is_refused() {
    let file = sound();
    let with = |limit| {
        let options = ConvertOptions {
            embedding_limit: Some(limit),
            ..options()
        };
        convert(&file.bytes(), &frames(&file.shape, 16), &options)
    };
    assert!(with(12).is_ok());
    let error = with(11).unwrap_err().to_string();
    assert!(error.contains("12 values, the board holds 11"), "{error}");
}

#[test]
fn mean_and_deviation_are_on_the_scale_of_one() {
    let file = sound();
    for (mean, std) in [(128.0, 64.0), (0.5, 64.0), (-0.1, 0.5), (0.5, 0.0)] {
        let options = ConvertOptions {
            normalization: Some(Normalization::new(mean, std)),
            ..options()
        };
        let error = convert(&file.bytes(), &frames(&file.shape, 16), &options).unwrap_err();
        assert!(
            error.to_string().contains("0.502 and 0.251"),
            "{mean} {std}: {error}"
        );
    }
}

/// Calibrated on dim pictures, a network still sees bright ones.
#[test]
fn a_brighter_scene_finds_room() {
    let file = sound();
    let bright = frames(&file.shape, 64);
    let dim: Vec<Vec<u8>> = bright
        .iter()
        .map(|frame| frame.iter().map(|level| level / 3).collect())
        .collect();
    let converted = convert(&file.bytes(), &dim, &options()).unwrap();
    let report = &converted.report;
    assert!(report.levels[1] < 90, "{report}");
    assert!(
        report.warnings.iter().any(|w| w.contains("all the light")),
        "{report}"
    );

    let float = FloatModel::new(&file.bytes(), Some(NORMALIZATION)).unwrap();
    let image = QuantizedModel::new(&converted.image).unwrap();
    let model = image.model().unwrap();
    let table = model.input_lut();
    assert!(
        table.windows(2).all(|pair| pair[0] < pair[1]),
        "levels are told apart"
    );
    let quantization = Quantization {
        scale: model.output_scale().into(),
        zero_point: model.header().output_zero_point,
    };
    let error = |frames: &[Vec<u8>]| {
        let exact = float.embed(frames).unwrap();
        quality::relative_error(&exact, &image.embed(frames).unwrap(), quantization)
    };
    let (dim, bright) = (error(&dim), error(&bright));
    println!(
        "int8 adds {:.1} % to dim pictures, {:.1} % to bright ones",
        100.0 * dim,
        100.0 * bright
    );
    assert!(dim < 0.2 && bright < 0.1, "{dim} {bright}");
}
