//! Activations, sums, unit length, normalisation and constants.

use super::*;

#[test]
fn relu_and_pool_become_part_of_the_conv() {
    let mut file = File::new(1, 11, 10);
    file.conv([8, 1, 3, 3], vec![ints("pads", &[1, 1, 1, 1])])
        .node("Relu", &[], vec![]);
    file.node(
        "MaxPool",
        &[],
        vec![ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2])],
    );
    assert_eq!(
        kinds(&check(&file)),
        ["conv 3x3 + relu + max pool", "flatten"]
    );
}

#[test]
fn clip_by_inputs_and_by_attributes() {
    let mut file = File::new(1, 6, 6);
    file.floats("low", &[], vec![-0.5])
        .floats("high", &[], vec![0.75]);
    file.conv([4, 1, 3, 3], vec![])
        .node("Clip", &["low", "high"], vec![]);
    check(&file);
    let mut file = File::new(1, 6, 6);
    file.floats("high", &[], vec![0.75]);
    file.conv([4, 1, 3, 3], vec![])
        .node("Clip", &["", "high"], vec![]);
    check(&file);
    let mut file = File::new(1, 6, 6);
    file.conv([4, 1, 3, 3], vec![])
        .node("Clip", &[], vec![float("min", 0.1), float("max", 0.9)]);
    let (signature, model) = Signature::read(&file.bytes()).unwrap();
    let network = read::read(&signature, &model).unwrap();
    assert_eq!(network.layers[1].limits, [0.1, 0.9]);
}

#[test]
fn relu_that_stands_alone() {
    // The convolution is read twice, so the ReLU can not be part of it.
    let mut file = File::new(1, 6, 6);
    file.conv([4, 1, 3, 3], vec![]).node("Relu", &[], vec![]);
    file.node_of("Add", &["Conv_0_out", "Relu_1_out"], vec![]);
    assert_eq!(kinds(&check(&file))[..3], ["conv 3x3", "clamp", "add"]);
}

#[test]
fn sum_of_two_scales() {
    let mut file = File::new(1, 8, 8);
    file.conv([4, 1, 3, 3], vec![ints("pads", &[1, 1, 1, 1])]);
    file.floats("factor", &[], vec![5.0])
        .conv([4, 4, 1, 1], vec![])
        .node("Mul", &["factor"], vec![]);
    file.node_of("Add", &["Conv_0_out", "Mul_2_out"], vec![])
        .node("Relu", &[], vec![]);
    assert_eq!(
        kinds(&check(&file)),
        ["conv 3x3", "conv 1x1", "add + relu", "flatten"]
    );
}

#[test]
fn sum_of_a_tensor_with_itself() {
    let mut file = File::new(1, 6, 6);
    file.conv([4, 1, 3, 3], vec![]);
    file.node_of("Add", &["Conv_0_out", "Conv_0_out"], vec![]);
    check(&file);
}

#[test]
fn unit_length_by_one_node_and_by_three() {
    let mut file = vector();
    file.node("LpNormalization", &[], vec![int("axis", 1)]);
    let kinds_of = kinds(&check(&file)).join(", ");
    assert!(
        kinds_of.ends_with("average pool 6x6, unit length"),
        "{kinds_of}"
    );

    for axis in [1, -1] {
        let mut file = vector();
        let vector = file.last();
        file.node("ReduceL2", &[], vec![ints("axes", &[axis])]);
        file.floats("least", &[], vec![1e-12]);
        file.node("Clip", &["least"], vec![]);
        let length = file.last();
        file.node_of("Div", &[&vector, &length], vec![]);
        assert_eq!(kinds(&check(&file)).join(", "), kinds_of);
    }
}

#[test]
fn unit_length_of_each_pixel_and_behind_a_shift() {
    let mut file = File::new(2, 6, 6);
    file.conv([5, 2, 3, 3], vec![]);
    file.node("LpNormalization", &[], vec![int("axis", 1)]);
    assert_eq!(kinds(&check(&file)), ["conv 3x3", "unit length", "flatten"]);

    let mut file = vector();
    file.random("mean", &[12], 0.0, 0.4);
    file.node("Sub", &["mean"], vec![])
        .node("LpNormalization", &[], vec![]);
    check(&file);
}

#[test]
fn other_lengths_are_refused() {
    let lengths = [
        ("LpNormalization", vec![int("p", 1)]),
        ("LpNormalization", vec![int("axis", 0)]),
        ("ReduceL2", vec![ints("axes", &[0])]),
        ("ReduceL2", vec![ints("axes", &[1]), int("keepdims", 0)]),
        ("ReduceL2", vec![]),
    ];
    for (op, attributes) in lengths {
        let mut file = vector();
        let error = refuse(file.node(op, &[], attributes));
        assert!(error.contains(op) && error.contains("channels"), "{error}");
    }
    // A length is good for nothing but to divide by it.
    let mut file = vector();
    let vector = file.last();
    file.node("ReduceL2", &[], vec![ints("axes", &[1])]);
    let length = file.last();
    file.node_of("Div", &[&length, &vector], vec![]);
    assert!(refuse(&file).contains("two inputs are needed"));
    file.node_of("Add", &[&vector, &length], vec![]);
    assert!(!refuse(&file).is_empty());
}

#[test]
fn batch_normalization_before_behind_and_alone() {
    let mut file = File::new(1, 8, 8);
    file.conv([6, 1, 3, 3], vec![]);
    batch_normalization(&mut file, 6);
    assert_eq!(kinds(&check(&file)), ["conv 3x3", "flatten"]);

    let mut file = File::new(1, 8, 8);
    file.conv([6, 1, 3, 3], vec![]).node("Relu", &[], vec![]);
    batch_normalization(&mut file, 6);
    file.conv([4, 3, 3, 3], vec![int("group", 2)]);
    assert_eq!(
        kinds(&check(&file)),
        ["conv 3x3 by rows + relu", "conv 3x3, 2 groups", "flatten"]
    );

    // Behind a ReLU and before padding it has to stay.
    let mut file = File::new(1, 8, 8);
    file.conv([6, 1, 3, 3], vec![]).node("Relu", &[], vec![]);
    batch_normalization(&mut file, 6);
    file.conv([4, 6, 3, 3], vec![ints("pads", &[1, 1, 1, 1])]);
    assert_eq!(kinds(&check(&file))[1], "depthwise 1x1");
}

#[test]
fn normalization_inside_the_file_becomes_part_of_the_table() {
    let mut file = File::new(3, 6, 6);
    file.random("mean", &[1, 3, 1, 1], 0.2, 0.6)
        .random("std", &[3, 1, 1], 0.2, 0.4);
    file.node("Sub", &["mean"], vec![])
        .node("Div", &["std"], vec![]);
    file.conv([4, 3, 3, 3], vec![ints("pads", &[1, 1, 1, 1])]);
    assert_eq!(kinds(&check(&file)), ["conv 3x3", "flatten"]);
}

/// ImageNet's figures, beside the same figures in the file.
#[test]
fn a_mean_and_a_deviation_for_each_channel_become_part_of_the_table() {
    use crate::export::standardize::standardize;
    let (mean, std) = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);
    for channels_last in [false, true] {
        let mut file = match channels_last {
            true => File::new(7, 6, 3),
            false => File::new(3, 7, 6),
        };
        if channels_last {
            file.node("Transpose", &[], vec![ints("perm", &[0, 3, 1, 2])]);
        }
        file.conv([4, 3, 3, 3], vec![ints("pads", &[1, 1, 1, 1])])
            .node("Relu", &[], vec![]);
        let plain = file.bytes();
        let bytes = standardize(&plain, &mean, &std).unwrap();
        let frames = frames(&[3, 7, 6], 16);
        let float = FloatModel::new(&bytes, None).unwrap();
        let got = float.embed(&frames[..1]).unwrap();
        // By hand, for the network without them.
        let (signature, model) = Signature::read(&plain).unwrap();
        let network = read::read(&signature, &model).unwrap();
        let pixels = frames[0].iter().enumerate();
        let picture = pixels
            .map(|(index, &pixel)| (f32::from(pixel) / 255.0 - mean[index % 3]) / std[index % 3]);
        let exact = evaluate::Evaluator::new(&network)
            .run(picture.collect())
            .pop()
            .unwrap();
        for (got, exact) in got[0].iter().zip(&exact) {
            assert!((got - exact).abs() < 1e-4, "{got} {exact}");
        }
        let report = convert(&bytes, &frames, &ConvertOptions::default())
            .unwrap()
            .report;
        assert_eq!(kinds(&report), ["conv 3x3 + relu", "flatten"]);
        assert!(report.relative_error < 0.04, "{report}");
    }
    let file = {
        let mut file = File::new(1, 6, 6);
        file.conv([4, 1, 3, 3], vec![]);
        file.bytes()
    };
    for (mean, std) in [
        (&[0.5; 3][..], &[0.2; 3][..]),
        (&[0.5], &[0.0]),
        (&[2.0], &[0.2]),
    ] {
        let error = standardize(&file, mean, std).unwrap_err().to_string();
        assert!(error.contains("1 channels: give one mean"), "{error}");
    }
}

#[test]
fn arithmetic_with_constants_on_either_side() {
    let mut file = File::new(1, 6, 6);
    file.conv([4, 1, 3, 3], vec![])
        .floats("one", &[], vec![1.0]);
    file.random("factor", &[4, 1, 1], 0.5, 2.0);
    file.node_of("Sub", &["one", "Conv_0_out"], vec![])
        .node("Mul", &["factor"], vec![]);
    assert_eq!(kinds(&check(&file)), ["conv 3x3", "flatten"]);
}

#[test]
fn constants_as_nodes() {
    let mut file = File::new(1, 6, 6);
    file.conv([4, 1, 3, 3], vec![]);
    let conv = file.last();
    file.node_of("Constant", &[], vec![float("value_float", 0.5)]);
    file.node_of("Mul", &[&conv, "Constant_1_out"], vec![]);
    assert_eq!(kinds(&check(&file)), ["conv 3x3", "flatten"]);
}

#[test]
fn nodes_that_lead_nowhere_are_left_out() {
    let mut file = File::new(1, 6, 6);
    file.node("Softplus", &[], vec![]);
    file.random("w", &[4, 1, 3, 3], -0.5, 0.5)
        .node_of("Conv", &["x", "w"], vec![]);
    assert_eq!(check(&file).layers.len(), 2);
}
