//! Learning patches: what a network holds of each place of a picture, so that a flaw lies far from every
//! patch of a few good pictures and sound surface near to one (the distance of Roth et al. 2022,
//! "Towards Total Recall in Industrial Anomaly Detection").
//!
//! Two losses, alone or together. From a teacher: each patch becomes what a larger network holds of that
//! place (Bergmann et al. 2020, "Uninformed Students"; Batzner et al. 2024, "EfficientAD"), and whole
//! pictures are as similar as it finds them (Park et al. 2019). From drawn flaws, a meta-learned metric: an
//! episode is a few products, the support good pictures of each; the queries have flaws drawn into them,
//! and the distance of each of their patches to the support's must tell whether it lies on a flaw.

use burn::tensor::activation::softplus;
use burn::tensor::{Tensor, TensorData};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::distilled::relational_loss;
use super::error::TrainError;
use super::limits::{check_shots, within};
use super::method::{Batch, Classifier, EpisodeLoss, Method, Recipe};
use super::params::Params;
use super::prototypical::{self, Prototypical};
use crate::episodes::EpisodeShape;
use crate::nets::backend;
use crate::nets::graph::Head;
use crate::nets::network::{Embedded, Plan, gaussian};

/// Values of a patch.
pub const CHANNELS: usize = 64;
/// Part of a patch's pixels from which it lies on a flaw; with fewer, but any, it is left out.
const ON_A_FLAW: f32 = 0.15;
/// Least squared distance whose logarithm is taken.
const NEAR: f32 = 1e-6;

/// Learning patches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Patches {
    /// Which teacher, as of [`Distilled`](super::distilled::Distilled); 0 without one.
    pub teacher: u32,
    /// How much the loss on drawn flaws counts, 0 or more; 0 draws none.
    pub flaws: f32,
    /// How much it counts how similar the teacher finds whole pictures.
    pub pictures: f32,
    /// Its cosines are divided by it before they become probabilities of the neighbours. Above 0.
    pub temperature: f32,
    /// How much the loss of a prototypical network counts as well, 0 or more.
    pub labels: f32,
    /// Its shots, as of [`Prototypical`].
    pub shots: Vec<usize>,
}

impl Default for Patches {
    fn default() -> Self {
        Self {
            teacher: 0,
            flaws: 0.3,
            pictures: 0.3,
            temperature: 0.15,
            labels: 0.05,
            shots: vec![1],
        }
    }
}

impl Patches {
    fn prototypical(&self) -> Prototypical {
        Prototypical {
            shots: self.shots.clone(),
        }
    }
}

/// Channels of all maps that patches are taken from.
fn inputs(plan: &Plan) -> usize {
    let outputs = plan.taps.iter().map(|&block| plan.blocks[block].outputs);
    outputs.sum()
}

/// A map `[n, rows, columns, channels]` with each place as often as it takes to have `height` rows.
fn upsample(map: Tensor<4>, height: usize) -> Tensor<4> {
    let [n, rows, columns, channels] = map.dims();
    let factor = height / rows;
    if factor == 1 {
        return map;
    }
    map.reshape([n, rows, 1, columns, 1, channels])
        .repeat_dim(2, factor)
        .repeat_dim(4, factor)
        .reshape([n, height, columns * factor, channels])
}

impl Method for Patches {
    fn name(&self) -> &'static str {
        "patches"
    }

    fn recipe(&self) -> Recipe {
        // As many pictures as two cores hold of a large one.
        Recipe {
            way: 30,
            support: self.shots.iter().copied().max().unwrap_or(0),
            query: 1,
            ..Recipe::default()
        }
    }

    fn check(&self, shape: EpisodeShape) -> Result<(), TrainError> {
        if self.teacher == 0 && self.flaws <= 0.0 {
            return Err(TrainError::NothingToLearnFrom);
        }
        within("the temperature", self.temperature, 1e-3, 1e3)?;
        for (what, weight) in [
            ("the weight of drawn flaws", self.flaws),
            ("the weight of whole pictures", self.pictures),
            ("the weight of the labels", self.labels),
        ] {
            within(what, weight, 0.0, 1e3)?;
        }
        check_shots(&self.shots, shape.shot)
    }

    /// The head that makes patches of the maps, `[inputs, CHANNELS]` and `[1, CHANNELS]`, and slope and
    /// threshold of the logit of a distance's logarithm. With a teacher the head starts at zero, so that
    /// a network that is started from stays what it is while the head is far off.
    fn extras(&self, plan: &Plan, _classes: usize, seed: u64) -> Vec<Tensor<2>> {
        let device = backend::device();
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x7061_7463_6865_7300);
        let inputs = inputs(plan);
        let deviation = match self.has_teacher() {
            true => 0.0,
            false => (1.0 / inputs.max(1) as f32).sqrt(),
        };
        let weight: Vec<f32> = (0..inputs * CHANNELS)
            .map(|_| gaussian(&mut rng) * deviation)
            .collect();
        vec![
            Tensor::from_data(TensorData::new(weight, [inputs, CHANNELS]), &device),
            Tensor::zeros([1, CHANNELS], &device),
            Tensor::from_data([[2.0, 1.0]], &device),
        ]
    }

    fn has_teacher(&self) -> bool {
        self.teacher != 0
    }

    fn understands(&self, plan: &Plan, values: usize) -> bool {
        plan.places()
            .is_some_and(|(height, width)| values >= CHANNELS * height * width)
    }

    fn draws_flaws(&self) -> bool {
        self.flaws > 0.0
    }

    fn needs_map(&self) -> bool {
        true
    }

    /// # Panics
    ///
    /// When the network has no map, or the batch lacks the teacher or the flaws.
    fn loss(&self, plan: &Plan, params: &Params, batch: &Batch) -> EpisodeLoss {
        let Embedded {
            embeddings, maps, ..
        } = plan.embed_with_maps(&params.network, batch.pictures.clone());
        let [n, height, width, _] = maps[0].dims();
        let places = height * width;
        // Each map by its own part of the head, before it is made larger.
        let mut from = 0;
        let parts = maps.into_iter().map(|map| {
            let [n, rows, columns, inputs] = map.dims();
            let part = params.extras[0]
                .clone()
                .slice([from..from + inputs, 0..CHANNELS]);
            from += inputs;
            let patches = map.reshape([n * rows * columns, inputs]).matmul(part);
            upsample(patches.reshape([n, rows, columns, CHANNELS]), height)
        });
        let patches = parts
            .reduce(|sum, part| sum + part)
            .expect("a network with a map")
            .reshape([n * places, CHANNELS])
            + params.extras[1].clone();
        let fractions = batch
            .flaws
            .clone()
            .map(|flaws| flawed_fraction(flaws, (height, width)));
        let own = prototypical::loss(embeddings.clone(), batch.way(), batch.support, &self.shots);
        let mut loss = own.loss * self.labels;
        if self.has_teacher() {
            let teacher = batch.teacher.clone().expect("a teacher's embeddings");
            let [_, values] = teacher.dims();
            let split = CHANNELS * places;
            let target = teacher
                .clone()
                .slice([0..n, 0..split])
                .reshape([n, CHANNELS, places])
                .permute([0, 2, 1])
                .reshape([n * places, CHANNELS]);
            // A flaw was not there when the teacher looked.
            let sound = fractions
                .clone()
                .map(|fractions| fractions.equal_elem(0.0).float());
            loss = loss + unexplained(patches.clone(), target, sound);
            if self.pictures > 0.0 && values > split {
                let whole = teacher.slice([0..n, split..values]);
                loss = loss + relational_loss(embeddings, whole, self.temperature) * self.pictures;
            }
        }
        if self.draws_flaws() {
            let fractions = fractions.expect("flaws were drawn");
            let patches = patches.reshape([n, places, CHANNELS]);
            let scale = params.extras[2].clone();
            loss = loss + separation_loss(patches, fractions, batch, scale) * self.flaws;
        }
        EpisodeLoss {
            loss,
            accuracy: own.accuracy,
        }
    }

    fn head(&self, params: &Params) -> Option<Head> {
        let numbers = |t: &Tensor<2>| -> Vec<f32> {
            let data = t.clone().into_data().try_to_vec();
            data.expect("weights are float32")
        };
        Some(Head {
            weight: numbers(&params.extras[0].clone().transpose()),
            bias: numbers(&params.extras[1]),
        })
    }

    fn adapt(
        &self,
        plan: &Plan,
        params: &Params,
        support: Tensor<2>,
        way: usize,
    ) -> Box<dyn Classifier> {
        self.prototypical().adapt(plan, params, support, way)
    }
}

/// Part of each patch's pixels that lies on a flaw, `[n * places, 1]`, of masks `[n, height, width]`.
fn flawed_fraction(flaws: Tensor<3>, (rows, columns): (usize, usize)) -> Tensor<2> {
    let [n, height, width] = flaws.dims();
    let (tall, wide) = (height / rows, width / columns);
    flaws
        .slice([0..n, 0..rows * tall, 0..columns * wide])
        .reshape([n, rows, tall, columns, wide])
        .mean_dim(4)
        .mean_dim(2)
        .reshape([n * rows * columns, 1])
}

/// The part of the target's variance that the patches leave unexplained, over rows of weight 1.
pub(super) fn unexplained(
    patches: Tensor<2>,
    target: Tensor<2>,
    weight: Option<Tensor<2>>,
) -> Tensor<1> {
    let spread = (target.clone() - target.clone().mean_dim(0))
        .powi_scalar(2)
        .mean();
    let error = (patches - target).powi_scalar(2).mean_dim(1);
    let error = match weight {
        Some(weight) => (error * weight.clone()).sum() / (weight.sum() + 1.0),
        None => error.mean(),
    };
    error / (spread + 1e-6)
}

/// How badly the distance of the queries' patches, of `[n, places, CHANNELS]`, to the nearest of their
/// class's support tells whether they lie on a flaw: the cross entropy, flaws and sound surface counting
/// the same. Distances are taken in parts of those of the product's own sound patches, which is what a
/// device measures them by.
fn separation_loss(
    patches: Tensor<3>,
    fractions: Tensor<2>,
    batch: &Batch,
    scale: Tensor<2>,
) -> Tensor<1> {
    let [n, places, channels] = patches.dims();
    let (way, each, support) = (batch.way(), n / batch.way(), batch.support);
    let by_class = patches.reshape([way, each * places, channels]);
    let part = |from: usize, to: usize| {
        by_class
            .clone()
            .slice([0..way, from * places..to * places, 0..channels])
    };
    let (memory, queries) = (part(0, support), part(support, each));
    let squares = |x: &Tensor<3>| x.clone().powi_scalar(2).sum_dim(2);
    let products = queries.clone().matmul(memory.clone().transpose());
    let distances = squares(&queries) + squares(&memory).transpose() - products * 2.0;
    let nearest = (distances.min_dim(2).clamp_min(0.0) + NEAR).log();
    let fractions = fractions.reshape([way, each * places, 1]).slice([
        0..way,
        support * places..each * places,
        0..1,
    ]);
    let sound = fractions.clone().equal_elem(0.0).float();
    let flawed = fractions.greater_equal_elem(ON_A_FLAW).float();
    let usual = (nearest.clone() * sound.clone()).sum_dim(1) / (sound.clone().sum_dim(1) + 1e-3);
    let slope = scale.clone().slice([0..1, 0..1]).reshape([1, 1, 1]);
    let threshold = scale.slice([0..1, 1..2]).reshape([1, 1, 1]);
    let logits = (nearest - usual) * slope - threshold;
    let mean =
        |loss: Tensor<3>, weight: Tensor<3>| (loss * weight.clone()).sum() / (weight.sum() + 1e-3);
    let missed = mean(softplus(-logits.clone(), 1.0), flawed);
    let false_alarms = mean(softplus(logits, 1.0), sound);
    (missed + false_alarms) / 2.0
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::data::{Colors, Loaded, surfaces};
    use crate::measure::Embeddings;
    use crate::meta::augment::Augment;
    use crate::meta::checkpoint::Origin;
    use crate::meta::schedule::Schedule;
    use crate::meta::{Learner, TrainConfig, TrainError, Trainer};
    use crate::nets::network::Architecture;

    const SIDE: usize = 32;
    const PLACES: usize = 16;

    fn data(colors: Colors) -> Arc<Loaded> {
        let size = (SIDE as u32, SIDE as u32);
        let drawn = surfaces::dataset(1, 16, 4, size).with_colors(colors);
        Arc::new(drawn.load(size, |_| {}).unwrap())
    }

    fn config(patches: Patches, architecture: Architecture) -> TrainConfig {
        TrainConfig {
            learner: Learner::Patches(patches),
            architecture,
            way: 6,
            support: 2,
            query: 2,
            family: 1,
            tasks: 1,
            episodes: 200,
            schedule: Schedule {
                peak: 1e-2,
                warmup: 5,
            },
            augment: Augment::default(),
            averaging: 0.9,
            validate_every: 1000,
            patience: 1,
            seed: 3,
            contrast: 44,
            new_classes: false,
            balance: false,
            fake_quantize: 0.0,
        }
    }

    fn start(patches: Patches, colors: Colors) -> Trainer {
        start_with(patches, Architecture::Residual { channels: 4 }, colors)
    }

    fn start_with(patches: Patches, architecture: Architecture, colors: Colors) -> Trainer {
        let config = config(patches, architecture);
        Trainer::new(config, Origin::default(), data(colors), None).unwrap()
    }

    /// Mean loss of the first and of the last ten steps.
    fn losses(run: &mut Trainer) -> (f32, f32) {
        let mut losses = Vec::new();
        while !run.is_done() {
            losses.push(run.step().unwrap().loss);
        }
        let mean = |part: &[f32]| part.iter().sum::<f32>() / part.len() as f32;
        (mean(&losses[..10]), mean(&losses[losses.len() - 10..]))
    }

    /// Tells how bright each place is in its last channel, by a different weight in each of its own.
    fn teacher(data: &Loaded) -> Embeddings {
        let channels = data.picture_size().colors.channels();
        let embeddings = data.pictures().flat_map(|picture| {
            let bright = move |place: usize| {
                let (top, left) = (place / 4 * 8, place % 4 * 8);
                let rows = picture[top * SIDE * channels..].chunks(SIDE * channels);
                let sum: u32 = rows
                    .take(8)
                    .flat_map(|row| row[left * channels..].chunks(channels).take(8))
                    .map(|pixel| u32::from(pixel[channels - 1]))
                    .sum();
                sum as f32 / (64.0 * 255.0)
            };
            (0..CHANNELS * PLACES)
                .map(move |i| bright(i % PLACES) * (1.0 + (i / PLACES) as f32 / 8.0))
        });
        Embeddings::new(CHANNELS * PLACES, &data.class_sizes(), embeddings.collect())
    }

    #[test]
    fn patches_become_what_a_teacher_has_of_their_place() {
        // One map of 24 channels, and two of 5 and 14.
        for (architecture, inputs, colors) in [
            (Architecture::Residual { channels: 4 }, 24, Colors::Grey),
            (Architecture::Lite { channels: 4 }, 19, Colors::Grey),
            (Architecture::Residual { channels: 4 }, 24, Colors::Rgb),
        ] {
            let patches = Patches {
                teacher: 1,
                flaws: 0.0,
                labels: 0.0,
                ..Patches::default()
            };
            let mut run = start_with(patches, architecture, colors)
                .with_teacher(teacher(&data(colors)))
                .unwrap();
            let (first, last) = losses(&mut run);
            // The mean of all patches would leave 1.
            assert!(last < 0.7, "{first} to {last}");
            let head = run.finish().head().unwrap();
            assert_eq!(head.bias.len(), CHANNELS);
            assert_eq!(head.weight.len(), CHANNELS * inputs);
        }
    }

    #[test]
    fn drawn_flaws_teach_to_tell_flaws() {
        for colors in [Colors::Grey, Colors::Rgb] {
            let patches = Patches {
                flaws: 1.0,
                labels: 0.0,
                ..Patches::default()
            };
            let mut run = start(patches, colors);
            let (first, last) = losses(&mut run);
            assert!(last < 0.9 * first, "{colors:?}: {first} to {last}");
        }
    }

    #[test]
    fn what_cannot_teach_patches_is_refused() {
        let refused = |config: TrainConfig| {
            Trainer::new(config, Origin::default(), data(Colors::Grey), None)
                .err()
                .unwrap()
        };
        let conv4 = Architecture::Conv4 { channels: 4 };
        let error = refused(config(Patches::default(), conv4));
        assert!(matches!(error, TrainError::NeedsMap(_)), "{error}");
        let nothing = Patches {
            flaws: 0.0,
            ..Patches::default()
        };
        let residual = Architecture::Residual { channels: 4 };
        let error = refused(config(nothing, residual));
        assert!(matches!(error, TrainError::NothingToLearnFrom), "{error}");
        let with_teacher = Patches {
            teacher: 1,
            ..Patches::default()
        };
        let short = Embeddings::new(3, &[4; 16], vec![0.0; 16 * 4 * 3]);
        let error = start(with_teacher, Colors::Grey)
            .with_teacher(short)
            .err()
            .unwrap();
        assert!(matches!(error, TrainError::OtherTeacher), "{error}");
    }

    #[test]
    fn the_share_of_a_patch_is_that_of_its_pixels() {
        let device = burn::tensor::Device::flex();
        let mut mask = vec![0.0; 4 * 6];
        mask[..2].fill(1.0); // The upper left patch of 2x3 pixels has two of six.
        mask[23] = 1.0;
        let flaws = Tensor::<3>::from_data(TensorData::new(mask, [1, 4, 6]), &device);
        let found: Vec<f32> = flawed_fraction(flaws, (2, 2))
            .into_data()
            .try_to_vec()
            .unwrap();
        let expected = [2.0 / 6.0, 0.0, 0.0, 1.0 / 6.0];
        assert!(
            found
                .iter()
                .zip(expected)
                .all(|(a, b)| (a - b).abs() < 1e-6)
        );
    }
}
