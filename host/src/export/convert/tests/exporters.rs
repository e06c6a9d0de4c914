//! What PyTorch and TensorFlow write by themselves.

use super::*;

/// Scales the vector that a file ends in to unit length; the constant `guard` is tiny.
type Form = fn(&mut File, &str);

#[test]
fn scaling_to_unit_length_is_read_in_every_form() {
    let forms: [(&str, Form); 7] = [
        ("F.normalize of a fixed batch", |file, vector| {
            file.ints("shape", &[2], vec![1, 12]);
            file.node("ReduceL2", &[], vec![ints("axes", &[1])]);
            file.node("Clip", &["guard"], vec![])
                .node("Expand", &["shape"], vec![]);
            divide(file, vector);
        }),
        ("F.normalize of any batch", |file, vector| {
            file.node("ReduceL2", &[], vec![ints("axes", &[-1])]);
            file.node("Clip", &["guard"], vec![]);
            let length = file.last();
            file.node_of("Shape", &[vector], vec![]);
            let shape = file.last();
            file.node_of("Expand", &[&length, &shape], vec![]);
            divide(file, vector);
        }),
        ("x / (norm + epsilon)", |file, vector| {
            file.node("ReduceL2", &[], vec![ints("axes", &[1])]);
            file.node("Add", &["guard"], vec![]);
            divide(file, vector);
        }),
        ("x / sqrt(sum(x * x))", |file, vector| {
            file.ints("axes", &[1], vec![1]);
            file.node_of("Mul", &[vector, vector], vec![]);
            file.node("ReduceSum", &["axes"], vec![])
                .node("Sqrt", &[], vec![]);
            divide(file, vector);
        }),
        ("x / sum(x ** 2) ** 0.5", |file, vector| {
            file.ints("axes", &[1], vec![1])
                .floats("two", &[], vec![2.0]);
            file.floats("half", &[], vec![0.5]);
            file.node("Pow", &["two"], vec![])
                .node("ReduceSum", &["axes"], vec![]);
            file.node("Pow", &["half"], vec![]);
            divide(file, vector);
        }),
        ("l2_normalize", |file, vector| {
            file.floats("tiny", &[], vec![1e-12]);
            file.node("ReduceSumSquare", &[], vec![ints("axes", &[1])]);
            file.node("Max", &["tiny"], vec![])
                .node("Sqrt", &[], vec![]);
            file.node("Reciprocal", &[], vec![]);
            let inverse = file.last();
            file.node_of("Mul", &[vector, &inverse], vec![]);
        }),
        ("one over the length", |file, vector| {
            file.floats("one", &[], vec![1.0]);
            file.node("ReduceL2", &[], vec![ints("axes", &[1])]);
            let length = file.last();
            file.node_of("Div", &["one", &length], vec![]);
            let inverse = file.last();
            file.node_of("Mul", &[&inverse, vector], vec![]);
        }),
    ];
    for (name, form) in forms {
        let mut file = vector();
        let vector = file.last();
        file.floats("guard", &[], vec![1e-12]);
        form(&mut file, &vector);
        let report = check(&file);
        let last = report.layers.last().map(|layer| layer.kind.as_str());
        assert_eq!(last, Some("unit length"), "{name}");
        assert_eq!(report.layers.len(), 3, "{name}");
    }
}

/// Divides a vector by the last output.
fn divide(file: &mut File, vector: &str) {
    let length = file.last();
    file.node_of("Div", &[vector, &length], vec![]);
}

#[test]
fn limits_that_change_a_length_are_refused() {
    let with = |op: &str, constants: &[&str]| {
        let mut file = vector();
        let vector = file.last();
        file.floats("guard", &[], vec![1e-12])
            .floats("much", &[], vec![0.5]);
        file.node("ReduceL2", &[], vec![ints("axes", &[1])]);
        file.node(op, constants, vec![]);
        divide(&mut file, &vector);
        refuse(&file)
    };
    let error = with("Clip", &["guard", "much"]);
    assert!(error.contains("holds lengths below 0.5"), "{error}");
    for (op, constants) in [("Clip", ["much"]), ("Add", ["much"]), ("Max", ["much"])] {
        let error = with(op, &constants);
        assert!(
            error.contains(op) && error.contains("guard against zero"),
            "{error}"
        );
    }
}

/// `x.view(x.size(0), -1)` and its kin, with the batch read while the network runs.
#[test]
fn views_of_any_batch_are_flattened() {
    let picture = || {
        let mut file = File::new(1, 8, 8);
        file.conv([4, 1, 3, 3], vec![ints("strides", &[2, 2])]);
        file.ints("zero", &[], vec![0]).ints("zeros", &[1], vec![0]);
        file.ints("rest", &[1], vec![-1]).ints("one", &[1], vec![1]);
        file
    };
    let view = |file: &mut File, of: &str, shape: &str| {
        file.node_of("Reshape", &[of, shape], vec![]);
    };
    let flat = ["conv 3x3 /2", "flatten"];

    let mut file = picture();
    let of = file.last();
    file.node("Shape", &[], vec![])
        .node("Gather", &["zero"], vec![int("axis", 0)]);
    file.node("Unsqueeze", &["zeros"], vec![]);
    file.node("Concat", &["rest"], vec![int("axis", 0)]);
    let shape = file.last();
    view(&mut file, &of, &shape);
    assert_eq!(kinds(&check(&file)), flat);

    // By a slice, and with the sizes multiplied.
    let mut file = picture();
    let of = file.last();
    file.node("Shape", &[], vec![]);
    let dims = file.last();
    file.node("Slice", &["zeros", "one"], vec![]);
    let batch = file.last();
    file.ints("places", &[3], vec![1, 2, 3])
        .ints("first", &[1], vec![0]);
    file.node_of("Gather", &[&dims, "places"], vec![]);
    file.node("ReduceProd", &[], vec![]);
    let length = file.last();
    file.node_of("Concat", &[&batch, &length], vec![int("axis", 0)]);
    let shape = file.last();
    view(&mut file, &of, &shape);
    assert_eq!(kinds(&check(&file)), flat);

    // The batch of what is not computed otherwise.
    let mut file = picture();
    let of = file.last();
    file.node("MaxPool", &[], vec![ints("kernel_shape", &[2, 2])]);
    file.node("Shape", &[], vec![])
        .node("Gather", &["zeros"], vec![]);
    file.node("Concat", &["rest"], vec![int("axis", 0)]);
    let shape = file.last();
    view(&mut file, &of, &shape);
    assert_eq!(kinds(&check(&file)), flat);

    let mut file = picture();
    let of = file.last();
    file.node("Shape", &[], vec![])
        .node("Gather", &["zeros"], vec![]);
    let batch = file.last();
    file.node_of("Mul", &[&batch, "one"], vec![]);
    let shape = file.last();
    view(&mut file, &of, &shape);
    assert!(
        refuse(&file).contains("computes a shape"),
        "{}",
        refuse(&file)
    );
}

#[test]
fn padding_may_name_its_axes() {
    let padded = |constants: &[&str]| {
        let mut file = File::new(1, 6, 6);
        file.ints("all", &[8], vec![0, 0, 1, 2, 0, 0, 0, 1]);
        file.ints("some", &[4], vec![2, 1, 1, 0])
            .ints("axes", &[2], vec![-1, 2]);
        file.ints("channels", &[1], vec![1])
            .ints("ends", &[2], vec![1, 1]);
        file.node("Pad", constants, vec![]);
        file.conv([4, 1, 3, 3], vec![]);
        file
    };
    let layers = |file: &File| {
        let (signature, model) = Signature::read(&file.bytes()).unwrap();
        read::read(&signature, &model).unwrap()
    };
    assert_eq!(
        layers(&padded(&["some", "", "axes"])),
        layers(&padded(&["all"]))
    );
    let error = refuse(&padded(&["ends", "", "channels"]));
    assert!(error.contains("pad the batch or the channels"), "{error}");
}

/// As tf2onnx and keras2onnx write it: a picture with the channels last, and a vector of its values
/// in that order.
#[test]
fn channels_last_are_taken_through() {
    for channels in [1, 3] {
        let mut file = File::new(8, 9, channels);
        file.node("Transpose", &[], vec![ints("perm", &[0, 3, 1, 2])]);
        file.conv([4, channels, 3, 3], vec![])
            .node("Relu", &[], vec![]);
        file.node("Transpose", &[], vec![ints("perm", &[0, 2, 3, 1])]);
        let turned = file.nodes.len();
        file.ints("shape", &[2], vec![-1, 6 * 7 * 4])
            .node("Reshape", &["shape"], vec![]);
        assert_eq!(kinds(&check(&file)), ["conv 3x3 + relu", "flatten"]);
        file.random("matrix", &[6 * 7 * 4, 5], -0.2, 0.2);
        file.node("MatMul", &["matrix"], vec![]);
        assert_eq!(kinds(&check(&file)), ["conv 3x3 + relu", "fully connected"]);

        // The mean of its pixels, and the whole of it as the embedding.
        file.nodes.truncate(turned);
        assert_eq!(kinds(&check(&file)), ["conv 3x3 + relu", "flatten"]);
        let mean = vec![ints("axes", &[1, 2]), int("keepdims", 0)];
        file.node("ReduceMean", &[], mean);
        assert_eq!(check(&file).embedding, 4);

        // What runs over windows needs them first.
        file.nodes.truncate(turned);
        file.conv([4, 7, 3, 3], vec![]);
        let error = refuse(&file);
        assert!(error.contains("channels last: put a Transpose"), "{error}");
    }
    // A grey picture has its values in one order, so that a Reshape turns it too.
    let mut file = File::new(8, 9, 1);
    file.ints("first", &[4], vec![-1, 1, 8, 9])
        .node("Reshape", &["first"], vec![]);
    file.conv([4, 1, 3, 3], vec![]);
    check(&file);
}

#[test]
fn a_convolution_on_a_vector_has_its_window() {
    let mut file = vector();
    file.ints("axes", &[2], vec![2, 3])
        .node("Unsqueeze", &["axes"], vec![]);
    file.conv([5, 12, 3, 3], vec![ints("pads", &[1, 1, 1, 1])]);
    check(&file);
    let mut file = File::new(1, 8, 8);
    file.conv([3, 1, 3, 3], vec![ints("strides", &[2, 2])])
        .node("Flatten", &[], vec![]);
    file.ints("axes", &[2], vec![2, 3])
        .node("Unsqueeze", &["axes"], vec![]);
    file.conv([5, 27, 3, 3], vec![ints("pads", &[1, 1, 1, 1])]);
    file.node("Flatten", &[], vec![]);
    check(&file);
}

#[test]
fn a_classifier_is_cut_before_its_end() {
    let mut file = vector();
    let features = file.last();
    file.random("matrix", &[12, 3], -0.5, 0.5)
        .random("bias", &[3], -0.5, 0.5);
    file.node("MatMul", &["matrix"], vec![])
        .node("Add", &["bias"], vec![]);
    file.node("Softmax", &[], vec![int("axis", 1)]);
    let frames = frames(&file.shape, 8);
    for operator in ["Softmax", "LogSoftmax"] {
        file.nodes.last_mut().unwrap().op_type = operator.to_owned();
        let whole = convert(&file.bytes(), &frames, &options()).unwrap();
        let (scores, ending) = without_softmax(&file.bytes()).unwrap();
        let ending = ending.unwrap();
        assert_eq!(ending.features.as_ref(), Some(&features));
        let warning = whole.report.warnings.last().unwrap();
        assert!(
            warning.contains(operator) && warning.contains(&format!("--output '{features}'")),
            "{warning}"
        );
        let converted = convert(&scores, &frames, &options()).unwrap();
        assert_eq!(converted.image, whole.image);
        assert_eq!(without_softmax(&scores).unwrap(), (scores, None));
    }

    let cut = |name: &str| crate::export::signature::cut(&file.bytes(), name);
    let bytes = cut(&features).unwrap();
    let converted = convert(&bytes, &frames, &options()).unwrap();
    assert_eq!(converted.report.embedding, 12);
    assert_eq!(
        FloatModel::new(&bytes, Some(NORMALIZATION))
            .unwrap()
            .length(),
        12
    );
    let error = cut("nothing").unwrap_err().to_string();
    assert!(
        error.contains("`nothing`") && error.contains(&features),
        "{error}"
    );
}
