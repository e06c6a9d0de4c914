//! The flaws of a picture: where its heat is above the limit, and how large that is beside the part.

use sudal_firmware::preprocess::align;

use crate::data::{Colors, Raster};

/// A heat map over a picture, interpolated between the middles of places.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field<'a> {
    /// Columns and rows of the picture.
    picture: (u32, u32),
    /// Columns and rows of places.
    places: (usize, usize),
    /// Row by row; empty for none.
    heat: &'a [f32],
}

/// A flaw: pixels that hang together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Flaw {
    /// Its pixels.
    pub(super) pixels: usize,
    /// Its least and greatest column and row.
    pub(super) columns: (u32, u32),
    pub(super) rows: (u32, u32),
}

impl<'a> Field<'a> {
    /// Of `height * width` values; without as many there is no heat.
    pub(super) fn new(picture: &Raster, [height, width]: [usize; 2], heat: &'a [f32]) -> Self {
        let fits = !heat.is_empty() && heat.len() == height * width;
        Self {
            picture: (picture.width, picture.height),
            places: (width, height),
            heat: if fits { heat } else { &[] },
        }
    }

    /// The heat of a pixel.
    pub(super) fn at(&self, x: u32, y: u32) -> f32 {
        if self.heat.is_empty() {
            return 0.0;
        }
        let (left, right, across) = between(x, self.picture.0, self.places.0);
        let (above, below, down) = between(y, self.picture.1, self.places.1);
        let row = |row: usize| {
            let [a, b] = [left, right].map(|column| self.heat[row * self.places.0 + column]);
            a + (b - a) * across
        };
        row(above) + (row(below) - row(above)) * down
    }

    /// Whether a pixel is of a flaw.
    pub(super) fn is_flawed(&self, x: u32, y: u32) -> bool {
        self.at(x, y) > 1.0
    }

    /// The flaws, the largest first.
    pub(super) fn flaws(&self) -> Vec<Flaw> {
        let (columns, rows) = self.picture;
        let index = |x: u32, y: u32| (y * columns + x) as usize;
        let places = (0..rows).flat_map(|y| (0..columns).map(move |x| (x, y)));
        let mut left: Vec<bool> = places.clone().map(|(x, y)| self.is_flawed(x, y)).collect();
        let mut flaws = Vec::new();
        for start in places {
            if !left[index(start.0, start.1)] {
                continue;
            }
            let mut flaw = Flaw {
                pixels: 0,
                columns: (start.0, start.0),
                rows: (start.1, start.1),
            };
            left[index(start.0, start.1)] = false;
            let mut open = vec![start];
            while let Some((x, y)) = open.pop() {
                flaw.pixels += 1;
                flaw.columns = (flaw.columns.0.min(x), flaw.columns.1.max(x));
                flaw.rows = (flaw.rows.0.min(y), flaw.rows.1.max(y));
                let beside = [
                    (x.wrapping_sub(1), y),
                    (x + 1, y),
                    (x, y.wrapping_sub(1)),
                    (x, y + 1),
                ];
                for (x, y) in beside {
                    if x < columns && y < rows && std::mem::take(&mut left[index(x, y)]) {
                        open.push((x, y));
                    }
                }
            }
            flaws.push(flaw);
        }
        flaws.sort_by_key(|flaw| std::cmp::Reverse(flaw.pixels));
        flaws
    }
}

/// How large the flaws of a picture are, in percent of the part: of what the device would find of it on
/// an even ground, else of the whole picture.
#[must_use]
pub fn flawed_percent(picture: &Raster, size: [usize; 2], heat: &[f32]) -> f32 {
    let flaws = Field::new(picture, size, heat).flaws();
    percent(flaws.iter().map(|flaw| flaw.pixels).sum(), part(picture))
}

/// Pixels of the part in a picture.
pub(super) fn part(picture: &Raster) -> usize {
    let picture = picture.to(Colors::Grey);
    let all = picture.pixels.len();
    align::area(&picture.pixels, picture.width as usize).unwrap_or(all)
}

/// In percent of the part, at most all of it: where something of it is missing, more of the picture may be
/// flawed than is left.
pub(super) fn percent(pixels: usize, part: usize) -> f32 {
    (pixels as f32 / part.max(1) as f32 * 100.0).min(100.0)
}

/// The two places that a pixel lies between, and how far it is from the first to the second.
fn between(pixel: u32, pixels: u32, places: usize) -> (usize, usize, f32) {
    let at = (pixel as f32 + 0.5) * places as f32 / pixels as f32 - 0.5;
    let at = at.clamp(0.0, (places - 1) as f32);
    let first = at as usize;
    (first, (first + 1).min(places - 1), at - first as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 64 x 64 pixels, a bright square of 32 x 32 in the middle, and 8 x 8 places.
    fn part_with(hot: &[usize]) -> (Raster, Vec<f32>) {
        let is_part = |i: u32| (16..48).contains(&(i % 64)) && (16..48).contains(&(i / 64));
        let pixels = (0..64 * 64).map(|i| if is_part(i) { 200 } else { 20 });
        let mut heat = vec![0.0; 64];
        hot.iter().for_each(|&place| heat[place] = 2.0);
        (Raster::new(64, 64, pixels.collect()).unwrap(), heat)
    }

    #[test]
    fn a_flaw_has_a_size_beside_the_part_and_not_beside_the_picture() {
        let (picture, heat) = part_with(&[3 * 8 + 3]);
        let flaws = Field::new(&picture, [8, 8], &heat).flaws();
        assert_eq!(flaws.len(), 1);
        // Half way to the next places, that is, about half of what a place is of the picture.
        assert!((20..60).contains(&flaws[0].pixels), "{flaws:?}");
        assert!(flaws[0].columns.0 >= 24 && flaws[0].columns.1 < 32);
        let share = flawed_percent(&picture, [8, 8], &heat);
        let expected = flaws[0].pixels as f32 / (32.0 * 32.0) * 100.0;
        assert!((share - expected).abs() < 0.6, "{share} {expected}");
        // On no ground that tells the part from it: beside the picture.
        let even = Raster::new(64, 64, vec![90; 64 * 64]).unwrap();
        let share = flawed_percent(&even, [8, 8], &heat);
        assert!((share - expected / 4.0).abs() < 0.1, "{share}");
    }

    #[test]
    fn flaws_are_told_apart_the_largest_first() {
        let (picture, heat) = part_with(&[0, 27, 28, 63]);
        let flaws = Field::new(&picture, [8, 8], &heat).flaws();
        assert_eq!(flaws.len(), 3);
        assert!(flaws[0].pixels > flaws[1].pixels && flaws[0].rows.0 >= 24);
        assert_eq!(flawed_percent(&picture, [8, 8], &[]), 0.0);
        assert_eq!(flawed_percent(&picture, [8, 8], &[9.0; 64]), 100.0);
    }
}
