//! Layers that none of the networks on which engines are compared has: few channels, few pixels, large
//! windows.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sudal::device::{self, Machine};
use sudal::export::convert::{ConvertOptions, convert};
use sudal::export::{Metadata, onnx};
use sudal::nets::graph::{Graph, Node, Normalization, Op};

/// Channels out, side of the window, step, whether each channel is by itself, and the most instructions that
/// a product may take on cores with DSP instructions and with Helium.
const LAYERS: [(usize, usize, usize, bool, [f64; 2]); 11] = [
    (3, 1, 1, false, [23.0, 23.0]),
    (8, 1, 1, false, [5.5, 6.0]),
    (8, 5, 1, true, [2.0, 1.1]),
    (16, 1, 1, false, [1.9, 1.0]),
    (16, 7, 1, true, [1.5, 1.0]),
    (16, 5, 2, true, [2.9, 1.4]),
    (32, 1, 1, false, [1.4, 0.5]),
    (32, 7, 2, true, [1.6, 1.0]),
    (32, 3, 2, true, [4.0, 1.9]),
    (32, 3, 2, true, [6.7, 2.6]),
    (64, 1, 1, false, [1.3, 0.4]),
];
const SIDE: usize = 48;

/// A network of these layers, one after the other.
fn image() -> Vec<u8> {
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let mut nodes: Vec<Node> = Vec::new();
    let mut from = 1;
    let then = |nodes: &mut Vec<Node>, op| {
        let inputs = vec![nodes.len()];
        nodes.push(Node { op, inputs });
    };
    for (out, kernel, stride, depthwise, _) in LAYERS {
        let groups = if depthwise { from } else { 1 };
        let taps = from / groups * kernel * kernel;
        let limit = (6.0 / taps as f32).sqrt();
        let mut draw = |count: usize, limit: f32| {
            (0..count)
                .map(|_| random.random_range(-limit..limit))
                .collect()
        };
        let op = Op::Conv {
            weight: draw(out * taps, limit),
            bias: draw(out, 0.1),
            out,
            kernel,
            stride,
            padding: [kernel / 2; 4],
            groups,
        };
        then(&mut nodes, op);
        then(&mut nodes, Op::Relu);
        from = out;
    }
    then(&mut nodes, Op::GlobalAveragePool);
    then(&mut nodes, Op::Flatten);
    let graph = Graph {
        input: [1, SIDE, SIDE],
        normalization: Normalization::new(0.5, 0.29),
        nodes,
        taps: Vec::new(),
    };
    let onnx = onnx::write(&graph, &Metadata::new("layers", "random", "none", 5)).unwrap();
    let pictures: Vec<Vec<u8>> = (0..32)
        .map(|_| (0..SIDE * SIDE).map(|_| random.random()).collect())
        .collect();
    let options = ConvertOptions {
        noise_limit: Some(f64::INFINITY),
        ..ConvertOptions::default()
    };
    convert(&onnx, &pictures, &options).unwrap().image
}

/// Profiling compares each with what this computer gives.
#[test]
fn few_channels_few_pixels_and_large_windows_take_few_instructions() {
    let image = image();
    for machine in Machine::ALL {
        let profile =
            device::profile(&image, machine, &mut |_| ()).unwrap_or_else(|error| panic!("{error}"));
        println!("{profile}");
        for (layer, (.., most)) in profile.layers.iter().zip(LAYERS) {
            let most = match machine {
                Machine::An547 => most[1],
                _ => most[0],
            };
            let each = layer.instructions as f64 / layer.macs as f64;
            assert!(each <= most, "{} {layer:?}", machine.name());
        }
    }
}
