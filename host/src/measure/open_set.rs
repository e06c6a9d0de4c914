//! Open-set episodes (Scheirer et al. 2013): some classes are enrolled, and asked for are pictures of
//! these and of others, by the firmware's own decisions.

use serde::Serialize;
use sudal_firmware::decision::{Basis, Calibration, NoveltyModel, Outcome, Rate};
use sudal_firmware::heads::{Distance, Head};
use sudal_firmware::image::Model;

use super::few_shot::{FewShot, Picture, Run};
use super::heads::{FirmwareHead, HeadEpisodes, HeadError, MODEL};
use super::verification::Roc;
use super::{Accuracy, Embeddings};

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
struct Said {
    basis: Basis,
    /// The nearest class.
    place: usize,
    novelty: f32,
    distance: f32,
    ratio: f32,
    /// At each rate.
    outcomes: Vec<Outcome>,
}

/// The same, with what is true of it.
struct Judged {
    known: bool,
    correct: bool,
    said: Said,
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

    /// Measures episodes at these rates.
    ///
    /// # Errors
    /// That the device has no room for the known classes.
    pub fn measure(&self, run: &Run<'_>, rates: &[Rate]) -> Result<OpenSetReport, HeadError> {
        let decider = || Decider {
            head: self.heads.head(self.head),
            calibration: self.calibration,
            enrolled: self.known,
            rates,
            models: Vec::new(),
            any: None,
        };
        let judged = run.in_parallel(decider, |answered| {
            let mut basis = Basis::Nothing;
            let judged = answered.into_iter().filter_map(|(truth, said)| {
                let said = said?;
                basis = said.basis;
                Some(Judged {
                    known: truth < self.known,
                    correct: said.place == truth,
                    said,
                })
            });
            let judged: Vec<Judged> = judged.collect();
            (basis, judged)
        })?;
        let over = |of: &dyn Fn(&[Judged]) -> f64| {
            let each: Vec<f64> = judged.iter().map(|(_, all)| of(all)).collect();
            Accuracy::of(&each)
        };
        let operating_point = |(place, rate): (usize, &Rate)| OperatingPoint {
            chosen: f64::from(rate.parts()) / 10_000.0,
            false_reject: over(&|all| part(all, |j| j.known, |j| !j.is_accepted(place))),
            false_accept: over(&|all| part(all, |j| !j.known, |j| j.is_accepted(place))),
            correct: over(&|all| {
                let is_correct = |j: &Judged| j.said.outcomes[place].class().is_some() && j.correct;
                part(all, |j| j.known, is_correct)
            }),
            correct_unclear: unclear(&judged, place, true),
            wrong_unclear: unclear(&judged, place, false),
        };
        let basis = judged.first().map_or(Basis::Nothing, |(basis, _)| *basis);
        Ok(OpenSetReport {
            basis,
            auroc: over(&|all| auroc(all, |j| j.said.novelty)),
            auroc_distance: over(&|all| auroc(all, |j| j.said.distance)),
            auroc_ratio: over(&|all| auroc(all, |j| j.said.ratio)),
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
}

/// The device's decisions over an episode: a head, and novelty by what was enrolled.
struct Decider<'a> {
    head: FirmwareHead<'a>,
    calibration: Option<&'a Calibration>,
    /// The first classes of an episode.
    enrolled: usize,
    rates: &'a [Rate],
    /// At each rate.
    models: Vec<NoveltyModel<'a>>,
    /// Novelty does not depend on the rate.
    any: Option<NoveltyModel<'a>>,
}

impl FewShot for Decider<'_> {
    type Answer = Option<Said>;
    type Error = HeadError;

    fn learn(&mut self, support: &[Vec<Picture>]) -> Result<(), HeadError> {
        self.head.learn(&support[..self.enrolled])?;
        let known = self.head.known();
        let model = |rate| NoveltyModel::new(self.calibration, known.of_model(MODEL), rate);
        self.models = self.rates.iter().map(|&rate| model(rate)).collect();
        self.any = Some(model(Rate::default()));
        Ok(())
    }

    fn answer(&mut self, queries: &[Picture]) -> Result<Vec<Option<Said>>, HeadError> {
        Ok(queries.iter().map(|&picture| self.ask(picture)).collect())
    }

    fn place(answer: &Option<Said>) -> Option<usize> {
        answer.as_ref().map(|said| said.place)
    }
}

impl Decider<'_> {
    fn ask(&mut self, picture: Picture) -> Option<Said> {
        let (query, answer) = self.head.ask(picture);
        let (answer, any) = (answer?, self.any.as_ref()?);
        let all = self.head.known().classes();
        let (place, second) = (answer.ranking.first, answer.ranking.second);
        let to = |place: usize| Distance::between(&query, all[place].prototype()).to_real(1.0);
        let (winner, distance) = (&all[place], to(place));
        let outcome =
            |model: &NoveltyModel<'_>| model.outcome(&query, winner, second.map(|at| &all[at]));
        Some(Said {
            basis: any.basis(),
            place,
            novelty: any.novelty(&query, winner).unwrap_or(0.0),
            distance,
            ratio: second.map_or(1.0, |second| distance / to(second).max(1e-6)),
            outcomes: self.models.iter().map(outcome).collect(),
        })
    }
}

impl Judged {
    /// Whether it is of a known class, be it too close to call which.
    fn is_accepted(&self, rate: usize) -> bool {
        self.said.outcomes[rate] != Outcome::Unknown
    }
}

/// The part of the known pictures that were or were not given their class and are too close to call, over
/// the episodes that have such.
fn unclear(judged: &[(Basis, Vec<Judged>)], rate: usize, correct: bool) -> Accuracy {
    let of = |j: &Judged| j.known && j.correct == correct;
    let each: Vec<f64> = judged
        .iter()
        .filter(|(_, all)| all.iter().any(of))
        .map(|(_, all)| part(all, of, |j| j.said.outcomes[rate] == Outcome::Unclear))
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
    order.sort_by(|a, b| a.said.novelty.total_cmp(&b.said.novelty));
    let rest = &order[..order.len() - (order.len() as f64 * rejected) as usize];
    rest.iter().filter(|judged| judged.correct).count() as f64 / rest.len().max(1) as f64
}
