//! Made pictures of brushed plates, for inspection.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sudal::data::Raster;

/// Side of a picture, in pixels.
const SIDE: u32 = 96;

/// A brushed surface; number 0 is the first of many that are similar.
#[must_use]
pub fn plate(number: u64) -> Raster {
    let mut random = ChaCha8Rng::seed_from_u64(number);
    let rows: Vec<f32> = (0..SIDE)
        .map(|_| random.random_range(-14.0..14.0))
        .collect();
    let pixels = (0..SIDE * SIDE).map(|at| {
        let level = 120.0 + rows[(at / SIDE) as usize] + random.random_range(-9.0..9.0);
        level as u8
    });
    Raster::new(SIDE, SIDE, pixels.collect()).unwrap()
}

/// The same with a dark spot about a place.
#[must_use]
pub fn flawed_plate(number: u64, (x, y): (u32, u32)) -> Raster {
    let mut picture = plate(number);
    for (at, pixel) in (0..).zip(&mut picture.pixels) {
        let (dx, dy) = ((at % SIDE).abs_diff(x), (at / SIDE).abs_diff(y));
        if dx * dx + dy * dy < 40 {
            *pixel /= 3;
        }
    }
    picture
}
