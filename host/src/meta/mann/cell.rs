//! The controller and its heads: one step of a memory-augmented network.

use burn::tensor::activation::{sigmoid, tanh};
use burn::tensor::{Device, Tensor};

use super::config::{Controller, Mann};
use super::memory::{Access, Memory};
use crate::meta::random::gaussian;

/// The greatest strength of a read.
const STRENGTH: f32 = 40.0;

/// A memory-augmented network on its learned tensors.
pub(super) struct Cell<'a> {
    mann: &'a Mann,
    /// From input, controller and reads to the controller's gates.
    gates: &'a Tensor<2>,
    gates_bias: &'a Tensor<2>,
    /// From the controller to keys, write vectors, gates and strengths of all heads.
    heads: &'a Tensor<2>,
    heads_bias: &'a Tensor<2>,
    /// From controller and reads to the classes.
    output: &'a Tensor<2>,
    output_bias: &'a Tensor<2>,
}

/// Where some sequences stand.
#[derive(Clone, Debug)]
pub(super) struct State {
    /// The cells of the LSTM, `[sequences, units]`; none of a feed-forward controller.
    cells: Option<Tensor<2>>,
    /// Output of the controller and what was read, `[sequences, units + heads * width]`.
    pub(super) features: Tensor<2>,
    memory: Memory,
}

impl State {
    /// The same single state for `sequences` sequences.
    pub(super) fn repeat(&self, sequences: usize) -> Self {
        let repeat = |t: &Tensor<2>| t.clone().repeat_dim(0, sequences);
        Self {
            cells: self.cells.as_ref().map(repeat),
            features: repeat(&self.features),
            memory: self.memory.repeat(sequences),
        }
    }
}

/// The learned tensors at their start, for embeddings of `dim` numbers.
pub(super) fn start(mann: &Mann, dim: usize, seed: u64, device: &Device) -> Vec<Tensor<2>> {
    let (units, read) = (mann.units, mann.heads * mann.width);
    let (gates, recurrent) = match mann.controller {
        Controller::Lstm => (4 * units, units + read),
        Controller::FeedForward => (units, read),
    };
    let linear = |rows: usize, columns: usize, number: u64| {
        let deviation = (1.0 / rows as f32).sqrt();
        let seed = seed.wrapping_mul(16).wrapping_add(number);
        gaussian([rows, columns], deviation, seed, device)
    };
    let mut gates_bias = Tensor::zeros([1, gates], device);
    if mann.controller == Controller::Lstm {
        // An open forget gate lets the gradient through from the start (Gers et al. 2000).
        let open = Tensor::ones([1, units], device);
        gates_bias = gates_bias.slice_assign([0..1, 0..units], open);
    }
    let heads = mann.heads * (2 * mann.width + 2);
    // New content to the least used slots, and reads of medium strength.
    let heads_bias = Tensor::zeros([1, heads], device).slice_assign(
        [0..1, 2 * read..heads],
        Tensor::full([1, 2 * mann.heads], -1.5, device),
    );
    vec![
        linear(mann.inputs(dim) + recurrent, gates, 0),
        gates_bias,
        linear(units, heads, 1),
        heads_bias,
        linear(units + read, mann.classes, 2),
        Tensor::zeros([1, mann.classes], device),
    ]
}

impl<'a> Cell<'a> {
    /// # Panics
    /// When `extras` are not the tensors of [`start`].
    pub(super) fn new(mann: &'a Mann, extras: &'a [Tensor<2>]) -> Self {
        let [gates, gates_bias, heads, heads_bias, output, output_bias] = extras else {
            panic!("{} learned tensors, six needed", extras.len());
        };
        Self {
            mann,
            gates,
            gates_bias,
            heads,
            heads_bias,
            output,
            output_bias,
        }
    }

    /// The state before the first step.
    pub(super) fn start(&self, sequences: usize) -> State {
        let device = self.gates.device();
        let m = self.mann;
        State {
            cells: match m.controller {
                Controller::Lstm => Some(Tensor::zeros([sequences, m.units], &device)),
                Controller::FeedForward => None,
            },
            features: Tensor::zeros([sequences, m.units + m.heads * m.width], &device),
            memory: Memory::empty(sequences, m.heads, [m.slots, m.width], &device),
        }
    }

    /// One step on `[sequences, inputs]`; of a `wiped` memory, zeros are read.
    pub(super) fn step(&self, state: State, input: Tensor<2>, wiped: bool) -> State {
        let m = self.mann;
        let n = input.dims()[0];
        let State {
            cells,
            features,
            mut memory,
        } = state;
        let columns =
            |t: &Tensor<2>, from: usize, count: usize| t.clone().slice([0..n, from..from + count]);
        let (hidden, cells) = match cells {
            Some(cells) => {
                let gates = Tensor::cat(vec![input, features], 1).matmul(self.gates.clone())
                    + self.gates_bias.clone();
                // Forget, input, output; then what may go in.
                let open = sigmoid(columns(&gates, 0, 3 * m.units));
                let new = tanh(columns(&gates, 3 * m.units, m.units));
                let cells =
                    columns(&open, 0, m.units) * cells + columns(&open, m.units, m.units) * new;
                let hidden = columns(&open, 2 * m.units, m.units) * tanh(cells.clone());
                (hidden, Some(cells))
            }
            None => {
                let read = columns(&features, m.units, m.heads * m.width);
                let hidden = Tensor::cat(vec![input, read], 1).matmul(self.gates.clone());
                (tanh(hidden + self.gates_bias.clone()), None)
            }
        };
        if wiped {
            let nothing = Tensor::zeros([n, m.heads * m.width], &hidden.device());
            return State {
                cells,
                features: Tensor::cat(vec![hidden, nothing], 1),
                memory,
            };
        }
        let asked = hidden.clone().matmul(self.heads.clone()) + self.heads_bias.clone();
        let rows = m.heads * m.width;
        let vectors = tanh(columns(&asked, 0, 2 * rows)).reshape([n, 2 * m.heads, m.width]);
        let gates = sigmoid(columns(&asked, 2 * rows, 2 * m.heads)).reshape([n, 2 * m.heads, 1]);
        let half = |t: &Tensor<3>, second: usize| {
            let [_, _, width] = t.dims();
            let from = second * m.heads;
            t.clone().slice([0..n, from..from + m.heads, 0..width])
        };
        let access = Access {
            keys: half(&vectors, 0),
            vectors: half(&vectors, 1),
            gate: half(&gates, 0),
            strength: half(&gates, 1) * STRENGTH,
        };
        let read = memory.step(access, m.written, m.decay);
        State {
            cells,
            features: Tensor::cat(vec![hidden, read.reshape([n, rows])], 1),
            memory,
        }
    }

    /// Scores of the classes, `[n, classes]`, from features `[n, units + heads * width]`.
    pub(super) fn scores(&self, features: Tensor<2>) -> Tensor<2> {
        features.matmul(self.output.clone()) + self.output_bias.clone()
    }
}
