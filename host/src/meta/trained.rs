//! What a finished run leaves.

use burn::tensor::{Tensor, TensorData};
use rayon::prelude::*;

use super::checkpoint::Checkpoint;
use super::config::NORMALIZATION;
use super::error::TrainError;
use super::learner::Learner;
use super::params::Params;
use crate::data::Loaded;
use crate::episodes::{Episode, Sampler};
use crate::measure::{Accuracy, Embeddings};
use crate::nets::backend;
use crate::nets::graph::{Graph, Head, Normalization};
use crate::nets::network::Plan;

/// Pictures embedded at a time.
const CHUNK: usize = 256;

/// A network and a method, ready for new tasks.
#[derive(Clone, Debug)]
pub struct Trained {
    plan: Plan,
    params: Params,
    normalization: Normalization,
    learner: Learner,
}

impl Trained {
    pub(crate) fn new(
        plan: Plan,
        params: Params,
        normalization: Normalization,
        learner: Learner,
    ) -> Self {
        Self {
            plan,
            params,
            normalization,
            learner,
        }
    }

    /// The outcome of a finished run.
    ///
    /// # Errors
    /// When the run is not finished.
    pub fn load(checkpoint: &Checkpoint) -> Result<Self, TrainError> {
        let finished = checkpoint.finished.as_ref().ok_or(TrainError::Unfinished {
            done: checkpoint.step,
            of: checkpoint.config.episodes,
        })?;
        let (height, width) = checkpoint.size;
        let plan = Plan::new(
            checkpoint.config.architecture,
            (height as usize, width as usize),
        )?;
        Ok(Self {
            params: finished.params(&plan, &backend::device()),
            plan,
            normalization: checkpoint.config.normalization(),
            learner: checkpoint.config.learner.clone(),
        })
    }

    /// A method that learned nothing before its task.
    pub fn untrained(plan: Plan, learner: Learner) -> Self {
        let device = backend::device();
        let params = Params {
            network: plan.init(0, &device),
            statistics: Vec::new(),
            extras: Vec::new(),
        };
        Self::new(plan, params, NORMALIZATION, learner)
    }

    /// The same network, used by another method.
    pub fn with(&self, learner: Learner) -> Self {
        Self {
            learner,
            ..self.clone()
        }
    }

    /// The method.
    pub fn learner(&self) -> &Learner {
        &self.learner
    }

    /// What it learned.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// Shape of the network.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Embeds grey pictures (`height * width` bytes each, 0..=255), `[n, embedding]` row-major.
    pub fn embed(&self, pictures: &[u8]) -> Vec<f32> {
        let normalized = self.normalized(pictures);
        self.embed_normalized(&normalized)
    }

    /// Embeds pictures whose pixels are normalised already.
    pub fn embed_normalized(&self, pictures: &[f32]) -> Vec<f32> {
        let area = self.plan.size.0 * self.plan.size.1;
        let mut all = Vec::new();
        let params = Params {
            network: self.learner.method().network(&self.plan, &self.params),
            ..self.params.clone()
        };
        for chunk in pictures.chunks(CHUNK * area) {
            let x = self.tensor(chunk);
            all.extend(numbers(params.embed(&self.plan, x)));
        }
        all
    }

    /// Embeds every picture of `data`.
    pub fn embeddings(&self, data: &Loaded) -> Embeddings {
        let values = self.embed(data.all());
        Embeddings::new(self.plan.embedding(), &data.class_sizes(), values)
    }

    /// What the method computes of every picture before any task.
    pub fn prepare(&self, data: &Loaded) -> Embeddings {
        let area = self.plan.size.0 * self.plan.size.1;
        let method = self.learner.method();
        let mut values = Vec::new();
        let mut length = 0;
        for chunk in data.all().chunks(CHUNK * area) {
            let x = self.tensor(&self.normalized(chunk));
            let rows = method.prepare(&self.plan, &self.params, x);
            length = rows.dims()[1];
            values.extend(numbers(rows));
        }
        Embeddings::new(length, &data.class_sizes(), values)
    }

    /// Accuracy of the method on a sampler's first `episodes` episodes of `data`.
    ///
    /// # Panics
    /// When the sampler was made for other classes.
    pub fn accuracy(&self, data: &Loaded, sampler: &Sampler, episodes: u64) -> Accuracy {
        self.accuracy_on(&self.prepare(data), sampler, episodes, &|| {})
    }

    /// The same on pictures that were prepared before; calls `done` after each episode.
    ///
    /// # Panics
    /// When the sampler was made for other classes.
    pub fn accuracy_on(
        &self,
        rows: &Embeddings,
        sampler: &Sampler,
        episodes: u64,
        done: &(dyn Fn() + Sync),
    ) -> Accuracy {
        let one = |n| {
            let accuracy = self.episode_accuracy(rows, &sampler.episode(n));
            done();
            accuracy
        };
        let each: Vec<f64> = if self.learner.method().adapts_network() {
            // Such a task takes both cores for itself.
            (0..episodes).map(one).collect()
        } else {
            (0..episodes).into_par_iter().map(one).collect()
        };
        Accuracy::of(&each)
    }

    /// The classes, `0..way`, that the method finds for the queries of an episode, class by class.
    pub fn predict(&self, rows: &Embeddings, episode: &Episode) -> Vec<usize> {
        let gather = |pictures: &[Vec<usize>]| {
            let mut values = Vec::new();
            for (&class, pictures) in episode.classes.iter().zip(pictures) {
                for &i in pictures {
                    values.extend_from_slice(rows.get(class, i));
                }
            }
            let shape = [values.len() / rows.dim(), rows.dim()];
            Tensor::<2>::from_data(TensorData::new(values, shape), &backend::device())
        };
        let way = episode.classes.len();
        let method = self.learner.method();
        let task = method.adapt(&self.plan, &self.params, gather(&episode.support), way);
        task.predict(gather(&episode.query))
    }

    /// Part of an episode's queries that the method finds, 0..=1.
    pub fn episode_accuracy(&self, rows: &Embeddings, episode: &Episode) -> f64 {
        let found = self.predict(rows, episode);
        let own = episode.query.iter().enumerate();
        let own = own.flat_map(|(class, queries)| queries.iter().map(move |_| class));
        let correct = found.iter().zip(own).filter(|(f, o)| **f == *o).count();
        correct as f64 / found.len() as f64
    }

    /// The network for export, batch norm folded.
    pub fn graph(&self) -> Graph {
        let network = self.learner.method().network(&self.plan, &self.params);
        let statistics = &self.params.statistics;
        self.plan.fold(&network, statistics, self.normalization)
    }

    /// How patches are made of the value that [`Graph::taps`] names, where the method learned it.
    pub fn head(&self) -> Option<Head> {
        self.learner.method().head(&self.params)
    }

    fn normalized(&self, pictures: &[u8]) -> Vec<f32> {
        let (height, width) = self.plan.size;
        let mut all = Vec::with_capacity(pictures.len());
        for picture in pictures.chunks(height * width) {
            let table = self.normalization.table(picture);
            all.extend(picture.iter().map(|&pixel| table[usize::from(pixel)]));
        }
        all
    }

    fn tensor(&self, pictures: &[f32]) -> Tensor<4> {
        let (height, width) = self.plan.size;
        let shape = [pictures.len() / (height * width), height, width, 1];
        Tensor::from_data(
            TensorData::new(pictures.to_vec(), shape),
            &backend::device(),
        )
    }
}

fn numbers(rows: Tensor<2>) -> Vec<f32> {
    rows.into_data().try_to_vec().expect("rows are float32")
}
