//! How well a model and the firmware's heads tell the classes of somebody's own pictures apart.

use rand::SeedableRng;
use rand::seq::index::sample;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use sudal_firmware::engine::EngineError;
use sudal_firmware::heads::{Head, MAX_CLASSES, MAX_SHOTS, Quantization};

use super::few_shot::{FewShot, Run};
use super::heads::{FirmwareHead, HeadEpisodes, HeadError};
use super::{Accuracy, Embeddings};
use crate::engine::QuantizedModel;
use crate::episodes::Episode;

/// The int8 embeddings of pictures, class by class.
#[derive(Debug, Clone)]
pub struct Embedded {
    embeddings: Embeddings,
    quantization: Quantization,
}

/// Which pictures of each class are enrolled, the others being asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trial {
    /// Each picture is left out in turn, all others are enrolled.
    LeaveOneOut,
    /// N shots of each class, drawn at random n times.
    Drawn {
        /// Shots of each class.
        shots: usize,
        /// How often they are drawn.
        draws: u64,
        /// Most pictures of a class that are asked about after each draw.
        queries: usize,
        /// Seed of the draws.
        seed: u64,
    },
}

/// How often pictures of each class were taken for each class.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tally {
    /// `counts[truth][answer]`.
    pub counts: Vec<Vec<u64>>,
    /// Mean over the classes of the share that is found, 0..=1.
    pub accuracy: f64,
    /// Its 95 % confidence interval: so much more or less.
    pub interval: f64,
}

impl Embedded {
    /// Embeds frames of the model's input, class by class; `done` is called with how many more are.
    ///
    /// # Errors
    /// Frames of another size, or more classes than a device stores.
    pub fn new(
        model: &QuantizedModel,
        frames: &[Vec<Vec<u8>>],
        done: &dyn Fn(usize),
    ) -> Result<Self, SuitabilityError> {
        if frames.len() > MAX_CLASSES {
            return Err(SuitabilityError::Classes(frames.len()));
        }
        let parsed = model.model().map_err(|_| EngineError::Record(0))?;
        let quantization = Quantization {
            scale: parsed.output_scale(),
            zero_point: parsed.header().output_zero_point as i8,
        };
        let sizes: Vec<usize> = frames.iter().map(Vec::len).collect();
        let all: Vec<&[u8]> = frames.iter().flatten().map(Vec::as_slice).collect();
        let embeddings = Embeddings::of_image(model, &all, &sizes, done)?;
        Ok(Self {
            embeddings,
            quantization,
        })
    }

    #[cfg(test)]
    fn of(classes: &[Vec<Vec<i8>>], quantization: Quantization) -> Self {
        let sizes: Vec<usize> = classes.iter().map(Vec::len).collect();
        let dim = classes.iter().flatten().next().map_or(0, Vec::len);
        let values = classes.iter().flatten().flatten();
        let values = values.map(|&value| f32::from(value)).collect();
        Self {
            embeddings: Embeddings::new(dim, &sizes, values),
            quantization,
        }
    }

    /// Tries a head.
    ///
    /// # Errors
    /// [`SuitabilityError::Shots`], where a device could not hold what is enrolled.
    pub fn tally(&self, head: Head, trial: Trial) -> Result<Tally, SuitabilityError> {
        let sizes = self.embeddings.class_sizes();
        let tasks = self.tasks(trial, &sizes)?;
        // A class without a picture is not enrolled, and has no place among the others.
        let enrolled: Vec<usize> = (0..sizes.len()).filter(|&c| sizes[c] > 0).collect();
        let heads = HeadEpisodes::quantized(self.quantization, &self.embeddings);
        let each = Run::of(&tasks).in_parallel(
            || heads.head(head),
            |answered| {
                let named = answered.into_iter().filter_map(|(truth, answer)| {
                    let place = FirmwareHead::place(&answer)?;
                    Some((truth, *enrolled.get(place)?))
                });
                named.collect::<Vec<(usize, usize)>>()
            },
        )?;
        let mut counts = vec![vec![0; sizes.len()]; sizes.len()];
        for answers in &each {
            for &(truth, answer) in answers {
                counts[truth][answer] += 1;
            }
        }
        let (accuracy, interval) = match trial {
            Trial::LeaveOneOut => by_pictures(&counts),
            Trial::Drawn { .. } => by_draws(&each),
        };
        Ok(Tally {
            counts,
            accuracy,
            interval,
        })
    }

    fn tasks(&self, trial: Trial, sizes: &[usize]) -> Result<Vec<Episode>, SuitabilityError> {
        match trial {
            Trial::LeaveOneOut => {
                if let Some(&most) = sizes.iter().find(|&&size| size > MAX_SHOTS + 1) {
                    return Err(SuitabilityError::Shots(most - 1));
                }
                let one = |class: usize, left_out: usize| {
                    let others =
                        |c: usize| (0..sizes[c]).filter(move |&i| (c, i) != (class, left_out));
                    let support = (0..sizes.len()).map(|c| others(c).take(MAX_SHOTS).collect());
                    let mut query = vec![Vec::new(); sizes.len()];
                    query[class].push(left_out);
                    Episode {
                        classes: (0..sizes.len()).collect(),
                        support: support.collect(),
                        query,
                    }
                };
                // The only picture of a class leaves nothing to be found by.
                let classes = (0..sizes.len()).filter(|&class| sizes[class] > 1);
                let all = classes.flat_map(|class| (0..sizes[class]).map(move |i| (class, i)));
                Ok(all.map(|(class, i)| one(class, i)).collect())
            }
            Trial::Drawn {
                shots,
                draws,
                queries,
                seed,
            } => {
                if shots > MAX_SHOTS {
                    return Err(SuitabilityError::Shots(shots));
                }
                let one = |draw: u64| {
                    let mut rng = ChaCha8Rng::seed_from_u64(seed);
                    rng.set_stream(draw);
                    let (mut support, mut query) = (Vec::new(), Vec::new());
                    for &size in sizes {
                        let order = sample(&mut rng, size, size.min(shots + queries)).into_vec();
                        // A class with too few gives fewer shots, and is asked about once at least.
                        let support_size = shots.min(size.saturating_sub(1)).max(1);
                        support.push(order[..support_size.min(size)].to_vec());
                        query.push(order[support_size.min(size)..].to_vec());
                    }
                    Episode {
                        classes: (0..sizes.len()).collect(),
                        support,
                        query,
                    }
                };
                Ok((0..draws).map(one).collect())
            }
        }
    }
}

/// Mean over classes, with the interval of n single answers.
fn by_pictures(counts: &[Vec<u64>]) -> (f64, f64) {
    let asked = counts.iter().enumerate().filter_map(|(class, row)| {
        let total: u64 = row.iter().sum();
        (total > 0).then(|| (row[class] as f64 / total as f64, total as f64))
    });
    let shares: Vec<(f64, f64)> = asked.collect();
    let classes = shares.len().max(1) as f64;
    let mean = shares.iter().map(|(share, _)| share).sum::<f64>() / classes;
    // Agresti and Coull: a class that was always right may yet be wrong.
    let variance = shares.iter().map(|(share, total)| {
        let share = (share * total + 2.0) / (total + 4.0);
        share * (1.0 - share) / (total + 4.0)
    });
    (mean, 1.96 * variance.sum::<f64>().sqrt() / classes)
}

/// Mean over draws of the mean over classes, with the interval of the draws.
fn by_draws(each: &[Vec<(usize, usize)>]) -> (f64, f64) {
    let means: Vec<f64> = each
        .iter()
        .map(|answers| {
            let classes = 1 + answers.iter().map(|(truth, _)| *truth).max().unwrap_or(0);
            let shares = (0..classes).filter_map(|class| {
                let mine = || answers.iter().filter(move |(truth, _)| *truth == class);
                let right = mine().filter(|(truth, answer)| truth == answer).count();
                (mine().count() > 0).then(|| right as f64 / mine().count() as f64)
            });
            let shares: Vec<f64> = shares.collect();
            shares.iter().sum::<f64>() / shares.len().max(1) as f64
        })
        .collect();
    let Accuracy { mean, interval, .. } = Accuracy::of(&means);
    (mean, interval)
}

/// Why a trial can't be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SuitabilityError {
    /// More classes than a device stores.
    #[error("a device stores {MAX_CLASSES} classes, these are {0}: check some of them at a time")]
    Classes(usize),
    /// More shots of a class than a device stores.
    #[error("a class of a device holds {MAX_SHOTS} shots, not {0}")]
    Shots(usize),
    /// A frame does not fit the model.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The firmware refuses an embedding.
    #[error(transparent)]
    Head(#[from] HeadError),
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Up to four classes, each in a direction of its own, their pictures close together.
    fn apart(classes: usize, pictures: usize) -> Vec<Vec<Vec<i8>>> {
        let embedding = |class: usize, index: usize| {
            let mut embedding = vec![index as i8; 4];
            embedding[class] = 100;
            embedding
        };
        (0..classes)
            .map(|class| (0..pictures).map(|i| embedding(class, i)).collect())
            .collect()
    }

    fn embedded(classes: &[Vec<Vec<i8>>]) -> Embedded {
        let quantization = Quantization {
            scale: 0.01,
            zero_point: 0,
        };
        Embedded::of(classes, quantization)
    }

    #[test]
    fn what_is_apart_is_found_and_what_is_the_same_is_not() {
        let three = embedded(&apart(3, 5));
        let drawn = Trial::Drawn {
            shots: 2,
            draws: 10,
            queries: 2,
            seed: 1,
        };
        for trial in [Trial::LeaveOneOut, drawn] {
            for head in Head::ALL {
                let tally = three.tally(head, trial).unwrap();
                assert_eq!(tally.accuracy, 1.0, "{head:?} {trial:?} {tally:?}");
            }
        }
        let asked: u64 = three
            .tally(Head::Prototype, Trial::LeaveOneOut)
            .unwrap()
            .counts
            .iter()
            .flatten()
            .sum();
        assert_eq!(asked, 15);
        let mut same = apart(2, 6);
        same[1] = same[0].clone();
        let tally = embedded(&same)
            .tally(Head::Prototype, Trial::LeaveOneOut)
            .unwrap();
        assert!(tally.accuracy <= 0.5, "{tally:?}");
    }

    #[test]
    fn a_class_of_one_picture_is_not_asked_about() {
        let mut few = apart(3, 4);
        few[1].truncate(1);
        let tally = embedded(&few)
            .tally(Head::Nearest, Trial::LeaveOneOut)
            .unwrap();
        assert_eq!(tally.counts[1].iter().sum::<u64>(), 0);
        assert_eq!(tally.counts[2][2], 4);
        let many = embedded(&apart(2, MAX_SHOTS + 2));
        assert_eq!(
            many.tally(Head::Nearest, Trial::LeaveOneOut),
            Err(SuitabilityError::Shots(MAX_SHOTS + 1))
        );
    }
}
