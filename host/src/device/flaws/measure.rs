//! A product, measured: draws of the shots, each taught to a memory that the test is shown.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use sudal_firmware::decision::Rate;
use sudal_firmware::patches::{Light, Memory};

use super::error::FlawsError;
use super::found::{Found, Missed, Plain};
use super::looked::{Looked, Seen, Tested};
use super::scores::{Scores, part, part_of};
use crate::data::mvtec::Mask;
use crate::measure::Accuracy;
use crate::measure::anomaly::{Localisation, Pixels, enlarge};

/// Streams of random numbers that draw flawed pictures, apart from those of good ones.
const BAD_STREAM: u64 = 1 << 63;

/// Plain statistics of a picture.
const PLAIN: [&str; 4] = ["mean", "deviation", "darkest", "brightest"];

/// What a line is taught before it is measured; fewer where a product has no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// Good pictures of `train` that are taught.
    pub shot: usize,
    /// Other ones that are then watched, which the device's own threshold comes from as well.
    pub watched: usize,
    /// Flawed pictures of `test` that are taught as bad; they are not shown again.
    pub bad: usize,
    /// Whether that is before good ones are watched, or after.
    pub bad_first: bool,
}

/// The pictures of a line, as numbers of `train`; the bad ones of `test`.
struct Lesson {
    shots: Vec<usize>,
    watched: Vec<usize>,
    bad: Vec<usize>,
    bad_first: bool,
}

/// One draw of the shots.
struct Draw {
    auroc: f64,
    auroc_patches: f64,
    pixels: Option<Localisation>,
    /// Exact, device, false alarms.
    rates: Vec<[f64; 3]>,
    /// Of each plain statistic: area, and what is missed at each rate.
    plain: [(f64, Vec<f64>); 4],
}

impl Looked {
    /// Measures a line, drawn several times; the draws of more shots hold those of fewer.
    ///
    /// # Errors
    /// [`FlawsError::Memory`], which no model of one shape of patches causes.
    pub fn measure(
        &self,
        line: Line,
        draws: u64,
        seed: u64,
        rates: &[Rate],
    ) -> Result<Found, FlawsError> {
        let draws: Vec<Draw> = (0..draws)
            .into_par_iter()
            .map(|draw| self.draw(&self.lesson(line, draw, seed), rates))
            .collect::<Result<_, _>>()?;
        let over = |of: &dyn Fn(&Draw) -> f64| over(draws.iter().map(of));
        let all = |of: &dyn Fn(&Localisation) -> f64| {
            let each: Option<Vec<f64>> = draws
                .iter()
                .map(|draw| draw.pixels.as_ref().map(of))
                .collect();
            each.map(|each| Accuracy::of(&each))
        };
        let best = (0..PLAIN.len())
            .max_by(|&a, &b| {
                let area = |place: usize| over(&|draw| draw.plain[place].0).mean;
                area(a).total_cmp(&area(b))
            })
            .unwrap_or(0);
        let missed = |(place, rate): (usize, &Rate)| Missed {
            rate: part(*rate),
            exact: over(&|draw| draw.rates[place][0]),
            device: over(&|draw| draw.rates[place][1]),
            false_alarms: over(&|draw| draw.rates[place][2]),
            plain: over(&|draw| draw.plain[best].1[place]),
        };
        Ok(Found {
            shot: line.shot,
            auroc: over(&|draw| draw.auroc),
            auroc_patches: over(&|draw| draw.auroc_patches),
            auroc_pixels: all(&|pixels| pixels.auroc),
            pro: all(&|pixels| pixels.pro),
            rates: rates.iter().enumerate().map(missed).collect(),
            plain: Plain {
                name: PLAIN[best],
                auroc: over(&|draw| draw.plain[best].0),
            },
        })
    }

    /// The pictures that a draw teaches.
    fn lesson(&self, line: Line, draw: u64, seed: u64) -> Lesson {
        let mut shots = self.order(draw, seed);
        let mut watched = shots.split_off(line.shot.min(shots.len()));
        watched.truncate(line.watched);
        let flawed = (0..self.test.len()).filter(|&i| self.test[i].flawed);
        let mut bad: Vec<usize> = flawed.collect();
        bad.shuffle(&mut random(BAD_STREAM ^ draw, seed));
        bad.truncate(line.bad);
        Lesson {
            shots,
            watched,
            bad,
            bad_first: line.bad_first,
        }
    }

    /// The good pictures in the order of a draw.
    pub(super) fn order(&self, draw: u64, seed: u64) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.train.len()).collect();
        order.shuffle(&mut random(draw, seed));
        order
    }

    fn draw(&self, lesson: &Lesson, rates: &[Rate]) -> Result<Draw, FlawsError> {
        let shots: Vec<&Seen> = lesson.shots.iter().map(|&i| &self.train[i]).collect();
        let mut memory = self.taught(&shots)?;
        let mut heat = vec![0; self.shape.places()];
        let reject = |memory: &mut Memory| {
            let mut bad = lesson.bad.iter().map(|&i| &self.test[i].seen);
            bad.try_for_each(|bad| {
                memory
                    .reject(&bad.sight(self.shape)?)
                    .map(drop)
                    .map_err(FlawsError::from)
            })
        };
        if lesson.bad_first {
            reject(&mut memory)?;
        }
        for &i in &lesson.watched {
            let sight = self.train[i].sight(self.shape)?;
            let finding = memory.inspect(&sight, Rate::default(), &mut heat)?;
            memory.watch(&finding);
        }
        if !lesson.bad_first {
            reject(&mut memory)?;
        }
        let shown = self.test.iter().enumerate();
        let shown = shown.filter(|(i, _)| !lesson.bad.contains(i));
        let mut scores = Scores::default();
        let mut patches = Scores::default();
        let mut pixels = Pixels::default();
        let any_mask = self.test.iter().any(|tested| tested.mask.is_some());
        for (_, Tested { seen, flawed, mask }) in shown {
            let sight = seen.sight(self.shape)?;
            let finding = memory.inspect(&sight, Rate::default(), &mut heat)?;
            scores.push(*flawed, finding.deviations);
            patches.push(*flawed, finding.patches);
            // Without a mask nobody knows where it is flawed.
            if any_mask && (mask.is_some() || !flawed) {
                let from = (self.shape.width(), self.shape.height());
                let map: Vec<f32> = heat.iter().map(|&heat| heat as f32).collect();
                let size = mask.as_ref().or_else(|| self.a_mask()).map(size_of_mask);
                let size = size.unwrap_or(from);
                let map = enlarge(&map, from, size);
                pixels.push(&map, size.0, mask.as_ref().map(|mask| &mask.flawed[..]));
            }
        }
        let rates_of = |rate: &Rate| {
            let threshold = memory.threshold(*rate);
            [
                scores.missed(*rate),
                part_of(&scores.flawed, |score| score <= threshold),
                part_of(&scores.good, |score| score > threshold),
            ]
        };
        Ok(Draw {
            auroc: scores.auroc(),
            auroc_patches: patches.auroc(),
            pixels: pixels.measure(),
            rates: rates.iter().map(rates_of).collect(),
            plain: core::array::from_fn(|place| self.plain(&shots, &lesson.bad, place, rates)),
        })
    }

    /// A mask, for the size of the pictures that have none.
    fn a_mask(&self) -> Option<&Mask> {
        self.test.iter().find_map(|tested| tested.mask.as_ref())
    }

    fn plain(
        &self,
        shots: &[&Seen],
        bad: &[usize],
        place: usize,
        rates: &[Rate],
    ) -> (f64, Vec<f64>) {
        let level = |seen: &Seen| {
            let Light {
                mean,
                deviation,
                darkest,
                brightest,
            } = seen.plain;
            [mean, deviation, darkest.into(), brightest.into()][place]
        };
        let mean = shots.iter().map(|seen| level(seen)).sum::<f32>() / shots.len().max(1) as f32;
        let mut scores = Scores::default();
        for (i, tested) in self.test.iter().enumerate() {
            if !bad.contains(&i) {
                scores.push(tested.flawed, (level(&tested.seen) - mean).abs());
            }
        }
        let missed = rates.iter().map(|&rate| scores.missed(rate));
        (scores.auroc(), missed.collect())
    }
}

fn random(stream: u64, seed: u64) -> ChaCha8Rng {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(stream);
    random
}

fn size_of_mask(mask: &Mask) -> (usize, usize) {
    (mask.width as usize, mask.height as usize)
}

fn over(each: impl Iterator<Item = f64>) -> Accuracy {
    Accuracy::of(&each.collect::<Vec<_>>())
}
