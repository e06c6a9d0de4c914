//! A network that can be trained on, out of one whose batch norm was folded into its convolutions.

use burn::tensor::{Device, Tensor, TensorData};

use super::block::{BlockWeights, Statistics};
use super::graph::{Graph, Node, Op};
use super::network::{Architecture, Plan, Weights};
use super::shape::EPSILON;

/// Takes a folded network apart again: its plan, weights and batch norm statistics. `pictures`,
/// `[n, height, width, 1]` and normalised, are what the statistics are taken from: as many as
/// possible of the kind that the network was trained on. The network's function stays the same.
///
/// `None` if the graph is none of the [`Architecture`]s.
pub fn unfuse_batch_norm(
    graph: &Graph,
    pictures: &Tensor<4>,
) -> Option<(Plan, Weights, Vec<Statistics>)> {
    let convolutions: Vec<_> = graph.nodes.iter().filter_map(convolution).collect();
    let channels = convolutions.first()?.2;
    let size = (graph.input[1], graph.input[2]);
    let plan = [
        Architecture::Conv4 { channels },
        Architecture::Conv5 { channels },
        Architecture::Separable { channels },
        Architecture::Residual { channels },
        Architecture::Lite { channels },
    ]
    .into_iter()
    .filter_map(|architecture| Plan::with_channels(architecture, size, graph.input[0]).ok())
    .find(|plan| same_shape(graph, plan))?;
    let device = pictures.device();
    let blocks = plan.blocks.iter().zip(&convolutions);
    let mut weights: Vec<BlockWeights> = blocks
        .map(|(s, (weight, bias, _))| {
            let [rows, outputs] = s.weight_shape();
            let inputs = rows / s.taps();
            let mut ours = vec![0.0; weight.len()];
            for tap in 0..s.taps() {
                for i in 0..inputs {
                    for o in 0..outputs {
                        ours[(tap * inputs + i) * outputs + o] =
                            weight[(o * inputs + i) * s.taps() + tap];
                    }
                }
            }
            BlockWeights {
                weight: matrix(ours, [rows, outputs], &device),
                gamma: Tensor::ones([1, outputs], &device),
                beta: matrix(bias.to_vec(), [1, outputs], &device),
            }
        })
        .collect();
    // Block by block: with gamma = deviation and beta = bias + mean, `(y - mean) / deviation * gamma
    // + beta` is `y + bias`, what the folded convolution gives.
    let mut all = Vec::new();
    for i in 0..weights.len() {
        let (_, statistics) = plan.embed(&Weights(weights.clone()), pictures.clone());
        let s = statistics.into_iter().nth(i)?;
        weights[i].gamma = (s.variance.clone() + EPSILON).sqrt();
        weights[i].beta = weights[i].beta.clone() + s.mean.clone();
        all.push(s);
    }
    Some((plan, Weights(weights), all))
}

/// Whether `graph` is a folded network of this plan: every step the same but for its numbers.
fn same_shape(graph: &Graph, plan: &Plan) -> bool {
    let device = Device::flex();
    let weights = plan.init(0, &device);
    let identity = plan.blocks.iter().map(|b| Statistics {
        mean: Tensor::zeros([1, b.outputs], &device),
        variance: Tensor::ones([1, b.outputs], &device),
    });
    let statistics: Vec<Statistics> = identity.collect();
    let own = plan.fold(&weights, &statistics, graph.normalization);
    let blank = |node: &Node| match node.op.clone() {
        Op::Conv {
            weight,
            bias,
            out,
            kernel,
            stride,
            padding,
            groups,
        } => (
            vec![weight.len(), bias.len(), out, kernel, stride, groups],
            Op::Conv {
                weight: Vec::new(),
                bias: Vec::new(),
                out,
                kernel,
                stride,
                padding,
                groups,
            },
        ),
        op => (Vec::new(), op),
    };
    graph
        .nodes
        .iter()
        .map(blank)
        .eq(own.nodes.iter().map(blank))
}

/// Weight, bias and number of outputs.
fn convolution(node: &Node) -> Option<(&[f32], &[f32], usize)> {
    match &node.op {
        Op::Conv {
            weight, bias, out, ..
        } => Some((weight, bias, *out)),
        _ => None,
    }
}

fn matrix(data: Vec<f32>, shape: [usize; 2], device: &Device) -> Tensor<2> {
    Tensor::from_data(TensorData::new(data, shape), device)
}

#[cfg(test)]
mod tests {
    use burn::tensor::Distribution;

    use super::super::graph::Normalization;
    use super::*;

    #[test]
    fn an_unfused_network_is_the_same_function() {
        let device = Device::flex();
        for architecture in [
            Architecture::Conv4 { channels: 6 },
            Architecture::Conv5 { channels: 5 },
            Architecture::Separable { channels: 4 },
            Architecture::Residual { channels: 2 },
            Architecture::Lite { channels: 4 },
        ] {
            let plan = Plan::new(architecture, (32, 36)).unwrap();
            let x = Tensor::<4>::random([30, 32, 36, 1], Distribution::Default, &device);
            let start = plan.init(1, &device).map(|w| w * 1.3 + 0.05);
            let (_, stats) = plan.embed(&start, x.clone());
            let normalization = Normalization::new(0.0, 1.0);
            let graph = plan.fold(&start, &stats, normalization);
            let other = Tensor::<4>::random([16, 32, 36, 1], Distribution::Default, &device);
            let (again, weights, unfused) = unfuse_batch_norm(&graph, &other).unwrap();
            assert_eq!(again, plan);
            let numbers = |t: Tensor<2>| -> Vec<f32> { t.into_data().try_to_vec().unwrap() };
            let a = numbers(plan.embed_fixed(&start, &stats, x.clone()));
            let b = numbers(plan.embed_fixed(&weights, &unfused, x.clone()));
            let largest = a.iter().fold(0f32, |m, v| m.max(v.abs()));
            for (a, b) in a.iter().zip(&b) {
                assert!((a - b).abs() < 1e-4 * largest, "{a} {b}");
            }
            // Its statistics are those of the pictures that it was given.
            let c = numbers(plan.embed_fixed(&weights, &unfused, other.clone()));
            let d = numbers(plan.embed(&weights, other).0);
            for (c, d) in c.iter().zip(&d) {
                assert!((c - d).abs() < 1e-3 * largest, "{c} {d}");
            }
        }
    }
}
