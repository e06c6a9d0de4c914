//! Functions of one value and joined channels, in the forms that exporters write.

use super::*;

/// How a form writes the function, behind a convolution of four channels.
type Form = fn(&mut File);

fn behind_conv(form: Form) -> File {
    let mut file = File::new(1, 8, 8);
    file.conv([4, 1, 3, 3], vec![]);
    form(&mut file);
    file.node("GlobalAveragePool", &[], vec![])
        .node("Flatten", &[], vec![]);
    file
}

#[test]
fn each_function_is_one_table() {
    let forms: [(&str, Form); 8] = [
        ("sigmoid", |file| {
            file.node("Sigmoid", &[], vec![]);
        }),
        ("hard swish", |file| {
            file.node("HardSwish", &[], vec![]);
        }),
        ("hard swish of older exporters", |file| {
            file.floats("three", &[], vec![3.0])
                .floats("zero", &[], vec![0.0])
                .floats("six", &[], vec![6.0]);
            file.node("Add", &["three"], vec![])
                .node("Clip", &["zero", "six"], vec![]);
            let gate = file.last();
            file.node_of("Mul", &["Conv_0_out", &gate], vec![])
                .node("Div", &["six"], vec![]);
        }),
        ("SiLU", |file| {
            file.node("Sigmoid", &[], vec![]);
            let gate = file.last();
            file.node_of("Mul", &["Conv_0_out", &gate], vec![]);
        }),
        ("SiLU, the other way round", |file| {
            file.node("Sigmoid", &[], vec![]);
            let gate = file.last();
            file.node_of("Mul", &[&gate, "Conv_0_out"], vec![]);
        }),
        ("leaky", |file| {
            file.node("LeakyRelu", &[], vec![float("alpha", 0.2)]);
        }),
        ("PRelu of one slope", |file| {
            file.floats("slope", &[1], vec![0.25]);
            file.node("PRelu", &["slope"], vec![]);
        }),
        ("softplus, ten times", |file| {
            file.floats("ten", &[], vec![10.0]);
            file.node("Softplus", &[], vec![])
                .node("Mul", &["ten"], vec![]);
        }),
    ];
    for (name, form) in forms {
        let report = check(&behind_conv(form));
        let kinds = kinds(&report);
        assert_eq!(kinds[..2], ["conv 3x3", "table"], "{name}");
        assert_eq!(kinds.iter().filter(|kind| **kind == "table").count(), 1);
        assert!(kinds.len() <= 4, "{name}: {kinds:?}");
    }
}

#[test]
fn slopes_of_each_channel_are_two_halves() {
    let report = check(&behind_conv(|file| {
        file.floats("slopes", &[4, 1, 1], vec![0.1, 0.2, 0.3, -0.4]);
        file.node("PRelu", &["slopes"], vec![]);
    }));
    assert!(kinds(&report).contains(&"add"), "{report:?}");
}

/// SqueezeNet's: what a narrow layer gives is read by two and joined.
#[test]
fn a_fire_module_is_what_onnx_runtime_says() {
    let mut file = File::new(1, 12, 12);
    file.conv([8, 1, 3, 3], vec![ints("strides", &[2, 2])])
        .node("Relu", &[], vec![])
        .conv([3, 8, 1, 1], vec![])
        .node("Relu", &[], vec![]);
    let squeezed = file.last();
    file.conv([5, 3, 1, 1], vec![]).node("Relu", &[], vec![]);
    let narrow = file.last();
    file.random("wide.w", &[7, 3, 3, 3], -0.3, 0.3);
    let pads = vec![ints("pads", &[1, 1, 1, 1])];
    file.node_of("Conv", &[&squeezed, "wide.w"], pads)
        .node("Relu", &[], vec![]);
    let wide = file.last();
    file.node_of("Concat", &[&narrow, &wide], vec![int("axis", -3)])
        .conv([6, 12, 1, 1], vec![])
        .node("GlobalAveragePool", &[], vec![])
        .node("Flatten", &[], vec![]);
    let report = check(&file);
    assert!(kinds(&report).contains(&"concat"), "{report:?}");
}

#[test]
fn what_can_not_be_joined_or_multiplied_says_why() {
    let refused = |form: Form, reason: &str| {
        let error = refuse(&behind_conv(form));
        assert!(error.contains(reason), "{error}");
    };
    refused(
        |file| {
            file.node_of(
                "Concat",
                &["Conv_0_out", "Conv_0_out"],
                vec![int("axis", 2)],
            );
        },
        "only 1, that of the channels",
    );
    refused(
        |file| {
            file.conv([4, 4, 2, 2], vec![]);
            let smaller = file.last();
            file.node_of("Concat", &["Conv_0_out", &smaller], vec![int("axis", 1)]);
        },
        "all but the channels must be the same",
    );
    refused(
        |file| {
            file.conv([4, 4, 1, 1], vec![]);
            let other = file.last();
            file.node_of("Div", &["Conv_0_out", &other], vec![]);
        },
        "multiply by a function of it",
    );
}
