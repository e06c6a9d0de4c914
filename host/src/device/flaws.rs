//! Inspection by patches, measured: a few good pictures of a product are taught, and good and flawed ones
//! shown, by the firmware's own code.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::Serialize;
use sudal_firmware::decision::Rate;
use sudal_firmware::engine::{self, EngineError};
use sudal_firmware::image::Model;
use sudal_firmware::patches::{Light, Map, Memory, MemoryError, Shape, Sight};
use sudal_firmware::preprocess::Fit;

use crate::data::mvtec::{Mask, Product, Products, Sample};
use crate::data::{Colors, DataError, Raster};
use crate::measure::Accuracy;
use crate::measure::anomaly::{Localisation, Pixels, auroc, enlarge, missed};

/// Side of the masks at most, in pixels.
const MASK: u32 = 256;

/// Streams of random numbers that draw flawed pictures, apart from those of good ones.
const BAD_STREAM: u64 = 1 << 63;

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

/// Why a product could not be measured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FlawsError {
    /// The model gives no patches, or more than the firmware keeps.
    #[error(
        "the model gives no map of patches that the firmware can keep: `sudal patches` adds one to its ONNX file, `sudal convert` makes the image"
    )]
    Patches,
    /// The model wants another number of channels than one or three.
    #[error("the model wants pictures of {0} channels: 1 is grey, 3 has colours")]
    Channels(usize),
    /// A product lacks a kind of picture.
    #[error("{product} has {good} good and {flawed} flawed pictures in `test`: both are needed")]
    Kinds {
        /// The product.
        product: String,
        /// Good pictures.
        good: usize,
        /// Flawed ones.
        flawed: usize,
    },
    /// A picture can't be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The engine refuses a picture.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The memory refuses a picture.
    #[error(transparent)]
    Memory(#[from] MemoryError),
}

/// What the model sees in a picture, and the picture's plain brightness.
#[derive(Debug, Clone)]
struct Seen {
    map: Vec<i8>,
    embedding: Vec<i8>,
    light: Light,
    /// Of the whole picture at its own size.
    plain: Light,
}

/// A picture to measure with.
#[derive(Debug, Clone)]
struct Tested {
    seen: Seen,
    flawed: bool,
    mask: Option<Mask>,
}

/// The pictures of a product as a model sees them, each embedded once.
#[derive(Debug, Clone)]
pub struct Looked {
    name: String,
    shape: Shape,
    train: Vec<Seen>,
    test: Vec<Tested>,
}

/// How well the flaws of a product were found after n shots; means and 95 % intervals over draws of
/// the shots.
#[derive(Debug, Clone, Serialize)]
pub struct Found {
    /// Good pictures that were taught.
    pub shot: usize,
    /// Area below the receiver operating characteristic over pictures.
    pub auroc: Accuracy,
    /// The same by patches alone, without embedding and brightness.
    pub auroc_patches: Accuracy,
    /// The same over pixels; none without masks.
    pub auroc_pixels: Option<Accuracy>,
    /// Per-region overlap up to 30 % of sound pixels; none without masks.
    pub pro: Option<Accuracy>,
    /// At each rate of false alarms.
    pub rates: Vec<Missed>,
    /// The plain statistic of the picture that does best, in hindsight.
    pub plain: Plain,
}

/// What is missed at a rate of false alarms.
#[derive(Debug, Clone, Serialize)]
pub struct Missed {
    /// The rate that was asked for.
    pub rate: f64,
    /// Flawed pictures that are missed at exactly this rate on the good pictures of the test.
    pub exact: Accuracy,
    /// Flawed pictures that are missed at the threshold that the device chooses from the shots.
    pub device: Accuracy,
    /// Good pictures that are alarms at that threshold.
    pub false_alarms: Accuracy,
    /// What the plain statistic misses at exactly this rate.
    pub plain: Accuracy,
}

/// A plain statistic of a picture: its distance from the mean of the shots'.
#[derive(Debug, Clone, Serialize)]
pub struct Plain {
    /// Which one.
    pub name: &'static str,
    /// Area below its receiver operating characteristic.
    pub auroc: Accuracy,
}

const PLAIN: [&str; 4] = ["mean", "deviation", "darkest", "brightest"];

/// Some pictures of a product as the device finds them.
#[derive(Debug, Clone)]
pub struct Examples {
    /// The good pictures that were taught, as numbers of `train`.
    pub shots: Vec<usize>,
    /// Those that were shown.
    pub shown: Vec<Example>,
    /// Rows and columns of their heat maps.
    pub size: [usize; 2],
}

/// A picture of the test as the device finds it.
#[derive(Debug, Clone)]
pub struct Example {
    /// Its number in `test`.
    pub test: usize,
    /// Whether it is flawed.
    pub flawed: bool,
    /// 0 like the average good one, 1 at the threshold.
    pub score: f32,
    /// Of each place, row by row: above 1 of a flaw.
    pub heat: Vec<f32>,
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
    /// Runs the model over all pictures of a product; `done` is called after each.
    ///
    /// # Errors
    /// Any [`FlawsError`] but that of the memory.
    pub fn new(
        model: &Model<'_>,
        products: &Products,
        product: &Product,
        fit: Fit,
        done: &(dyn Fn() + Sync),
    ) -> Result<Self, FlawsError> {
        let shape = shape(model)?;
        let [height, width, channels] = model.input_shape();
        let colors = Colors::of(channels).ok_or(FlawsError::Channels(channels))?;
        let flawed = product.test.iter().filter(|s| s.defect.is_some()).count();
        let good = product.test.len() - flawed;
        if good == 0 || flawed == 0 {
            let product = product.name.clone();
            return Err(FlawsError::Kinds {
                product,
                good,
                flawed,
            });
        }
        let size = (width as u32, height as u32);
        let see = |arena: &mut Vec<u64>, sample: &Sample| {
            let picture = products.picture(sample, colors)?;
            let plain = Light::of(&picture.pixels);
            let sides = (picture.width, picture.height);
            let seen = Seen::new(model, &picture.fit(size, fit), plain, arena)?;
            done();
            Ok::<_, FlawsError>((seen, sides))
        };
        let arena = || vec![0_u64; model.arena_words()];
        let train = product
            .train
            .par_iter()
            .map_init(arena, |arena, sample| Ok(see(arena, sample)?.0))
            .collect::<Result<_, FlawsError>>()?;
        let test = product
            .test
            .par_iter()
            .map_init(arena, |arena, sample| {
                let (seen, sides) = see(arena, sample)?;
                let of_mask = mask_size(fit.part(sides, size).1);
                Ok(Tested {
                    seen,
                    flawed: sample.defect.is_some(),
                    mask: products.mask_at(sample, of_mask, fit)?,
                })
            })
            .collect::<Result<_, FlawsError>>()?;
        Ok(Self {
            name: product.name.clone(),
            shape,
            train,
            test,
        })
    }

    /// What the product is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Good pictures to draw shots from.
    #[must_use]
    pub fn shots(&self) -> usize {
        self.train.len()
    }

    /// Good and flawed pictures of the test.
    #[must_use]
    pub fn tested(&self) -> (usize, usize) {
        let flawed = self.test.iter().filter(|tested| tested.flawed).count();
        (self.test.len() - flawed, flawed)
    }

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

    /// Pictures of the test as the device finds them after n shots of the first draw, good ones and
    /// flawed ones spread over all, at most n of each.
    ///
    /// # Errors
    /// As [`measure`](Self::measure).
    pub fn examples(
        &self,
        shot: usize,
        seed: u64,
        most: [usize; 2],
    ) -> Result<Examples, FlawsError> {
        let mut shots = self.order(0, seed);
        shots.truncate(shot);
        let seen: Vec<&Seen> = shots.iter().map(|&i| &self.train[i]).collect();
        let memory = self.taught(&seen)?;
        let of = |flawed: bool| {
            let tests = self.test.iter().enumerate();
            let all = tests.filter(move |(_, tested)| tested.flawed == flawed);
            let all: Vec<usize> = all.map(|(test, _)| test).collect();
            let count = all.len().min(most[usize::from(flawed)]);
            let spread = move |i: usize| all[i * all.len() / count];
            (0..count).map(spread).collect::<Vec<_>>()
        };
        let chosen = of(false).into_iter().chain(of(true));
        let shown = chosen.map(|test| {
            let Tested { seen, flawed, .. } = &self.test[test];
            let mut heat = vec![0; self.shape.places()];
            let finding = memory.inspect(&seen.sight(self.shape)?, Rate::default(), &mut heat)?;
            let limit = finding.limit.max(1) as f32;
            Ok(Example {
                test,
                flawed: *flawed,
                score: finding.score,
                heat: heat.iter().map(|&heat| heat as f32 / limit).collect(),
            })
        });
        Ok(Examples {
            shown: shown.collect::<Result<_, FlawsError>>()?,
            size: [self.shape.height(), self.shape.width()],
            shots,
        })
    }

    /// The good pictures in the order of a draw.
    fn order(&self, draw: u64, seed: u64) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.train.len()).collect();
        order.shuffle(&mut random(draw, seed));
        order
    }

    fn taught(&self, shots: &[&Seen]) -> Result<Box<Memory>, FlawsError> {
        let mut memory = Box::new(Memory::new());
        for shot in shots {
            memory.teach(&shot.sight(self.shape)?)?;
        }
        Ok(memory)
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

impl Seen {
    fn new(
        model: &Model<'_>,
        picture: &Raster,
        plain: Light,
        arena: &mut [u64],
    ) -> Result<Self, FlawsError> {
        let embedding = engine::run(model, &picture.pixels, arena)?.to_vec();
        Ok(Self {
            map: engine::patches(model, arena)
                .ok_or(FlawsError::Patches)?
                .to_vec(),
            embedding,
            light: Light::of(&picture.pixels),
            plain,
        })
    }

    fn sight(&self, shape: Shape) -> Result<Sight<'_>, FlawsError> {
        Ok(Sight {
            map: Map::new(shape, &self.map).ok_or(FlawsError::Patches)?,
            embedding: &self.embedding,
            light: self.light,
        })
    }
}

fn random(stream: u64, seed: u64) -> ChaCha8Rng {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(stream);
    random
}

/// The scores of good and of flawed pictures.
#[derive(Default)]
struct Scores {
    good: Vec<f32>,
    flawed: Vec<f32>,
}

impl Scores {
    fn push(&mut self, flawed: bool, score: f32) {
        let scores = if flawed {
            &mut self.flawed
        } else {
            &mut self.good
        };
        scores.push(score);
    }

    fn auroc(&self) -> f64 {
        auroc(&self.good, &self.flawed).unwrap_or(0.5)
    }

    fn missed(&self, rate: Rate) -> f64 {
        missed(&self.good, &self.flawed, part(rate)).unwrap_or(1.0)
    }
}

/// The shape of the model's patches, if the firmware can keep them.
///
/// # Errors
/// [`FlawsError::Patches`].
pub(super) fn shape(model: &Model<'_>) -> Result<Shape, FlawsError> {
    let patches = model.patches().ok_or(FlawsError::Patches)?;
    Shape::new(patches.height, patches.width, patches.channels).ok_or(FlawsError::Patches)
}

fn part(rate: Rate) -> f64 {
    f64::from(rate.parts()) / 10_000.0
}

/// The size of the mask of a part of a picture: its own, or as large as is measured.
fn mask_size((width, height): (u32, u32)) -> (u32, u32) {
    let longest = u64::from(width.max(height).max(MASK));
    let shrunk = |side: u32| (u64::from(side) * u64::from(MASK) / longest).max(1) as u32;
    if longest == u64::from(MASK) {
        (width, height)
    } else {
        (shrunk(width), shrunk(height))
    }
}

fn size_of_mask(mask: &Mask) -> (usize, usize) {
    (mask.width as usize, mask.height as usize)
}

fn part_of(scores: &[f32], is: impl Fn(f32) -> bool) -> f64 {
    scores.iter().filter(|&&score| is(score)).count() as f64 / scores.len().max(1) as f64
}

fn over(each: impl Iterator<Item = f64>) -> Accuracy {
    Accuracy::of(&each.collect::<Vec<_>>())
}

/// The mean over products, draw by draw alike: means of means, and of the draws' intervals the one of
/// a mean of independent products.
#[must_use]
pub fn over_products(each: &[Accuracy]) -> Option<Accuracy> {
    let count = each.len() as f64;
    let draws = each.iter().map(|accuracy| accuracy.episodes).min()?;
    let variance: f64 = each.iter().map(|accuracy| accuracy.interval.powi(2)).sum();
    Some(Accuracy {
        mean: each.iter().map(|accuracy| accuracy.mean).sum::<f64>() / count,
        interval: variance.sqrt() / count,
        episodes: draws,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_keep_their_proportions_and_are_bounded() {
        assert_eq!(mask_size((128, 96)), (128, 96));
        assert_eq!(mask_size((256, 1)), (256, 1));
        assert_eq!(mask_size((1024, 512)), (256, 128));
        assert_eq!(mask_size((100_000, 2)), (256, 1));
    }

    #[test]
    fn the_interval_over_products_is_that_of_a_mean() {
        let of = |mean, interval| Accuracy {
            mean,
            interval,
            episodes: 5,
        };
        let all = over_products(&[of(0.9, 0.03), of(0.7, 0.04)]).unwrap();
        assert!((all.mean - 0.8).abs() < 1e-12 && (all.interval - 0.025).abs() < 1e-12);
        assert!(over_products(&[]).is_none());
    }
}
