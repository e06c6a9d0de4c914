//! Learning of small networks on made-up rows.

use burn::optim::{AdamConfig, Optimizer};
use burn::tensor::{Device, TensorData};
use rand::RngExt;

use super::*;
use crate::measure::Embeddings;
use crate::nets::network::{Architecture, gaussian};

/// A plan whose embedding has 16 numbers.
fn plan() -> Plan {
    Plan::new(Architecture::Conv4 { channels: 16 }, (16, 16)).unwrap()
}

fn params(mann: &Mann, seed: u64) -> Params {
    Params {
        network: plan().init(0, &Device::flex()),
        statistics: Vec::new(),
        extras: mann.extras(&plan(), 0, seed),
    }
}

fn small(controller: Controller) -> Mann {
    Mann {
        controller,
        units: 48,
        slots: 40,
        width: 16,
        heads: 2,
        written: 1,
        classes: 3,
        ..Mann::default()
    }
}

/// `classes` clusters of ten rows of 16 numbers, normalised as embeddings are.
fn clusters(classes: usize, seed: u64) -> Embeddings {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut rows = Vec::new();
    for _ in 0..classes {
        let centre: Vec<f32> = (0..16).map(|_| gaussian(&mut rng)).collect();
        for _ in 0..10 {
            rows.extend(centre.iter().map(|c| c + 0.2 * gaussian(&mut rng)));
        }
    }
    let shape = [classes * 10, 16];
    let rows = Tensor::from_data(TensorData::new(rows, shape), &Device::flex());
    Embeddings::new(16, &vec![10; classes], numbers(normalized(rows)))
}

fn sequences(
    mann: &Mann,
    data: &Embeddings,
    count: usize,
    seed: u64,
) -> (Vec<f32>, Vec<Vec<sequence::Item>>) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut rows = Vec::new();
    let mut all = Vec::new();
    let classes = data.class_sizes().len();
    for _ in 0..count {
        let drawn = rand::seq::index::sample(&mut rng, classes, mann.classes);
        let group: Vec<Vec<usize>> = drawn
            .into_iter()
            .map(|class| {
                let first = rows.len() / 16;
                (0..10).for_each(|i| rows.extend_from_slice(data.get(class, i)));
                (first..first + 10).collect()
            })
            .collect();
        all.push(sequence::shuffled(&group, &mut rng));
    }
    (rows, all)
}

/// The loss of some sequences.
fn loss(
    mann: &Mann,
    extras: &[Tensor<2>],
    (rows, items): &(Vec<f32>, Vec<Vec<sequence::Item>>),
) -> Tensor<1> {
    let cell = Cell::new(mann, extras);
    let device = extras[0].device();
    let (features, _) = sequence::run(mann, &cell, rows, 16, items, Ablation::Nothing, &device);
    sequence::loss(cell.scores(features), items)
}

/// Trains for `steps` steps of eight sequences.
fn train(mann: &Mann, steps: u64, seed: u64) -> Params {
    let data = clusters(200, seed);
    let mut params = params(mann, seed);
    let adam = AdamConfig::new().with_epsilon(1e-8).build();
    let mut moments: Vec<_> = params.extras.iter().map(|_| None).collect();
    for step in 0..steps {
        let tracked = params.tracked();
        let drawn = sequences(mann, &data, 8, seed + 1 + step);
        let gradients = loss(mann, &tracked.extras, &drawn).backward();
        let steps = tracked.extras.into_iter().zip(&mut moments);
        params.extras = steps
            .map(|(tensor, moment)| {
                let gradient = tensor.grad(&gradients).unwrap();
                let (next, moved) = adam.step(3e-3, tensor.inner(), gradient, moment.take());
                *moment = moved;
                next
            })
            .collect();
    }
    params
}

#[test]
fn gradients_are_those_of_finite_differences() {
    for controller in [Controller::Lstm, Controller::FeedForward] {
        let mann = Mann {
            units: 6,
            slots: 5,
            width: 4,
            heads: 2,
            // Slots are taken again, and no small change makes another one the least used.
            written: 1,
            decay: 0.5,
            classes: 2,
            ..small(controller)
        };
        let data = clusters(4, 1);
        let (rows, mut items) = sequences(&mann, &data, 2, 2);
        items.iter_mut().for_each(|items| items.truncate(7));
        let drawn = (rows, items);
        let start = params(&mann, 3);
        let tracked = start.tracked();
        let gradients = loss(&mann, &tracked.extras, &drawn).backward();
        let value =
            |extras: &[Tensor<2>]| f64::from(loss(&mann, extras, &drawn).into_scalar::<f32>());
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        for (i, tensor) in tracked.extras.iter().enumerate() {
            let gradient = numbers(tensor.grad(&gradients).unwrap());
            let norm = gradient.iter().map(|g| g * g).sum::<f32>().sqrt();
            // Along the gradient, where the difference is great, and along random signs.
            let random = gradient
                .iter()
                .map(|_| if rng.random() { 1.0 } else { -1.0 });
            for direction in [
                gradient.iter().map(|g| g / norm).collect::<Vec<f32>>(),
                random
                    .map(|s: f32| s / (gradient.len() as f32).sqrt())
                    .collect(),
            ] {
                let expected: f32 = gradient.iter().zip(&direction).map(|(g, d)| g * d).sum();
                let moved = |by: f32| {
                    let mut extras = start.extras.clone();
                    let shape = extras[i].dims();
                    let by = direction.iter().map(|d| d * by).collect::<Vec<f32>>();
                    let by = Tensor::from_data(TensorData::new(by, shape), &Device::flex());
                    extras[i] = extras[i].clone() + by;
                    value(&extras)
                };
                let by = 2e-3;
                let got = (moved(by) - moved(-by)) / f64::from(2.0 * by);
                assert!(
                    (got - f64::from(expected)).abs() < 0.02 * f64::from(norm) + 2e-4,
                    "{controller:?}, tensor {i}: {got} for {expected}, norm {norm}"
                );
            }
        }
    }
}

#[test]
fn the_memory_is_learned_and_carries_the_result() {
    let mann = small(Controller::FeedForward);
    let data = clusters(100, 77);
    let measure = |params: &Params, ablation| {
        instance_accuracy(&mann, params, &data, 100, 5, ablation).unwrap()
    };
    let (before, after) = (params(&mann, 1), train(&mann, 250, 1));
    let start = measure(&before, Ablation::Nothing);
    let end = measure(&after, Ablation::Nothing);
    let wiped = measure(&after, Ablation::Memory);
    for instance in [1, 4, 9] {
        // Chance is 1/3.
        assert!((start[instance].mean - 1.0 / 3.0).abs() < 0.1, "{start:?}");
        assert!(end[instance].mean > 0.8, "{end:?}");
        assert!(wiped[instance].mean < 0.45, "{wiped:?}");
    }
}

#[test]
fn a_seed_gives_the_same_numbers_again() {
    let mann = small(Controller::Lstm);
    let run = |seed| {
        train(&mann, 2, seed)
            .extras
            .into_iter()
            .flat_map(numbers)
            .collect::<Vec<f32>>()
    };
    let first = run(1);
    assert_eq!(first, run(1));
    assert_ne!(first, run(2));
}

#[test]
fn a_task_is_learned_from_its_support_set_alone() {
    let mann = small(Controller::FeedForward);
    let trained = train(&mann, 250, 1);
    let data = clusters(60, 99);
    let rows = |class: usize, pictures: std::ops::Range<usize>| {
        let rows = pictures.flat_map(|i| data.get(class, i).to_vec());
        rows.collect::<Vec<f32>>()
    };
    let tensor = |rows: Vec<f32>| {
        let shape = [rows.len() / 16, 16];
        Tensor::<2>::from_data(TensorData::new(rows, shape), &Device::flex())
    };
    let mut correct = 0;
    for first in (0..60).step_by(3) {
        let support = (0..3).flat_map(|c| rows(first + c, 0..2)).collect();
        let query = (0..3).flat_map(|c| rows(first + c, 2..10)).collect();
        let task = mann.adapt(&plan(), &trained, tensor(support), 3);
        let found = task.predict(tensor(query));
        assert_eq!(found.len(), 24);
        correct += found
            .iter()
            .enumerate()
            .filter(|(i, f)| i / 8 == **f)
            .count();
    }
    assert!(correct > 20 * 24 * 3 / 4, "{correct} of {}", 20 * 24);
}

#[test]
fn an_episode_becomes_shuffled_sequences_of_all_its_pictures() {
    let mann = Mann {
        classes: 5,
        groupings: 2,
        ..Mann::default()
    };
    let sequences = mann.sequences(12, 4, 9);
    // Two groups of five classes, two classes left over; twice.
    assert_eq!(sequences.len(), 4);
    assert_eq!(sequences, mann.sequences(12, 4, 9));
    assert_ne!(sequences, mann.sequences(12, 4, 10));
    for items in &sequences {
        assert_eq!(items.len(), 20);
        let mut label_of = std::collections::BTreeMap::new();
        let mut seen = [0; 5];
        for item in items {
            assert_eq!(
                *label_of.entry(item.row / 4).or_insert(item.label),
                item.label
            );
            seen[item.label] += 1;
            assert_eq!(item.instance, seen[item.label]);
        }
        assert_eq!(label_of.len(), 5);
        assert_eq!(seen, [4; 5]);
    }
    let classes = |items: &[sequence::Item]| items.iter().map(|i| i.row / 4).collect::<Vec<_>>();
    assert_ne!(classes(&sequences[0])[..5], [classes(&sequences[0])[0]; 5]);
}

#[test]
fn the_first_input_has_no_label_and_later_ones_that_of_the_picture_before() {
    let mann = small(Controller::Lstm);
    let (row, before) = ([1.0, 2.0], [3.0, 4.0]);
    let first = sequence::input(&mann, &row, None);
    assert_eq!(first, [1.0, 2.0, 0.0, 0.0, 0.0]);
    let later = sequence::input(&mann, &row, Some((&before, 1)));
    assert_eq!(later[..3], [1.0, 2.0, 0.0]);
    assert!(later[3] > 0.0 && later[4] == 0.0);
    let mann = small(Controller::FeedForward);
    let later = sequence::input(&mann, &row, Some((&before, 1)));
    assert_eq!(later[5..], [3.0, 4.0]);
}

#[test]
fn the_loss_of_a_batch_reaches_the_memory_network_and_not_the_embedding() {
    let mann = small(Controller::Lstm);
    let device = Device::flex().autodiff();
    let tracked = params(&mann, 1).tracked();
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let pixels: Vec<f32> = (0..6 * 4 * 256).map(|_| rng.random()).collect();
    let batch = Batch {
        flaws: None,
        pictures: Tensor::from_data(TensorData::new(pixels, [24, 16, 16, 1]), &device),
        classes: (0..6).collect(),
        support: 1,
        query: 3,
        number: 0,
        teacher: None,
    };
    let episode = mann.loss(&plan(), &tracked, &batch);
    assert!((0.0..=1.0).contains(&episode.accuracy));
    let gradients = episode.loss.backward();
    assert!(
        tracked
            .network
            .tensors()
            .all(|t| t.grad(&gradients).is_none())
    );
    assert!(tracked.extras.iter().all(|t| t.grad(&gradients).is_some()));
}
