//! Accuracy at the first, second, ... picture of a class, as the paper reports it.

use std::convert::Infallible;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::cell::Cell;
use super::{Ablation, Mann, sequence};
use crate::episodes::{Episode, EpisodeError, EpisodeShape, Sampler};
use crate::measure::few_shot::{Answered, Episodic};
use crate::measure::{Accuracy, Embeddings, Run};
use crate::meta::method::argmax;
use crate::nets::backend;

use super::Params;

/// Pictures of a class in a sequence.
pub const INSTANCES: usize = 10;

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
    let mut reader = Reader {
        mann,
        cell: Cell::new(mann, &params.extras),
        data,
        seed,
        ablation,
    };
    let correct = |answered: Answered<Recalled>| {
        let mut correct = [0usize; INSTANCES];
        for (label, recalled) in answered {
            correct[recalled.instance - 1] += usize::from(recalled.label == label);
        }
        correct.map(|correct| correct as f64 / mann.classes as f64)
    };
    let Ok(each) = Run::new(&sampler, episodes).each(&mut reader, correct);
    Ok(std::array::from_fn(|i| {
        let at: Vec<f64> = each.iter().map(|correct| correct[i]).collect();
        Accuracy::of(&at)
    }))
}

/// Reads all pictures of an episode as one sequence.
struct Reader<'a> {
    mann: &'a Mann,
    cell: Cell<'a>,
    data: &'a Embeddings,
    seed: u64,
    ablation: Ablation,
}

/// What was said of a picture.
struct Recalled {
    label: usize,
    /// How many pictures of its class there were up to it.
    instance: usize,
}

impl Reader<'_> {
    /// The pictures of an episode in random order, their rows added to `rows`.
    fn sequence(&self, n: u64, episode: &Episode, rows: &mut Vec<f32>) -> Vec<sequence::Item> {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed ^ 0x1257_a2ce);
        rng.set_stream(n);
        let pictures = episode.support.iter().zip(&episode.query);
        let classes = episode.classes.iter().zip(pictures);
        let classes: Vec<Vec<usize>> = classes
            .map(|(&class, (support, query))| {
                let one = |&i: &usize| {
                    rows.extend_from_slice(self.data.get(class, i));
                    rows.len() / self.data.dim() - 1
                };
                support.iter().chain(query).map(one).collect()
            })
            .collect();
        sequence::shuffled(&classes, &mut rng)
    }
}

impl Episodic for Reader<'_> {
    type Answer = Recalled;
    type Error = Infallible;
    const BATCH: u64 = 50;

    fn episodes(
        &mut self,
        n: u64,
        episodes: &[Episode],
    ) -> Result<Vec<Answered<Recalled>>, Infallible> {
        let mut rows = Vec::new();
        let numbered = (n..).zip(episodes);
        let sequences: Vec<_> = numbered
            .map(|(n, episode)| self.sequence(n, episode, &mut rows))
            .collect();
        let (dim, device) = (self.data.dim(), backend::device());
        let (features, _) = sequence::run(
            self.mann,
            &self.cell,
            &rows,
            dim,
            &sequences,
            self.ablation,
            &device,
        );
        let found = argmax(self.cell.scores(features));
        let answered = sequences.iter().enumerate().map(|(s, items)| {
            let found = found.iter().skip(s).step_by(sequences.len());
            let answer = |(item, &label): (&sequence::Item, &usize)| {
                let instance = item.instance;
                (item.label, Recalled { label, instance })
            };
            items.iter().zip(found).map(answer).collect()
        });
        Ok(answered.collect())
    }

    fn named(answer: &Recalled) -> Option<usize> {
        Some(answer.label)
    }
}
