//! A meta-training run, of any method.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use burn::tensor::{Tensor, TensorData};

use super::adam::Moments;
use super::augment::Augment;
use super::batch::{EpisodeSource, Episodes, Loader};
use super::checkpoint::{Checkpoint, Later, Origin};
use super::config::TrainConfig;
use super::error::TrainError;
use super::matrix::Matrix;
use super::method::Batch;
use super::params::{Params, Record};
use super::trained::Trained;
use crate::data::Loaded;
use crate::episodes::{EpisodeShape, Sampler};
use crate::measure::{Accuracy, Embeddings, Run};
use crate::nets::backend;
use crate::nets::block::Statistics;
use crate::nets::network::{Plan, Weights};

/// Batches whose statistics are averaged for the finished network.
const STATISTICS_BATCHES: u64 = 40;

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

/// A run under way.
pub struct Trainer {
    config: TrainConfig,
    plan: Plan,
    source: EpisodeSource,
    loader: Loader,
    teacher: Option<Embeddings>,
    params: Params,
    moments: Moments,
    average: Params,
    best: Option<(f64, Params)>,
    stale: u32,
    step: u64,
    seconds: f64,
    origin: Origin,
    pictures: Option<[u8; 32]>,
    started: Instant,
}

impl Trainer {
    /// Starts a run on `data`, from the trained network `start` or from random weights.
    ///
    /// # Errors
    /// When the data cannot fill the episodes, the pictures are too small or `start` does not fit.
    pub fn new(
        config: TrainConfig,
        origin: Origin,
        data: Arc<Loaded>,
        start: Option<(Weights, Vec<Statistics>)>,
    ) -> Result<Self, TrainError> {
        let (plan, _) = layout(&config, &data)?;
        let method = config.learner.method();
        if method.frozen() && start.is_none() {
            return Err(TrainError::NeedsStart(config.learner.name()));
        }
        let fresh = plan.init(config.seed, &backend::device());
        let (network, statistics) = match start {
            None => (fresh, Vec::new()),
            Some((network, statistics)) => {
                let shapes = |w: &Weights| w.tensors().map(Tensor::dims).collect::<Vec<_>>();
                if shapes(&network) != shapes(&fresh) {
                    return Err(TrainError::OtherStart(config.architecture));
                }
                (network, statistics)
            }
        };
        let params = Params {
            // Those of a network that is still learned would soon be wrong.
            statistics: if method.frozen() {
                statistics
            } else {
                Vec::new()
            },
            extras: method.extras(&plan, data.classes(), config.seed),
            network,
        };
        let fresh = Checkpoint {
            step: 0,
            average: params.tensors().map(Matrix::from).collect(),
            params: params.record(),
            moments: Vec::new(),
            best: None,
            stale: 0,
            seconds: 0.0,
            size: (plan.size.0 as u32, plan.size.1 as u32),
            origin,
            finished: None,
            contrast: config.contrast,
            pictures: Some(data.fingerprint()),
            colors: data.picture_size().colors,
            later: Later::of(&config),
            config,
        };
        Self::resume_from(&fresh, data)
    }

    /// Continues from a checkpoint, to the same result as if the run had not stopped.
    ///
    /// # Errors
    /// As [`Trainer::new`], and when the data is not that with which the run began.
    pub fn resume(from: &Checkpoint, data: Arc<Loaded>) -> Result<Self, TrainError> {
        if !from.is_run() {
            return Err(TrainError::NoRun);
        }
        let (height, width) = from.size;
        let others = from.pictures.is_some_and(|own| own != data.fingerprint());
        let alike = data.size() == (width, height) && data.picture_size().colors == from.colors;
        if others || !alike {
            return Err(TrainError::OtherPictures);
        }
        let (plan, _) = layout(&from.config, &data)?;
        if !from.learns(&plan, data.classes()) {
            return Err(TrainError::OtherPictures);
        }
        Self::resume_from(from, data)
    }

    fn resume_from(from: &Checkpoint, data: Arc<Loaded>) -> Result<Self, TrainError> {
        let config = from.config.clone();
        let (plan, episodes) = layout(&config, &data)?;
        let device = backend::device();
        let source = EpisodeSource {
            data,
            episodes,
            augment: config.augment,
            new_classes: config.new_classes,
            normalization: config.normalization(),
            flaws: config.learner.method().draws_flaws(),
        };
        let like = |tensors: &[Matrix]| {
            let record = Record {
                tensors: tensors.to_vec(),
                statistics: from.params.statistics.clone(),
            };
            record.params(&plan, &device)
        };
        Ok(Self {
            params: from.params.params(&plan, &device),
            average: like(&from.average),
            best: from.best.as_ref().map(|(a, w)| (*a, like(w))),
            moments: Moments::resume(&from.moments, from.step, &device),
            stale: from.stale,
            step: from.step,
            seconds: from.seconds,
            origin: from.origin.clone(),
            pictures: from.pictures,
            started: Instant::now(),
            loader: Loader::start(source.clone(), from.step * config.tasks as u64),
            teacher: None,
            config,
            plan,
            source,
        })
    }

    /// Gives the run what a teacher makes of its pictures, for a method that learns from one.
    ///
    /// # Errors
    /// When these are not the embeddings of the data.
    pub fn with_teacher(mut self, teacher: Embeddings) -> Result<Self, TrainError> {
        if teacher.class_sizes() != self.source.data.class_sizes()
            || !self
                .config
                .learner
                .method()
                .understands(&self.plan, teacher.dim())
        {
            return Err(TrainError::OtherTeacher);
        }
        self.teacher = Some(teacher);
        // The teacher's time is not the run's.
        self.started = Instant::now();
        Ok(self)
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
        self.source.data.size()
    }

    /// The pictures that are learned from.
    pub fn data(&self) -> &Loaded {
        &self.source.data
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

    /// Takes one optimiser step, on `tasks` episodes.
    ///
    /// # Errors
    /// When the loss is no longer finite, or the method lacks its teacher.
    pub fn step(&mut self) -> Result<Step, TrainError> {
        if self.config.learner.method().has_teacher() && self.teacher.is_none() {
            return Err(TrainError::NoTeacher);
        }
        let device = backend::device().autodiff();
        let (width, height) = self.source.data.size();
        let params = self.params.tracked();
        let plan = Plan {
            fake_quantized: self.config.is_fake_quantized(self.step),
            ..self.plan.clone()
        };
        let tasks = self.config.tasks;
        let mut total: Option<Tensor<1>> = None;
        let mut accuracy = 0.0;
        for _ in 0..tasks {
            let drawn = self.loader.next();
            let pictures = drawn.pictures.len();
            let shape = [
                pictures,
                height as usize,
                width as usize,
                self.plan.channels,
            ];
            let teacher = self.teacher.as_ref().map(|teacher| {
                let rows = drawn.pictures.iter();
                let values: Vec<f32> = rows
                    .flat_map(|&(class, index)| teacher.get(class, index))
                    .copied()
                    .collect();
                Tensor::from_data(TensorData::new(values, [pictures, teacher.dim()]), &device)
            });
            let sides = [pictures, height as usize, width as usize];
            let flaws = (!drawn.flaws.is_empty())
                .then(|| Tensor::from_data(TensorData::new(drawn.flaws, sides), &device));
            let batch = Batch {
                flaws,
                pictures: Tensor::from_data(TensorData::new(drawn.pixels, shape), &device),
                classes: drawn.classes,
                support: self.config.support,
                query: self.config.query,
                number: drawn.number,
                teacher,
            };
            let method = self.config.learner.method();
            let episode = method.loss(&plan, &params, &batch);
            accuracy += episode.accuracy / tasks as f32;
            total = Some(match total {
                Some(total) => total + episode.loss,
                None => episode.loss,
            });
        }
        let total = total.expect("at least one task") / tasks as f32;
        let loss: f32 = total.clone().into_scalar();
        if !loss.is_finite() {
            return Err(TrainError::Diverged {
                loss,
                episode: self.step,
            });
        }
        let gradients = total.backward();
        let rate = self.config.schedule.at(self.step, self.config.episodes);
        self.params = self.moments.step(params, &gradients, rate);
        self.step += 1;
        // Early on the average follows the weights closely, so that it forgets the start.
        let decay = match self.config.averaging {
            0.0 => 0.0,
            decay => decay.min(self.step as f64 / (self.step as f64 + 10.0)),
        };
        let mut latest = self.params.tensors();
        self.average = self.average.clone().map(|a| {
            let latest = latest.next().expect("as many averages as weights").clone();
            a * decay + latest * (1.0 - decay)
        });
        drop(latest);
        Ok(Step {
            episode: self.step,
            loss,
            accuracy,
        })
    }

    /// Whether a validation is due after the last step.
    pub fn validation_due(&self) -> bool {
        self.step > 0 && self.step.is_multiple_of(self.config.validate_every)
    }

    /// Measures the averaged weights on episodes of `data` and keeps them when they are the best.
    ///
    /// # Errors
    /// When the data cannot fill such episodes, or the weights are no longer finite.
    pub fn validate(
        &mut self,
        data: &Loaded,
        shape: EpisodeShape,
        episodes: u64,
    ) -> Result<Accuracy, TrainError> {
        self.check_finite()?;
        let sampler = Sampler::new(&data.class_sizes(), shape, self.config.seed)?;
        let trained = self.finish_with(self.average.clone());
        let accuracy = trained.accuracy(data, &Run::new(&sampler, episodes));
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
        let matrices = |p: &Params| p.tensors().map(Matrix::from).collect::<Vec<_>>();
        Checkpoint {
            config: self.config.clone(),
            step: self.step,
            params: self.params.record(),
            moments: self.moments.record(),
            average: matrices(&self.average),
            best: self.best.as_ref().map(|(a, p)| (*a, matrices(p))),
            stale: self.stale,
            seconds: self.seconds(),
            size: (self.plan.size.0 as u32, self.plan.size.1 as u32),
            origin: self.origin.clone(),
            finished: self.is_done().then(|| self.finish().params().record()),
            contrast: self.config.contrast,
            pictures: self.pictures,
            colors: self.source.data.picture_size().colors,
            later: Later::of(&self.config),
        }
    }

    /// Writes the run to `path`, unless it went astray: what was written before then stays.
    ///
    /// # Errors
    /// When the weights are no longer finite, or the file system refuses.
    pub fn save(&self, path: &Path) -> Result<(), TrainError> {
        self.check_finite()?;
        Ok(self.checkpoint().save(path)?)
    }

    fn check_finite(&self) -> Result<(), TrainError> {
        let is_finite = |tensor: &Tensor<2>| {
            // One number that is none makes the sum none.
            let sum: f32 = (tensor.clone() * 0.0).sum().into_scalar();
            sum == 0.0
        };
        if self
            .params
            .tensors()
            .chain(self.average.tensors())
            .all(is_finite)
        {
            return Ok(());
        }
        Err(TrainError::NotFinite { episode: self.step })
    }

    /// The network of the best validation, or of the averaged weights where there was none.
    pub fn finish(&self) -> Trained {
        match &self.best {
            Some((_, params)) => self.finish_with(params.clone()),
            None => self.finish_with(self.average.clone()),
        }
    }

    /// Gives a network that was learned the statistics of the training data: the mean over batches
    /// without augmentation, as precise batch norm (Wu and Johnson 2021).
    fn finish_with(&self, mut params: Params) -> Trained {
        if !self.config.learner.method().frozen() {
            params.statistics = self.statistics(&params.network);
        }
        Trained::new(
            self.plan.clone(),
            params,
            self.config.normalization(),
            self.config.learner.clone(),
        )
    }

    fn statistics(&self, network: &Weights) -> Vec<Statistics> {
        let device = backend::device();
        let (width, height) = self.source.data.size();
        let plain = EpisodeSource {
            augment: Augment::default(),
            new_classes: false,
            flaws: false,
            ..self.source.clone()
        };
        let mut sums: Vec<Statistics> = Vec::new();
        for n in 0..STATISTICS_BATCHES {
            // Episodes far behind those of training.
            let batch = plain.draw(u64::MAX / 2 + n).pixels;
            let pictures = batch.len() / self.plan.picture_len();
            let shape = [
                pictures,
                height as usize,
                width as usize,
                self.plan.channels,
            ];
            let x = Tensor::from_data(TensorData::new(batch, shape), &device);
            let (_, stats) = self.plan.embed(network, x);
            if sums.is_empty() {
                sums = stats;
            } else {
                for (sum, s) in sums.iter_mut().zip(stats) {
                    sum.mean = sum.mean.clone() + s.mean;
                    sum.variance = sum.variance.clone() + s.variance;
                }
            }
        }
        let mean = |s: Statistics| Statistics {
            mean: s.mean / STATISTICS_BATCHES as f32,
            variance: s.variance / STATISTICS_BATCHES as f32,
        };
        sums.into_iter().map(mean).collect()
    }
}

fn layout(config: &TrainConfig, data: &Loaded) -> Result<(Plan, Episodes), TrainError> {
    config.check()?;
    let (width, height) = data.size();
    let size = (height as usize, width as usize);
    let channels = data.picture_size().colors.channels();
    let plan = Plan::with_channels(config.architecture, size, channels)?;
    if config.new_classes && config.learner.method().has_own_classes() {
        return Err(TrainError::OwnClasses(config.learner.name()));
    }
    if config.fake_quantize > 0.0 && config.learner.method().adapts_network() {
        return Err(TrainError::NotFakeQuantized(config.learner.name()));
    }
    if config.balance && channels != 3 {
        return Err(TrainError::NoColors);
    }
    if config.learner.method().needs_map() && plan.places().is_none() {
        return Err(TrainError::NeedsMap(config.learner.name()));
    }
    let shape = EpisodeShape {
        way: config.way,
        shot: config.support,
        query: config.query,
    };
    let plain =
        Sampler::new(&data.class_sizes(), shape, config.seed)?.with_guests(data.guests())?;
    let families = match config.family {
        0 | 1 => None,
        family => Some(plain.clone().of_families(family)?),
    };
    Ok((plan, Episodes { plain, families }))
}
