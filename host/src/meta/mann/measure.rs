//! Accuracy at the first, second, ... picture of a class, as the paper reports it.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::cell::Cell;
use super::{Ablation, Mann, sequence};
use crate::episodes::{EpisodeError, EpisodeShape, Sampler};
use crate::measure::{Accuracy, Embeddings};
use crate::meta::method::argmax;
use crate::nets::backend;

use super::Params;

/// Pictures of a class in a sequence.
pub const INSTANCES: usize = 10;
/// Sequences at a time.
const CHUNK: u64 = 50;

/// Accuracy at the n-th picture of a class, the first at 0.
pub type Instances = [Accuracy; INSTANCES];

/// Measures on `episodes` sequences of [`Mann::classes`] classes with ten pictures each, drawn from
/// rows that [`super::Method::prepare`] gave; an episode's accuracy is the mean over its classes.
///
/// # Errors
/// When the data cannot fill such sequences.
pub fn instance_accuracy(
    mann: &Mann,
    params: &Params,
    data: &Embeddings,
    episodes: u64,
    seed: u64,
    ablation: Ablation,
) -> Result<Instances, EpisodeError> {
    let shape = EpisodeShape {
        way: mann.classes,
        shot: 1,
        query: INSTANCES - 1,
    };
    let sampler = Sampler::new(&data.class_sizes(), shape, seed)?;
    let cell = Cell::new(mann, &params.extras);
    let device = backend::device();
    let mut each: Vec<Vec<f64>> = vec![Vec::new(); INSTANCES];
    for first in (0..episodes).step_by(CHUNK as usize) {
        let mut rows = Vec::new();
        let mut sequences = Vec::new();
        for n in first..episodes.min(first + CHUNK) {
            let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x1257_a2ce);
            rng.set_stream(n);
            let episode = sampler.episode(n);
            let pictures = episode.support.iter().zip(&episode.query);
            let classes: Vec<Vec<usize>> = episode
                .classes
                .iter()
                .zip(pictures)
                .map(|(&class, (support, query))| {
                    let one = |&i: &usize| {
                        rows.extend_from_slice(data.get(class, i));
                        rows.len() / data.dim() - 1
                    };
                    support.iter().chain(query).map(one).collect()
                })
                .collect();
            sequences.push(sequence::shuffled(&classes, &mut rng));
        }
        let (features, _) = sequence::run(
            mann,
            &cell,
            &rows,
            data.dim(),
            &sequences,
            ablation,
            &device,
        );
        let found = argmax(cell.scores(features));
        for (s, items) in sequences.iter().enumerate() {
            let mut correct = [0usize; INSTANCES];
            for (step, item) in items.iter().enumerate() {
                let found = found[step * sequences.len() + s];
                correct[item.instance - 1] += usize::from(found == item.label);
            }
            for (each, correct) in each.iter_mut().zip(correct) {
                each.push(correct as f64 / mann.classes as f64);
            }
        }
    }
    Ok(std::array::from_fn(|i| Accuracy::of(&each[i])))
}
