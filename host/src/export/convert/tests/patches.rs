//! Networks with a second output, the patches of a picture.

use super::*;

impl File {
    /// Renames the last output to `patches`, has it be the second output, and continues from `value`.
    fn patches(&mut self, value: &str) -> &mut Self {
        let last = self.nodes.last_mut().unwrap();
        last.output[0] = PATCHES.to_owned();
        self.second = Some(PATCHES);
        self.node_of("Identity", &[value], vec![])
    }
}

/// A network of depthwise-separable convolutions, which is computed by rows; `tap` adds a 1x1 convolution
/// on what the second block gives as patches.
fn separable(tap: bool) -> File {
    let mut file = File::new(1, 24, 20);
    file.conv(
        [8, 1, 3, 3],
        vec![ints("pads", &[1, 1, 1, 1]), ints("strides", &[2, 2])],
    )
    .node("Relu", &[], vec![]);
    let channels = [8, 24, 32, 16];
    for (block, pair) in channels.windows(2).enumerate() {
        let stride = [1, 1 + block as i64 / 2];
        file.conv(
            [pair[0], 1, 3, 3],
            vec![
                int("group", pair[0]),
                ints("pads", &[1, 1, 1, 1]),
                ints("strides", &[stride[1], stride[1]]),
            ],
        )
        .node("Relu", &[], vec![]);
        file.conv([pair[1], pair[0], 1, 1], vec![])
            .node("Relu", &[], vec![]);
        if tap && block == 1 {
            let value = file.last();
            // Other random numbers than the rest, which stays what it is without.
            let rng = file.rng.clone();
            file.random("tap", &[12, 32, 1, 1], -0.3, 0.3);
            file.rng = rng;
            file.node("Conv", &["tap"], vec![]).patches(&value);
        }
    }
    file.node("Flatten", &[], vec![]);
    file
}

/// Converts a file with patches, which must be those of tract, stay to the end of a run, and come close
/// in int8.
fn check_patches(file: &File) -> Converted {
    let report = check(file);
    let bytes = file.bytes();
    let frames = frames(&file.shape, 32);
    let float = FloatModel::new(&bytes, Some(NORMALIZATION)).unwrap();
    let exact = float.patches(&frames).unwrap();
    let shape = float.patches_shape().unwrap();
    let converted = convert(&bytes, &frames, &options()).unwrap();
    assert_eq!(converted.report, report);
    let quantized = QuantizedModel::new(&converted.image).unwrap();
    let model = quantized.model().unwrap();
    let patches = model.patches().unwrap();
    assert_eq!([patches.height, patches.width, patches.channels], shape);
    let got = quantized.patches(&frames).unwrap();
    let quantization = Quantization {
        scale: patches.scale.into(),
        zero_point: patches.zero_point.into(),
    };
    let error = relative_error_of_patches(&exact, &got, patches.channels, quantization);
    let said = report.patches.unwrap();
    assert_eq!(said.shape, shape);
    assert!(error < 0.04, "int8 adds {error} to {report}");
    assert!(
        (error - said.relative_error).abs() < 1e-3,
        "{error} {report}"
    );

    let mut arena = vec![0; model.arena_words()];
    assert_eq!(
        sudal_firmware::engine::self_test(&model, &mut arena),
        Some(true)
    );
    let number = model.header().patches_op as usize - 1;
    for (frame, got) in frames.iter().zip(&got) {
        let mut computed = vec![];
        let observe = |index, output: &[i8]| {
            if index == number && !output.is_empty() {
                computed = output.to_vec();
            }
        };
        sudal_firmware::engine::run_observed(&model, frame, &mut arena, observe).unwrap();
        assert_eq!(computed, *got);
    }
    converted
}

#[test]
fn patches_by_rows_leave_the_embedding_what_it_is_without() {
    let (plain, tapped) = (separable(false), separable(true));
    let report = check_patches(&tapped).report;
    assert_eq!(report.patches.unwrap().shape, [12, 10, 12]);
    let by_rows = kinds(&report)
        .iter()
        .filter(|kind| kind.contains("by rows"))
        .count();
    assert!(by_rows > 1, "{report}");
    assert!(
        report
            .to_string()
            .contains("to 480 values and 12x10x12 patches"),
        "{report}"
    );
    let frames = frames(&plain.shape, 64);
    let embed = |file: &File| {
        let converted = convert(&file.bytes(), &frames, &options()).unwrap();
        assert_eq!(converted.report.patches.is_some(), file.second.is_some());
        QuantizedModel::new(&converted.image)
            .unwrap()
            .embed(&frames)
            .unwrap()
    };
    assert!(embed(&plain) == embed(&tapped));
}

#[test]
fn an_inner_value_itself_is_patches_and_still_read() {
    // Behind a ReLU that is fused, between operations that would otherwise be one chain by rows.
    let mut file = File::new(1, 16, 16);
    file.conv([8, 1, 1, 1], vec![]).node("Relu", &[], vec![]);
    file.patches(PATCHES);
    file.conv(
        [8, 1, 3, 3],
        vec![int("group", 8), ints("pads", &[1, 1, 1, 1])],
    )
    .node("Relu", &[], vec![]);
    file.node("GlobalAveragePool", &[], vec![]);
    let report = check_patches(&file).report;
    assert!(kinds(&report)[0] == "conv 1x1 + relu", "{report}");

    // The operation behind it could work in its place.
    let mut file = File::new(2, 12, 12);
    file.conv([6, 2, 3, 3], vec![]);
    file.patches(PATCHES);
    file.node("Relu", &[], vec![])
        .node("GlobalAveragePool", &[], vec![]);
    check_patches(&file);

    // Behind a factor per channel, which folds into the convolution before it, and before another,
    // which must not fold into it.
    let mut file = File::new(1, 12, 12);
    file.conv([4, 1, 3, 3], vec![])
        .random("s", &[4, 1, 1], 0.5, 2.0)
        .random("t", &[4, 1, 1], 0.5, 2.0);
    file.node("Mul", &["s"], vec![]).patches(PATCHES);
    file.node("Mul", &["t"], vec![]);
    file.conv([5, 4, 1, 1], vec![])
        .node("GlobalAveragePool", &[], vec![]);
    check_patches(&file);
}

#[test]
fn patches_may_be_computed_behind_the_embedding_from_what_stands_before_it() {
    // The nodes of the embedding first.
    let mut file = File::new(1, 16, 16);
    file.conv([8, 1, 3, 3], vec![]).node("Relu", &[], vec![]);
    let value = file.last();
    file.node("GlobalAveragePool", &[], vec![])
        .node("Flatten", &[], vec![]);
    let embedding = file.last();
    file.random("tap", &[5, 8, 3, 3], -0.3, 0.3)
        .node_of("Conv", &[&value, "tap"], vec![]);
    file.patches(&embedding);
    let report = check_patches(&file).report;
    assert_eq!(report.patches.unwrap().shape, [12, 12, 5]);

    // A map as embedding, with patches of its own size in place of which it must not be computed.
    let mut file = File::new(1, 9, 9);
    file.conv([4, 1, 3, 3], vec![]);
    file.node("Relu", &[], vec![]).patches(PATCHES);
    file.node_of("Add", &[PATCHES, PATCHES], vec![]);
    check_patches(&file);
}

#[test]
fn outputs_that_are_no_patches_are_refused_with_the_reason() {
    let base = |second: &'static str| {
        let mut file = File::new(1, 12, 12);
        file.conv([4, 1, 3, 3], vec![]).node("Relu", &[], vec![]);
        file.second = Some(second);
        file
    };
    let mut other = base("Conv_0_out");
    other.node("GlobalAveragePool", &[], vec![]);
    let error = Signature::read(&other.bytes()).unwrap_err().to_string();
    assert!(error.contains("a second one called `patches`"), "{error}");

    let mut vector = base("x");
    vector.node("Flatten", &[], vec![]).patches("Relu_1_out");
    assert!(
        refuse(&vector).contains("[N, channels, height, width]"),
        "{}",
        refuse(&vector)
    );
    let float = FloatModel::new(&vector.bytes(), Some(NORMALIZATION))
        .err()
        .unwrap();
    assert!(float.to_string().contains("[N, 400]"), "{float}");

    let mut picture = base("x");
    picture
        .node_of("Identity", &["x"], vec![])
        .patches("Relu_1_out");
    assert!(
        refuse(&picture).contains("computed from the picture"),
        "{}",
        refuse(&picture)
    );

    let mut behind = base("x");
    behind.node("GlobalAveragePool", &[], vec![]);
    let embedding = behind.last();
    behind.conv([4, 4, 1, 1], vec![]).patches(&embedding);
    assert!(
        refuse(&behind).contains("from the embedding"),
        "{}",
        refuse(&behind)
    );
}
