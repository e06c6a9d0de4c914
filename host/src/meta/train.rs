//! The meta-training run of a prototypical network.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use burn::optim::{Adam, AdamConfig, AdamState, AdaptiveMomentumState, Optimizer};
use burn::tensor::{Tensor, TensorData};
use serde::{Deserialize, Serialize};

use super::augment::Augment;
use super::batch::{self, Episodes, Loader};
use super::checkpoint::{Checkpoint, CheckpointError, Finished, Matrix, Origin};
use super::evaluate::{Accuracy, Embeddings};
use super::prototypical;
use super::schedule::Schedule;
use crate::data::Loaded;
use crate::episodes::{EpisodeError, EpisodeShape, Sampler};
use crate::nets::backend;
use crate::nets::block::Statistics;
use crate::nets::graph::{Graph, Normalization};
use crate::nets::network::{Architecture, Plan, TooSmall, Weights};

/// Pictures embedded at a time outside training.
const CHUNK: usize = 256;
/// Batches whose statistics are averaged for the finished network.
const STATISTICS_BATCHES: u64 = 40;

/// What a run is asked to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainConfig {
    /// The network.
    pub architecture: Architecture,
    /// Classes of a training episode.
    pub way: usize,
    /// The loss is the mean over these shots; the support holds the greatest.
    pub shots: Vec<usize>,
    /// Query pictures of each class.
    pub query: usize,
    /// Classes of a family, which follow each other in the data and are alike; every second episode
    /// is of whole families. 1 where there are none.
    pub family: usize,
    /// Episodes, one optimiser step each.
    pub episodes: u64,
    /// The learning rate.
    pub schedule: Schedule,
    /// Random changes of the training pictures.
    pub augment: Augment,
    /// Decay of the running average of the weights that becomes the network; 0 keeps the last.
    pub averaging: f64,
    /// Episodes between validations.
    pub validate_every: u64,
    /// Validations without a new best after which the run stops.
    pub patience: u32,
    /// Seed of weights, episodes and augmentation.
    pub seed: u64,
}

/// Why a run cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The data cannot fill the episodes.
    #[error(transparent)]
    Episode(#[from] EpisodeError),
    /// The pictures are too small for the network.
    #[error(transparent)]
    TooSmall(#[from] TooSmall),
    /// The loss became infinite or not a number.
    #[error(
        "the loss became {loss} in episode {episode}: lower the learning rate, or check the data for pictures of one colour"
    )]
    Diverged {
        /// The loss.
        loss: f32,
        /// Where.
        episode: u64,
    },
    /// The run has not reached its end.
    #[error("the run stands at episode {done} of {of}: finish it with `sudal train --resume`")]
    Unfinished {
        /// Episodes done.
        done: u64,
        /// Episodes asked for.
        of: u64,
    },
    /// The shots are not usable.
    #[error("give at least one shot, each 1 or more")]
    NoShots,
    /// The checkpoint could not be written or read.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

/// What one episode gave.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Episodes done, this one counted.
    pub episode: u64,
    /// Its loss.
    pub loss: f32,
    /// Its accuracy, 0..=1.
    pub accuracy: f32,
}

/// A finished network.
#[derive(Clone, Debug)]
pub struct Trained {
    plan: Plan,
    weights: Weights,
    statistics: Vec<Statistics>,
    normalization: Normalization,
}

/// A run under way.
pub struct Trainer {
    config: TrainConfig,
    plan: Plan,
    data: Arc<Loaded>,
    episodes: Episodes,
    loader: Loader,
    optimizer: Adam,
    weights: Weights,
    moments: Vec<Option<AdamState<2>>>,
    average: Weights,
    best: Option<(f64, Weights)>,
    stale: u32,
    step: u64,
    seconds: f64,
    origin: Origin,
    started: Instant,
}

/// Pixels are only scaled to 0..=1: a background of zero meets the zero padding without an edge.
const NORMALIZATION: Normalization = Normalization {
    mean: 0.0,
    std: 1.0,
};

impl Trainer {
    /// Starts a run on `data`.
    ///
    /// # Errors
    ///
    /// When the data cannot fill the episodes or the pictures are too small.
    pub fn new(config: TrainConfig, origin: Origin, data: Arc<Loaded>) -> Result<Self, TrainError> {
        let (plan, _) = layout(&config, &data)?;
        let weights = plan.init(config.seed, &backend::device());
        let fresh = Checkpoint {
            step: 0,
            weights: weights.tensors().map(Matrix::from).collect(),
            moments: Vec::new(),
            average: weights.tensors().map(Matrix::from).collect(),
            best: None,
            stale: 0,
            seconds: 0.0,
            size: (plan.size.0 as u32, plan.size.1 as u32),
            origin,
            finished: None,
            config,
        };
        Self::resume(&fresh, data)
    }

    /// Goes on from a checkpoint, to the same result as if the run had not stopped.
    ///
    /// # Errors
    ///
    /// As [`Trainer::new`].
    pub fn resume(from: &Checkpoint, data: Arc<Loaded>) -> Result<Self, TrainError> {
        let config = from.config.clone();
        let (plan, episodes) = layout(&config, &data)?;
        let device = backend::device();
        let moments = from
            .moments
            .iter()
            .map(|(one, two)| {
                Some(AdamState::new(AdaptiveMomentumState::new(
                    from.step as usize,
                    one.tensor(&device),
                    two.tensor(&device),
                )))
            })
            .chain(std::iter::repeat(None))
            .take(plan.blocks.len() * 3)
            .collect();
        Ok(Self {
            weights: shaped(&plan, &from.weights),
            average: shaped(&plan, &from.average),
            best: from.best.as_ref().map(|(a, w)| (*a, shaped(&plan, w))),
            moments,
            stale: from.stale,
            step: from.step,
            seconds: from.seconds,
            origin: from.origin.clone(),
            started: Instant::now(),
            optimizer: AdamConfig::new().with_epsilon(1e-8).build(),
            loader: Loader::start(
                Arc::clone(&data),
                episodes.clone(),
                from.step,
                config.augment,
                NORMALIZATION,
            ),
            config,
            plan,
            data,
            episodes,
        })
    }

    /// What the run was asked to do.
    pub fn config(&self) -> &TrainConfig {
        &self.config
    }

    /// Shape of the network.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Where the pictures come from.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Width and height of the pictures, in pixels.
    pub fn size(&self) -> (u32, u32) {
        self.data.size()
    }

    /// Episodes done.
    pub fn episode(&self) -> u64 {
        self.step
    }

    /// Seconds of training so far, over all its parts.
    pub fn seconds(&self) -> f64 {
        self.seconds + self.started.elapsed().as_secs_f64()
    }

    /// Whether all episodes are done or validation has stopped improving.
    pub fn is_done(&self) -> bool {
        self.step >= self.config.episodes || self.stale > self.config.patience
    }

    /// Trains on one episode.
    ///
    /// # Errors
    ///
    /// When the loss is no longer finite.
    pub fn step(&mut self) -> Result<Step, TrainError> {
        let device = backend::device().autodiff();
        let (width, height) = self.data.size();
        let support = support(&self.config);
        let pictures = self.config.way * (support + self.config.query);
        let shape = [pictures, height as usize, width as usize, 1];
        let x = Tensor::<4>::from_data(TensorData::new(self.loader.next(), shape), &device);
        let weights = self.weights.clone().map(|w| w.autodiff().require_grad());
        let (embeddings, _) = self.plan.embed(&weights, x);
        let episode = prototypical::loss(embeddings, self.config.way, support, &self.config.shots);
        let loss: f32 = episode.loss.clone().into_scalar();
        if !loss.is_finite() {
            return Err(TrainError::Diverged {
                loss,
                episode: self.step,
            });
        }
        let gradients = episode.loss.backward();
        let rate = self.config.schedule.at(self.step, self.config.episodes);
        let mut moments = self.moments.iter_mut();
        self.weights = weights.map(|w| {
            let gradient = w.grad(&gradients).expect("every weight has a gradient");
            let moment = moments.next().expect("a moment for each weight");
            let (next, state) = self
                .optimizer
                .step(rate, w.inner(), gradient, moment.take());
            *moment = state;
            next
        });
        self.step += 1;
        // Early on the average follows the weights closely, so that it forgets the start.
        let decay = self
            .config
            .averaging
            .min(self.step as f64 / (self.step as f64 + 10.0));
        let decay = if self.config.averaging == 0.0 {
            0.0
        } else {
            decay
        };
        let mut latest = self.weights.tensors();
        self.average = self.average.clone().map(|a| {
            let latest = latest.next().expect("as many averages as weights").clone();
            a * decay + latest * (1.0 - decay)
        });
        drop(latest);
        Ok(Step {
            episode: self.step,
            loss,
            accuracy: episode.accuracy,
        })
    }

    /// Whether a validation is due after the last step.
    pub fn validation_due(&self) -> bool {
        self.step > 0 && self.step.is_multiple_of(self.config.validate_every)
    }

    /// Measures the averaged weights on episodes of `data` and keeps them when they are the best.
    ///
    /// # Errors
    ///
    /// When the data cannot fill such episodes.
    pub fn validate(
        &mut self,
        data: &Loaded,
        shape: EpisodeShape,
        episodes: u64,
    ) -> Result<Accuracy, TrainError> {
        let accuracy = self
            .finish_with(self.average.clone())
            .embeddings(data)
            .accuracy(shape, episodes, self.config.seed)?;
        if self
            .best
            .as_ref()
            .is_none_or(|(best, _)| accuracy.mean > *best)
        {
            self.best = Some((accuracy.mean, self.average.clone()));
            self.stale = 0;
        } else {
            self.stale += 1;
        }
        Ok(accuracy)
    }

    /// The run as it stands.
    pub fn checkpoint(&self) -> Checkpoint {
        let matrices = |w: &Weights| w.tensors().map(Matrix::from).collect::<Vec<_>>();
        Checkpoint {
            config: self.config.clone(),
            step: self.step,
            weights: matrices(&self.weights),
            moments: self
                .moments
                .iter()
                .flatten()
                .map(|s| {
                    (
                        Matrix::from(&s.momentum.moment_1),
                        Matrix::from(&s.momentum.moment_2),
                    )
                })
                .collect(),
            average: matrices(&self.average),
            best: self.best.as_ref().map(|(a, w)| (*a, matrices(w))),
            stale: self.stale,
            seconds: self.seconds(),
            size: (self.plan.size.0 as u32, self.plan.size.1 as u32),
            origin: self.origin.clone(),
            finished: self.is_done().then(|| self.finish().record()),
        }
    }

    /// Writes the run to `path`.
    ///
    /// # Errors
    ///
    /// When the file system refuses.
    pub fn save(&self, path: &Path) -> Result<(), CheckpointError> {
        self.checkpoint().save(path)
    }

    /// The network of the best validation, or of the averaged weights where there was none.
    pub fn finish(&self) -> Trained {
        match &self.best {
            Some((_, weights)) => self.finish_with(weights.clone()),
            None => self.finish_with(self.average.clone()),
        }
    }

    /// Gives `weights` the statistics of the training data: the mean over batches without
    /// augmentation, as precise batch norm (Wu and Johnson 2021).
    fn finish_with(&self, weights: Weights) -> Trained {
        let device = backend::device();
        let (width, height) = self.data.size();
        let mut sums: Vec<Statistics> = Vec::new();
        for n in 0..STATISTICS_BATCHES {
            // Episodes far behind those of training.
            let n = u64::MAX / 2 + n;
            let plain = Augment::default();
            let batch = batch::draw(&self.data, &self.episodes, n, &plain, NORMALIZATION);
            let pictures = batch.len() / (width * height) as usize;
            let shape = [pictures, height as usize, width as usize, 1];
            let x = Tensor::from_data(TensorData::new(batch, shape), &device);
            let (_, stats) = self.plan.embed(&weights, x);
            if sums.is_empty() {
                sums = stats;
            } else {
                for (sum, s) in sums.iter_mut().zip(stats) {
                    sum.mean = sum.mean.clone() + s.mean;
                    sum.variance = sum.variance.clone() + s.variance;
                }
            }
        }
        let statistics = sums
            .into_iter()
            .map(|s| Statistics {
                mean: s.mean / STATISTICS_BATCHES as f32,
                variance: s.variance / STATISTICS_BATCHES as f32,
            })
            .collect();
        Trained {
            plan: self.plan.clone(),
            weights,
            statistics,
            normalization: NORMALIZATION,
        }
    }
}

impl Trained {
    /// The network of a finished run.
    ///
    /// # Errors
    ///
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
        let device = backend::device();
        Ok(Self {
            weights: shaped(&plan, &finished.weights),
            statistics: finished
                .statistics
                .iter()
                .map(|(mean, variance)| Statistics {
                    mean: mean.tensor(&device),
                    variance: variance.tensor(&device),
                })
                .collect(),
            plan,
            normalization: NORMALIZATION,
        })
    }

    fn record(&self) -> Finished {
        Finished {
            weights: self.weights.tensors().map(Matrix::from).collect(),
            statistics: self
                .statistics
                .iter()
                .map(|s| (Matrix::from(&s.mean), Matrix::from(&s.variance)))
                .collect(),
        }
    }

    /// Embeds pictures of 0..=255 greys, `[n, height, width]`; returns `[n, embedding]`.
    pub fn embed(&self, pixels: &[u8]) -> Vec<f32> {
        let Normalization { mean, std } = self.normalization;
        let (height, width) = self.plan.size;
        let mut all = Vec::new();
        for chunk in pixels.chunks(CHUNK * height * width) {
            let x: Vec<f32> = chunk
                .iter()
                .map(|&p| (f32::from(p) / 255.0 - mean) / std)
                .collect();
            all.extend(self.embed_normalized(&x));
        }
        all
    }

    /// Embeds normalised pictures, `[n, height, width]`; returns `[n, embedding]`.
    pub fn embed_normalized(&self, pictures: &[f32]) -> Vec<f32> {
        let (height, width) = self.plan.size;
        let shape = [pictures.len() / (height * width), height, width, 1];
        let x = Tensor::from_data(
            TensorData::new(pictures.to_vec(), shape),
            &backend::device(),
        );
        let out = self.plan.embed_fixed(&self.weights, &self.statistics, x);
        out.into_data()
            .try_to_vec()
            .expect("embeddings are float32")
    }

    /// Embeds every picture of `data`.
    pub fn embeddings(&self, data: &Loaded) -> Embeddings {
        let values = self.embed(data.all());
        Embeddings::new(self.plan.embedding(), &data.class_sizes(), values)
    }

    /// The network for export, batch norm folded.
    pub fn graph(&self) -> Graph {
        self.plan
            .fold(&self.weights, &self.statistics, self.normalization)
    }

    /// Shape of the network.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }
}

/// Weights with the numbers of a checkpoint.
fn shaped(plan: &Plan, from: &[Matrix]) -> Weights {
    let device = backend::device();
    let mut from = from.iter();
    plan.init(0, &device)
        .map(|w| from.next().map_or(w, |m| m.tensor(&device)))
}

/// Support pictures of each class of a training episode.
fn support(config: &TrainConfig) -> usize {
    config.shots.iter().copied().max().unwrap_or(0)
}

fn layout(config: &TrainConfig, data: &Loaded) -> Result<(Plan, Episodes), TrainError> {
    if config.shots.is_empty() || config.shots.contains(&0) {
        return Err(TrainError::NoShots);
    }
    let (width, height) = data.size();
    let plan = Plan::new(config.architecture, (height as usize, width as usize))?;
    let shape = EpisodeShape {
        way: config.way,
        shot: support(config),
        query: config.query,
    };
    let plain = Sampler::new(&data.class_sizes(), shape, config.seed)?;
    let families = match config.family {
        0 | 1 => None,
        family => Some(plain.clone().of_families(family)?),
    };
    Ok((plan, Episodes { plain, families }))
}
