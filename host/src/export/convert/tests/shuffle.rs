//! Channels in another order: shuffles, splits, slices.

use super::*;

/// Mixes the channels of groups, as PyTorch writes it.
fn shuffle(file: &mut File, groups: i64, [channels, height, width]: [i64; 3]) {
    let index = file.nodes.len();
    let names = ["apart", "whole"].map(|name| format!("{name}{index}"));
    let apart = vec![0, groups, channels / groups, height, width];
    file.ints(&names[0], &[5], apart)
        .ints(&names[1], &[4], vec![0, channels, height, width]);
    file.node("Reshape", &[&names[0]], vec![])
        .node("Transpose", &[], vec![ints("perm", &[0, 2, 1, 3, 4])])
        .node("Reshape", &[&names[1]], vec![]);
}

#[test]
fn a_shuffle_costs_nothing_beside_a_convolution() {
    // Behind a dense convolution, before one, and before one with a depthwise one between.
    let mut file = File::new(1, 8, 8);
    file.conv([12, 1, 3, 3], vec![]).node("Relu", &[], vec![]);
    shuffle(&mut file, 3, [12, 6, 6]);
    assert_eq!(kinds(&check(&file)), ["conv 3x3 + relu", "flatten"]);

    let grouped = |file: &mut File| {
        file.conv([6, 1, 3, 3], vec![]);
        file.conv([12, 2, 1, 1], vec![int("group", 3)]);
        shuffle(file, 3, [12, 6, 6]);
    };
    let mut file = File::new(1, 8, 8);
    grouped(&mut file);
    file.conv([5, 12, 3, 3], vec![]);
    let layers = ["conv 3x3", "conv 1x1, 3 groups", "conv 3x3"];
    let got = check(&file);
    let plain = |report: &Report| -> Vec<String> {
        let layers = report.layers.iter();
        layers
            .map(|layer| layer.kind.replace(" by rows", ""))
            .collect()
    };
    assert_eq!(plain(&got)[..3], layers);
    assert_eq!(got.layers.len(), 4);

    let mut file = File::new(1, 8, 8);
    grouped(&mut file);
    file.conv([12, 1, 3, 3], vec![int("group", 12)]);
    file.conv([5, 12, 1, 1], vec![]);
    let got = plain(&check(&file));
    assert_eq!(
        got[..4],
        [layers[0], layers[1], "depthwise 3x3", "conv 1x1"]
    );

    // Between grouped convolutions it is done by itself.
    let mut file = File::new(1, 8, 8);
    grouped(&mut file);
    file.conv([6, 4, 1, 1], vec![int("group", 3)]);
    assert!(plain(&check(&file)).contains(&"gather".to_owned()));
}

#[test]
fn a_shuffle_in_other_forms() {
    // Channels last.
    let mut file = File::new(8, 8, 3);
    file.node("Transpose", &[], vec![ints("perm", &[0, 3, 1, 2])])
        .conv([6, 3, 3, 3], vec![])
        .node("Transpose", &[], vec![ints("perm", &[0, 2, 3, 1])]);
    file.ints("apart", &[5], vec![-1, 6, 6, 2, 3])
        .ints("whole", &[4], vec![-1, 6, 6, 6]);
    file.node("Reshape", &["apart"], vec![])
        .node("Transpose", &[], vec![ints("perm", &[0, 1, 2, 4, 3])])
        .node("Reshape", &["whole"], vec![]);
    assert_eq!(kinds(&check(&file)), ["conv 3x3", "flatten"]);

    // Height and width in one, a dimension left to be found, and the output is what was mixed.
    let mut file = File::new(1, 8, 8);
    file.conv([4, 1, 3, 3], vec![])
        .node("MaxPool", &[], vec![ints("kernel_shape", &[2, 2])]);
    file.ints("apart", &[4], vec![0, 2, -1, 25])
        .ints("whole", &[4], vec![0, -1, 5, 5]);
    file.node("Reshape", &["apart"], vec![])
        .node("Transpose", &[], vec![ints("perm", &[0, 2, 1, 3])])
        .node("Reshape", &["whole"], vec![]);
    check(&file);
}

#[test]
fn other_orders_of_groups_are_refused() {
    let with = |perm: &[i64], back: Vec<i64>| {
        let mut file = File::new(1, 8, 8);
        file.conv([4, 1, 3, 3], vec![]);
        file.ints("apart", &[5], vec![0, 2, 2, 6, 6])
            .ints("back", &[4], back)
            .node("Reshape", &["apart"], vec![])
            .node("Transpose", &[], vec![ints("perm", perm)])
            .node("Reshape", &["back"], vec![]);
        refuse(&file)
    };
    let error = with(&[0, 3, 1, 2, 4], vec![0, 4, 6, 6]);
    assert!(error.contains("only a shuffle of channels"), "{error}");
    let error = with(&[0, 2, 1, 3, 4], vec![0, 2, 12, 6]);
    assert!(error.contains("does not bring groups"), "{error}");
    let mut file = File::new(1, 8, 8);
    file.conv([4, 1, 3, 3], vec![])
        .ints("apart", &[5], vec![0, 2, 2, 6, 6])
        .node("Reshape", &["apart"], vec![])
        .node("Relu", &[], vec![]);
    assert!(refuse(&file).contains("channels in groups"));
}

/// A picture's channels in two parts, of which one is computed further: half of ShuffleNetV2's unit.
#[test]
fn parts_of_the_channels() {
    let mut file = File::new(1, 8, 8);
    file.conv([8, 1, 3, 3], vec![]).node("Relu", &[], vec![]);
    file.node("Split", &[], vec![int("axis", 1)]);
    file.nodes
        .last_mut()
        .unwrap()
        .output
        .push("second".to_owned());
    let first = file.last();
    file.nodes.push(tract_onnx::pb::NodeProto {
        op_type: "Identity".to_owned(),
        input: vec!["second".to_owned()],
        output: vec!["half".to_owned()],
        ..Default::default()
    });
    file.conv([4, 4, 1, 1], vec![]).node("Relu", &[], vec![]);
    let path = file.last();
    file.node_of("Concat", &[&first, &path], vec![int("axis", 1)]);
    shuffle(&mut file, 2, [8, 6, 6]);
    file.conv([6, 8, 1, 1], vec![]);
    let report = check(&file);
    let count = |kind: &str| kinds(&report).iter().filter(|of| **of == kind).count();
    assert_eq!([count("gather"), count("concat")], [2, 1], "{report}");
}

#[test]
fn parts_that_are_none_are_refused() {
    let with = |op: &str, constants: &[(&str, Vec<i64>)], attributes| {
        let mut file = File::new(1, 8, 8);
        file.conv([4, 1, 3, 3], vec![]);
        for (name, values) in constants {
            file.ints(name, &[values.len() as i64], values.clone());
        }
        let names: Vec<&str> = constants.iter().map(|(name, _)| *name).collect();
        refuse(file.node(op, &names, attributes))
    };
    let cut = |starts, ends, axes| {
        let constants = [("starts", starts), ("ends", ends), ("axes", axes)];
        with("Slice", &constants, vec![])
    };
    assert!(cut(vec![1], vec![4], vec![2]).contains("crop pictures before"));
    assert!(cut(vec![3], vec![2], vec![1]).contains("none of the 4 channels"));
    assert!(cut(vec![0, 0], vec![2, 2], vec![1, 2]).contains("several axes"));
    let gather = |numbers| with("Gather", &[("numbers", numbers)], vec![int("axis", 1)]);
    assert!(gather(vec![0, 4]).contains("[0, 4] are not all among the 4 channels"));
    let split = |sizes| with("Split", &[("sizes", sizes)], vec![int("axis", 1)]);
    assert!(split(vec![1, 3]).contains("for 1 outputs"));
}
