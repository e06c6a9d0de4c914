//! Flaws drawn into training pictures, whose places are known.
//!
//! Three ways, so that no one's traces are learned: a flaw of the generator of surfaces as light and shade
//! (Zavrtanik et al. 2021, "DRAEM"), a piece of another picture, and a piece of another place of the same
//! one (Li et al. 2021, "CutPaste"); the pieces have a random outline and soft or hard borders.

use rand::{Rng, RngExt};

use super::parts::noise::Noise;
use super::surfaces;

/// Change of a pixel, in levels of 0..=255, from which it belongs to a flaw.
const SEEN: f32 = 12.0;
/// Least and greatest part of a picture that a flaw covers.
const AREA: (f32, f32) = (0.0015, 0.3);
/// Flaws that are drawn until one covers so much.
const TRIES: usize = 8;

/// Draws a flaw into `picture`, rows of `width` greys of 0..=255, with `other` as the source of foreign
/// pieces. Returns 1 for each pixel that changed visibly, else 0; all 0 where no flaw of usual size came up.
///
/// # Panics
/// When `other` has another size.
pub fn draw(picture: &mut [f32], other: &[u8], width: usize, rng: &mut impl Rng) -> Vec<f32> {
    assert_eq!(picture.len(), other.len(), "pictures of one size");
    for _ in 0..TRIES {
        let changed = match rng.random_range(0..4) {
            0 => pasted(picture, |i| f32::from(other[i]), width, rng),
            1 => moved(picture, width, rng),
            _ => painted(picture, width, rng),
        };
        let mask: Vec<f32> = changed
            .iter()
            .zip(&*picture)
            .map(|(new, old)| f32::from(u8::from((new - old).abs() >= SEEN)))
            .collect();
        let area = mask.iter().sum::<f32>() / mask.len() as f32;
        if (AREA.0..=AREA.1).contains(&area) {
            picture.copy_from_slice(&changed);
            return mask;
        }
    }
    vec![0.0; picture.len()]
}

/// A flaw of the generator, as light that is added or that the surface throws back.
fn painted(picture: &[f32], width: usize, rng: &mut impl Rng) -> Vec<f32> {
    let light = surfaces::blemish((width, picture.len() / width), rng);
    let strength = rng.random_range(0.7..1.6);
    let reflects = rng.random_bool(0.5);
    let change = |(&old, light): (&f32, f32)| {
        let by = if reflects { 2.0 * old } else { 255.0 };
        (old + strength * light * by).clamp(0.0, 255.0)
    };
    picture.iter().zip(light).map(change).collect()
}

/// A piece of another place of the same picture.
fn moved(picture: &[f32], width: usize, rng: &mut impl Rng) -> Vec<f32> {
    let by = rng.random_range(picture.len() / 8..picture.len());
    pasted(picture, |i| picture[(i + by) % picture.len()], width, rng)
}

/// A piece of random outline whose pixels `source` gives.
fn pasted(
    picture: &[f32],
    source: impl Fn(usize) -> f32,
    width: usize,
    rng: &mut impl Rng,
) -> Vec<f32> {
    let height = picture.len() / width;
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
    let pixel = |(i, &old): (usize, &f32)| {
        let (u, v) = (
            (i % width) as f32 / unit - middle.0,
            (i / width) as f32 / unit - middle.1,
        );
        let (along, across) = ((cos * u + sin * v) / stretch, cos * v - sin * u);
        let outline = 1.0 + ragged * noise.at(3.0 * u / size, 3.0 * v / size);
        let inside = outline - (along * along + across * across).sqrt() / size;
        let cover = mix * (inside / soft).clamp(0.0, 1.0);
        old + (source(i) - old) * cover
    };
    picture.iter().enumerate().map(pixel).collect()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn a_flaw_is_where_the_picture_changed() {
        let other: Vec<u8> = (0..64 * 48).map(|i| (i % 7 * 36) as u8).collect();
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let mut drawn = 0;
        for _ in 0..100 {
            let before: Vec<f32> = (0..64 * 48).map(|i| 90.0 + (i % 64) as f32).collect();
            let mut after = before.clone();
            let mask = draw(&mut after, &other, 64, &mut rng);
            for ((a, b), mask) in after.iter().zip(&before).zip(&mask) {
                assert!((0.0..=255.0).contains(a));
                assert_eq!(*mask == 1.0, (a - b).abs() >= SEEN);
            }
            let area = mask.iter().sum::<f32>() / mask.len() as f32;
            assert!(area == 0.0 && after == before || (AREA.0..=AREA.1).contains(&area));
            drawn += usize::from(area > 0.0);
        }
        assert!(drawn > 90, "{drawn}");
    }
}
