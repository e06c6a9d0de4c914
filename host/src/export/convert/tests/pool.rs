//! Pools, matrices, shapes and padding.

use super::*;

#[test]
fn max_pool_with_padding() {
    let mut file = File::new(1, 9, 9);
    file.conv([4, 1, 3, 3], vec![]);
    let window = vec![
        ints("kernel_shape", &[3, 3]),
        ints("strides", &[2, 2]),
        ints("pads", &[1, 1, 1, 1]),
    ];
    file.node("MaxPool", &[], window);
    assert_eq!(kinds(&check(&file))[1], "max pool 3x3 /2");
}

#[test]
fn max_pool_rounding_up() {
    let mut file = File::new(1, 9, 8);
    file.conv([4, 1, 2, 2], vec![ints("pads", &[0, 0, 1, 1])]);
    let window = vec![
        ints("kernel_shape", &[2, 2]),
        ints("strides", &[2, 2]),
        int("ceil_mode", 1),
    ];
    file.node("MaxPool", &[], window);
    check(&file);
}

#[test]
fn average_pool_with_and_without_padding() {
    let mut file = File::new(1, 8, 8);
    file.conv([4, 1, 3, 3], vec![]);
    file.node(
        "AveragePool",
        &[],
        vec![ints("kernel_shape", &[2, 3]), ints("strides", &[2, 1])],
    );
    assert_eq!(kinds(&check(&file))[1], "average pool 2x3 /2x1");
    let window = vec![
        ints("kernel_shape", &[3, 3]),
        ints("strides", &[2, 2]),
        ints("pads", &[1, 1, 1, 1]),
    ];
    let mut file = File::new(1, 8, 8);
    file.conv([4, 1, 3, 3], vec![]);
    file.node(
        "AveragePool",
        &[],
        [window.clone(), vec![int("count_include_pad", 1)]].concat(),
    );
    check(&file);
    let mut file = File::new(1, 8, 8);
    file.conv([4, 1, 3, 3], vec![])
        .node("AveragePool", &[], window);
    assert!(refuse(&file).contains("AveragePool_1"), "{}", refuse(&file));
}

#[test]
fn global_average_pool_and_reduce_mean() {
    let mut file = File::new(1, 7, 6);
    file.conv([8, 1, 3, 3], vec![])
        .node("GlobalAveragePool", &[], vec![]);
    assert_eq!(kinds(&check(&file)), ["conv 3x3", "average pool 5x4"]);
    let mut file = File::new(1, 7, 6);
    file.conv([8, 1, 3, 3], vec![]);
    file.node(
        "ReduceMean",
        &[],
        vec![ints("axes", &[-1, -2]), int("keepdims", 0)],
    );
    check(&file);
}

#[test]
fn fully_connected_reads_the_picture_in_its_own_order() {
    let mut file = File::new(2, 4, 5);
    file.conv([3, 2, 2, 2], vec![])
        .node("Flatten", &[], vec![])
        .node("Relu", &[], vec![]);
    file.random("matrix", &[36, 10], -0.3, 0.3)
        .random("bias", &[10], -0.5, 0.5);
    file.node(
        "Gemm",
        &["matrix", "bias"],
        vec![float("alpha", 0.5), float("beta", 2.0)],
    );
    file.random("second", &[7, 10], -0.3, 0.3);
    file.node("Gemm", &["second"], vec![int("transB", 1)]);
    assert_eq!(
        kinds(&check(&file)),
        ["conv 2x2 + relu", "fully connected", "fully connected"]
    );
}

#[test]
fn matmul_with_bias_by_add() {
    let mut file = File::new(1, 4, 4);
    file.ints("shape", &[2], vec![-1, 16])
        .node("Reshape", &["shape"], vec![]);
    file.random("matrix", &[16, 6], -0.3, 0.3)
        .node("MatMul", &["matrix"], vec![]);
    file.random("bias", &[6], -1.0, 1.0)
        .node("Add", &["bias"], vec![]);
    assert_eq!(kinds(&check(&file)), ["fully connected"]);
}

#[test]
fn shapes_that_change_nothing_cost_nothing() {
    let mut file = File::new(1, 6, 6);
    file.conv([8, 1, 3, 3], vec![])
        .node("GlobalAveragePool", &[], vec![]);
    file.ints("axes", &[2], vec![2, 3])
        .node("Squeeze", &["axes"], vec![]);
    file.node("Unsqueeze", &["axes"], vec![])
        .node("Identity", &[], vec![]);
    file.ints("zero", &[4], vec![0, -1, 1, 1])
        .node("Reshape", &["zero"], vec![]);
    file.node("Dropout", &[], vec![])
        .node("Flatten", &[], vec![]);
    assert_eq!(check(&file).layers.len(), 2);
}

#[test]
fn padding_becomes_part_of_the_conv() {
    let mut file = File::new(1, 6, 6);
    file.ints("pads", &[8], vec![0, 0, 1, 2, 0, 0, 0, 1])
        .node("Pad", &["pads"], vec![]);
    file.conv([4, 1, 3, 3], vec![]);
    assert_eq!(kinds(&check(&file)), ["conv 3x3", "flatten"]);
    let mut file = File::new(1, 6, 6);
    file.conv([4, 1, 3, 3], vec![]);
    file.ints("pads", &[8], vec![0, 0, 1, 2, 0, 0, 0, 1])
        .node("Pad", &["pads"], vec![]);
    file.node("Relu", &[], vec![]);
    assert!(refuse(&file).contains("`Pad_1` (Pad)"), "{}", refuse(&file));
}
