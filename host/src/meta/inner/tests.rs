//! Meta-gradients against differences of the loss.

use burn::tensor::{Device, TensorData};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::super::maml::{Inner, Maml, Order};
use super::super::meta_transfer::MetaTransfer;
use super::super::method::{Batch, Method};
use super::super::params::Params;
use super::super::reptile::Reptile;
use super::*;
use crate::nets::network::Architecture;

const WAY: usize = 4;
const SUPPORT: usize = 2;
const QUERY: usize = 3;
const SIDE: usize = 16;

fn plan() -> Plan {
    Plan::new(Architecture::Conv4 { channels: 6 }, (SIDE, SIDE)).unwrap()
}

fn tensor<const D: usize>(data: Vec<f32>, shape: [usize; D]) -> Tensor<D> {
    Tensor::from_data(TensorData::new(data, shape), &Device::flex())
}

/// Classes that are blots at different places, with noise.
fn batch(tracked: bool) -> Batch {
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    let each = SUPPORT + QUERY;
    let mut pictures = Vec::new();
    for class in 0..WAY {
        for _ in 0..each {
            for place in 0..SIDE * SIDE {
                let (row, column) = (place / SIDE, place % SIDE);
                let inside = row / 8 == class / 2 && column / 8 == class % 2;
                pictures.push(f32::from(u8::from(inside)) + rng.random_range(-0.5..0.5));
            }
        }
    }
    let pictures = tensor(pictures, [WAY * each, SIDE, SIDE, 1]);
    Batch {
        flaws: None,
        pictures: if tracked {
            pictures.autodiff()
        } else {
            pictures
        },
        classes: (0..WAY).collect(),
        support: SUPPORT,
        query: QUERY,
        number: 3,
        teacher: None,
    }
}

fn params(method: &dyn Method) -> Params {
    let plan = plan();
    let network = plan.init(4, &Device::flex());
    let statistics = match method.frozen() {
        true => plan.embed(&network, batch(false).pictures).1,
        false => Vec::new(),
    };
    let params = Params {
        extras: method.extras(&plan, WAY, 0),
        statistics,
        network,
    };
    // Away from where everything is zero or one.
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    params.map(|t| {
        let shape = t.dims();
        let shift = (0..shape[0] * shape[1]).map(|_| rng.random_range(-0.1..0.1));
        t + tensor(shift.collect(), shape)
    })
}

fn loss(method: &dyn Method, params: &Params) -> f64 {
    let loss: f32 = method
        .loss(&plan(), params, &batch(false))
        .loss
        .into_scalar();
    f64::from(loss)
}

/// For every tensor that the loss reaches: its place, the length of the gradient, and how much the
/// loss grows by a step of length one along it, by differences.
fn slopes(method: &dyn Method, params: &Params) -> Vec<(usize, f64, f64)> {
    let tracked = params.tracked();
    let grads = method.loss(&plan(), &tracked, &batch(true)).loss.backward();
    let mut all = Vec::new();
    for (i, tensor) in tracked.tensors().enumerate() {
        let Some(gradient) = tensor.grad(&grads) else {
            continue;
        };
        let length: f32 = gradient.clone().powi_scalar(2).sum().sqrt().into_scalar();
        let along = gradient / length.max(1e-20);
        let moved = |by: f32| {
            let mut place = 0;
            let params = params.clone().map(|t| {
                place += 1;
                if place == i + 1 {
                    t + along.clone() * by
                } else {
                    t
                }
            });
            loss(method, &params)
        };
        // Where a ReLU or a pool switches the steps' gradients jump, and the loss with them: the
        // median leaves such intervals out.
        let step = 1e-4;
        let losses: Vec<f64> = (-4..=4).map(|k| moved(k as f32 * step)).collect();
        let differences = losses.windows(2).map(|w| (w[1] - w[0]) / f64::from(step));
        let mut differences: Vec<f64> = differences.collect();
        differences.sort_by(f64::total_cmp);
        let slope = (differences[3] + differences[4]) / 2.0;
        all.push((i, f64::from(length), slope));
    }
    all
}

fn maml(inner: Inner, order: Order) -> Maml {
    Maml {
        inner,
        order,
        steps: 3,
        test_steps: 10,
        rate: 0.05,
        head_rate: 1.0,
        learn_rates: true,
        multi_step: 10,
        shots: vec![SUPPORT],
    }
}

fn transfer() -> MetaTransfer {
    MetaTransfer {
        way: 2,
        steps: 3,
        test_steps: 10,
        head_rate: 1.0,
        hard: true,
    }
}

fn reptile() -> Reptile {
    Reptile {
        steps: 4,
        batch: 5,
        test_steps: 10,
        rate: 0.05,
        head_rate: 1.0,
    }
}

#[test]
fn meta_gradients_are_those_of_differences() {
    let blocks = plan().blocks.len();
    let methods: [(&dyn Method, usize); 3] = [
        (&maml(Inner::All, Order::Exact), 3 * blocks + 1),
        (&maml(Inner::Head, Order::Exact), 3 * blocks + 1),
        (&transfer(), 2 * blocks + 1),
    ];
    for (which, (method, tensors)) in methods.into_iter().enumerate() {
        let slopes = slopes(method, &params(method));
        assert_eq!(slopes.len(), tensors, "method {which}");
        for (i, length, slope) in slopes {
            assert!(
                (length - slope).abs() < 0.01 * length + 4e-3,
                "method {which}, tensor {i}: {length}, by differences {slope}"
            );
        }
    }
}

/// Without its second derivatives the gradient is another one, of the same loss.
#[test]
fn first_order_is_another_gradient_of_the_same_loss() {
    let exact = maml(Inner::All, Order::Exact);
    let first = maml(Inner::All, Order::First);
    let start = params(&exact);
    let difference = loss(&exact, &start) - loss(&first, &start);
    assert!(difference.abs() < 1e-6, "{difference}");
    let wrong = slopes(&first, &start);
    let wrong = wrong.iter().filter(|(_, l, s)| (l - s).abs() > 0.1 * l);
    assert!(wrong.count() > 4);
}

/// The steps lower the loss of the support set, and the kept and the free path are one.
#[test]
fn steps_learn_the_support_set() {
    let plan = plan();
    let method = maml(Inner::All, Order::Exact);
    let params = params(&method);
    let (support, _) = batch(false).split(SUPPORT);
    let rates = Rates::new(plan.blocks.len(), (0.05, 1.0), None);
    let labelled = Labelled::by_class(support.clone(), WAY);
    let mut task = Task::start(&plan, params.network.clone(), WAY);
    let mut free = task.clone();
    let classes: Vec<usize> = (0..WAY * SUPPORT).map(|i| i / SUPPORT).collect();
    let mut losses = Vec::new();
    for step in 0..6 {
        let scores = task.scores(&plan, support.clone());
        let loss = super::super::linear::cross_entropy(scores, &classes);
        losses.push(loss.into_scalar::<f32>());
        task = task.stepped(&plan, &rates, step, &labelled);
        free = free.stepped_first_order(&plan, &rates, step, &labelled);
    }
    assert!((losses[0] - (WAY as f32).ln()).abs() < 1e-5);
    assert!(losses.windows(2).all(|w| w[1] < w[0]), "{losses:?}");
    let values = |t: Tensor<2>| t.into_data().try_to_vec::<f32>().unwrap();
    let scores = |t: &Task| values(t.scores(&plan, support.clone()).inner());
    for (a, b) in scores(&task).iter().zip(scores(&free)) {
        assert!((a - b).abs() < 1e-4);
    }
}

/// Reptile's gradient is the way from where the steps ended back to the start.
#[test]
fn reptile_moves_towards_where_the_steps_end() {
    let plan = plan();
    let method = reptile();
    let params = params(&method);
    let length = |params: &Params| -> f64 {
        let tracked = params.tracked();
        let grads = method.loss(&plan, &tracked, &batch(true)).loss.backward();
        let squares = tracked.tensors().map(|t| {
            let gradient = t.grad(&grads).unwrap();
            f64::from(gradient.powi_scalar(2).sum().into_scalar::<f32>())
        });
        squares.sum::<f64>().sqrt()
    };
    let tracked = params.tracked();
    let outcome = method.loss(&plan, &tracked, &batch(true));
    let value: f32 = outcome.loss.clone().inner().into_scalar();
    assert!(value > 0.0 && value < 3.0, "{value}");
    let grads = outcome.loss.backward();
    let mut seen = tracked.tensors();
    let nearer = params.clone().map(|t| {
        let tensor = seen.next().unwrap();
        t - tensor.grad(&grads).unwrap()
    });
    // From where the task was learned, learning it again goes less far.
    let (before, after) = (length(&params), length(&nearer));
    assert!(before > 0.0 && after < before, "{before} {after}");
}

/// Learning a task and classifying, by each way of it.
#[test]
fn a_learned_task_is_classified() {
    let methods: [&dyn Method; 5] = [
        &maml(Inner::All, Order::Exact),
        &maml(Inner::All, Order::First),
        &maml(Inner::Head, Order::Exact),
        &transfer(),
        &reptile(),
    ];
    let plan = plan();
    for (which, method) in methods.into_iter().enumerate() {
        let mut params = params(method);
        if params.statistics.is_empty() {
            params.statistics = plan.embed(&params.network, batch(false).pictures).1;
        }
        let (support, query) = batch(false).split(SUPPORT);
        let rows = |pictures| method.prepare(&plan, &params, pictures);
        let task = method.adapt(&plan, &params, rows(support), WAY);
        let found = task.predict(rows(query));
        let correct = super::super::method::accuracy(&found, QUERY);
        assert!(correct > 0.5, "method {which}: {correct}");
    }
}
