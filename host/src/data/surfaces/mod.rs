//! Drawn surfaces: an unlimited number of classes of material with a flaw, with no download.
//!
//! Classes come in families of [`FAMILY`]: one material, sound and with seven kinds of flaw, as an
//! inspector of strip, sheet or cloth meets them. A class fixes the kind of flaw and its manner; where
//! the flaws lie, how many and how deep they are, differs from frame to frame, as do the piece of
//! material, the light and the camera.
//!
//! Everything follows from the numbers given: the picture `index` of class `class` of seed `seed` is
//! always the same, whatever else is drawn.

mod canvas;
mod flaw;
mod material;
mod spec;
mod stream;

use std::f32::consts::TAU;

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use canvas::Canvas;
use flaw::{Flaw, Kind};
pub use spec::{FAMILY, SurfaceSpec};

use super::{Dataset, drawn};
use stream::{Purpose, stream};

/// `classes` classes of `per_class` pictures of `size`, `(width, height)` in pixels, drawn on demand.
pub fn dataset(seed: u64, classes: usize, per_class: usize, size: (u32, u32)) -> Dataset {
    let name = |seed, class| SurfaceSpec::class(seed, class).name().to_owned();
    drawn::dataset(
        "surfaces".to_owned(),
        seed,
        classes,
        per_class,
        size,
        name,
        |seed, class, index, size, colors| {
            let mut rng = stream(seed, Purpose::Frame, class, index);
            SurfaceSpec::class(seed, class).render(size, colors, &mut rng)
        },
    )
}

/// What a random flaw adds to the light of each pixel of a picture of `size`, `(width, height)` in pixels,
/// row-major, in parts of full white; mostly 0.
pub fn blemish(size: (usize, usize), rng: &mut impl Rng) -> Vec<f32> {
    let mut rng = ChaCha8Rng::from_rng(rng);
    let kind = Kind::ALL[rng.random_range(0..Kind::ALL.len())];
    let flaw = Flaw::random(kind, rng.random_range(0.0..TAU), &mut rng);
    let mut canvas = Canvas::new(size.0, size.1);
    canvas.tone.fill(0.5);
    let lamp = rng.random_range(0.0..TAU).sin_cos();
    let (ambient, slope) = (rng.random_range(0.3..0.7), rng.random_range(0.3..1.0));
    let sound = canvas.light(lamp, ambient, slope);
    flaw.draw(&mut canvas, &mut rng);
    let flawed = canvas.light(lamp, ambient, slope);
    flawed.iter().zip(sound).map(|(f, s)| f - s).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_picture_follows_from_its_numbers_alone() {
        let (few, many) = (dataset(5, 9, 3, (40, 32)), dataset(5, 30, 3, (40, 32)));
        for class in (0..9).rev() {
            assert_eq!(few.class_name(class), many.class_name(class));
            for index in (0..3).rev() {
                let picture = few.get(class, index).unwrap();
                assert_eq!((picture.width, picture.height), (40, 32));
                assert_eq!(picture, many.get(class, index).unwrap());
            }
        }
        assert_ne!(
            dataset(6, 1, 1, (40, 32)).get(0, 0).unwrap(),
            few.get(0, 0).unwrap()
        );
    }

    #[test]
    fn every_material_and_flaw_comes_up() {
        let words: BTreeSet<String> = (0..800)
            .flat_map(|class| {
                let name = SurfaceSpec::class(2, class).name()[5..].to_owned();
                name.split('-').map(str::to_owned).collect::<Vec<_>>()
            })
            .collect();
        for word in [
            "rolled",
            "brushed",
            "cast",
            "ground",
            "painted",
            "woven",
            "tracks",
            "plain",
            "sound",
            "scratches",
            "pits",
            "scale",
            "inclusions",
            "patches",
            "crazing",
            "stains",
            "ripples",
            "dust",
            "blotches",
            "splashes",
            "cracks",
            "prints",
            "dents",
        ] {
            assert!(words.contains(word), "{word} is not among {words:?}");
        }
    }

    #[test]
    fn a_blemish_changes_a_part_of_a_picture() {
        let mut rng = stream(1, Purpose::Flaw, 0, 0);
        let shares = (0..200).map(|_| {
            let light = blemish((64, 48), &mut rng);
            assert_eq!(light.len(), 64 * 48);
            assert!(light.iter().all(|change| change.abs() < 2.0));
            light.iter().filter(|change| change.abs() > 0.02).count()
        });
        let shares: Vec<usize> = shares.collect();
        let seen = shares.iter().filter(|&&pixels| pixels > 0).count();
        let small = shares
            .iter()
            .filter(|&&pixels| pixels < 64 * 48 / 4)
            .count();
        assert!(seen > 150 && small > 100, "{seen} seen, {small} small");
    }

    #[test]
    fn a_flaw_shows_on_the_material() {
        for family in 0..20 {
            for variant in 1..FAMILY {
                let class = family * FAMILY + variant;
                let spec = SurfaceSpec::class(3, class);
                let (sound, flawed) =
                    spec.canvases((96, 96), &mut stream(3, Purpose::Frame, class, 0));
                let changed = sound
                    .tone
                    .iter()
                    .zip(&flawed.tone)
                    .zip(sound.height.iter().zip(&flawed.height))
                    .filter(|((a, b), (c, d))| (*a - *b).abs() > 0.01 || (*c - *d).abs() > 0.01)
                    .count();
                assert!(changed >= 5, "{}: {changed} pixels differ", spec.name());
            }
        }
    }
}
