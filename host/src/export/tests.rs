//! Whole networks through every step: written, read by others, quantised, run by the engine.

use burn::tensor::{Device, Tensor, TensorData};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{
    Metadata,
    convert::{ConvertOptions, convert, tests::networks::off},
    float::{FloatError, FloatModel},
    onnx,
    patches::{self, Moments, PatchesError, Taps, add_patches},
    runtime::RuntimeError,
    verify::{VerifyError, verify},
    whiten::{Length, WhitenError, strip, whiten},
};
use crate::engine::QuantizedModel;
use crate::measure::Embeddings;
use crate::nets::{
    graph::{Graph, Node, Normalization, Op},
    network::{Architecture, Averaged, Plan},
    reference,
};

mod taps;

#[test]
fn a_written_network_reads_back_and_another_is_refused() {
    let mut b = Builder::new();
    b.conv(8, 3, 2, false);
    b.push(Op::Relu);
    b.conv(8, 3, 1, true);
    b.push(Op::MaxPool { size: 2 });
    b.push(Op::GlobalAveragePool);
    b.push(Op::Flatten);
    let mut graph = Graph {
        input: [1, 20, 24],
        normalization: Normalization::new(0.1, 0.5),
        nodes: b.nodes,
        taps: Vec::new(),
    };
    let bytes = onnx::write(&graph, &Metadata::default()).unwrap();
    assert_eq!(onnx::read(&bytes).unwrap(), graph);
    assert!(onnx::read(&bytes[..bytes.len() / 2]).is_err());
    graph.nodes.insert(
        3,
        Node {
            op: Op::Add,
            inputs: vec![3, 2],
        },
    );
    for (index, node) in graph.nodes.iter_mut().enumerate().skip(4) {
        node.inputs = vec![index];
    }
    let bytes = onnx::write(&graph, &Metadata::default()).unwrap();
    assert_eq!(onnx::read(&bytes).unwrap(), graph);
    graph.nodes.push(Node {
        op: Op::Linear {
            weight: vec![1.0; 8],
            bias: vec![0.0],
            out: 1,
        },
        inputs: vec![graph.nodes.len()],
    });
    let bytes = onnx::write(&graph, &Metadata::default()).unwrap();
    assert!(onnx::read(&bytes).is_err());
}

#[test]
fn a_whitened_network_gives_unit_vectors_everywhere_and_reads_back_without() {
    let mut b = Builder::new();
    b.conv(8, 3, 2, false);
    b.push(Op::Relu);
    b.push(Op::GlobalAveragePool);
    b.push(Op::Flatten);
    let graph = Graph {
        input: [1, 24, 24],
        normalization: Normalization::new(0.1, 0.5),
        nodes: b.nodes,
        taps: Vec::new(),
    };
    let bytes = onnx::write(&graph, &Metadata::default()).unwrap();
    let frames = frames(24, 64);
    let plain = FloatModel::new(&bytes, None)
        .unwrap()
        .embed(&frames)
        .unwrap();
    let embeddings = Embeddings::new(8, &[8; 8], plain.concat());
    let white = whitened(&bytes, &embeddings, Length::Unit).unwrap();
    let error = whitened(&white, &embeddings, Length::Unit).unwrap_err();
    assert!(
        error.to_string().contains("noise, shrinkage 0.5"),
        "{error}"
    );
    assert_eq!(onnx::read(&white).unwrap(), graph);
    assert!(strip(&white).unwrap() == bytes && strip(&bytes).unwrap() == bytes);
    let long = whitened(&bytes, &embeddings, Length::Kept).unwrap();
    assert!(strip(&long).unwrap() == bytes);
    let long = FloatModel::new(&long, None).unwrap();
    let long = long.embed(&frames).unwrap();
    let length = |values: &[f32]| values.iter().map(|v| v * v).sum::<f32>().sqrt();

    let float = FloatModel::new(&white, None)
        .unwrap()
        .embed(&frames)
        .unwrap();
    for (float, long) in float.iter().zip(&long) {
        assert!((length(float) - 1.0).abs() < 1e-5);
        for (float, own) in float.iter().zip(long) {
            assert!((own / length(long) - float).abs() < 1e-4, "{own} {float}");
        }
    }
    let lengths = long.iter().map(|long| length(long));
    assert!(lengths.clone().fold(0.0, f32::max) > 1.1 * lengths.fold(f32::MAX, f32::min));
    // What hardly scatters is rounded first and stretched then: this costs more than elsewhere.
    let converted = convert(&white, &frames, &ConvertOptions::default()).unwrap();
    assert!(
        converted.report.relative_error < 0.2,
        "{}",
        converted.report
    );
    let image = QuantizedModel::new(&converted.image).unwrap();
    let (scale, zero_point) = {
        let model = image.model().unwrap();
        let header = model.header();
        (header.output_scale, header.output_zero_point)
    };
    for int8 in image.embed(&frames).unwrap() {
        let int8: Vec<f32> = int8
            .into_iter()
            .map(|value| (i32::from(value) - zero_point) as f32 * scale)
            .collect();
        assert!((length(&int8) - 1.0).abs() < 0.02, "{}", length(&int8));
    }
}

fn whitened(bytes: &[u8], embeddings: &Embeddings, length: Length) -> Result<Vec<u8>, WhitenError> {
    whiten(
        bytes,
        std::slice::from_ref(embeddings),
        0.5,
        length,
        "noise",
    )
}

/// Nodes with random weights, scaled so that activations keep their size.
struct Builder {
    nodes: Vec<Node>,
    channels: usize,
    rng: ChaCha8Rng,
}

impl Builder {
    fn new() -> Self {
        Self {
            nodes: vec![],
            channels: 1,
            rng: ChaCha8Rng::seed_from_u64(42),
        }
    }

    fn push(&mut self, op: Op) -> usize {
        self.nodes.push(Node {
            op,
            inputs: vec![self.nodes.len()],
        });
        self.nodes.len()
    }

    fn random(&mut self, count: usize, limit: f32) -> Vec<f32> {
        (0..count)
            .map(|_| self.rng.random_range(-limit..limit))
            .collect()
    }

    fn conv(&mut self, out: usize, kernel: usize, stride: usize, depthwise: bool) {
        let groups = if depthwise { self.channels } else { 1 };
        let taps = self.channels / groups * kernel * kernel;
        let weight = self.random(out * taps, (6.0 / taps as f32).sqrt());
        let bias = self.random(out, 0.1);
        let padding = [kernel / 2; 4];
        self.push(Op::Conv {
            weight,
            bias,
            out,
            kernel,
            stride,
            padding,
            groups,
        });
        self.push(Op::Relu);
        self.channels = out;
    }

    fn graph(self, side: usize) -> Graph {
        let normalization = Normalization::new(0.1, 0.3);
        Graph {
            input: [1, side, side],
            normalization,
            nodes: self.nodes,
            taps: Vec::new(),
        }
    }
}

/// Four blocks of convolution, ReLU and pool.
fn conv4(channels: usize) -> Graph {
    let mut builder = Builder::new();
    for _ in 0..4 {
        builder.conv(channels, 3, 1, false);
        builder.push(Op::MaxPool { size: 2 });
    }
    builder.push(Op::Flatten);
    builder.graph(28)
}

/// Depthwise-separable blocks with a residual, a global mean and a fully connected layer.
fn separable() -> Graph {
    let mut builder = Builder::new();
    builder.conv(16, 3, 2, false);
    let shortcut = builder.nodes.len();
    builder.conv(16, 3, 1, true);
    builder.conv(16, 1, 1, false);
    let last = builder.nodes.len();
    builder.nodes.push(Node {
        op: Op::Add,
        inputs: vec![shortcut, last],
    });
    builder.conv(16, 3, 2, true);
    builder.conv(32, 1, 1, false);
    builder.push(Op::GlobalAveragePool);
    builder.push(Op::Flatten);
    let weight = builder.random(32 * 24, 0.3);
    let bias = builder.random(24, 0.3);
    builder.push(Op::Linear {
        weight,
        bias,
        out: 24,
    });
    builder.graph(32)
}

/// Strokes on a dark ground.
fn frames(side: usize, count: usize) -> Vec<Vec<u8>> {
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    let mut frame = || {
        let mut pixels = vec![0_u8; side * side];
        let (mut y, mut x) = (rng.random_range(4..side - 4), rng.random_range(4..side - 4));
        for _ in 0..3 * side {
            for (dy, dx) in [(0, 0), (0, 1), (1, 0)] {
                pixels[(y + dy) * side + x + dx] = rng.random_range(180..=255);
            }
            y = (y + rng.random_range(0..3)).clamp(1, side - 2) - usize::from(y > 1);
            x = (x + rng.random_range(0..3)).clamp(1, side - 2) - usize::from(x > 1);
        }
        pixels
    };
    (0..count).map(|_| frame()).collect()
}

fn metadata() -> Metadata {
    Metadata::new("conv4", "omniglot", "vinyals/train", 3)
}

#[test]
fn tract_reads_what_was_written() {
    for (graph, side, length) in [(conv4(16), 28, 16), (separable(), 32, 24)] {
        let bytes = onnx::write(&graph, &metadata()).unwrap();
        let model = FloatModel::new(&bytes, None).unwrap();
        assert_eq!(model.metadata(), &metadata());
        assert_eq!(model.normalization(), graph.normalization);
        assert_eq!((model.shape(), model.length()), ([1, side, side], length));
        let frames = frames(side, 8);
        let Normalization { mean, std, .. } = graph.normalization;
        let pictures: Vec<f32> = frames
            .concat()
            .iter()
            .map(|&pixel| (f32::from(pixel) / 255.0 - mean) / std)
            .collect();
        let exact = reference::embed(&graph, &pictures).unwrap();
        let got = model.embed(&frames).unwrap().concat();
        assert_eq!(exact.len(), got.len());
        for (exact, got) in exact.iter().zip(got) {
            assert!((exact - got).abs() < 1e-4, "{exact} {got}");
        }
        let error = model.embed(&[vec![0_u8; 7]]).unwrap_err();
        assert!(
            matches!(
                error,
                FloatError::Frame {
                    index: 0,
                    got: 7,
                    ..
                }
            ),
            "{error}"
        );
    }
}

#[test]
fn verification_passes_the_network_itself_and_no_other() {
    let graph = separable();
    let bytes = onnx::write(&graph, &metadata()).unwrap();
    // More than one batch, the last one not full.
    let frames = frames(32, 41);
    let embed = |graph: &Graph, pictures: &[f32]| Ok(reference::embed(graph, pictures)?);
    match verify(&bytes, &frames, |pictures| embed(&graph, pictures)) {
        Err(VerifyError::Runtime(error @ RuntimeError::Missing { .. })) => {
            println!("skipped: {error}");
        }
        report => {
            let report = report.unwrap();
            println!("{report:?}");
            assert_eq!((report.frames, report.length), (41, 24));
            assert!(report.onnx_runtime < 1e-4 && report.tract < 1e-4 && report.magnitude > 0.1);
        }
    }
    let mut other = graph;
    let Op::Linear { bias, .. } = &mut other.nodes.last_mut().unwrap().op else {
        panic!()
    };
    bias[5] += 2e-4;
    let error = verify(&bytes, &frames, |pictures| embed(&other, pictures)).unwrap_err();
    assert!(
        matches!(error, VerifyError::Differs { dimension: 5, .. }),
        "{error}"
    );
    let error = verify(&bytes, &frames, |_| Err("no trainer".into())).unwrap_err();
    assert!(error.to_string().contains("no trainer"), "{error}");
    let error = verify(&bytes, &frames[..0], |_| Ok(vec![])).unwrap_err();
    assert!(matches!(error, VerifyError::NoFrames), "{error}");
    let error = verify(&bytes, &frames, |_| Ok(vec![f32::NAN; 41 * 24])).unwrap_err();
    assert!(matches!(error, VerifyError::Differs { .. }), "{error}");
}

#[test]
fn whole_networks_lose_little_as_int8() {
    // The second one's random weights make all embeddings nearly equal, so rounding weighs more.
    for (graph, side, layers, limit, agree) in [
        (conv4(32), 28, 4, 0.03, 0.9),
        (separable(), 32, 8, 0.07, 0.7),
    ] {
        let bytes = onnx::write(&graph, &metadata()).unwrap();
        let frames = frames(side, 160);
        let (calibration, fresh) = frames.split_at(64);
        let converted = convert(&bytes, calibration, &ConvertOptions::default()).unwrap();
        println!("{}", converted.report);
        assert_eq!(converted.report.layers.len(), layers);
        assert!(converted.report.relative_error < limit);

        // Nearest neighbours are what a few-shot classifier lives on.
        let float = FloatModel::new(&bytes, None).unwrap().embed(fresh).unwrap();
        let quantized = QuantizedModel::new(&converted.image).unwrap();
        let int8: Vec<Vec<f32>> = quantized
            .embed(fresh)
            .unwrap()
            .iter()
            .map(|values| values.iter().map(|&value| f32::from(value)).collect())
            .collect();
        let nearest = |all: &[Vec<f32>], index: usize| {
            let distance = |other: usize| {
                all[other]
                    .iter()
                    .zip(&all[index])
                    .map(|(a, b)| (a - b).powi(2))
                    .sum::<f32>()
            };
            let others = (0..all.len()).filter(|&other| other != index);
            others.min_by(|&a, &b| distance(a).total_cmp(&distance(b)))
        };
        let same = (0..fresh.len())
            .filter(|&i| nearest(&float, i) == nearest(&int8, i))
            .count();
        let part = same as f32 / fresh.len() as f32;
        assert!(part >= agree, "{part} of the nearest neighbours stay");
    }
}

/// The network with patches of so many channels of these values, or of the usual one.
fn with_patches(bytes: &[u8], frames: &[Vec<u8>], names: &[&str], channels: usize) -> Vec<u8> {
    let taps = Taps::find(bytes, names).unwrap();
    let mut moments = Moments::new(taps.shape()[2]);
    moments.add(&taps.model().patches(frames).unwrap());
    add_patches(bytes, &taps, &[moments], channels, "strokes").unwrap()
}

/// That the channels of maps are centred and apart from each other on the pictures that they were made
/// from.
fn are_apart(maps: &[Vec<f32>], places: usize, channels: usize) {
    let values = |channel: usize| maps.iter().flatten().skip(channel).step_by(channels);
    let count = (maps.len() * places) as f32;
    for a in 0..channels {
        let mean = values(a).sum::<f32>() / count;
        assert!(mean.abs() < 1e-3, "{mean}");
        for b in 0..a {
            let product = |(x, y): (&f32, &f32)| x * y;
            let sum = values(a).zip(values(b)).map(product).sum::<f32>() / count;
            assert!(sum.abs() < 1e-3, "{a} {b}: {sum}");
        }
    }
}

#[test]
fn patches_are_added_in_every_order_and_taken_off_again() {
    let graph = conv4(16);
    let bytes = onnx::write(&graph, &metadata()).unwrap();
    let frames = frames(28, 64);
    // Behind the first pool, the last with 12 x 12 places.
    let found = Taps::find::<&str>(&bytes, &[]).unwrap();
    assert_eq!(
        (found.text().as_str(), found.shape()),
        ("value5", [14, 14, 16])
    );
    let tapped = with_patches(&bytes, &frames, &[], 5);
    assert!(patches::strip(&tapped).unwrap() == bytes && patches::strip(&bytes).unwrap() == bytes);
    assert_eq!(onnx::read(&tapped).unwrap(), graph);

    let float = FloatModel::new(&tapped, None).unwrap();
    assert_eq!(float.patches_shape(), Some([14, 14, 5]));
    let maps = float.patches(&frames).unwrap();
    are_apart(&maps, 14 * 14, 5);
    let embeddings = Embeddings::new(16, &[8; 8], float.embed(&frames).unwrap().concat());
    let plain = FloatModel::new(&bytes, None).unwrap();
    for (with, without) in float
        .embed(&frames)
        .unwrap()
        .iter()
        .zip(plain.embed(&frames).unwrap())
    {
        assert!(with.iter().zip(without).all(|(a, b)| (a - b).abs() < 1e-5));
    }

    // Whitened before or after, it is the same network.
    let sources = std::slice::from_ref(&embeddings);
    let after = whiten(&tapped, sources, 0.5, Length::Unit, "noise").unwrap();
    let before = whiten(&bytes, sources, 0.5, Length::Unit, "noise").unwrap();
    let before = with_patches(&before, &frames, &[], 5);
    assert_eq!(onnx::read(&after).unwrap(), graph);
    assert_eq!(onnx::read(&before).unwrap(), graph);
    let image = |onnx: &[u8]| {
        convert(onnx, &frames, &ConvertOptions::default())
            .unwrap()
            .image
    };
    assert!(image(&after) == image(&before));
    assert!(strip(&after).unwrap() == tapped);

    assert_runtimes_agree(&tapped, &frames, &graph);
}

/// The patches of a file are the same in ONNX Runtime, where there is one.
fn assert_runtimes_agree<F: AsRef<[u8]> + Sync>(onnx: &[u8], frames: &[F], graph: &Graph) {
    match verify(onnx, frames, |pictures| {
        Ok(reference::embed(graph, pictures)?)
    }) {
        Err(VerifyError::Runtime(error @ RuntimeError::Missing { .. })) => {
            println!("skipped: {error}");
        }
        report => {
            let patches = report.unwrap().patches;
            assert!(
                patches.is_some_and(|difference| difference < 1e-4),
                "{patches:?}"
            );
        }
    }
}

#[test]
fn what_can_not_be_tapped_is_refused_with_the_reason() {
    let bytes = onnx::write(&conv4(16), &metadata()).unwrap();
    let frames = frames(28, 16);
    let named = |bytes: &[u8], name: Option<&str>| {
        let names = name.as_slice();
        Taps::find(bytes, names).err().unwrap()
    };
    for name in ["value99", "embedding", "image"] {
        let error = named(&bytes, Some(name));
        assert!(
            error
                .to_string()
                .contains("there are value1, value2, value3"),
            "{error}"
        );
    }
    let small = onnx::write(&separable(), &metadata()).unwrap();
    assert_eq!(
        Taps::find(&small, &["value7"]).unwrap().shape(),
        [16, 16, 16]
    );
    let mut builder = Builder::new();
    builder.conv(4, 3, 2, false);
    builder.push(Op::Flatten);
    let tiny = onnx::write(&builder.graph(20), &metadata()).unwrap();
    assert!(matches!(named(&tiny, None), PatchesError::NoTap));

    // It is not the map that is missing.
    let mut silent: tract_onnx::pb::ModelProto = prost::Message::decode(&bytes[..]).unwrap();
    silent.metadata_props.clear();
    let silent = prost::Message::encode_to_vec(&silent);
    assert!(matches!(
        named(&silent, None),
        PatchesError::Float(FloatError::NoNormalization)
    ));

    // Patches of somebody else are left alone.
    let tapped = with_patches(&bytes, &frames, &["value2"], 3);
    let mut foreign: tract_onnx::pb::ModelProto = prost::Message::decode(&tapped[..]).unwrap();
    foreign
        .metadata_props
        .retain(|entry| entry.key != "sudal.patches");
    let error = patches::strip(&prost::Message::encode_to_vec(&foreign)).unwrap_err();
    assert!(matches!(error, PatchesError::Foreign), "{error}");
}

/// The mean of each channel plus its greatest value, and a convolution around others, from the trainer to the engine.
#[test]
fn peaked_networks_and_resnet_12_come_through_the_file_and_into_int8() {
    let of = Averaged::Separable;
    come_through(Architecture::Peaked { of, channels: 8 });
    come_through(Architecture::Resnet12 { channels: 4 });
}

fn come_through(architecture: Architecture) {
    let plan = Plan::new(architecture, (64, 64)).unwrap();
    let device = Device::flex();
    let weights = plan.init(5, &device);
    let frames = frames(64, 64);
    let pixels: Vec<f32> = frames
        .concat()
        .iter()
        .map(|&p| f32::from(p) / 255.0)
        .collect();
    let pictures = Tensor::from_data(TensorData::new(pixels, [64, 64, 64, 1]), &device);
    let (_, statistics) = plan.embed(&weights, pictures.clone());
    let trained = plan.embed_fixed(&weights, &statistics, pictures);
    let trained: Vec<f32> = trained.into_data().try_to_vec().unwrap();
    let graph = plan.fold(&weights, &statistics, Normalization::new(0.0, 1.0));
    let bytes = onnx::write(&graph, &metadata()).unwrap();
    let read = onnx::read(&bytes).unwrap();
    assert_eq!(read.nodes, graph.nodes);
    let float = FloatModel::new(&bytes, None)
        .unwrap()
        .embed(&frames)
        .unwrap()
        .concat();
    assert_eq!(float.len(), trained.len());
    for (trained, float) in trained.iter().zip(&float) {
        assert!((trained - float).abs() < 1e-3, "{trained} {float}");
    }
    let off = off(&format!("{architecture:?}"), &bytes, &frames);
    assert!(off < 1.0, "{off:.2} of what rounding costs and may");
}
