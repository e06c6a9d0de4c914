//! What was found on own pictures, as programs read it.

use std::path::PathBuf;

use serde::Serialize;
use sudal::device::Head;
use sudal::measure::{Tally, Trial};

use super::args::Args;
use super::measure::{Measured, Read, Row};

/// A class is hopeless of which less than this is found.
pub(super) const HOPELESS: f64 = 0.6;

#[derive(Serialize)]
pub(super) struct Report {
    pub(super) folder: String,
    pub(super) trial: Trial,
    pub(super) classes: Vec<Class>,
    /// Every model with every head.
    pub(super) tried: Vec<Row>,
    pub(super) best: Best,
    /// Pairs that are mistaken for each other, the worst first.
    pub(super) confused: Vec<Confused>,
    pub(super) hopeless: Vec<String>,
    pub(super) at_shots: Vec<AtShots>,
    /// Accuracy where only the middle half of the pictures is looked at.
    pub(super) middle: f64,
    /// Of a picture, of 255: the median of all.
    pub(super) brightness: f64,
    pub(super) contrast: f64,
    /// In plain words: what to take and do.
    pub(super) advice: Vec<String>,
    pub(super) picture: Option<PathBuf>,
}

#[derive(Serialize)]
pub(super) struct Class {
    pub(super) name: String,
    pub(super) pictures: usize,
    pub(super) looked_at: usize,
    /// Share of its pictures that is found; none where it has one only.
    pub(super) found: Option<f64>,
}

#[derive(Serialize)]
pub(super) struct Best {
    pub(super) model: String,
    pub(super) head: Head,
    pub(super) accuracy: f64,
    pub(super) interval: f64,
    pub(super) flash: usize,
    pub(super) ram: usize,
    /// `confusion[truth][answer]`, in the order of the classes.
    pub(super) confusion: Vec<Vec<u64>>,
}

#[derive(Serialize)]
pub(super) struct Confused {
    pub(super) classes: [String; 2],
    pub(super) mistaken: u64,
    pub(super) pictures: u64,
}

#[derive(Serialize)]
pub(super) struct AtShots {
    pub(super) shots: usize,
    pub(super) accuracy: f64,
    pub(super) interval: f64,
}

impl Report {
    pub(super) fn new(args: &Args, read: &Read, measured: &Measured, trial: Trial) -> Self {
        let best = &measured.best;
        let found = found(&best.tally);
        let classes = (0..read.names.len()).map(|class| Class {
            name: read.names[class].clone(),
            pictures: read.there[class],
            looked_at: read.counts[class],
            found: found[class],
        });
        let hopeless = (0..found.len()).filter(|&class| found[class].is_some_and(|f| f < HOPELESS));
        let at_shots = measured.at_shots.iter().map(|(shots, tally)| AtShots {
            shots: *shots,
            accuracy: tally.accuracy,
            interval: tally.interval,
        });
        Self {
            folder: args.folder.display().to_string(),
            trial,
            classes: classes.collect(),
            tried: measured.rows.clone(),
            best: Best {
                model: best.model.clone(),
                head: best.head,
                accuracy: best.tally.accuracy,
                interval: best.tally.interval,
                flash: measured.flash,
                ram: measured.ram,
                confusion: best.tally.counts.clone(),
            },
            confused: confused(&best.tally, &read.names),
            hopeless: hopeless.map(|class| read.names[class].clone()).collect(),
            at_shots: at_shots.collect(),
            middle: measured.middle.accuracy,
            brightness: read.brightness,
            contrast: read.contrast,
            advice: Vec::new(),
            picture: args.out.clone(),
        }
    }
}

/// Share of each class's pictures that is found; none where none was asked about.
fn found(tally: &Tally) -> Vec<Option<f64>> {
    let rows = tally.counts.iter().enumerate();
    rows.map(|(class, row)| {
        let asked: u64 = row.iter().sum();
        (asked > 0).then(|| row[class] as f64 / asked as f64)
    })
    .collect()
}

fn confused(tally: &Tally, names: &[String]) -> Vec<Confused> {
    let counts = &tally.counts;
    let asked = |class: usize| counts[class].iter().sum::<u64>();
    let mut pairs = Vec::new();
    for (one, name) in names.iter().enumerate() {
        for (other, second) in names.iter().enumerate().skip(one + 1) {
            let mistaken = counts[one][other] + counts[other][one];
            if mistaken > 0 {
                pairs.push(Confused {
                    classes: [name, second].map(Clone::clone),
                    mistaken,
                    pictures: asked(one) + asked(other),
                });
            }
        }
    }
    pairs.sort_by(|a, b| b.share().total_cmp(&a.share()));
    pairs
}

impl Confused {
    /// Share of their pictures that is mistaken.
    pub(super) fn share(&self) -> f64 {
        self.mistaken as f64 / self.pictures.max(1) as f64
    }
}
