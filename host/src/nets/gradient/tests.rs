//! The second-order gradient against its definition in float64, and against burn's own operations.

use burn::tensor::{Device, TensorData};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::super::block::Activation;
use super::super::network::{Architecture, Averaged};
use super::*;

/// Pictures of a test batch.
const PICTURES: usize = 3;

fn numbers(count: usize, seed: u64) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..count).map(|_| rng.random_range(-1.0..1.0)).collect()
}

fn leaf<const D: usize>(data: &[f32], shape: [usize; D]) -> Tensor<D> {
    let device = Device::flex().autodiff();
    Tensor::from_data(TensorData::new(data.to_vec(), shape), &device).require_grad()
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_to_vec().unwrap()
}

/// A block's inputs `[x, weight, gamma, beta, gradient of the output]`.
fn inputs(s: &BlockShape) -> [Vec<f32>; 5] {
    let [rows, outputs] = s.weight_shape();
    [
        PICTURES * s.in_len(),
        rows * outputs,
        outputs,
        outputs,
        PICTURES * s.result_len(),
    ]
    .map(|count| numbers(count, 10 + count as u64))
}

/// The block's gradients by `[x, weight, gamma, beta]` as the definitions say, in float64.
fn definition(s: &BlockShape, [x, weight, gamma, beta, by]: &[Vec<f64>; 5]) -> [Vec<f64>; 4] {
    let (height, width, c) = (s.out_height(), s.out_width(), s.outputs);
    let pixels = height * width;
    let n = PICTURES * pixels;
    // Every product of the convolution: places in y, x and the weight.
    let mut products = Vec::new();
    for picture in 0..PICTURES {
        for place in 0..pixels {
            for tap in 0..s.taps() {
                let row = (place / width * s.stride + tap / s.kernel).wrapping_sub(s.padding);
                let column = (place % width * s.stride + tap % s.kernel).wrapping_sub(s.padding);
                if row >= s.height || column >= s.width {
                    continue;
                }
                let pixel = (picture * s.height + row) * s.width + column;
                for o in 0..c {
                    let y = (picture * pixels + place) * c + o;
                    let inputs = if s.depthwise { o..o + 1 } else { 0..s.inputs };
                    for i in inputs {
                        let row = if s.depthwise { tap } else { tap * s.inputs + i };
                        products.push((y, pixel * s.inputs + i, row * c + o));
                    }
                }
            }
        }
    }
    let mut y = vec![0.0; n * c];
    for &(at, i, w) in &products {
        y[at] += x[i] * weight[w];
    }
    let mut dy = vec![0.0; n * c];
    let (mut d_gamma, mut d_beta) = (vec![0.0; c], vec![0.0; c]);
    for o in 0..c {
        let of = |p: usize| y[p * c + o];
        let mean = (0..n).map(of).sum::<f64>() / n as f64;
        let variance = (0..n).map(|p| (of(p) - mean).powi(2)).sum::<f64>() / n as f64;
        let deviation = (variance + f64::from(EPSILON)).sqrt();
        let normal: Vec<f64> = (0..n).map(|p| (of(p) - mean) / deviation).collect();
        let z: Vec<f64> = normal.iter().map(|x| gamma[o] * x + beta[o]).collect();
        let mut d = vec![0.0; n];
        let (rh, rw) = s.result();
        for place in 0..PICTURES * rh * rw {
            let (picture, row, column) = (place / (rh * rw), place / rw % rh, place % rw);
            let by_side = if s.pool { 2 } else { 1 };
            let seen = (0..by_side * by_side).map(|k| {
                let (r, q) = (row * by_side + k / by_side, column * by_side + k % by_side);
                picture * pixels + r * width + q
            });
            let best = seen.max_by(|a, b| z[*a].total_cmp(&z[*b])).unwrap();
            let (low, high) = s.activation.limits();
            if z[best] > f64::from(low) && z[best] < f64::from(high) {
                d[best] += by[place * c + o];
            }
        }
        d_beta[o] = d.iter().sum::<f64>();
        d_gamma[o] = d.iter().zip(&normal).map(|(d, x)| d * x).sum::<f64>();
        for p in 0..n {
            let centred = d[p] - d_beta[o] / n as f64 - normal[p] * d_gamma[o] / n as f64;
            dy[p * c + o] = gamma[o] / deviation * centred;
        }
    }
    let (mut dx, mut dw) = (vec![0.0; x.len()], vec![0.0; weight.len()]);
    for &(at, i, w) in &products {
        dx[i] += dy[at] * weight[w];
        dw[w] += dy[at] * x[i];
    }
    [dx, dw, d_gamma, d_beta]
}

/// The gradients, and those by all five inputs of their sum weighted by fixed numbers.
fn differentiated(
    s: &BlockShape,
    inputs: &[Vec<f32>; 5],
    fused: bool,
    pictures: bool,
) -> ([Vec<f32>; 4], [Vec<f32>; 5]) {
    let [x, weight, gamma, beta, by] = inputs;
    let x = leaf(x, [PICTURES, s.height, s.width, s.inputs]);
    let weights = BlockWeights {
        weight: leaf(weight, s.weight_shape()),
        gamma: leaf(gamma, [1, s.outputs]),
        beta: leaf(beta, [1, s.outputs]),
    };
    let (height, width) = s.result();
    let by = leaf(by, [PICTURES, height, width, s.outputs]);
    let (dx, dw) = if fused {
        let (_, statistics, y) = super::fused::block(s, &weights, x.clone());
        let known = (y, statistics);
        second::block_gradient(s, &weights, x.clone(), by.clone(), known, pictures)
    } else {
        composed(s, &weights, x.clone(), by.clone(), pictures)
    };
    fn weighed<const D: usize>(t: &Tensor<D>, seed: u64) -> Tensor<1> {
        let shape = t.dims();
        let factors = numbers(shape.iter().product(), seed);
        (t.clone() * leaf(&factors, shape).detach()).sum()
    }
    let mut total = weighed(&dw.weight, 2) + weighed(&dw.gamma, 3) + weighed(&dw.beta, 4);
    if pictures {
        total = total + weighed(&dx, 1);
    }
    let grads = total.backward();
    let second = [
        values(x.grad(&grads).unwrap()),
        values(weights.weight.grad(&grads).unwrap()),
        values(weights.gamma.grad(&grads).unwrap()),
        match weights.beta.grad(&grads) {
            Some(by_beta) => values(by_beta),
            None => vec![0.0; s.outputs],
        },
        values(by.grad(&grads).unwrap()),
    ];
    let first = [
        if pictures { values(dx) } else { Vec::new() },
        values(dw.weight),
        values(dw.gamma),
        values(dw.beta),
    ];
    (first, second)
}

fn assert_close(a: &[f32], b: &[f32], what: &str) {
    assert_eq!(a.len(), b.len(), "{what}");
    let largest = b.iter().fold(1f32, |m, v| m.max(v.abs()));
    for (a, b) in a.iter().zip(b) {
        assert!((a - b).abs() < 5e-4 * largest, "{what}: {a} {b}");
    }
}

fn shapes() -> Vec<BlockShape> {
    let base = BlockShape {
        height: 7,
        width: 6,
        inputs: 2,
        outputs: 3,
        kernel: 3,
        stride: 1,
        padding: 1,
        depthwise: false,
        activation: Activation::Relu,
        pool: false,
    };
    let mut all = Vec::new();
    for depthwise in [false, true] {
        for (kernel, padding) in [(3, 1), (1, 0)] {
            for (stride, pool) in [(1, true), (1, false), (2, false), (2, true)] {
                all.push(BlockShape {
                    depthwise,
                    outputs: if depthwise { 2 } else { 3 },
                    kernel,
                    padding,
                    stride,
                    pool,
                    ..base
                });
            }
        }
    }
    all.extend(
        [Activation::Linear, Activation::Relu6].map(|activation| BlockShape { activation, ..base }),
    );
    all
}

#[test]
fn every_second_derivative_is_that_of_the_definition() {
    for s in shapes() {
        let given = inputs(&s);
        let exact = given
            .clone()
            .map(|v| v.into_iter().map(f64::from).collect());
        let expected = definition(&s, &exact);
        for pictures in [true, false] {
            let (first, second) = differentiated(&s, &given, true, pictures);
            let narrow = |v: &[f64]| v.iter().map(|v| *v as f32).collect::<Vec<f32>>();
            let skip = usize::from(!pictures);
            for i in skip..4 {
                assert_close(
                    &first[i],
                    &narrow(&expected[i]),
                    &format!("output {i} of {s:?}"),
                );
            }
            let factors: Vec<Vec<f32>> = (0..4)
                .map(|i| numbers(expected[i].len(), i as u64 + 1))
                .collect();
            let total = |inputs: &[Vec<f64>; 5]| -> f64 {
                let out = definition(&s, inputs);
                let parts = out.iter().zip(&factors).skip(skip);
                parts
                    .flat_map(|(o, f)| o.iter().zip(f))
                    .map(|(o, f)| o * f64::from(*f))
                    .sum()
            };
            for input in 0..5 {
                let difference = |at: usize| {
                    let step = 1e-6;
                    let moved = |by: f64| {
                        let mut inputs = exact.clone();
                        inputs[input][at] += by;
                        total(&inputs)
                    };
                    ((moved(step) - moved(-step)) / (2.0 * step)) as f32
                };
                let slopes: Vec<f32> = (0..given[input].len()).map(difference).collect();
                assert_close(
                    &second[input],
                    &slopes,
                    &format!("by input {input} of {s:?}"),
                );
            }
        }
    }
}

#[test]
fn fused_gradient_matches_the_composition_of_burns_operations() {
    for s in shapes() {
        let given = inputs(&s);
        for pictures in [true, false] {
            let (a1, a2) = differentiated(&s, &given, true, pictures);
            let (b1, b2) = differentiated(&s, &given, false, pictures);
            for (i, (a, b)) in a1.iter().zip(&b1).chain(a2.iter().zip(&b2)).enumerate() {
                assert_close(a, b, &format!("{i} of {s:?}"));
            }
        }
    }
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let s = BlockShape {
        height: 12,
        width: 12,
        inputs: 8,
        outputs: 16,
        kernel: 3,
        stride: 1,
        padding: 1,
        depthwise: false,
        activation: Activation::Relu,
        pool: true,
    };
    let given = inputs(&s);
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        let pool = pool.build().unwrap();
        pool.install(|| differentiated(&s, &given, true, true))
    };
    assert_eq!(on(1), on(3));
}

/// The gradient of a network's embedding is what autodiff finds, for both ends.
#[test]
fn gradient_of_a_network_is_that_of_autodiff() {
    for architecture in [
        Architecture::Conv4 { channels: 3 },
        Architecture::Separable { channels: 2 },
        Architecture::Residual { channels: 2 },
        Architecture::Lite { channels: 4 },
        Architecture::Peaked {
            of: Averaged::Separable,
            channels: 2,
        },
        Architecture::Resnet12 { channels: 2 },
    ] {
        let plan = Plan::new(architecture, (66, 64)).unwrap();
        let device = Device::flex().autodiff();
        let weights = plan.init(3, &device).map(Tensor::require_grad);
        let x = leaf(&numbers(4 * 66 * 64, 5), [4, 66, 64, 1]).detach();
        let by = leaf(&numbers(4 * plan.embedding(), 6), [4, plan.embedding()]).detach();
        let trace = plan.trace(&weights, x.clone());
        let ours = trace.gradient(&plan, &weights, by.clone());
        let (embedding, _) = plan.embed(&weights, x);
        assert_eq!(
            values(trace.embedding()),
            values(embedding.clone()),
            "{architecture:?}"
        );
        let grads = (embedding * by).sum().backward();
        for (i, (ours, weight)) in ours.tensors().zip(weights.tensors()).enumerate() {
            let expected = values(weight.grad(&grads).unwrap());
            assert_close(
                &values(ours.clone()),
                &expected,
                &format!("{i} of {architecture:?}"),
            );
        }
    }
}
