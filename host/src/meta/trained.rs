//! What a finished run leaves.

use std::convert::Infallible;

use burn::tensor::{Tensor, TensorData};

use super::checkpoint::Checkpoint;
use super::config::NORMALIZATION;
use super::error::TrainError;
use super::learner::Learner;
use super::method::Classifier;
use super::params::Params;
use crate::data::Loaded;
use crate::measure::{Accuracy, Embeddings, FewShot, Picture, Run};
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
        let plan = Plan::with_channels(
            checkpoint.config.architecture,
            (height as usize, width as usize),
            checkpoint.colors.channels(),
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

    /// Embeds pictures (`height * width * channels` bytes each, 0..=255), `[n, embedding]` row-major.
    pub fn embed(&self, pictures: &[u8]) -> Vec<f32> {
        let normalized = self.normalized(pictures);
        self.embed_normalized(&normalized)
    }

    /// Embeds pictures whose pixels are normalised already.
    pub fn embed_normalized(&self, pictures: &[f32]) -> Vec<f32> {
        let area = self.plan.picture_len();
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
        let area = self.plan.picture_len();
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

    /// Accuracy of the method on episodes of `data`.
    ///
    /// # Panics
    /// When the episodes are of other classes.
    pub fn accuracy(&self, data: &Loaded, run: &Run<'_>) -> Accuracy {
        self.accuracy_on(&self.prepare(data), run)
    }

    /// The same on pictures that were prepared before.
    ///
    /// # Panics
    /// When the episodes are of other classes.
    pub fn accuracy_on(&self, rows: &Embeddings, run: &Run<'_>) -> Accuracy {
        let Ok(accuracy) = if self.learner.method().adapts_network() {
            // Such a task takes both cores for itself.
            run.accuracy_of(&mut self.on(rows))
        } else {
            run.accuracy(|| self.on(rows))
        };
        accuracy
    }

    /// The method on pictures that were prepared before, with no task learned.
    pub fn on<'a>(&'a self, rows: &'a Embeddings) -> OnTask<'a> {
        OnTask {
            trained: self,
            rows,
            task: None,
        }
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
        let mut all = Vec::with_capacity(pictures.len());
        for picture in pictures.chunks(self.plan.picture_len()) {
            let picture = self.normalization.balanced(picture, self.plan.channels);
            let table = self.normalization.table(&picture);
            all.extend(picture.iter().map(|&pixel| table[usize::from(pixel)]));
        }
        all
    }

    fn tensor(&self, pictures: &[f32]) -> Tensor<4> {
        let (height, width) = self.plan.size;
        let channels = self.plan.channels;
        let count = pictures.len() / self.plan.picture_len();
        let shape = [count, height, width, channels];
        Tensor::from_data(
            TensorData::new(pictures.to_vec(), shape),
            &backend::device(),
        )
    }
}

/// A method and the task that it learned.
pub struct OnTask<'a> {
    trained: &'a Trained,
    rows: &'a Embeddings,
    task: Option<Box<dyn Classifier>>,
}

impl OnTask<'_> {
    fn gather<'p>(&self, pictures: impl Iterator<Item = &'p Picture>) -> Tensor<2> {
        let rows = pictures.map(|&(class, index)| self.rows.get(class, index));
        let values = rows.collect::<Vec<_>>().concat();
        let shape = [values.len() / self.rows.dim(), self.rows.dim()];
        Tensor::from_data(TensorData::new(values, shape), &backend::device())
    }
}

impl FewShot for OnTask<'_> {
    type Answer = usize;
    type Error = Infallible;

    fn learn(&mut self, support: &[Vec<Picture>]) -> Result<(), Infallible> {
        let Trained {
            plan,
            params,
            learner,
            ..
        } = self.trained;
        let pictures = self.gather(support.iter().flatten());
        let task = learner
            .method()
            .adapt(plan, params, pictures, support.len());
        self.task = Some(task);
        Ok(())
    }

    /// The classes that the method finds; without a task it finds none.
    fn answer(&mut self, queries: &[Picture]) -> Result<Vec<usize>, Infallible> {
        let task = self.task.as_ref();
        Ok(task.map_or_else(Vec::new, |task| task.predict(self.gather(queries.iter()))))
    }

    fn place(answer: &usize) -> Option<usize> {
        Some(*answer)
    }
}

fn numbers(rows: Tensor<2>) -> Vec<f32> {
    rows.into_data().try_to_vec().expect("rows are float32")
}
