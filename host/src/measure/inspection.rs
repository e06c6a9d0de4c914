//! OK/NG: a few good parts are enrolled, perhaps with some known defects, and shown are good parts,
//! known defects and defects that were never seen.

use serde::Serialize;
use sudal_firmware::decision::{Calibration, NoveltyModel, Rate};
use sudal_firmware::heads::{Class, Head, Ranking};
use sudal_firmware::image::Model;

use super::few_shot::{FewShot, Picture, Run};
use super::heads::{FirmwareHead, HeadEpisodes, HeadError, MODEL};
use super::{Accuracy, Embeddings};

/// Episodes of one good class and several defects, for the device.
#[derive(Debug, Clone, Copy)]
pub struct Inspection<'a> {
    heads: HeadEpisodes<'a>,
    calibration: Option<&'a Calibration>,
    /// Defects of an episode that are known; the first class is good, those behind them unknown.
    known: usize,
}

/// What came of it.
#[derive(Debug, Clone, Serialize)]
pub struct Inspected {
    /// Whether the known defects were enrolled, or only good parts.
    pub enrolled_defects: bool,
    /// At the threshold that has exactly the rate of false alarms that was asked for.
    pub exact: Alarms,
    /// At the threshold that the device chooses for this rate before it sees any of it.
    pub chosen: Alarms,
}

/// Parts of the pictures, each over episodes.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Alarms {
    /// Of good parts, that are not found OK.
    pub false_alarms: Accuracy,
    /// Of known defects, that are found OK; none if there are no such.
    pub missed_known: Option<Accuracy>,
    /// Of unknown defects, that are found OK; none if there are no such.
    pub missed_unknown: Option<Accuracy>,
}

/// Good, known or unknown, how alarming, and whether the device finds it OK.
type Shown = (Kind, f32, bool);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Good,
    Known,
    Unknown,
}

impl<'a> Inspection<'a> {
    /// Over the embeddings of a model image.
    #[must_use]
    pub fn new(model: &Model<'a>, embeddings: &'a Embeddings, known: usize) -> Self {
        Self {
            heads: HeadEpisodes::new(model, embeddings),
            calibration: model.calibration(),
            known,
        }
    }

    /// Measures episodes at a rate of false alarms, with the known defects enrolled or without.
    ///
    /// # Errors
    /// That the device has no room for the classes.
    pub fn measure(
        &self,
        run: &Run<'_>,
        rate: Rate,
        enrol_defects: bool,
    ) -> Result<Inspected, HeadError> {
        let inspector = || Inspector {
            head: self.heads.head(Head::Prototype),
            calibration: self.calibration,
            enrolled: if enrol_defects { 1 + self.known } else { 1 },
            rate,
            model: None,
        };
        let kind = |place| match place {
            0 => Kind::Good,
            place if place <= self.known => Kind::Known,
            _ => Kind::Unknown,
        };
        let shown: Vec<Vec<Shown>> = run.in_parallel(inspector, |answered| {
            let shown = answered.into_iter();
            shown
                .map(|(place, said)| (kind(place), said.alarm, said.ok))
                .collect()
        })?;
        let mut good: Vec<f32> = shown
            .iter()
            .flatten()
            .filter(|(kind, ..)| *kind == Kind::Good)
            .map(|&(_, alarm, _)| alarm)
            .collect();
        good.sort_by(|a, b| b.total_cmp(a));
        let above = good.len() * usize::from(rate.parts()) / 10_000;
        let threshold = good.get(above).copied().unwrap_or(f32::INFINITY);
        Ok(Inspected {
            enrolled_defects: enrol_defects,
            exact: alarms(&shown, |&(_, alarm, _)| alarm <= threshold),
            chosen: alarms(&shown, |&(_, _, ok)| ok),
        })
    }
}

/// What the device says of a part.
struct Said {
    place: Option<usize>,
    alarm: f32,
    ok: bool,
}

/// The device with some of an episode's classes enrolled, the first of which is good.
struct Inspector<'a> {
    head: FirmwareHead<'a>,
    calibration: Option<&'a Calibration>,
    enrolled: usize,
    rate: Rate,
    model: Option<NoveltyModel<'a>>,
}

impl FewShot for Inspector<'_> {
    type Answer = Said;
    type Error = HeadError;

    fn learn(&mut self, support: &[Vec<Picture>]) -> Result<(), HeadError> {
        self.head.learn(&support[..self.enrolled])?;
        let classes = self.head.known().of_model(MODEL);
        self.model = Some(NoveltyModel::new(self.calibration, classes, self.rate));
        Ok(())
    }

    fn answer(&mut self, queries: &[Picture]) -> Result<Vec<Said>, HeadError> {
        let said = |&picture: &Picture| {
            let (query, answer) = self.head.ask(picture);
            let (all, model) = (self.head.known().classes(), self.model.as_ref());
            let ok = model.zip(answer.as_ref()).is_some_and(|(model, answer)| {
                let Ranking { first, second } = answer.ranking;
                let second = second.map(|second| &all[second]);
                first == 0 && model.outcome(&query, &all[0], second).is_ok()
            });
            Said {
                place: answer.map(|answer| answer.ranking.first),
                alarm: model.map_or(0.0, |model| alarm(&query, all, model)),
                ok,
            }
        };
        Ok(queries.iter().map(said).collect())
    }

    fn place(answer: &Said) -> Option<usize> {
        answer.place
    }
}

/// How alarming a picture is: its novelty for the good parts, times how much nearer it is to a known
/// defect.
fn alarm(query: &[i8], classes: &[Class], model: &NoveltyModel<'_>) -> f32 {
    let novelty = |class: &Class| model.novelty(query, class).unwrap_or(0.0);
    let Some((good, defects)) = classes.split_first() else {
        return 0.0;
    };
    let good = novelty(good);
    let nearest = defects.iter().map(novelty).fold(f32::INFINITY, f32::min);
    good * (good / nearest.max(1e-6)).max(1.0)
}

fn alarms(shown: &[Vec<Shown>], ok: impl Fn(&Shown) -> bool) -> Alarms {
    let rate = |kind: Kind, count_ok: bool| {
        let each: Vec<f64> = shown
            .iter()
            .filter_map(|episode| {
                let of: Vec<&Shown> = episode.iter().filter(|shown| shown.0 == kind).collect();
                let count = of.iter().filter(|shown| ok(shown) == count_ok).count();
                (!of.is_empty()).then(|| count as f64 / of.len() as f64)
            })
            .collect();
        (!each.is_empty()).then(|| Accuracy::of(&each))
    };
    Alarms {
        false_alarms: rate(Kind::Good, false).unwrap_or(Accuracy::of(&[])),
        missed_known: rate(Kind::Known, true),
        missed_unknown: rate(Kind::Unknown, true),
    }
}
