//! Drawn parts: an unlimited number of classes of machine parts, with no download.
//!
//! Classes come in families of [`FAMILY`] that are hard to tell apart, as on a factory line: a part,
//! the same with another number of teeth, holes or coils, the same with another mark, and the same
//! with a defect. Families are independent of one another. A frame of a class differs from the next
//! by what a real camera adds: pose, light, shadow, background, blur and noise.
//!
//! Everything follows from the numbers given: the picture `index` of class `class` of seed `seed` is
//! always the same, whatever else is drawn.

mod background;
mod body;
pub(super) mod camera;
mod defect;
mod drawing;
mod finish;
mod light;
mod mark;
pub(super) mod noise;
mod path;
mod pose;
mod spec;
mod stream;

pub use spec::{FAMILY, PartSpec};

use super::{Dataset, drawn};
use stream::{Purpose, stream};

/// `classes` classes of `per_class` pictures of `size`, `(width, height)` in pixels, drawn on demand.
pub fn dataset(seed: u64, classes: usize, per_class: usize, size: (u32, u32)) -> Dataset {
    scattered(seed, classes, per_class, size, 0)
}

/// As [`dataset`] before a camera that sees more: each side of a frame is `margin` pixels longer at
/// either end, the parts are as large as there, and lie anywhere in it.
pub fn scattered(
    seed: u64,
    classes: usize,
    per_class: usize,
    (width, height): (u32, u32),
    margin: u32,
) -> Dataset {
    let name = |seed, class| PartSpec::class(seed, class).name().to_owned();
    drawn::dataset(
        format!("parts {margin}"),
        seed,
        classes,
        per_class,
        (width + 2 * margin, height + 2 * margin),
        name,
        move |seed, class, index, size, colors| {
            let mut rng = stream(seed, Purpose::Frame, class, index);
            PartSpec::class(seed, class).render(size, margin, colors, &mut rng)
        },
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::data::{Colors, Raster};

    #[test]
    fn a_picture_follows_from_its_numbers_alone() {
        let (few, many) = (dataset(5, 12, 4, (48, 40)), dataset(5, 40, 4, (48, 40)));
        for class in (0..12).rev() {
            assert_eq!(few.class_name(class), many.class_name(class));
            for index in (0..4).rev() {
                let picture = few.get(class, index).unwrap();
                assert_eq!((picture.width, picture.height), (48, 40));
                assert_eq!(picture, many.get(class, index).unwrap());
            }
        }
        let loaded = many.load((48, 40), |_| ()).unwrap();
        assert_eq!(loaded.pixels(11, 3), few.get(11, 3).unwrap().pixels);
        assert_ne!(
            dataset(6, 1, 1, (48, 40)).get(0, 0).unwrap(),
            few.get(0, 0).unwrap()
        );
    }

    #[test]
    fn paint_is_seen_in_colours_alone() {
        let frame = |hue, colors| {
            let mut rng = stream(1, Purpose::Frame, 0, 0);
            let part = PartSpec::class(1, 0).painted(hue);
            part.render((48, 48), 0, colors, &mut rng)
        };
        assert_eq!(frame(0.0, Colors::Grey), frame(0.5, Colors::Grey));
        let mean = |picture: &Raster, channel: usize| {
            let values = picture.pixels.iter().skip(channel).step_by(3);
            values.map(|&value| f64::from(value)).sum::<f64>() / (48.0 * 48.0)
        };
        let (red, green) = (frame(0.0, Colors::Rgb), frame(1.0 / 3.0, Colors::Rgb));
        assert!(mean(&red, 0) > mean(&green, 0) + 10.0);
        assert!(mean(&green, 1) > mean(&red, 1));
    }

    #[test]
    fn classes_have_names_and_frames_of_their_own() {
        let data = dataset(1, 200, 2, (32, 32));
        let names: BTreeSet<&str> = (0..200).map(|class| data.class_name(class)).collect();
        assert_eq!(names.len(), 200);
        let frames: BTreeSet<Vec<u8>> = (0..400)
            .map(|i| data.get(i / 2, i % 2).unwrap().pixels)
            .collect();
        assert_eq!(frames.len(), 400);
    }

    #[test]
    fn every_kind_of_body_and_defect_comes_up() {
        let kinds: BTreeSet<String> = (0..2000)
            .map(|class| PartSpec::class(2, class).name()[5..].to_owned())
            .collect();
        let has = |part: &str| {
            kinds
                .iter()
                .any(|name| name.split('-').any(|word| word == part))
        };
        for word in [
            "gear", "bolt", "chip", "spring", "bracket", "count", "mark", "finish", "scratch",
            "dent", "stain", "crack", "chip", "burr", "missing",
        ] {
            assert!(has(word), "{word} is not among {kinds:?}");
        }
    }
}
