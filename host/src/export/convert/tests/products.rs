//! Products of two tensors.

use super::*;

/// Squeeze and excite (Hu et al. 2018): each channel by a factor that follows from the means of all.
fn excite(file: &mut File, channels: i64, gate: &[(&str, &[&str])]) {
    let of = file.last();
    file.node("GlobalAveragePool", &[], vec![])
        .conv([3, channels, 1, 1], vec![])
        .node("Relu", &[], vec![])
        .conv([channels, 3, 1, 1], vec![]);
    for (op, constants) in gate {
        file.node(op, constants, vec![]);
    }
    let gate = file.last();
    file.node_of("Mul", &[&of, &gate], vec![]);
}

#[test]
fn channels_are_scaled_by_what_follows_from_all() {
    let gates: [&[(&str, &[&str])]; 3] = [
        &[("Sigmoid", &[])],
        &[("HardSigmoid", &[])],
        &[
            ("Add", &["three"]),
            ("Clip", &["zero", "six"]),
            ("Div", &["six"]),
        ],
    ];
    for gate in gates {
        let mut file = File::new(3, 10, 9);
        for (name, value) in [("zero", 0.0), ("three", 3.0), ("six", 6.0)] {
            file.floats(name, &[], vec![value]);
        }
        file.conv([8, 3, 3, 3], vec![]).node("Relu", &[], vec![]);
        excite(&mut file, 8, gate);
        file.conv([6, 8, 3, 3], vec![]);
        let report = check(&file);
        assert!(kinds(&report).contains(&"multiply"), "{report}");
    }
}

#[test]
fn products_of_one_shape_and_differences() {
    let two = |op: &str| {
        let mut file = File::new(1, 8, 8);
        file.conv([5, 1, 3, 3], vec![]).node("Tanh", &[], vec![]);
        let first = file.last();
        file.conv([5, 5, 1, 1], vec![]);
        let second = file.last();
        file.node_of(op, &[&first, &second], vec![])
            .node("Relu", &[], vec![]);
        file
    };
    let report = check(&two("Mul"));
    assert_eq!(kinds(&report)[3..], ["multiply + relu", "flatten"]);
    let report = check(&two("Sub"));
    assert_eq!(kinds(&report)[2..], ["conv 1x1", "add + relu", "flatten"]);
    assert!(refuse(&two("Div")).contains("dividing by a computed tensor"));
}

#[test]
fn vectors_are_multiplied_too() {
    let mut file = vector();
    let first = file.last();
    file.random("matrix", &[12, 12], -0.4, 0.4)
        .node("MatMul", &["matrix"], vec![])
        .node("Sigmoid", &[], vec![]);
    let gate = file.last();
    file.node_of("Mul", &[&gate, &first], vec![]);
    check(&file);
}

#[test]
fn a_factor_for_each_pixel_is_refused() {
    let mut file = File::new(1, 8, 8);
    file.conv([4, 1, 3, 3], vec![]);
    let of = file.last();
    file.conv([1, 4, 1, 1], vec![]).node("Sigmoid", &[], vec![]);
    let map = file.last();
    file.node_of("Mul", &[&of, &map], vec![]);
    let error = refuse(&file);
    assert!(
        error.contains("[N, 4, 6, 6] and [N, 1, 6, 6]") && error.contains("each channel"),
        "{error}"
    );
}
