//! Every operator, written into a file by itself: the layers made of it against tract in float32,
//! the image against the layers.

use prost::Message;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto,
    TensorShapeProto, TypeProto, ValueInfoProto,
    attribute_proto::AttributeType,
    tensor_proto::DataType,
    tensor_shape_proto::{Dimension, dimension},
    type_proto,
};

use super::*;
use crate::export::{float::FloatModel, signature::PATCHES};

mod exporters;
mod networks;
mod unsound;
mod upsample;
mod useless;

const NORMALIZATION: Normalization = Normalization::new(0.4, 0.3);

/// An ONNX file in the making; nodes read the one before unless told otherwise.
struct File {
    /// Dimensions of the input behind the batch.
    shape: Vec<i64>,
    nodes: Vec<NodeProto>,
    constants: Vec<TensorProto>,
    /// Version of the operators.
    opset: i64,
    /// What is an output in addition to the last node's.
    second: Option<&'static str>,
    rng: ChaCha8Rng,
}

impl File {
    /// A file whose input is a picture of this many channels, rows and columns.
    fn new(channels: i64, height: i64, width: i64) -> Self {
        Self {
            shape: vec![channels, height, width],
            nodes: vec![],
            constants: vec![],
            opset: 13,
            second: None,
            rng: ChaCha8Rng::seed_from_u64(11),
        }
    }

    /// Name of the last output.
    fn last(&self) -> String {
        self.nodes
            .last()
            .map_or("x".to_owned(), |node| node.output[0].clone())
    }

    /// A node that reads the last output and constants.
    fn node(&mut self, op: &str, constants: &[&str], attributes: Vec<AttributeProto>) -> &mut Self {
        let last = self.last();
        self.node_of(op, &[&[last.as_str()], constants].concat(), attributes)
    }

    /// A node that reads what is named.
    fn node_of(&mut self, op: &str, inputs: &[&str], attribute: Vec<AttributeProto>) -> &mut Self {
        let name = format!("{op}_{}", self.nodes.len());
        self.nodes.push(NodeProto {
            input: inputs.iter().map(|&input| input.to_owned()).collect(),
            output: vec![format!("{name}_out")],
            name,
            op_type: op.to_owned(),
            attribute,
            ..Default::default()
        });
        self
    }

    /// Random constants between two limits.
    fn random(&mut self, name: &str, dims: &[i64], least: f32, greatest: f32) -> &mut Self {
        let count = dims.iter().product::<i64>();
        let data = (0..count)
            .map(|_| self.rng.random_range(least..greatest))
            .collect();
        self.floats(name, dims, data)
    }

    fn floats(&mut self, name: &str, dims: &[i64], float_data: Vec<f32>) -> &mut Self {
        self.constants.push(TensorProto {
            name: name.to_owned(),
            dims: dims.to_vec(),
            data_type: DataType::Float as i32,
            float_data,
            ..Default::default()
        });
        self
    }

    fn ints(&mut self, name: &str, dims: &[i64], int64_data: Vec<i64>) -> &mut Self {
        self.constants.push(TensorProto {
            name: name.to_owned(),
            dims: dims.to_vec(),
            data_type: DataType::Int64 as i32,
            int64_data,
            ..Default::default()
        });
        self
    }

    /// A convolution with random weights.
    fn conv(&mut self, dims: [i64; 4], attributes: Vec<AttributeProto>) -> &mut Self {
        let (weight, bias) = (
            format!("w{}", self.nodes.len()),
            format!("b{}", self.nodes.len()),
        );
        let limit = (3.0 / (dims[1] * dims[2] * dims[3]) as f32).sqrt();
        self.random(&weight, &dims, -limit, limit)
            .random(&bias, &dims[..1], -0.3, 0.3);
        self.node("Conv", &[&weight, &bias], attributes)
    }

    fn bytes(&self) -> Vec<u8> {
        let value = |name: &str, dims: &[i64]| {
            let dim = |value| Dimension {
                value: Some(value),
                ..Default::default()
            };
            let batch = dim(dimension::Value::DimParam("N".to_owned()));
            let rest = dims
                .iter()
                .map(|&size| dim(dimension::Value::DimValue(size)));
            let tensor = type_proto::Tensor {
                elem_type: DataType::Float as i32,
                shape: Some(TensorShapeProto {
                    dim: [batch].into_iter().chain(rest).collect(),
                }),
            };
            let kind = type_proto::Value::TensorType(tensor);
            ValueInfoProto {
                name: name.to_owned(),
                r#type: Some(TypeProto {
                    value: Some(kind),
                    ..Default::default()
                }),
                ..Default::default()
            }
        };
        let graph = GraphProto {
            node: self.nodes.clone(),
            initializer: self.constants.clone(),
            input: vec![value("x", &self.shape)],
            output: [self.last()]
                .into_iter()
                .chain(self.second.map(str::to_owned))
                .map(|name| ValueInfoProto {
                    name,
                    ..Default::default()
                })
                .collect(),
            ..Default::default()
        };
        let opset = OperatorSetIdProto {
            domain: String::new(),
            version: self.opset,
        };
        let model = ModelProto {
            ir_version: 7,
            opset_import: vec![opset],
            graph: Some(graph),
            ..Default::default()
        };
        model.encode_to_vec()
    }
}

fn ints(name: &str, ints: &[i64]) -> AttributeProto {
    let r#type = AttributeType::Ints as i32;
    AttributeProto {
        name: name.to_owned(),
        r#type,
        ints: ints.to_vec(),
        ..Default::default()
    }
}

fn int(name: &str, i: i64) -> AttributeProto {
    let r#type = AttributeType::Int as i32;
    AttributeProto {
        name: name.to_owned(),
        r#type,
        i,
        ..Default::default()
    }
}

fn float(name: &str, f: f32) -> AttributeProto {
    let r#type = AttributeType::Float as i32;
    AttributeProto {
        name: name.to_owned(),
        r#type,
        f,
        ..Default::default()
    }
}

fn text(name: &str, s: &str) -> AttributeProto {
    let r#type = AttributeType::String as i32;
    AttributeProto {
        name: name.to_owned(),
        r#type,
        s: s.into(),
        ..Default::default()
    }
}

/// Frames with structure: a few bright rectangles on a dark ground, and noise.
fn frames(shape: &[i64], count: usize) -> Vec<Vec<u8>> {
    let [channels, height, width] = [shape[0], shape[1], shape[2]].map(|side| side as usize);
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let mut frame = || {
        let mut pixels = vec![20_u8; channels * height * width];
        for _ in 0..3 {
            let (top, left) = (rng.random_range(0..height), rng.random_range(0..width));
            let (bottom, right) = (rng.random_range(top..height), rng.random_range(left..width));
            for channel in 0..channels {
                let level = rng.random_range(0..230);
                for y in top..=bottom {
                    for x in left..=right {
                        pixels[(y * width + x) * channels + channel] = level;
                    }
                }
            }
        }
        pixels
            .iter_mut()
            .for_each(|pixel| *pixel = pixel.saturating_add(rng.random_range(0..25)));
        pixels
    };
    (0..count).map(|_| frame()).collect()
}

/// Channels, height and width of a file's pictures.
fn pictures_of(onnx: &[u8]) -> [i64; 3] {
    input_shape(onnx).unwrap().map(|side| side as i64)
}

fn options() -> ConvertOptions {
    ConvertOptions {
        normalization: Some(NORMALIZATION),
        ..ConvertOptions::default()
    }
}

/// Converts a file; its layers must agree with tract, its image with its layers.
fn check(file: &File) -> Report {
    check_with(file, NORMALIZATION)
}

fn check_with(file: &File, normalization: Normalization) -> Report {
    let bytes = file.bytes();
    let frames = frames(&pictures_of(&bytes), 32);
    let float = FloatModel::new(&bytes, Some(normalization)).unwrap();
    let exact = float.embed(&frames).unwrap();

    let (signature, model) = Signature::read(&bytes).unwrap();
    let mut network = read::read(&signature, &model).unwrap();
    simplify::simplify(&mut network).unwrap();
    let table = lut(&network, normalization);
    let contrast = normalization.contrast;
    let pictures = pictures(&network, &signature, &frames, &table, contrast).unwrap();
    let evaluator = evaluate::Evaluator::new(&network);
    for (picture, exact) in pictures.into_iter().zip(&exact) {
        let embedding = evaluator.run(picture).pop().unwrap();
        assert_eq!(embedding.len(), exact.len());
        for (got, exact) in embedding.iter().zip(exact) {
            assert!(
                (got - exact).abs() < 1e-4 * exact.abs().max(1.0),
                "{got} {exact}"
            );
        }
    }

    let options = ConvertOptions {
        normalization: Some(normalization),
        ..options()
    };
    let converted = convert(&bytes, &frames, &options).unwrap();
    let image = QuantizedModel::new(&converted.image).unwrap();
    let header = *image.model().unwrap().header();
    let quantization = Quantization {
        scale: header.output_scale.into(),
        zero_point: header.output_zero_point,
    };
    let error = quality::relative_error(&exact, &image.embed(&frames).unwrap(), quantization);
    assert!(error < 0.04, "int8 adds {error} to {}", converted.report);
    assert!(
        (error - converted.report.relative_error).abs() < 1e-3,
        "{error} {}",
        converted.report
    );
    converted.report
}

#[test]
fn pictures_are_brought_to_one_contrast_in_float_and_int8() {
    let normalization = Normalization {
        contrast: 40,
        ..NORMALIZATION
    };
    for channels in [1, 3] {
        let mut file = File::new(channels, 12, 12);
        file.conv([8, channels, 3, 3], vec![])
            .node("Relu", &[], vec![]);
        file.node("GlobalAveragePool", &[], vec![]);
        check_with(&file, normalization);

        // Half the contrast under another lamp.
        let options = ConvertOptions {
            normalization: Some(normalization),
            ..options()
        };
        let frames = frames(&file.shape, 8);
        let converted = convert(&file.bytes(), &frames, &options).unwrap();
        let image = QuantizedModel::new(&converted.image).unwrap();
        let fainter: Vec<Vec<u8>> = frames
            .iter()
            .map(|frame| frame.iter().map(|level| 60 + level / 2).collect())
            .collect();
        let (full, faint) = (
            image.embed(&frames).unwrap(),
            image.embed(&fainter).unwrap(),
        );
        let spread = |a: &[Vec<i8>], b: &[Vec<i8>]| {
            let pairs = a.concat().into_iter().zip(b.concat());
            pairs.map(|(a, b)| u32::from(a.abs_diff(b))).sum::<u32>()
        };
        let (same, other) = (spread(&full, &faint), spread(&full[..4], &full[4..]));
        assert!(
            10 * same < 2 * other,
            "{channels} channels: {same} of {other}"
        );
    }
}

fn kinds(report: &Report) -> Vec<&str> {
    report
        .layers
        .iter()
        .map(|layer| layer.kind.as_str())
        .collect()
}

/// The error of a file that can not be converted.
fn refuse(file: &File) -> String {
    let bytes = file.bytes();
    convert(&bytes, &frames(&pictures_of(&bytes), 8), &options())
        .unwrap_err()
        .to_string()
}

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

/// A vector of 12 values, none of them the mean of its pixels' levels.
fn vector() -> File {
    let mut file = File::new(1, 8, 8);
    file.conv([12, 1, 3, 3], vec![])
        .node("Relu", &[], vec![])
        .node("GlobalAveragePool", &[], vec![])
        .node("Flatten", &[], vec![]);
    file
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

/// Adds a batch normalisation with random parameters.
fn batch_normalization(file: &mut File, channels: i64) {
    let index = file.nodes.len();
    let names = ["gamma", "beta", "mean", "variance"].map(|name| format!("{name}{index}"));
    file.random(&names[0], &[channels], 0.5, 1.5)
        .random(&names[1], &[channels], -0.5, 0.5);
    file.random(&names[2], &[channels], -0.5, 0.5)
        .random(&names[3], &[channels], 0.3, 2.0);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    file.node("BatchNormalization", &names, vec![float("epsilon", 1e-3)]);
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

#[test]
fn constants_as_nodes() {
    let mut file = File::new(1, 6, 6);
    file.conv([4, 1, 3, 3], vec![]);
    let conv = file.last();
    let r#type = AttributeType::Float as i32;
    let value = AttributeProto {
        name: "value_float".to_owned(),
        r#type,
        f: 0.5,
        ..Default::default()
    };
    file.node_of("Constant", &[], vec![value]);
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

#[test]
fn what_can_not_be_converted_is_named() {
    let conv = |attributes| {
        let mut file = File::new(1, 8, 8);
        file.conv([4, 1, 3, 3], attributes);
        file
    };
    let cases: Vec<(File, &str)> = vec![
        (
            {
                let mut file = conv(vec![]);
                file.node("HardSwish", &[], vec![]);
                file
            },
            "node `HardSwish_1` is HardSwish, which is not supported",
        ),
        (
            {
                let mut file = conv(vec![]);
                file.random("m", &[6, 2], 0.0, 1.0)
                    .node("MatMul", &["m"], vec![]);
                file
            },
            "node `MatMul_1` (MatMul): input 0 has the shape [N, 4, 6, 6]: rank 2",
        ),
        (
            conv(vec![ints("pads", &[3, 1, 1, 1])]),
            "node `Conv_0` (Conv): pads",
        ),
        (conv(vec![ints("strides", &[0, 1])]), "strides is [0, 1]"),
        (
            conv(vec![ints("strides", &[1, 1, 1])]),
            "only 2-D is supported",
        ),
        (conv(vec![int("group", 3)]), "in 3 groups do not fit"),
        (
            {
                let mut file = conv(vec![]);
                file.constants[0].float_data[4] = f32::NAN;
                file
            },
            "node `Conv_0` has a weight that is NaN",
        ),
        (
            {
                let mut file = conv(vec![]);
                file.constants[0].float_data.pop();
                file
            },
            "tensor `w0`: 35 values for the shape [4, 1, 3, 3]",
        ),
        (
            {
                let mut file = conv(vec![]);
                file.constants[0].data_type = DataType::Float16 as i32;
                file
            },
            "tensor `w0`: its values are float16",
        ),
        (
            {
                let mut file = conv(vec![]);
                file.node_of("Add", &["Conv_0_out", "x"], vec![]);
                file
            },
            "it adds [N, 4, 6, 6] and [N, 1, 8, 8]",
        ),
        (
            {
                let mut file = File::new(1, 8, 8);
                file.node("MaxPool", &[], vec![ints("kernel_shape", &[9, 2])]);
                file
            },
            "its window of 9x2 is larger than its padded input of 8x8x1",
        ),
        (
            {
                let mut file = conv(vec![]);
                file.node_of("Relu", &["nothing"], vec![]);
                file
            },
            "reads `nothing`, which nothing before it computes",
        ),
        (
            {
                let mut file = File::new(1, 8, 8);
                file.node("Identity", &[], vec![]);
                file
            },
            "is not computed from the picture",
        ),
    ];
    for (file, needed) in cases {
        let error = refuse(&file);
        assert!(error.contains(needed), "{error}\nlacks\n{needed}");
    }
}

#[test]
fn limits_of_the_board_hold() {
    let mut file = File::new(1, 16, 16);
    file.conv([8, 1, 3, 3], vec![])
        .node("GlobalAveragePool", &[], vec![]);
    let frames = frames(&file.shape, 8);
    let with = |ram_limit, flash_limit| {
        convert(
            &file.bytes(),
            &frames,
            &ConvertOptions {
                ram_limit,
                flash_limit,
                ..options()
            },
        )
    };
    let report = with(None, None).unwrap().report;
    assert!(with(Some(report.arena_bytes), Some(report.image_bytes)).is_ok());
    let error = with(Some(report.arena_bytes - 1), None).unwrap_err();
    assert!(
        matches!(&error, ConvertError::Ram { node, .. } if node == "Conv_0"),
        "{error}"
    );
    let error = with(None, Some(report.image_bytes - 1)).unwrap_err();
    assert!(matches!(error, ConvertError::Flash { .. }), "{error}");
    let error = convert(&file.bytes(), &frames[..3], &options()).unwrap_err();
    assert!(
        matches!(error, ConvertError::TooFewFrames { got: 3, .. }),
        "{error}"
    );
    let short = vec![vec![0_u8; 255]; 8];
    let error = convert(&file.bytes(), &short, &options()).unwrap_err();
    assert!(
        matches!(
            error,
            ConvertError::Frame {
                index: 0,
                got: 255,
                needed: 256
            }
        ),
        "{error}"
    );
    let error = convert(&file.bytes(), &frames, &ConvertOptions::default()).unwrap_err();
    assert!(matches!(error, ConvertError::Normalization(_)), "{error}");
}

#[test]
fn values_beyond_float32_and_wrong_normalisation_are_refused() {
    let mut file = File::new(1, 8, 8);
    file.conv([4, 1, 3, 3], vec![])
        .floats("huge", &[], vec![3e38]);
    file.node("Mul", &["huge"], vec![])
        .node("Relu", &[], vec![]);
    file.conv([4, 4, 3, 3], vec![])
        .node("Mul", &["huge"], vec![]);
    assert!(refuse(&file).contains("node `Conv_"), "{}", refuse(&file));
    let mut file = File::new(1, 8, 8);
    file.conv([4, 1, 3, 3], vec![]);
    for (mean, std) in [(0.5, 0.0), (f32::NAN, 1.0), (0.0, f32::INFINITY)] {
        let options = ConvertOptions {
            normalization: Some(Normalization::new(mean, std)),
            ..ConvertOptions::default()
        };
        let error = convert(&file.bytes(), &frames(&file.shape, 8), &options).unwrap_err();
        assert!(matches!(error, ConvertError::Normalization(_)), "{error}");
    }
}

#[test]
fn the_image_carries_its_name_origin_and_self_test() {
    let mut file = File::new(1, 8, 8);
    file.conv([4, 1, 3, 3], vec![]);
    let frames = frames(&file.shape, 16);
    let name = Some("a name of more than thirty-two bytes".to_owned());
    let options = ConvertOptions { name, ..options() };
    let converted = convert(&file.bytes(), &frames, &options).unwrap();
    assert_eq!(
        converted,
        convert(&file.bytes(), &frames, &options).unwrap()
    );
    let quantized = QuantizedModel::new(&converted.image).unwrap();
    let model = quantized.model().unwrap();
    assert_eq!(model.name(), "a name of more than thirty-two b");
    assert!(model.hash_matches());
    let metadata: serde_json::Value = serde_json::from_str(model.metadata()).unwrap();
    assert_eq!(metadata["mean"].as_f64().map(|mean| mean as f32), Some(0.4));
    assert_eq!(metadata["calibration_frames"], 16);
    let golden = model.golden().unwrap();
    assert_eq!(golden.frame, frames[0]);
    assert_eq!(golden.embedding, quantized.embed(&frames[..1]).unwrap()[0]);
    assert_eq!(converted.report.arena_bytes, model.arena_len());
    assert_eq!(converted.report.macs, model.macs());
}

#[test]
fn no_damaged_file_makes_it_panic() {
    let mut file = File::new(1, 8, 8);
    file.conv([4, 1, 3, 3], vec![ints("pads", &[1, 1, 1, 1])])
        .node("Relu", &[], vec![]);
    batch_normalization(&mut file, 4);
    file.node(
        "MaxPool",
        &[],
        vec![ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2])],
    );
    file.node("Flatten", &[], vec![])
        .random("m", &[64, 5], -1.0, 1.0);
    file.node("MatMul", &["m"], vec![]);
    let bytes = file.bytes();
    let frames = frames(&file.shape, 8);
    let options = ConvertOptions {
        ram_limit: Some(1 << 16),
        ..options()
    };
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let mut refused = 0;
    for _ in 0..400 {
        let mut bytes = bytes.clone();
        for _ in 0..rng.random_range(1..4) {
            let index = rng.random_range(0..bytes.len());
            bytes[index] ^= 1 << rng.random_range(0..8);
        }
        refused += usize::from(convert(&bytes, &frames, &options).is_err());
    }
    for length in 0..bytes.len() {
        refused += usize::from(convert(&bytes[..length], &frames, &options).is_err());
    }
    assert!(refused > bytes.len(), "{refused}");
}

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
