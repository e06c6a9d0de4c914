//! The embeddings of a data set, and how well the nearest class mean does on them.

use std::convert::Infallible;

use sudal_firmware::engine::EngineError;

use super::Accuracy;
use super::few_shot::{FewShot, Picture, Run};
use crate::engine::QuantizedModel;
use crate::episodes::{EpisodeError, EpisodeShape, Sampler};

/// Pictures that are embedded between two signs of progress.
const PART: usize = 256;

/// The embeddings of every picture of a data set, class by class.
///
/// A picture's embedding does not depend on the episode that it stands in, so each is computed
/// once and every episode is a look-up.
#[derive(Clone, Debug)]
pub struct Embeddings {
    dim: usize,
    starts: Vec<usize>,
    values: Vec<f32>,
    /// What pictures are taught as, where that is something else.
    shots: Option<Vec<f32>>,
}

impl Embeddings {
    /// From `values`, `[pictures, dim]`, and the number of pictures of each class.
    ///
    /// # Panics
    /// When the sizes do not add up.
    pub fn new(dim: usize, class_sizes: &[usize], values: Vec<f32>) -> Self {
        let mut starts = vec![0];
        for size in class_sizes {
            starts.push(starts.last().expect("not empty") + size);
        }
        assert_eq!(starts.last().map(|n| n * dim), Some(values.len()));
        Self {
            dim,
            starts,
            values,
            shots: None,
        }
    }

    /// What a model image makes of frames, given class by class: as pictures that are asked about and, where
    /// the model has views of a shot, as shots. `done` is called with how many more are.
    ///
    /// # Errors
    /// [`EngineError::Frame`] for a frame of another size.
    ///
    /// # Panics
    /// When the sizes do not add up.
    pub fn of_image<F: AsRef<[u8]> + Sync>(
        image: &QuantizedModel,
        frames: &[F],
        class_sizes: &[usize],
        done: &dyn Fn(usize),
    ) -> Result<Self, EngineError> {
        let real = |rows: Vec<Vec<i8>>| rows.into_iter().flatten().map(f32::from);
        let (mut values, mut shots) = (Vec::new(), Vec::new());
        for part in frames.chunks(PART) {
            values.extend(real(image.embed(part)?));
            shots.extend(image.shots(part)?.into_iter().flat_map(real));
            done(part.len());
        }
        let dim = values.len() / frames.len().max(1);
        Ok(Self {
            shots: (!shots.is_empty()).then_some(shots),
            ..Self::new(dim, class_sizes, values)
        })
    }

    /// All of them, `[pictures, dim]`.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Length of one embedding.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Number of pictures of each class.
    pub fn class_sizes(&self) -> Vec<usize> {
        self.starts.windows(2).map(|w| w[1] - w[0]).collect()
    }

    /// Those of a run of classes only, numbered from 0.
    ///
    /// # Panics
    /// When there are fewer classes.
    #[must_use]
    pub fn of_classes(&self, classes: std::ops::Range<usize>) -> Self {
        let starts = &self.starts[classes.start..=classes.end];
        let (first, last) = (starts[0], starts[starts.len() - 1]);
        Self {
            dim: self.dim,
            starts: starts.iter().map(|start| start - first).collect(),
            values: self.values[first * self.dim..last * self.dim].to_vec(),
            shots: (self.shots.as_ref())
                .map(|shots| shots[first * self.dim..last * self.dim].to_vec()),
        }
    }

    /// The embedding of one picture.
    pub fn get(&self, class: usize, index: usize) -> &[f32] {
        self.row(&self.values, class, index)
    }

    /// What one picture is taught as: its embedding, but where the model has views of a shot.
    pub fn shot(&self, class: usize, index: usize) -> &[f32] {
        self.row(self.shots.as_ref().unwrap_or(&self.values), class, index)
    }

    fn row<'v>(&self, values: &'v [f32], class: usize, index: usize) -> &'v [f32] {
        &values[(self.starts[class] + index) * self.dim..][..self.dim]
    }

    /// Mean of some shots: the prototype of a class.
    pub fn mean(&self, pictures: &[Picture]) -> Vec<f32> {
        let mut mean = vec![0.0; self.dim];
        for &(class, index) in pictures {
            for (m, v) in mean.iter_mut().zip(self.shot(class, index)) {
                *m += v;
            }
        }
        mean.iter_mut().for_each(|m| *m /= pictures.len() as f32);
        mean
    }

    /// Accuracy of nearest-prototype classification over `episodes` episodes.
    ///
    /// # Errors
    /// When the data cannot fill such an episode.
    pub fn accuracy(
        &self,
        shape: EpisodeShape,
        episodes: u64,
        seed: u64,
    ) -> Result<Accuracy, EpisodeError> {
        let sampler = Sampler::new(&self.class_sizes(), shape, seed)?;
        Ok(self.accuracy_on(&Run::new(&sampler, episodes)))
    }

    /// The same over these episodes.
    ///
    /// # Panics
    /// When the episodes are of other classes.
    pub fn accuracy_on(&self, run: &Run<'_>) -> Accuracy {
        let Ok(accuracy) = run.accuracy(|| NearestPrototype::new(self));
        accuracy
    }
}

/// Classification by the nearest class mean (Snell et al. 2017).
#[derive(Clone, Debug)]
pub struct NearestPrototype<'a> {
    embeddings: &'a Embeddings,
    prototypes: Vec<Vec<f32>>,
}

impl<'a> NearestPrototype<'a> {
    /// One that has learned nothing.
    #[must_use]
    pub fn new(embeddings: &'a Embeddings) -> Self {
        Self {
            embeddings,
            prototypes: Vec::new(),
        }
    }
}

impl FewShot for NearestPrototype<'_> {
    type Answer = usize;
    type Error = Infallible;

    fn learn(&mut self, support: &[Vec<Picture>]) -> Result<(), Infallible> {
        let prototypes = support.iter().map(|of| self.embeddings.mean(of));
        self.prototypes = prototypes.collect();
        Ok(())
    }

    fn answer(&mut self, queries: &[Picture]) -> Result<Vec<usize>, Infallible> {
        let mut distances = vec![0.0; self.prototypes.len()];
        let answer = |&(class, index): &Picture| {
            let query = self.embeddings.get(class, index);
            for (d, p) in distances.iter_mut().zip(&self.prototypes) {
                *d = query.iter().zip(p).map(|(q, p)| (q - p) * (q - p)).sum();
            }
            nearest(&distances)
        };
        Ok(queries.iter().map(answer).collect())
    }

    fn place(answer: &usize) -> Option<usize> {
        Some(*answer)
    }
}

/// Place of the least value; the first of equals.
pub fn nearest(distances: &[f32]) -> usize {
    let mut best = 0;
    for (i, d) in distances.iter().enumerate() {
        if *d < distances[best] {
            best = i;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separated_classes_are_told_apart_and_equal_ones_are_not() {
        let shape = EpisodeShape {
            way: 5,
            shot: 1,
            query: 5,
        };
        let apart: Vec<f32> = (0..10 * 20).map(|i| (i / 20) as f32).collect();
        let e = Embeddings::new(1, &[20; 10], apart);
        assert_eq!(e.accuracy(shape, 50, 0).unwrap().mean, 1.0);
        let same = Embeddings::new(1, &[20; 10], vec![0.5; 200]);
        assert!((same.accuracy(shape, 50, 0).unwrap().mean - 0.2).abs() < 1e-9);
    }
}
