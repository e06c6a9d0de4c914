//! How far pictures of a known class lie from it, measured on base classes: the table from which the
//! firmware takes a threshold for any false-reject rate.
//!
//! The classes should be ones that training did not see, and the embeddings the firmware's int8
//! ones. Each class is enrolled again and again with other shots, by the firmware's code, and asked
//! for its other pictures; the table holds upper quantiles of the novelty found.

use bytemuck::Zeroable;
use rand::{SeedableRng, seq::index::sample};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use sudal_firmware::decision::{Calibration, Prior, RATES, ROWS, Spread, novelty};
use sudal_firmware::heads::{Class, MAX_DIM};
use sudal_firmware::image::{Header, ImageError};

use super::convert::{align, seal};
use crate::engine::QuantizedModel;
use crate::measure::Embeddings;

/// Shots that are measured, as far as the classes have pictures.
const SHOTS: [usize; ROWS] = [1, 2, 5, 10, 20];
/// Pictures that a class needs beside its shots.
const QUERIES: usize = 5;
/// Most queries of a class in one round, so that large classes do not outweigh small ones.
const MOST_QUERIES: usize = 15;
/// How often each class is enrolled for a row.
const ROUNDS: u64 = 20;
/// Fewest classes that say something about others.
const MIN_CLASSES: usize = 4;

/// Why there is no table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CalibrationError {
    /// Too few classes have enough pictures.
    #[error(
        "a calibration of decisions needs {MIN_CLASSES} classes of {} pictures, the data has {have}: add pictures", 1 + QUERIES
    )]
    TooFewClasses {
        /// Classes with enough pictures.
        have: usize,
    },
    /// All pictures of a class have one embedding.
    #[error("the pictures of a class do not differ for this model: a calibration says nothing")]
    NoSpread,
    /// More values than the firmware stores.
    #[error("the model's embedding has {0} values, the firmware stores {MAX_DIM}")]
    Embedding(usize),
    /// The image can't be read.
    #[error(transparent)]
    Image(#[from] ImageError),
}

/// Measures the table on the int8 embeddings of base classes.
///
/// # Errors
/// That the data says too little.
pub fn measure(embeddings: &Embeddings, seed: u64) -> Result<Calibration, CalibrationError> {
    let classes = classes(embeddings)?;
    let prior = prior(&classes)?;
    let mut calibration = Calibration::zeroed();
    calibration.variance = prior.variance;
    calibration.weight = prior.weight;
    calibration.classes = classes.len() as u32;
    for shots in SHOTS {
        let enough: Vec<_> = classes
            .iter()
            .filter(|class| class.len() >= shots + QUERIES)
            .collect();
        if enough.len() < MIN_CLASSES {
            break;
        }
        let mut novelties: Vec<f32> = enough
            .par_iter()
            .enumerate()
            .flat_map_iter(|(number, class)| {
                (0..ROUNDS).flat_map(move |round| {
                    let mut random = ChaCha8Rng::seed_from_u64(seed);
                    random.set_stream(number as u64 * ROUNDS + round);
                    novelties(class, shots, prior, &mut random)
                })
            })
            .collect();
        novelties.sort_by(|a, b| b.total_cmp(a));
        let row = calibration.rows as usize;
        calibration.shots[row] = shots as u32;
        calibration.quantiles[row] = RATES.map(|parts| {
            let above = novelties.len() * usize::from(parts) / 10_000;
            novelties[above].max(f32::MIN_POSITIVE)
        });
        calibration.rows += 1;
    }
    Ok(calibration)
}

/// The image with this table in it, instead of the one that it had. Its identity changes, and a
/// signature is lost.
///
/// # Errors
/// That it is no image.
pub fn with_calibration(image: &[u8], calibration: &Calibration) -> Result<Vec<u8>, ImageError> {
    let model = QuantizedModel::new(image)?;
    let model = model.model()?;
    let mut header: Header = *model.header();
    let mut bytes = model.bytes().to_vec();
    if header.calibration == 0 {
        align(&mut bytes);
        header.calibration = bytes.len() as u32;
        bytes.extend_from_slice(bytemuck::bytes_of(calibration));
    } else {
        let start = header.calibration as usize;
        bytes[start..start + size_of::<Calibration>()]
            .copy_from_slice(bytemuck::bytes_of(calibration));
    }
    seal(&mut bytes, header);
    Ok(bytes)
}

/// A picture, int8: as one that is asked about, and as a shot.
struct Picture {
    seen: Vec<i8>,
    shot: Vec<i8>,
}

/// Classes with enough pictures.
fn classes(embeddings: &Embeddings) -> Result<Vec<Vec<Picture>>, CalibrationError> {
    let sizes = embeddings.class_sizes();
    let int8 = |values: &[f32]| values.iter().map(|&value| value as i8).collect();
    let picture = |class, index| Picture {
        seen: int8(embeddings.get(class, index)),
        shot: int8(embeddings.shot(class, index)),
    };
    let classes: Vec<Vec<Picture>> = sizes
        .iter()
        .enumerate()
        .filter(|&(_, &size)| size > QUERIES)
        .map(|(class, &size)| (0..size).map(|index| picture(class, index)).collect())
        .collect();
    let have = classes.len();
    if have < MIN_CLASSES {
        return Err(CalibrationError::TooFewClasses { have });
    }
    let dim = classes[0][0].seen.len();
    if dim == 0 || dim > MAX_DIM {
        return Err(CalibrationError::Embedding(dim));
    }
    Ok(classes)
}

/// Mean within-class variance of shots, and what one pair of shots tells of a class's own (Bühlmann's
/// credibility: the variance between pairs of a class over the variance between classes).
fn prior(classes: &[Vec<Picture>]) -> Result<Prior, CalibrationError> {
    let (mut within, mut freedom) = (0.0, 0.0);
    let (mut means, mut inverse) = (Vec::new(), 0.0);
    for class in classes {
        // A pair's half squared distance is an unbiased estimate of the variance.
        let pairs: Vec<f64> = class
            .chunks_exact(2)
            .map(|pair| squared_distance(&pair[0].shot, &pair[1].shot) / 2.0)
            .collect();
        let count = pairs.len() as f64;
        let mean = pairs.iter().sum::<f64>() / count;
        within += pairs.iter().map(|pair| (pair - mean).powi(2)).sum::<f64>();
        freedom += count - 1.0;
        inverse += 1.0 / count;
        means.push(mean);
    }
    let count = means.len() as f64;
    let variance = means.iter().sum::<f64>() / count;
    if variance <= 0.0 {
        return Err(CalibrationError::NoSpread);
    }
    let of_pair = within / freedom;
    let of_means = means.iter().map(|m| (m - variance).powi(2)).sum::<f64>() / (count - 1.0);
    let between = of_means - of_pair * inverse / count;
    // Classes that hardly differ leave next to nothing to a class's own shots.
    let weight = of_pair / between.max(of_pair * 1e-3).max(f64::MIN_POSITIVE);
    Ok(Prior {
        variance: variance as f32,
        weight: weight.clamp(0.1, 1000.0) as f32,
    })
}

fn squared_distance(a: &[i8], b: &[i8]) -> f64 {
    let squares = a.iter().zip(b).map(|(&a, &b)| {
        let difference = f64::from(a) - f64::from(b);
        difference * difference
    });
    squares.sum()
}

/// Enrols some pictures of a class and measures others.
fn novelties(class: &[Picture], shots: usize, prior: Prior, random: &mut ChaCha8Rng) -> Vec<f32> {
    let queries = (class.len() - shots).min(MOST_QUERIES);
    let drawn = sample(random, class.len(), shots + queries).into_vec();
    let records = drawn[..shots].iter().map(|&index| &class[index].shot[..]);
    let Some(enrolled) = Class::of(records) else {
        return Vec::new();
    };
    let spread = Spread::of(&enrolled, prior);
    drawn[shots..]
        .iter()
        .map(|&index| novelty(&class[index].seen, &enrolled, spread))
        .collect()
}

#[cfg(test)]
mod tests {
    use rand::RngExt;
    use sudal_firmware::decision::Rate;

    use super::*;

    const DIM: usize = 24;

    /// Classes of 25 pictures whose spread differs from class to class.
    fn data(classes: usize, seed: u64) -> Embeddings {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut values = Vec::new();
        for _ in 0..classes {
            let center: [f32; DIM] = std::array::from_fn(|_| random.random_range(-60.0..60.0));
            let spread = random.random_range(4.0..16.0_f32);
            for _ in 0..25 {
                // A few pictures of each class are odd ones.
                let odd = if random.random_range(0..20) == 0 {
                    1.7
                } else {
                    1.0
                };
                values.extend(center.iter().map(|c| {
                    let noise: f32 = (0..4).map(|_| random.random_range(-1.0..1.0_f32)).sum();
                    (c + noise * spread * odd).round().clamp(-128.0, 127.0)
                }));
            }
        }
        Embeddings::new(DIM, &vec![25; classes], values)
    }

    /// The part of the pictures of classes that a calibration did not see which it rejects.
    fn rejected(calibration: &Calibration, data: &Embeddings, shots: usize, rate: Rate) -> f64 {
        let classes = classes(data).unwrap();
        let threshold = calibration.threshold(rate, shots as u8);
        let mut random = ChaCha8Rng::seed_from_u64(99);
        let all: Vec<f32> = (0..20)
            .flat_map(|_| &classes)
            .flat_map(|class| novelties(class, shots, calibration.prior(), &mut random))
            .collect();
        all.iter().filter(|&&novelty| novelty > threshold).count() as f64 / all.len() as f64
    }

    #[test]
    fn the_rate_on_other_classes_is_about_the_chosen_one() {
        let calibration = measure(&data(200, 1), 0).unwrap();
        assert!(calibration.is_sound());
        assert_eq!(calibration.shots, [1, 2, 5, 10, 20]);
        let fresh = data(200, 2);
        for shots in [1, 2, 3, 5, 10, 15, 20] {
            for (parts, least, most) in [(100, 0.004, 0.02), (500, 0.03, 0.075), (2000, 0.16, 0.24)]
            {
                let rate = Rate::new(parts).unwrap();
                let realised = rejected(&calibration, &fresh, shots, rate);
                assert!(
                    (least..most).contains(&realised),
                    "{shots} {parts} {realised}"
                );
            }
        }
    }

    #[test]
    fn the_prior_is_the_mean_variance_and_weighs_less_where_classes_differ_more() {
        let classes = classes(&data(400, 3)).unwrap();
        let prior = prior(&classes).unwrap();
        // Uniform on (-1, 1) four times has variance 4/3, a spread's square a mean of 112, and odd
        // pictures add a tenth.
        let expected = DIM as f32 * 4.0 / 3.0 * 112.0 * 1.0945;
        assert!((prior.variance / expected - 1.0).abs() < 0.1, "{prior:?}");
        assert!((0.1..2.0).contains(&prior.weight), "{prior:?}");
    }

    #[test]
    fn too_little_data_is_refused() {
        assert_eq!(
            measure(&data(3, 1), 0),
            Err(CalibrationError::TooFewClasses { have: 3 })
        );
        let same = Embeddings::new(2, &[8; 5], vec![1.0; 80]);
        assert_eq!(measure(&same, 0), Err(CalibrationError::NoSpread));
    }
}
