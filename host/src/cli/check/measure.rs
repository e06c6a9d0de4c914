//! Own pictures before every model and head.

use rayon::prelude::*;
use serde::Serialize;
use sudal::data::{Colors, DataError, Dataset, Fit, Raster, Size};
use sudal::device::{Head, MAX_SHOTS, Memory};
use sudal::engine::QuantizedModel;
use sudal::measure::{Embedded, Tally, Trial};
use sudal::models::SHIPPED;

use super::super::model::ModelFile;
use super::super::output::Output;
use super::super::own_pictures::{all_read, spread};

/// Pictures of a class that are asked about after a draw.
pub(super) const QUERIES: usize = 10;

/// A model that is tried.
pub(super) struct Candidate {
    pub(super) name: String,
    model: QuantizedModel,
    size: Size,
    flash: usize,
    ram: usize,
}

impl Candidate {
    pub(super) fn new(name: String, bytes: &[u8]) -> anyhow::Result<Self> {
        let image = QuantizedModel::new(bytes)
            .map_err(|error| anyhow::anyhow!("{name} is no sound model image: {error}"))?;
        let model = image.model()?;
        let [height, width, channels] = model.input_shape();
        let (size, ram) = (
            ModelFile::picture_size([channels, height, width])?,
            model.arena_len(),
        );
        Ok(Self {
            name,
            size,
            flash: bytes.len(),
            ram,
            model: image,
        })
    }

    /// Whether a board has room for it.
    pub(super) fn fits(&self, room: &Memory) -> bool {
        self.model.model().is_ok_and(|model| room.fits(&model))
    }
}

/// The models that come with sudal.
pub(super) fn shipped() -> anyhow::Result<Vec<Candidate>> {
    let all = SHIPPED.iter();
    all.map(|m| Candidate::new(m.name.to_owned(), m.image))
        .collect()
}

/// The pictures, as the models see them.
pub(super) struct Read {
    pub(super) names: Vec<String>,
    /// How many pictures each class has, and how many of them are looked at.
    pub(super) there: Vec<usize>,
    pub(super) counts: Vec<usize>,
    /// Of each candidate, class by class: the frames, and those of their middle alone.
    whole: Vec<Vec<Vec<Vec<u8>>>>,
    middle: Vec<Vec<Vec<Vec<u8>>>>,
    /// Mean and standard deviation of the pixels of a picture, the median of all pictures.
    pub(super) brightness: f64,
    pub(super) contrast: f64,
}

/// What is kept of a picture: of each candidate what it sees of it, and of its middle.
struct Seen {
    whole: Vec<Vec<u8>>,
    middle: Vec<Vec<u8>>,
    brightness: f64,
    contrast: f64,
}

/// Decodes up to `most` pictures of each class, once.
pub(super) fn read(
    data: &Dataset,
    most: usize,
    candidates: &[Candidate],
    fit: Fit,
    output: &Output,
) -> anyhow::Result<Read> {
    let there: Vec<usize> = (0..data.classes()).map(|class| data.len(class)).collect();
    let taken: Vec<(usize, usize)> = (0..data.classes())
        .flat_map(|class| {
            spread(there[class], most)
                .into_iter()
                .map(move |i| (class, i))
        })
        .collect();
    let bar = output.bar(taken.len() as u64, "pictures");
    bar.set_message("reading");
    let sees_colors = candidates.iter().any(|c| c.size.colors == Colors::Rgb);
    let colors = if sees_colors {
        Colors::Rgb
    } else {
        Colors::Grey
    };
    let one = |&(class, index): &(usize, usize)| -> Result<Seen, DataError> {
        let seen = see(&data.get_as(class, index, colors)?, candidates, fit);
        bar.inc(1);
        Ok(seen)
    };
    let all: Vec<_> = taken.par_iter().map(one).collect();
    bar.finish_and_clear();
    let all = all_read(all)?;
    let mut read = Read {
        names: (0..data.classes())
            .map(|c| data.class_name(c).to_owned())
            .collect(),
        counts: there.iter().map(|&count| count.min(most)).collect(),
        whole: vec![vec![Vec::new(); there.len()]; candidates.len()],
        middle: vec![vec![Vec::new(); there.len()]; candidates.len()],
        brightness: median(all.iter().map(|seen| seen.brightness)),
        contrast: median(all.iter().map(|seen| seen.contrast)),
        there,
    };
    for ((class, _), seen) in taken.into_iter().zip(all) {
        for (place, frame) in seen.whole.into_iter().enumerate() {
            read.whole[place][class].push(frame);
        }
        for (place, frame) in seen.middle.into_iter().enumerate() {
            read.middle[place][class].push(frame);
        }
    }
    Ok(read)
}

fn see(picture: &Raster, candidates: &[Candidate], fit: Fit) -> Seen {
    let of = |picture: &Raster, grey: &Raster| -> Vec<Vec<u8>> {
        let frames = candidates.iter().map(|c| match c.size.colors {
            Colors::Grey => grey.fit(c.size.sides(), fit).pixels,
            Colors::Rgb => picture.fit(c.size.sides(), fit).pixels,
        });
        frames.collect()
    };
    let grey = picture.to(Colors::Grey);
    let (whole, middle) = (of(picture, &grey), of(&picture.middle(), &grey.middle()));
    let count = grey.pixels.len().max(1) as f64;
    let values = || grey.pixels.iter().map(|&pixel| f64::from(pixel));
    let brightness = values().sum::<f64>() / count;
    let squares = values()
        .map(|value| (value - brightness).powi(2))
        .sum::<f64>();
    Seen {
        whole,
        middle,
        brightness,
        contrast: (squares / count).sqrt(),
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

/// A model with a head on the pictures.
#[derive(Clone, Serialize)]
pub(super) struct Row {
    pub(super) model: String,
    pub(super) head: Head,
    #[serde(skip)]
    candidate: usize,
    #[serde(flatten)]
    pub(super) tally: Tally,
}

/// What came of it.
pub(super) struct Measured {
    pub(super) rows: Vec<Row>,
    pub(super) best: Row,
    /// Accuracy of the best with fewer and more shots.
    pub(super) at_shots: Vec<(usize, Tally)>,
    /// The best on the middle of the pictures alone.
    pub(super) middle: Tally,
    /// What the best one's model takes of a board, in bytes.
    pub(super) flash: usize,
    pub(super) ram: usize,
}

pub(super) fn measure(
    read: &Read,
    candidates: &[Candidate],
    trial: Trial,
    output: &Output,
) -> anyhow::Result<Measured> {
    let pictures: usize = read.counts.iter().sum();
    let bar = output.bar((pictures * candidates.len()) as u64, "pictures");
    let mut rows = Vec::new();
    let mut embedded = Vec::new();
    for (place, candidate) in candidates.iter().enumerate() {
        bar.set_message(candidate.name.clone());
        let all = Embedded::new(&candidate.model, &read.whole[place], &|n| bar.inc(n as u64))?;
        for head in Head::ALL {
            rows.push(Row {
                model: candidate.name.clone(),
                head,
                candidate: place,
                tally: all.tally(head, trial)?,
            });
        }
        embedded.push(all);
    }
    bar.finish_and_clear();
    let best = best(&rows);
    let at = best.candidate;
    let fewest = read.counts.iter().copied().min().unwrap_or(0);
    let mut at_shots = Vec::new();
    for shots in [1, 2, 5, 10, 20] {
        if shots < fewest && shots <= MAX_SHOTS {
            let trial = Trial::Drawn {
                shots,
                draws: 30,
                queries: QUERIES,
                seed: 1,
            };
            at_shots.push((shots, embedded[at].tally(best.head, trial)?));
        }
    }
    let middle = Embedded::new(&candidates[at].model, &read.middle[at], &|_| ())?;
    Ok(Measured {
        middle: middle.tally(best.head, trial)?,
        flash: candidates[at].flash,
        ram: candidates[at].ram,
        rows,
        best,
        at_shots,
    })
}

/// The most accurate; of those that are about as good the one that stands first, models and heads being
/// in the order in which they are to be tried.
fn best(rows: &[Row]) -> Row {
    let accuracy = |row: &&Row| row.tally.accuracy;
    let most = rows
        .iter()
        .max_by(|a, b| accuracy(a).total_cmp(&accuracy(b)));
    let most = most.unwrap_or(&rows[0]);
    let enough = most.tally.accuracy - most.tally.interval / 4.0;
    let first = rows
        .iter()
        .find(|row| row.model == most.model && row.tally.accuracy >= enough);
    first.unwrap_or(most).clone()
}
