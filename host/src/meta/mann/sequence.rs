//! Episodes as sequences: pictures in random order, each with the label of the one before.

use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Tensor, TensorData};
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::cell::{Cell, State};
use super::config::Mann;

/// What a label counts as input: about as long as a normalised embedding of 64 numbers.
const LABEL: f32 = 4.0;

/// One picture of a sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Item {
    /// Its row among the prepared rows.
    pub(super) row: usize,
    /// Its label in this sequence.
    pub(super) label: usize,
    /// How many pictures of its class there are up to it, itself counted.
    pub(super) instance: usize,
}

/// A sequence of some classes' rows in random order, under random labels.
pub(super) fn shuffled(classes: &[Vec<usize>], rng: &mut ChaCha8Rng) -> Vec<Item> {
    let mut labels: Vec<usize> = (0..classes.len()).collect();
    labels.shuffle(rng);
    ordered(classes, &labels, rng)
}

/// The same under these labels.
pub(super) fn ordered(classes: &[Vec<usize>], labels: &[usize], rng: &mut ChaCha8Rng) -> Vec<Item> {
    let rows = classes.iter().zip(labels);
    let mut items: Vec<Item> = rows
        .flat_map(|(rows, &label)| {
            rows.iter().map(move |&row| Item {
                row,
                label,
                instance: 0,
            })
        })
        .collect();
    items.shuffle(rng);
    let mut seen = vec![0; labels.iter().max().map_or(0, |l| l + 1)];
    for item in &mut items {
        seen[item.label] += 1;
        item.instance = seen[item.label];
    }
    items
}

/// Input of one step: a row, and the row and label before it where there is one.
pub(super) fn input(mann: &Mann, row: &[f32], before: Option<(&[f32], usize)>) -> Vec<f32> {
    let dim = row.len();
    let mut input = vec![0.0; mann.inputs(dim)];
    input[..dim].copy_from_slice(row);
    if let Some((row, label)) = before {
        input[dim + label] = LABEL;
        if mann.sees_previous() {
            input[dim + mann.classes..].copy_from_slice(row);
        }
    }
    input
}

/// What is taken away in every step of a measurement, to see what carries the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ablation {
    /// Nothing.
    Nothing,
    /// The content of the memory, before it is read: zeros are read.
    Memory,
    /// The same, and the state of the controller before the step.
    MemoryAndState,
}

/// The features of every step, `[steps * sequences, features]` step by step, and the last state, of
/// sequences of one length over `rows` of `dim` numbers.
pub(super) fn run(
    mann: &Mann,
    cell: &Cell<'_>,
    rows: &[f32],
    dim: usize,
    sequences: &[Vec<Item>],
    ablation: Ablation,
    device: &Device,
) -> (Tensor<2>, State) {
    let (count, steps) = (sequences.len(), sequences[0].len());
    let row = |item: Item| &rows[item.row * dim..][..dim];
    let mut state = cell.start(count);
    let mut features = Vec::with_capacity(steps);
    for step in 0..steps {
        let inputs = sequences.iter().flat_map(|items| {
            let before = step.checked_sub(1).map(|s| (row(items[s]), items[s].label));
            input(mann, row(items[step]), before)
        });
        let inputs = TensorData::new(inputs.collect::<Vec<f32>>(), [count, mann.inputs(dim)]);
        if ablation == Ablation::MemoryAndState {
            state = cell.start(count);
        }
        let inputs = Tensor::from_data(inputs, device);
        state = cell.step(state, inputs, ablation != Ablation::Nothing);
        features.push(state.features.clone());
    }
    (Tensor::cat(features, 0), state)
}

/// Mean negative log-likelihood of the labels of all steps, from scores step by step.
pub(super) fn loss(scores: Tensor<2>, sequences: &[Vec<Item>]) -> Tensor<1> {
    let [rows, classes] = scores.dims();
    let steps = sequences[0].len();
    let mut own = vec![0.0f32; rows * classes];
    for (i, row) in own.chunks_mut(classes).enumerate() {
        let (step, sequence) = (i / sequences.len(), i % sequences.len());
        row[sequences[sequence][step].label] = -1.0 / (steps * sequences.len()) as f32;
    }
    let own = Tensor::from_data(TensorData::new(own, [rows, classes]), &scores.device());
    (log_softmax(scores, 1) * own).sum()
}
