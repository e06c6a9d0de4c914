//! How well embeddings serve on episodes of new classes.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::episodes::{Episode, EpisodeError, EpisodeShape, Sampler};

/// A mean over episodes and half the width of its 95 % confidence interval, both 0..=1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Accuracy {
    /// Mean of the episodes' accuracies.
    pub mean: f64,
    /// 1.96 standard errors.
    pub interval: f64,
    /// Number of episodes.
    pub episodes: usize,
}

impl Accuracy {
    /// From the accuracy of each episode.
    pub fn of(episodes: &[f64]) -> Self {
        let n = episodes.len().max(1) as f64;
        let mean = episodes.iter().sum::<f64>() / n;
        let squares = episodes.iter().map(|a| (a - mean).powi(2)).sum::<f64>();
        Self {
            mean,
            interval: 1.96 * (squares / (n - 1.0).max(1.0)).sqrt() / n.sqrt(),
            episodes: episodes.len(),
        }
    }
}

impl std::fmt::Display for Accuracy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{:.2} ± {:.2} %",
            self.mean * 100.0,
            self.interval * 100.0
        )
    }
}

/// The embeddings of every picture of a data set, class by class.
///
/// A picture's embedding does not depend on the episode that it stands in, so each is computed
/// once and every episode is a look-up.
#[derive(Clone, Debug)]
pub struct Embeddings {
    dim: usize,
    starts: Vec<usize>,
    values: Vec<f32>,
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
        }
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
        }
    }

    /// The embedding of one picture.
    pub fn get(&self, class: usize, index: usize) -> &[f32] {
        &self.values[(self.starts[class] + index) * self.dim..][..self.dim]
    }

    /// Mean of some pictures of a class: its prototype.
    pub fn prototype(&self, class: usize, pictures: &[usize]) -> Vec<f32> {
        let mut mean = vec![0.0; self.dim];
        for &i in pictures {
            for (m, v) in mean.iter_mut().zip(self.get(class, i)) {
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
        Ok(self.accuracy_on(&sampler, episodes))
    }

    /// The same over a sampler's first `episodes` episodes.
    ///
    /// # Panics
    /// When the sampler was made for other classes.
    pub fn accuracy_on(&self, sampler: &Sampler, episodes: u64) -> Accuracy {
        let each: Vec<f64> = (0..episodes)
            .into_par_iter()
            .map(|n| self.episode_accuracy(&sampler.episode(n)))
            .collect();
        Accuracy::of(&each)
    }

    /// Part of an episode's queries whose nearest prototype is their own, 0..=1.
    pub fn episode_accuracy(&self, episode: &Episode) -> f64 {
        let prototypes: Vec<Vec<f32>> = episode
            .classes
            .iter()
            .zip(&episode.support)
            .map(|(&class, pictures)| self.prototype(class, pictures))
            .collect();
        let (mut right, mut all) = (0, 0);
        let mut distances = vec![0.0; prototypes.len()];
        for (place, (&class, pictures)) in episode.classes.iter().zip(&episode.query).enumerate() {
            for &i in pictures {
                let query = self.get(class, i);
                for (d, p) in distances.iter_mut().zip(&prototypes) {
                    *d = query.iter().zip(p).map(|(q, p)| (q - p) * (q - p)).sum();
                }
                right += usize::from(nearest(&distances) == place);
                all += 1;
            }
        }
        right as f64 / all as f64
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
    fn interval_is_that_of_the_textbook() {
        let a = Accuracy::of(&[0.8, 1.0, 0.9, 0.7]);
        assert!((a.mean - 0.85).abs() < 1e-12);
        // Standard deviation 0.1291, four episodes.
        assert!((a.interval - 1.96 * 0.129_099_4 / 2.0).abs() < 1e-6);
    }

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
