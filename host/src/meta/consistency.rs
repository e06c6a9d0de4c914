//! Whether the parts of a checkpoint fit each other: its checksum only says that nothing was damaged.

use burn::tensor::Tensor;

use super::checkpoint::Checkpoint;
use super::matrix::Matrix;
use super::params::Record;
use crate::nets::block::BlockShape;
use crate::nets::network::Plan;

impl Checkpoint {
    /// What does not fit, if anything.
    pub(super) fn fault(&self) -> Option<String> {
        self.checked().err()
    }

    fn checked(&self) -> Result<(), String> {
        self.config.check().map_err(|error| error.to_string())?;
        let (height, width) = self.size;
        let size = (height as usize, width as usize);
        let channels = self.colors.channels();
        let plan = Plan::with_channels(self.config.architecture, size, channels)
            .map_err(|error| error.to_string())?;
        if self.step > self.config.episodes {
            return Err(format!(
                "it has done {} of {} episodes",
                self.step, self.config.episodes
            ));
        }
        if !self.seconds.is_finite() || self.best.as_ref().is_some_and(|(a, _)| !a.is_finite()) {
            return Err("its figures are no numbers".to_owned());
        }
        if let Some(finished) = &self.finished {
            if finished.statistics.len() != plan.blocks.len() {
                return Err("the finished network lacks statistics of its blocks".to_owned());
            }
            self.check_record(&plan, finished)?;
        } else if !self.is_run() {
            return Err("it holds neither a run nor a finished network".to_owned());
        }
        if self.is_run() {
            self.check_run(&plan)?;
        }
        Ok(())
    }

    fn check_run(&self, plan: &Plan) -> Result<(), String> {
        self.check_record(plan, &self.params)?;
        let shapes: Vec<[usize; 2]> = self.params.tensors.iter().map(Matrix::shape).collect();
        fit("the average", &self.average, &shapes)?;
        if let Some((_, best)) = &self.best {
            fit("the best average", best, &shapes)?;
        }
        // There are none before the first step.
        if self.moments.is_empty() {
            return Ok(());
        }
        if self.moments.len() != shapes.len() {
            return Err("there is not a moment for each tensor".to_owned());
        }
        for (moment, &shape) in self.moments.iter().zip(&shapes) {
            if let Some((one, two)) = moment {
                one.check("a moment", shape)?;
                two.check("a moment", shape)?;
            }
        }
        Ok(())
    }

    /// Whether a record is one of this network and method, for any number of base classes.
    fn check_record(&self, plan: &Plan, record: &Record) -> Result<(), String> {
        for matrix in &record.tensors {
            matrix.check("a tensor", matrix.shape())?;
        }
        // Of all methods' tensors only a classifier's last has a column for each class.
        let classes = record.tensors.last().map_or(0, |last| last.shape()[1]);
        let method = self.config.learner.method();
        let extras = method.extras(plan, classes, self.config.seed);
        let network = plan.blocks.iter().flat_map(shapes);
        let shapes: Vec<[usize; 2]> = network.chain(extras.iter().map(Tensor::dims)).collect();
        fit("what is learned", &record.tensors, &shapes)?;
        if record.statistics.is_empty() {
            return Ok(());
        }
        let (means, variances): (Vec<_>, Vec<_>) = record.statistics.iter().cloned().unzip();
        let shapes: Vec<[usize; 2]> = plan.blocks.iter().map(|b| [1, b.outputs]).collect();
        fit("the means", &means, &shapes)?;
        fit("the variances", &variances, &shapes)
    }

    /// Whether the run learns of `classes` base classes.
    pub(super) fn learns(&self, plan: &Plan, classes: usize) -> bool {
        let method = self.config.learner.method();
        let extras = method.extras(plan, classes, self.config.seed);
        let own = self.params.tensors.iter().rev().map(Matrix::shape);
        own.zip(extras.iter().rev().map(Tensor::dims))
            .all(|(a, b)| a == b)
    }
}

/// The shapes of a block's weights, in their order.
fn shapes(block: &BlockShape) -> [[usize; 2]; 3] {
    let norm = [1, block.outputs];
    [block.weight_shape(), norm, norm]
}

fn fit(what: &str, all: &[Matrix], shapes: &[[usize; 2]]) -> Result<(), String> {
    if all.len() != shapes.len() {
        return Err(format!(
            "{what}: {} tensors instead of {}",
            all.len(),
            shapes.len()
        ));
    }
    let mut pairs = all.iter().zip(shapes);
    pairs.try_for_each(|(matrix, &shape)| matrix.check(what, shape))
}
