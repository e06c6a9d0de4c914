//! Photographs without labels: each is a class of its own, and its crops are the class's pictures.
//!
//! What is cut from one photograph of a surface is the same surface, so that a pile of them makes
//! thousands of classes that nobody had to name (instance discrimination: Dosovitskiy et al., 2014,
//! "Discriminative Unsupervised Feature Learning with Convolutional Neural Networks").

use std::{collections::BTreeSet, path::Path};

use image::GenericImageView;
use rand::RngExt;
use rayon::prelude::*;

use super::{
    DataError, Fit, Loaded, Raster, Size, Why,
    drawn::stream,
    files::Files,
    layout,
    picture::{self, FORMATS},
};

/// Crops' sides, as parts of the photograph's shorter one.
const SIDES: (f32, f32) = (0.3, 0.75);
/// Photographs whose shorter side is less than n sides of a crop are too small.
const ROOM: f32 = 4.0 / 3.0;
/// Crops that deviate less than this, in levels of 0..=255, show nothing.
const FLAT: f64 = 4.0;
/// Crops that are tried for each that is kept.
const TRIES: usize = 3;
/// The greatest part of a photograph that may be transparent.
const TRANSPARENT: f64 = 0.02;
/// Photographs are the same when they are at this side and depth.
const THUMB: (u32, u8) = (16, 16);

/// Crops, and what gave none.
#[derive(Debug)]
pub struct Crops {
    /// A class for each photograph, named by its path.
    pub loaded: Loaded,
    /// Photographs that were left out.
    pub left_out: LeftOut,
}

/// Why photographs were left out, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// They could not be decoded.
    pub broken: usize,
    /// They are too small, partly transparent, or nearly of one colour.
    pub empty: usize,
    /// They look like one before.
    pub twice: usize,
    /// They say where the flaws of others are.
    pub masks: usize,
}

/// Cuts `each` squares out of every picture of a folder or zip, and brings them to
/// `size`, (width, height) in pixels. The same `seed` cuts the same. `progress` is called from any
/// thread whenever a photograph is done, with the number of them all.
///
/// # Errors
/// A missing or broken archive, or no picture that can be used.
pub fn load(
    path: &Path,
    each: usize,
    size: impl Into<Size>,
    seed: u64,
    progress: impl Fn(usize) + Sync,
) -> Result<Crops, DataError> {
    let size = size.into();
    let files = Files::open(path)?;
    let (pictures, found) = layout::pictures(files.names());
    let cut: Vec<Cut> = pictures
        .par_iter()
        .map(|&index| {
            let cut = cut(&files, index, each, size, seed);
            progress(pictures.len());
            cut
        })
        .collect();

    let (mut names, mut pixels) = (Vec::new(), Vec::new());
    let (mut seen, mut left_out) = (BTreeSet::new(), LeftOut::default());
    let masks = found.left_out.iter().find(|left| left.why == Why::Mask);
    left_out.masks = masks.map_or(0, |left| left.files);
    for (index, cut) in pictures.into_iter().zip(cut) {
        match cut {
            Cut::Broken => left_out.broken += 1,
            Cut::Empty => left_out.empty += 1,
            Cut::Crops { thumb, crops } => {
                if seen.insert(thumb) {
                    names.push(files.names()[index].clone());
                    pixels.extend(crops);
                } else {
                    left_out.twice += 1;
                }
            }
        }
    }
    if names.is_empty() {
        let problem = format!(
            "no {FORMATS} picture in it gives crops of {}x{}: they must be a third larger, opaque and show something",
            size.width, size.height
        );
        return Err(DataError::layout(path, problem));
    }
    let lengths = vec![each; names.len()];
    Ok(Crops {
        loaded: Loaded::new(names, &lengths, size, pixels),
        left_out,
    })
}

/// What a photograph gives.
enum Cut {
    Broken,
    Empty,
    Crops { thumb: Vec<u8>, crops: Vec<u8> },
}

fn cut(files: &Files, index: usize, each: usize, size: Size, seed: u64) -> Cut {
    let longest = size.width.max(size.height);
    let Ok(bytes) = files.read(index) else {
        return Cut::Broken;
    };
    let Ok(picture) = picture::decode(&bytes) else {
        return Cut::Broken;
    };
    let (width, height) = picture.dimensions();
    let short = width.min(height);
    if (short as f32) < ROOM * longest as f32 {
        return Cut::Empty;
    }
    if picture.color().has_alpha() {
        let alpha = picture.to_rgba8();
        let clear = alpha.pixels().filter(|pixel| pixel.0[3] < 250).count();
        if clear as f64 > TRANSPARENT * f64::from(width) * f64::from(height) {
            return Cut::Empty;
        }
    }
    let pixels = picture::flatten(picture, size.colors);
    let Ok(whole) = Raster::with_colors(width, height, size.colors, pixels) else {
        return Cut::Empty;
    };
    let mut rng = stream(seed, 0, index as u64, 0);
    let tried = (0..each * TRIES).map(|_| {
        let side = (rng.random_range(SIDES.0..SIDES.1) * short as f32) as u32;
        let side = side.clamp(longest, short);
        let left = rng.random_range(0..=width - side);
        let top = rng.random_range(0..=height - side);
        whole
            .crop((left, top), (side, side))
            .fit(size.sides(), Fit::Crop)
            .pixels
    });
    // No more are cut than are kept.
    let kept = tried.filter(|crop| deviation(crop) >= FLAT).take(each);
    let crops: Vec<u8> = kept.flatten().collect();
    if crops.len() < each * size.values() {
        return Cut::Empty;
    }
    let mut thumb = whole.resize(THUMB.0, THUMB.0).pixels;
    thumb.iter_mut().for_each(|level| *level /= THUMB.1);
    Cut::Crops { thumb, crops }
}

/// Standard deviation, in levels.
fn deviation(pixels: &[u8]) -> f64 {
    let count = pixels.len() as f64;
    let mean = pixels.iter().map(|&p| f64::from(p)).sum::<f64>() / count;
    let squares = pixels.iter().map(|&p| (f64::from(p) - mean).powi(2));
    (squares.sum::<f64>() / count).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stripes of one pitch, or one colour where it is 0.
    fn stripes(side: u32, pitch: u32) -> Raster {
        let level = |i: u32| match pitch {
            0 => 90,
            pitch => (i % side / pitch % 2 * 255) as u8,
        };
        Raster::new(side, side, (0..side * side).map(level).collect()).unwrap()
    }

    #[test]
    fn each_photograph_is_a_class_of_what_is_cut_from_it() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        stripes(64, 4).save(&at("a.png")).unwrap();
        stripes(64, 16).save(&at("b.png")).unwrap();
        stripes(64, 16).save(&at("copy.png")).unwrap();
        stripes(64, 8).save(&at("a_mask.png")).unwrap();
        stripes(64, 0).save(&at("flat.png")).unwrap();
        stripes(20, 4).save(&at("small.png")).unwrap();
        std::fs::write(at("broken.jpg"), b"no picture").unwrap();
        std::fs::write(at("notes.txt"), b"").unwrap();
        let clear = image::RgbaImage::from_fn(64, 64, |x, _| image::Rgba([x as u8 * 4, 0, 0, 100]));
        clear.save(at("clear.png")).unwrap();

        let cut = |seed| load(folder.path(), 5, (16, 16), seed, |_| ()).unwrap();
        let Crops { loaded, left_out } = cut(1);
        assert_eq!(loaded.class_sizes(), [5, 5]);
        assert_eq!(
            (loaded.class_name(0), loaded.class_name(1)),
            ("a.png", "b.png")
        );
        let expected = LeftOut {
            broken: 1,
            empty: 3,
            twice: 1,
            masks: 1,
        };
        assert_eq!(left_out, expected);
        // Stripes run down in every crop: its rows are similar.
        for class in 0..2 {
            for index in 0..5 {
                let pixels = loaded.pixels(class, index);
                assert!(pixels.chunks_exact(16).all(|row| row == &pixels[..16]));
                assert!(deviation(pixels) >= FLAT);
            }
        }
        assert_eq!(cut(1).loaded.all(), loaded.all());
        assert_ne!(cut(2).loaded.all(), loaded.all());

        let empty = tempfile::tempdir().unwrap();
        stripes(64, 0).save(&empty.path().join("flat.png")).unwrap();
        let error = load(empty.path(), 5, (16, 16), 1, |_| ()).unwrap_err();
        assert!(error.to_string().contains("crops of 16x16"), "{error}");
    }
}
