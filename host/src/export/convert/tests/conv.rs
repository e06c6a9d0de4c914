//! Convolutions, by themselves and as chains by rows.

use super::*;

#[test]
fn conv_with_padding_and_stride() {
    let mut file = File::new(1, 9, 8);
    file.conv(
        [6, 1, 3, 3],
        vec![ints("pads", &[1, 0, 2, 1]), ints("strides", &[2, 1])],
    );
    assert_eq!(kinds(&check(&file)), ["conv 3x3 /2x1", "flatten"]);
}

#[test]
fn conv_with_groups() {
    let mut file = File::new(4, 7, 7);
    file.conv(
        [6, 2, 3, 3],
        vec![int("group", 2), ints("pads", &[1, 1, 1, 1])],
    );
    assert_eq!(kinds(&check(&file)), ["conv 3x3, 2 groups", "flatten"]);
}

#[test]
fn conv_without_square_window() {
    let mut file = File::new(2, 7, 9);
    file.conv([5, 2, 2, 4], vec![ints("kernel_shape", &[2, 4])]);
    check(&file);
}

#[test]
fn conv_dilated() {
    let mut file = File::new(1, 10, 10);
    file.conv(
        [4, 1, 3, 3],
        vec![ints("dilations", &[2, 3]), ints("pads", &[2, 3, 2, 3])],
    );
    assert_eq!(kinds(&check(&file))[0], "conv 5x7");
}

#[test]
fn conv_with_automatic_padding() {
    for mode in ["SAME_UPPER", "SAME_LOWER", "VALID"] {
        let mut file = File::new(1, 9, 8);
        file.conv(
            [4, 1, 4, 3],
            vec![text("auto_pad", mode), ints("strides", &[2, 2])],
        );
        check(&file);
    }
}

#[test]
fn depthwise_in_place() {
    let mut file = File::new(1, 8, 8);
    file.conv([8, 1, 1, 1], vec![]);
    file.conv(
        [8, 1, 3, 3],
        vec![int("group", 8), ints("pads", &[1, 1, 1, 1])],
    );
    file.node("Relu", &[], vec![]);
    let report = check(&file);
    assert_eq!(
        kinds(&report),
        ["conv 1x1", "depthwise 3x3 + relu", "flatten"]
    );
    // Out of place it would need two tensors of 512 bytes.
    assert!(report.layers[1].ram_bytes < 1024, "{report}");
}

#[test]
fn pointwise_by_rows_before_depthwise() {
    let mut file = File::new(2, 16, 16);
    file.conv([8, 2, 1, 1], vec![]).node("Relu", &[], vec![]);
    file.conv(
        [8, 1, 3, 3],
        vec![
            int("group", 8),
            ints("pads", &[1, 1, 1, 1]),
            ints("strides", &[2, 2]),
        ],
    );
    let report = check(&file);
    assert_eq!(
        kinds(&report),
        ["conv 1x1 by rows + relu", "depthwise 3x3 /2", "flatten"]
    );
    // The tensor between them alone has 2048 bytes. The picture, over which the output is written,
    // has 512, the window 384 or more and the depthwise convolution's planes 432.
    let most = report.layers.iter().map(|layer| layer.ram_bytes).max();
    assert_eq!(most, Some(report.arena_bytes));
    assert!((1328..1500).contains(&report.arena_bytes), "{report}");
}

/// The first layers, in which tensors are largest, need less memory than any of their tensors.
#[test]
fn the_first_layers_are_one_chain_by_rows() {
    let mut file = File::new(1, 40, 40);
    file.conv([16, 1, 3, 3], vec![ints("pads", &[1, 1, 1, 1])])
        .node("Relu", &[], vec![]);
    file.conv([16, 16, 1, 1], vec![]);
    file.conv(
        [16, 1, 3, 3],
        vec![
            int("group", 16),
            ints("pads", &[1, 1, 1, 1]),
            ints("strides", &[2, 2]),
        ],
    );
    let report = check(&file);
    assert!(
        kinds(&report)[..2]
            .iter()
            .all(|kind| kind.contains("by rows"))
    );
    // 25,600 bytes each of the two tensors at 40 x 40 pixels; what stands of them is 1 and 3 rows of
    // 640 bytes or some more, beside the picture and over it the output of 6,400. The output alone,
    // put in another order at the end, needs twice its length.
    assert!((12_800..14_000).contains(&report.arena_bytes), "{report}");
}

/// Over the edge of a chain that a sum interrupts.
#[test]
fn a_residual_between_two_chains() {
    let mut file = File::new(1, 24, 24);
    let wide = || vec![ints("pads", &[1, 1, 1, 1])];
    file.conv([8, 1, 3, 3], wide()).node("Relu", &[], vec![]);
    file.conv(
        [8, 8, 3, 3],
        vec![ints("pads", &[1, 1, 1, 1]), ints("strides", &[2, 2])],
    );
    let kept = file.last();
    file.conv([8, 8, 3, 3], wide()).node("Relu", &[], vec![]);
    file.conv([8, 8, 3, 3], wide());
    file.node("Add", &[&kept], vec![]);
    let report = check(&file);
    let by_rows = kinds(&report)
        .iter()
        .map(|kind| kind.contains("by rows"))
        .collect::<Vec<_>>();
    assert_eq!(
        by_rows,
        [true, false, true, false, false, false],
        "{report}"
    );
}

#[test]
fn a_pointwise_output_that_is_read_again_is_kept_whole() {
    let mut file = File::new(2, 16, 16);
    file.conv([8, 2, 1, 1], vec![]);
    let expanded = file.last();
    file.conv(
        [8, 1, 3, 3],
        vec![int("group", 8), ints("pads", &[1, 1, 1, 1])],
    );
    file.node("Add", &[&expanded], vec![]);
    assert_eq!(kinds(&check(&file))[..2], ["conv 1x1", "depthwise 3x3"]);
}
