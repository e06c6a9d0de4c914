//! Flaws drawn into training pictures, whose places are known.
//!
//! Three ways, so that no one's traces are learned: a flaw of the generator of surfaces as light and shade
//! (Zavrtanik et al. 2021, "DRAEM"), a piece of another picture, and a piece of another place of the same
//! one (Li et al. 2021, "CutPaste"); the pieces have a random outline and soft or hard borders. In pictures
//! with colours the light has a colour, and a fourth way is a piece of another hue that is as bright as before.

use rand::{Rng, RngExt};

use super::parts::noise::Noise;
use super::surfaces;
use super::tint::{LUMA, Tint};

/// Change of a value, in levels of 0..=255, from which its pixel belongs to a flaw.
const SEEN: f32 = 12.0;
/// Least and greatest part of a picture that a flaw covers.
const AREA: (f32, f32) = (0.0015, 0.3);
/// Flaws that are drawn until one covers so much.
const TRIES: usize = 8;
/// Saturation of a flaw's light at most, and that of another hue.
const LIGHT: f32 = 0.7;
const HUE: (f32, f32) = (0.3, 0.95);

/// Draws a flaw into `picture`, rows of `width` pixels of `channels` values of 0..=255, with `other` as the
/// source of foreign pieces. Returns 1 for each pixel that changed visibly, else 0; all 0 where no flaw of
/// usual size came up.
///
/// # Panics
/// When `other` has another size, or there are other channels than one or three.
pub fn draw(
    picture: &mut [f32],
    other: &[u8],
    (width, channels): (usize, usize),
    rng: &mut impl Rng,
) -> Vec<f32> {
    assert_eq!(picture.len(), other.len(), "pictures of one size");
    assert!(matches!(channels, 1 | 3), "grey, or red, green and blue");
    let size = (width, picture.len() / (width * channels));
    for _ in 0..TRIES {
        let ways = if channels == 1 { 4 } else { 5 };
        let changed = match rng.random_range(0..ways) {
            0 => pasted(picture, |i| f32::from(other[i]), size, rng),
            1 => moved(picture, size, rng),
            4 => dyed(picture, size, rng),
            _ => painted(picture, size, rng),
        };
        let seen = |(new, old): (&[f32], &[f32])| {
            let mut values = new.iter().zip(old);
            f32::from(u8::from(values.any(|(new, old)| (new - old).abs() >= SEEN)))
        };
        let pixels = changed.chunks_exact(channels);
        let mask: Vec<f32> = pixels
            .zip(picture.chunks_exact(channels))
            .map(seen)
            .collect();
        let area = mask.iter().sum::<f32>() / mask.len() as f32;
        if (AREA.0..=AREA.1).contains(&area) {
            picture.copy_from_slice(&changed);
            return mask;
        }
    }
    vec![0.0; size.0 * size.1]
}

/// A flaw of the generator, as light that is added or that the surface throws back.
fn painted(picture: &[f32], size: (usize, usize), rng: &mut impl Rng) -> Vec<f32> {
    let channels = picture.len() / (size.0 * size.1);
    let light = surfaces::blemish(size, rng);
    let strength = rng.random_range(0.7..1.6);
    let reflects = rng.random_bool(0.5);
    let Tint(tint) = match channels {
        1 => Tint::GREY,
        _ => Tint::of(rng.random(), rng.random_range(0.0..LIGHT)),
    };
    let change = |(i, &old): (usize, &f32)| {
        let by = if reflects { 2.0 * old } else { 255.0 };
        let light = light[i / channels] * tint[i % channels];
        (old + strength * light * by).clamp(0.0, 255.0)
    };
    picture.iter().enumerate().map(change).collect()
}

/// A piece of another place of the same picture.
fn moved(picture: &[f32], size: (usize, usize), rng: &mut impl Rng) -> Vec<f32> {
    let pixels = size.0 * size.1;
    let by = rng.random_range(pixels / 8..pixels) * (picture.len() / pixels);
    pasted(picture, |i| picture[(i + by) % picture.len()], size, rng)
}

/// A piece of random outline whose values `source` gives.
fn pasted(
    picture: &[f32],
    source: impl Fn(usize) -> f32,
    size: (usize, usize),
    rng: &mut impl Rng,
) -> Vec<f32> {
    let channels = picture.len() / (size.0 * size.1);
    let cover = piece(size, rng);
    let mix = |(i, &old): (usize, &f32)| old + (source(i) - old) * cover[i / channels];
    picture.iter().enumerate().map(mix).collect()
}

/// A piece of random outline in another hue, as bright as before.
fn dyed(picture: &[f32], size: (usize, usize), rng: &mut impl Rng) -> Vec<f32> {
    let cover = piece(size, rng);
    let Tint(tint) = Tint::of(rng.random(), rng.random_range(HUE.0..HUE.1));
    // That no value is over 255: a mean with grey is as bright.
    let most = tint.iter().fold(1.0_f32, |most, &part| most.max(part)) - 1.0;
    let dye = |(rgb, cover): (&[f32; 3], f32)| {
        let bright: f32 = rgb.iter().zip(LUMA).map(|(value, luma)| value * luma).sum();
        let strength = ((255.0 / bright.max(1.0) - 1.0) / most).clamp(0.0, 1.0);
        let hue = tint.map(|part| bright * (1.0 + strength * (part - 1.0)));
        [0, 1, 2].map(|c| rgb[c] + (hue[c] - rgb[c]) * cover)
    };
    let pixels = picture.as_chunks::<3>().0.iter();
    pixels.zip(cover).flat_map(dye).collect()
}

/// How much a piece of random outline covers each pixel, 0 to 1.
fn piece((width, height): (usize, usize), rng: &mut impl Rng) -> Vec<f32> {
    let unit = width.min(height) as f32;
    let (x, y): (f32, f32) = (rng.random_range(0.05..0.95), rng.random_range(0.05..0.95));
    let middle = (x * width as f32 / unit, y * height as f32 / unit);
    // Small ones are as frequent as large ones.
    let size = 0.03 * 8f32.powf(rng.random());
    let stretch = 4f32.powf(rng.random_range(0.0..1.0));
    let (sin, cos) = rng.random_range(0.0..std::f32::consts::TAU).sin_cos();
    let (ragged, soft) = (rng.random_range(0.0..0.8), rng.random_range(0.02..0.8));
    let mix = rng.random_range(0.4..=1.0);
    let noise = Noise(rng.random());
    let pixel = |i: usize| {
        let (u, v) = (
            (i % width) as f32 / unit - middle.0,
            (i / width) as f32 / unit - middle.1,
        );
        let (along, across) = ((cos * u + sin * v) / stretch, cos * v - sin * u);
        let outline = 1.0 + ragged * noise.at(3.0 * u / size, 3.0 * v / size);
        let inside = outline - (along * along + across * across).sqrt() / size;
        mix * (inside / soft).clamp(0.0, 1.0)
    };
    (0..width * height).map(pixel).collect()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    const SIZE: (usize, usize) = (64, 48);

    /// A slope of light, and a picture of stripes.
    fn pictures(channels: usize) -> (Vec<f32>, Vec<u8>) {
        let values = SIZE.0 * SIZE.1 * channels;
        let before = (0..values).map(|i| 90.0 + (i / channels % 64) as f32 - (i % channels) as f32);
        let other = (0..values).map(|i| (i % 7 * 36) as u8);
        (before.collect(), other.collect())
    }

    #[test]
    fn a_flaw_is_where_the_picture_changed() {
        for channels in [1, 3] {
            let (before, other) = pictures(channels);
            let mut rng = ChaCha8Rng::seed_from_u64(3);
            let mut drawn = 0;
            for _ in 0..100 {
                let mut after = before.clone();
                let mask = draw(&mut after, &other, (SIZE.0, channels), &mut rng);
                assert_eq!(mask.len(), SIZE.0 * SIZE.1);
                assert!(after.iter().all(|value| (0.0..=255.0).contains(value)));
                let changes = after.iter().zip(&before).map(|(a, b)| (a - b).abs());
                let changes: Vec<f32> = changes.collect();
                for (change, mask) in changes.chunks(channels).zip(&mask) {
                    let most = change.iter().fold(0.0_f32, |most, &by| most.max(by));
                    assert_eq!(*mask == 1.0, most >= SEEN);
                }
                let area = mask.iter().sum::<f32>() / mask.len() as f32;
                assert!(area == 0.0 && after == before || (AREA.0..=AREA.1).contains(&area));
                drawn += usize::from(area > 0.0);
            }
            assert!(drawn > 90, "{drawn} of {channels} channels");
        }
    }

    fn brightness(picture: &[f32]) -> impl Iterator<Item = f32> {
        let pixels = picture.as_chunks::<3>().0.iter();
        pixels.map(|rgb| rgb.iter().zip(LUMA).map(|(value, luma)| value * luma).sum())
    }

    #[test]
    fn another_hue_is_as_bright_and_seen() {
        let (before, _) = pictures(3);
        // Also where there is little room above.
        let bright: Vec<f32> = before.iter().map(|value| value + 95.0).collect();
        let mut rng = ChaCha8Rng::seed_from_u64(8);
        for before in [before, bright] {
            let mut seen = 0;
            for _ in 0..50 {
                let after = dyed(&before, SIZE, &mut rng);
                assert!(after.iter().all(|value| (0.0..=255.001).contains(value)));
                let mut both = brightness(&after).zip(brightness(&before));
                assert!(both.all(|(a, b)| (a - b).abs() < 0.01));
                let far = |(a, b): (&f32, &f32)| (a - b).abs() >= SEEN;
                seen += usize::from(after.iter().zip(&before).any(far));
            }
            assert!(seen > 40, "{seen} of 50");
        }
    }

    #[test]
    fn some_flaws_of_colour_pictures_are_of_hue_alone() {
        let (before, other) = pictures(3);
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let mut same = 0;
        for _ in 0..200 {
            let mut after = before.clone();
            let mask = draw(&mut after, &other, (SIZE.0, 3), &mut rng);
            let mut both = brightness(&after).zip(brightness(&before));
            same += usize::from(mask.contains(&1.0) && both.all(|(a, b)| (a - b).abs() < 1.0));
        }
        assert!((20..80).contains(&same), "{same} of 200");
    }
}
