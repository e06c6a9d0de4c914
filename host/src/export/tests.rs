//! Whole networks through every step: written, read by others, quantised, run by the engine.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{
    Metadata,
    convert::{ConvertOptions, convert},
    float::{FloatError, FloatModel},
    onnx,
    quantized::QuantizedModel,
    runtime::RuntimeError,
    verify::{VerifyError, verify},
    whiten::{strip, whiten},
};
use crate::meta::Embeddings;
use crate::nets::{
    graph::{Graph, Node, Normalization, Op},
    reference,
};

#[test]
fn a_written_chain_reads_back_and_another_is_refused() {
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
    };
    let bytes = onnx::write(&graph, &Metadata::default()).unwrap();
    assert_eq!(onnx::read(&bytes).unwrap(), graph);
    assert!(onnx::read(&bytes[..bytes.len() / 2]).is_err());
    graph.nodes[3] = Node {
        op: Op::Add,
        inputs: vec![3, 2],
    };
    let bytes = onnx::write(&graph, &Metadata::default());
    assert!(bytes.is_err() || onnx::read(&bytes.unwrap()).is_err());
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
    };
    let bytes = onnx::write(&graph, &Metadata::default()).unwrap();
    let frames = frames(24, 64);
    let plain = FloatModel::new(&bytes, None)
        .unwrap()
        .embed(&frames)
        .unwrap();
    let embeddings = Embeddings::new(8, &[8; 8], plain.concat());
    let white = whiten(&bytes, std::slice::from_ref(&embeddings), 0.5, "noise").unwrap();
    let error = whiten(&white, std::slice::from_ref(&embeddings), 0.5, "noise").unwrap_err();
    assert!(
        error.to_string().contains("noise, shrinkage 0.5"),
        "{error}"
    );
    assert_eq!(onnx::read(&white).unwrap(), graph);
    assert!(strip(&white).unwrap() == bytes && strip(&bytes).unwrap() == bytes);

    let float = FloatModel::new(&white, None)
        .unwrap()
        .embed(&frames)
        .unwrap();
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
    for (float, int8) in float.iter().zip(image.embed(&frames).unwrap()) {
        let length = |values: &[f32]| values.iter().map(|v| v * v).sum::<f32>().sqrt();
        assert!((length(float) - 1.0).abs() < 1e-5);
        let int8: Vec<f32> = int8
            .into_iter()
            .map(|value| (i32::from(value) - zero_point) as f32 * scale)
            .collect();
        assert!((length(&int8) - 1.0).abs() < 0.02, "{}", length(&int8));
    }
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
