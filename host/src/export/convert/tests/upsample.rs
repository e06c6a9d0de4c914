//! Resize and Upsample in every form that exporters write, and those that are something else.

use super::*;

/// How a form writes the node, behind a convolution of four channels.
type Form = fn(&mut File);

/// A convolution of 6x6 places, what `form` puts behind it, and a mean.
fn behind_conv(opset: i64, form: Form) -> File {
    let mut file = File::new(1, 8, 8);
    file.opset = opset;
    file.conv([4, 1, 3, 3], vec![]);
    form(&mut file);
    // So that it matters which place is which.
    file.conv([3, 4, 2, 2], vec![ints("strides", &[3, 3])]);
    file.node("Flatten", &[], vec![]);
    file
}

fn nearest(coordinate: &str, rounding: &str) -> Vec<AttributeProto> {
    vec![
        text("mode", "nearest"),
        text("coordinate_transformation_mode", coordinate),
        text("nearest_mode", rounding),
    ]
}

#[test]
fn every_way_to_repeat_is_read() {
    let forms: [(&str, i64, &str, Form); 14] = [
        ("scales", 13, "upsample x2", |file| {
            file.floats("s", &[4], vec![1.0, 1.0, 2.0, 2.0]);
            file.node("Resize", &["", "s"], nearest("asymmetric", "floor"));
        }),
        ("the defaults", 13, "upsample x3", |file| {
            file.floats("s", &[4], vec![1.0, 1.0, 3.0, 3.0]);
            file.node("Resize", &["", "s"], vec![]);
        }),
        ("sizes", 13, "upsample x2", |file| {
            file.ints("s", &[4], vec![1, 4, 12, 12]);
            file.node(
                "Resize",
                &["", "", "s"],
                nearest("half_pixel", "round_prefer_ceil"),
            );
        }),
        ("sizes beside empty scales", 11, "upsample 2x3", |file| {
            file.floats("none", &[0], vec![])
                .ints("s", &[4], vec![1, 4, 12, 18]);
            let attributes = nearest("pytorch_half_pixel", "round_prefer_floor");
            file.node("Resize", &["none", "none", "s"], attributes);
        }),
        ("PyTorch, operator set 11", 11, "upsample x2", |file| {
            file.floats("s", &[4], vec![1.0, 1.0, 2.0, 2.0]);
            file.node("Resize", &["", "s"], nearest("asymmetric", "floor"));
        }),
        ("PyTorch, sizes of any batch", 12, "upsample x2", |file| {
            let of = file.last();
            file.ints("zero", &[1], vec![0]).ints("two", &[1], vec![2]);
            file.ints("sides", &[2], vec![12, 12])
                .floats("none", &[0], vec![]);
            file.node("Shape", &[], vec![])
                .node("Slice", &["zero", "two"], vec![]);
            file.node("Concat", &["sides"], vec![int("axis", 0)]);
            let sizes = file.last();
            let attributes = nearest("asymmetric", "floor");
            file.node_of("Resize", &[&of, "", "none", &sizes], attributes);
        }),
        ("TensorFlow, half pixels", 11, "upsample x2", |file| {
            file.floats("none", &[0], vec![])
                .floats("s", &[4], vec![1.0, 1.0, 2.0, 2.0]);
            file.node(
                "Resize",
                &["none", "s"],
                nearest("tf_half_pixel_for_nn", "floor"),
            );
        }),
        (
            "TensorFlow, between transpositions",
            13,
            "upsample x2",
            |file| {
                file.node("Transpose", &[], vec![ints("perm", &[0, 2, 3, 1])]);
                file.floats("s", &[4], vec![1.0, 2.0, 2.0, 1.0]);
                file.node("Resize", &["", "s"], nearest("asymmetric", "floor"));
                file.node("Transpose", &[], vec![ints("perm", &[0, 3, 1, 2])]);
            },
        ),
        ("twice to the nearest", 13, "upsample x2", |file| {
            file.floats("s", &[4], vec![1.0, 1.0, 2.0, 2.0]);
            file.node(
                "Resize",
                &["", "s"],
                nearest("asymmetric", "round_prefer_floor"),
            );
        }),
        ("axes", 18, "upsample 3x2", |file| {
            file.floats("s", &[2], vec![2.0, 3.0]);
            let mut attributes = nearest("half_pixel_symmetric", "round_prefer_floor");
            attributes.push(ints("axes", &[3, -2]));
            file.node("Resize", &["", "s"], attributes);
        }),
        ("sizes of axes", 18, "upsample x4", |file| {
            file.ints("s", &[2], vec![24, 24]);
            let mut attributes = nearest("half_pixel", "round_prefer_floor");
            attributes.extend([
                ints("axes", &[2, 3]),
                text("keep_aspect_ratio_policy", "stretch"),
            ]);
            file.node("Resize", &["", "", "s"], attributes);
        }),
        ("Resize of operator set 10", 10, "upsample x3", |file| {
            file.floats("s", &[4], vec![1.0, 1.0, 3.0, 3.0]);
            file.node("Resize", &["s"], vec![text("mode", "nearest")]);
        }),
        ("Upsample of operator set 9", 9, "upsample x3", |file| {
            file.floats("s", &[4], vec![1.0, 1.0, 3.0, 3.0]);
            file.node("Upsample", &["s"], vec![text("mode", "nearest")]);
        }),
        ("Upsample of operator set 7", 7, "upsample x3", |file| {
            let scales = floats("scales", &[1.0, 1.0, 3.0, 3.0]);
            file.node("Upsample", &[], vec![scales]);
        }),
    ];
    for (name, opset, kind, form) in forms {
        let report = check(&behind_conv(opset, form));
        assert_eq!(kinds(&report)[1], kind, "{name}");
    }
}

#[test]
fn what_does_not_repeat_is_refused() {
    let scaled = |scales: [f32; 4], attributes: Vec<AttributeProto>| {
        let mut file = behind_conv(13, |_| {});
        file.nodes.truncate(1);
        file.floats("s", &[4], scales.to_vec());
        file.node("Resize", &["", "s"], attributes);
        refuse(&file)
    };
    let twice = [1.0, 1.0, 2.0, 2.0];
    for (error, needed) in [
        (
            scaled(twice, vec![text("mode", "linear")]),
            "its mode is linear: only the nearest neighbour",
        ),
        (
            scaled(twice, nearest("half_pixel", "floor")),
            "half_pixel with nearest_mode floor does not repeat each value 2 times: use asymmetric with floor",
        ),
        (
            scaled(
                [1.0, 1.0, 1.0, 3.0],
                nearest("asymmetric", "round_prefer_floor"),
            ),
            "does not repeat each value 3 times",
        ),
        (
            scaled(twice, nearest("align_corners", "floor")),
            "use asymmetric",
        ),
        (
            scaled(twice, nearest("tf_crop_and_resize", "floor")),
            "use asymmetric",
        ),
        (
            scaled([1.0, 1.0, 1.5, 2.0], nearest("asymmetric", "floor")),
            "[1.0, 1.0, 1.5, 2.0] for an input of [N, 4, 6, 6]: only whole factors",
        ),
        (scaled([1.0, 1.0, 0.5, 0.5], vec![]), "only whole factors"),
        (
            scaled([1.0, 1.0, 256.0, 1.0], vec![]),
            "only whole factors from 1 to 255",
        ),
        (
            scaled([1.0, 2.0, 2.0, 2.0], vec![]),
            "only height and width",
        ),
        (scaled([f32::NAN; 4], vec![]), "only whole factors"),
        (
            scaled(twice, vec![ints("axes", &[2, 3])]),
            "for the axes [2, 3]",
        ),
        (
            scaled(twice, vec![ints("axes", &[0, 1, 2, 7])]),
            "only whole factors",
        ),
    ] {
        assert!(error.contains(needed), "{error}\nlacks\n{needed}");
    }
    let sized = |sizes: [i64; 4], attributes: Vec<AttributeProto>| {
        let mut file = behind_conv(18, |_| {});
        file.nodes.truncate(1);
        file.ints("s", &[4], sizes.to_vec());
        file.node("Resize", &["", "", "s"], attributes);
        refuse(&file)
    };
    let error = sized([1, 4, 13, 12], vec![]);
    assert!(error.contains("its sizes are [1, 4, 13, 12]"), "{error}");
    let error = sized([1, 4, i64::MIN, 12], vec![]);
    assert!(error.contains("only whole factors"), "{error}");
    let kept = vec![text("keep_aspect_ratio_policy", "not_larger")];
    let error = sized([1, 4, 12, 18], kept);
    assert!(error.contains("keeps the aspect ratio"), "{error}");
    let mut file = behind_conv(13, |_| {});
    file.node("Resize", &[], vec![]);
    assert!(refuse(&file).contains("rank 4"), "{}", refuse(&file));
    let mut file = behind_conv(13, |_| {});
    file.nodes.truncate(1);
    file.node("Resize", &[], vec![]);
    assert!(
        refuse(&file).contains("neither scales"),
        "{}",
        refuse(&file)
    );
}

/// Limits and factors of channels go before, where there is less of it.
#[test]
fn what_changes_each_value_alone_is_done_before() {
    let file = behind_conv(13, |file| {
        file.floats("s", &[4], vec![1.0, 1.0, 2.0, 2.0])
            .floats("half", &[], vec![0.5]);
        file.node("Resize", &["", "s"], vec![]);
        file.node("Mul", &["half"], vec![])
            .node("Relu", &[], vec![]);
    });
    let report = check(&file);
    assert_eq!(
        kinds(&report),
        ["conv 3x3 + relu", "upsample x2", "conv 2x2 /3", "flatten"]
    );
    // Once is nothing.
    let file = behind_conv(13, |file| {
        file.ints("s", &[4], vec![1, 4, 6, 6]);
        file.node("Resize", &["", "", "s"], vec![]);
    });
    assert_eq!(check(&file).layers.len(), 3);
}
