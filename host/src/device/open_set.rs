//! Open-set episodes (Scheirer et al. 2013): some classes are enrolled, and asked for are pictures of
//! these and of others, by the firmware's own decisions.

use rayon::prelude::*;
use serde::Serialize;
use sudal_firmware::decision::{Basis, Calibration, NoveltyModel, Outcome, Rate};
use sudal_firmware::heads::{Distance, Head};
use sudal_firmware::image::Model;
use sudal_firmware::store::Known;

use super::heads::{HeadEpisodes, HeadError, MODEL};
use crate::episodes::{Episode, Sampler};
use crate::measure::verification::Roc;
use crate::measure::{Accuracy, Embeddings};

/// Parts of the queries that are rejected, for accuracy against rejection.
const REJECTED: usize = 20;

/// The classes and pictures of a data set as an open-set task for the device.
#[derive(Debug, Clone, Copy)]
pub struct OpenSet<'a> {
    heads: HeadEpisodes<'a>,
    calibration: Option<&'a Calibration>,
    head: Head,
    /// Classes of an episode that are enrolled; pictures of the others are unknown.
    known: usize,
}

/// What came of open-set episodes.
#[derive(Debug, Clone, Serialize)]
pub struct OpenSetReport {
    /// What the thresholds rest on.
    pub basis: Basis,
    /// Area below the ROC of known against unknown pictures, by novelty.
    pub auroc: Accuracy,
    /// The same by the plain distance to the nearest class.
    pub auroc_distance: Accuracy,
    /// The same by the distance to the nearest class over that to the second, which says nothing
    /// where one class is enrolled.
    pub auroc_ratio: Accuracy,
    /// Part of the known pictures that are given their class, none rejected.
    pub accuracy: Accuracy,
    /// At each false-reject rate that was chosen.
    pub rates: Vec<OperatingPoint>,
    /// Accuracy of what is accepted, known and unknown pictures mixed, against the part that is
    /// rejected, the most novel first.
    pub rejection: Vec<Rejection>,
}

/// What a chosen false-reject rate led to.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct OperatingPoint {
    /// The rate that was chosen.
    pub chosen: f64,
    /// Part of the known pictures that were rejected.
    pub false_reject: Accuracy,
    /// Part of the unknown pictures that were accepted.
    pub false_accept: Accuracy,
    /// Part of the known pictures that were accepted and given their class.
    #[serde(rename = "right")]
    pub correct: Accuracy,
    /// Part of the known pictures nearest to their own class that were too close to call.
    #[serde(rename = "right_unclear")]
    pub correct_unclear: Accuracy,
    /// Part of those nearest to another class that were; of episodes that have such.
    pub wrong_unclear: Accuracy,
}

/// A point of accuracy against rejection.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Rejection {
    /// Part of all pictures that is rejected.
    pub rejected: f64,
    /// Part of the others that is of a known class and given it.
    pub accuracy: Accuracy,
}

/// What the device makes of one picture.
struct Judged {
    known: bool,
    correct: bool,
    novelty: f32,
    distance: f32,
    ratio: f32,
    /// At each rate.
    outcomes: Vec<Outcome>,
}

impl<'a> OpenSet<'a> {
    /// Over the embeddings of a model image.
    #[must_use]
    pub fn new(model: &Model<'a>, embeddings: &'a Embeddings, head: Head, known: usize) -> Self {
        Self {
            heads: HeadEpisodes::new(model, embeddings),
            calibration: model.calibration(),
            head,
            known,
        }
    }

    /// Measures a sampler's first episodes at these rates; `done` is called after each.
    ///
    /// # Errors
    /// That the device has no room for the known classes.
    pub fn measure(
        &self,
        sampler: &Sampler,
        episodes: u64,
        rates: &[Rate],
        done: &(dyn Fn() + Sync),
    ) -> Result<OpenSetReport, HeadError> {
        let shape = sampler.shape();
        self.heads.check(self.known, shape.shot)?;
        let judged: Vec<(Basis, Vec<Judged>)> = (0..episodes)
            .into_par_iter()
            .map_init(
                || Box::new(Known::new()),
                |known, n| {
                    let judged = self.episode(known, &sampler.episode(n), rates);
                    done();
                    judged
                },
            )
            .collect::<Result<_, HeadError>>()?;
        let over = |of: &dyn Fn(&[Judged]) -> f64| {
            let each: Vec<f64> = judged.iter().map(|(_, all)| of(all)).collect();
            Accuracy::of(&each)
        };
        let operating_point = |(place, rate): (usize, &Rate)| OperatingPoint {
            chosen: f64::from(rate.parts()) / 10_000.0,
            false_reject: over(&|all| part(all, |j| j.known, |j| !j.is_accepted(place))),
            false_accept: over(&|all| part(all, |j| !j.known, |j| j.is_accepted(place))),
            correct: over(&|all| {
                let is_correct = |j: &Judged| j.outcomes[place].class().is_some() && j.correct;
                part(all, |j| j.known, is_correct)
            }),
            correct_unclear: unclear(&judged, place, true),
            wrong_unclear: unclear(&judged, place, false),
        };
        let basis = judged.first().map_or(Basis::Nothing, |(basis, _)| *basis);
        Ok(OpenSetReport {
            basis,
            auroc: over(&|all| auroc(all, |j| j.novelty)),
            auroc_distance: over(&|all| auroc(all, |j| j.distance)),
            auroc_ratio: over(&|all| auroc(all, |j| j.ratio)),
            accuracy: over(&|all| part(all, |j| j.known, |j| j.correct)),
            rates: rates.iter().enumerate().map(operating_point).collect(),
            rejection: (0..REJECTED)
                .map(|step| {
                    let rejected = step as f64 / REJECTED as f64;
                    Rejection {
                        rejected,
                        accuracy: over(&|all| accuracy_of_rest(all, rejected)),
                    }
                })
                .collect(),
        })
    }

    fn episode(
        &self,
        known: &mut Known,
        episode: &Episode,
        rates: &[Rate],
    ) -> Result<(Basis, Vec<Judged>), HeadError> {
        let enrolled = Episode {
            classes: episode.classes[..self.known].to_vec(),
            support: episode.support[..self.known].to_vec(),
            query: Vec::new(),
        };
        self.heads.learn(known, &enrolled)?;
        let models: Vec<NoveltyModel<'_>> = rates
            .iter()
            .map(|&rate| NoveltyModel::new(self.calibration, known.of_model(MODEL), rate))
            .collect();
        // Novelty does not depend on the rate.
        let any = NoveltyModel::new(self.calibration, known.of_model(MODEL), Rate::default());
        let mut judged = Vec::new();
        for (place, (&class, pictures)) in episode.classes.iter().zip(&episode.query).enumerate() {
            for &index in pictures {
                let query = self.heads.embedding(class, index);
                let quantization = self.heads.quantization();
                let Some(answer) = known.classify(self.head, &query, MODEL, quantization) else {
                    continue;
                };
                let all = known.classes();
                let winner = &all[answer.ranking.first];
                let to =
                    |place: usize| Distance::between(&query, all[place].prototype()).to_real(1.0);
                let distance = to(answer.ranking.first);
                let second = answer.ranking.second.map(|second| &all[second]);
                judged.push(Judged {
                    known: place < self.known,
                    correct: answer.ranking.first == place,
                    novelty: any.novelty(&query, winner).unwrap_or(0.0),
                    distance,
                    ratio: answer
                        .ranking
                        .second
                        .map_or(1.0, |second| distance / to(second).max(1e-6)),
                    outcomes: models
                        .iter()
                        .map(|model| model.outcome(&query, winner, second))
                        .collect(),
                });
            }
        }
        Ok((any.basis(), judged))
    }
}

impl Judged {
    /// Whether it is of a known class, be it too close to call which.
    fn is_accepted(&self, rate: usize) -> bool {
        self.outcomes[rate] != Outcome::Unknown
    }
}

/// The part of the known pictures that were or were not given their class and are too close to call, over
/// the episodes that have such.
fn unclear(judged: &[(Basis, Vec<Judged>)], rate: usize, correct: bool) -> Accuracy {
    let of = |j: &Judged| j.known && j.correct == correct;
    let each: Vec<f64> = judged
        .iter()
        .filter(|(_, all)| all.iter().any(of))
        .map(|(_, all)| part(all, of, |j| j.outcomes[rate] == Outcome::Unclear))
        .collect();
    Accuracy::of(&each)
}

/// The part of some pictures of which something is so; 0 of none.
fn part(all: &[Judged], of: impl Fn(&Judged) -> bool, is: impl Fn(&Judged) -> bool) -> f64 {
    let (mut count, mut so) = (0_usize, 0_usize);
    for judged in all.iter().filter(|judged| of(judged)) {
        count += 1;
        so += usize::from(is(judged));
    }
    so as f64 / count.max(1) as f64
}

fn auroc(all: &[Judged], score: impl Fn(&Judged) -> f32) -> f64 {
    let of = |known: bool| -> Vec<f32> {
        let some = all.iter().filter(|judged| judged.known == known);
        some.map(|judged| -score(judged)).collect()
    };
    Roc::of(&of(true), &of(false)).map_or(0.5, |roc| roc.area())
}

/// Accuracy of those that stay when the most novel are rejected.
fn accuracy_of_rest(all: &[Judged], rejected: f64) -> f64 {
    let mut order: Vec<&Judged> = all.iter().collect();
    order.sort_by(|a, b| a.novelty.total_cmp(&b.novelty));
    let rest = &order[..order.len() - (order.len() as f64 * rejected) as usize];
    rest.iter().filter(|judged| judged.correct).count() as f64 / rest.len().max(1) as f64
}
