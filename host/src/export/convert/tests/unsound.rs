//! Files that no exporter writes, given to the runtime that evaluates in float.

use super::*;

/// The error of a file that can not be evaluated.
fn refused(file: &File) -> String {
    match FloatModel::new(&file.bytes(), Some(NORMALIZATION)) {
        Ok(_) => panic!("it is evaluated"),
        Err(error) => error.to_string(),
    }
}

fn conv(attributes: Vec<AttributeProto>) -> File {
    let mut file = File::new(1, 8, 8);
    file.conv([4, 1, 3, 3], attributes);
    file
}

#[test]
fn numbers_that_no_window_has_are_refused() {
    let pool = |attributes: Vec<AttributeProto>| {
        let mut file = conv(vec![]);
        file.node("MaxPool", &[], attributes);
        file
    };
    let pad = |pads: Vec<i64>| {
        let mut file = conv(vec![]);
        file.ints("pads", &[8], pads).node("Pad", &["pads"], vec![]);
        file
    };
    let far = 1 << 31;
    for (file, needed) in [
        (conv(vec![ints("strides", &[0, 1])]), "strides is 0"),
        (conv(vec![ints("dilations", &[1, 0])]), "dilations is 0"),
        (
            conv(vec![ints("pads", &[far, 0, 0, 0])]),
            "pads is 2147483648",
        ),
        (conv(vec![int("group", 0)]), "group is 0"),
        (
            pool(vec![ints("kernel_shape", &[0, 2])]),
            "kernel_shape is 0",
        ),
        (
            pool(vec![
                ints("kernel_shape", &[2, 2]),
                ints("strides", &[0, 0]),
            ]),
            "strides is 0",
        ),
        (pad(vec![0, 0, far, 0, 0, 0, 0, 0]), "pads is 2147483648"),
        (
            pad(vec![0, 0, 65535, 65535, 0, 0, 65535, 65535]),
            "a size that can not be",
        ),
    ] {
        let error = refused(&file);
        assert!(error.contains(needed), "{error}\nlacks\n{needed}");
    }
}

#[test]
fn scales_that_leave_nothing_or_too_much_are_refused() {
    for scale in [0.0, -1.0, 1e9, 1e30, f32::NAN] {
        let mut file = conv(vec![]);
        file.floats("s", &[4], vec![1.0, 1.0, scale, 2.0]);
        file.node("Resize", &["", "s"], vec![]);
        println!("{scale}: {}", refused(&file));
        let mut old = conv(vec![]);
        old.opset = 7;
        let scales = floats("scales", &[1.0, 1.0, scale, 2.0]);
        old.node("Upsample", &[], vec![scales]);
        println!("{scale}: {}", refused(&old));
    }
}

#[test]
fn values_that_nobody_computes_are_refused() {
    let mut file = conv(vec![]);
    file.node_of("Relu", &["nothing"], vec![]);
    assert!(
        refused(&file).contains("reads `nothing`"),
        "{}",
        refused(&file)
    );
    let mut model = Signature::read(&conv(vec![]).bytes()).unwrap().1;
    model.graph.as_mut().unwrap().output[0].name = "nobody".to_owned();
    let bytes = prost::Message::encode_to_vec(&model);
    let error = FloatModel::new(&bytes, Some(NORMALIZATION)).err().unwrap();
    assert!(
        error.to_string().contains("computes the output `nobody`"),
        "{error}"
    );
}

#[test]
fn weights_and_embeddings_that_are_no_numbers_are_refused() {
    let mut file = conv(vec![]);
    file.node("Relu", &[], vec![]);
    file.constants[0].float_data[3] = f32::NAN;
    assert!(
        refused(&file).contains("`w0` holds weights"),
        "{}",
        refused(&file)
    );
    // All of its numbers are finite.
    let mut file = conv(vec![]);
    file.floats("huge", &[], vec![3e38]);
    file.node("Mul", &["huge"], vec![])
        .node("Mul", &["huge"], vec![]);
    let float = FloatModel::new(&file.bytes(), Some(NORMALIZATION)).unwrap();
    let error = float
        .embed(&frames(&file.shape, 2))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("frame 0 is not made of finite numbers"),
        "{error}"
    );
}
