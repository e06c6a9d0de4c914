//! What a part lies on.

use core::ops::Range;

use super::threshold;

/// Bits behind the point of a level.
const BITS: u32 = 16;
/// Pixels of a picture's shorter side to one of the band at its border.
const BAND: usize = 16;

/// What a part lies on: a level that may change evenly from one side of the picture to the other, as
/// under a lamp that stands aside.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ground {
    size: (i32, i32),
    /// In the middle of the picture.
    level: i32,
    /// From a column to the next, and from a row to the next.
    slope: (i32, i32),
}

impl Ground {
    /// By the usual levels of the pixels along each side. The picture has a pixel, and at most 2^10
    /// to a side.
    pub(super) fn of(picture: &[u8], width: usize) -> Self {
        let height = picture.len() / width;
        let band = width.min(height).div_ceil(BAND);
        let usual = |columns: Range<usize>, rows: Range<usize>| {
            let mut levels = [0; 256];
            let rows = picture.chunks_exact(width).take(rows.end).skip(rows.start);
            for pixel in rows.filter_map(|row| row.get(columns.clone())).flatten() {
                levels[usize::from(*pixel)] += 1;
            }
            i32::from(threshold::median(&levels)) << BITS
        };
        let (left, right) = (
            usual(0..band, 0..height),
            usual(width - band..width, 0..height),
        );
        let (top, bottom) = (
            usual(0..width, 0..band),
            usual(0..width, height - band..height),
        );
        let size = (width as i32, height as i32);
        Self {
            size,
            level: (left + right + top + bottom) / 4,
            slope: ((right - left) / size.0, (bottom - top) / size.1),
        }
    }

    /// Its level in the middle.
    pub(super) fn level(&self) -> u8 {
        rounded(self.level)
    }

    /// Its levels along a row from a column on, without end.
    pub(super) fn row(&self, y: usize, column: usize) -> impl Iterator<Item = u8> {
        let from_middle = |index: i32, side: i32, slope: i32| (2 * index + 1 - side) * slope / 2;
        let start = self.level
            + from_middle(y as i32, self.size.1, self.slope.1)
            + from_middle(column as i32, self.size.0, self.slope.0);
        let slope = self.slope.0;
        core::iter::successors(Some(start), move |level| Some(level.wrapping_add(slope)))
            .map(rounded)
    }
}

fn rounded(level: i32) -> u8 {
    ((level + (1 << (BITS - 1))) >> BITS).clamp(0, 255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slope_is_followed_below_a_part() {
        let mut picture = [0; 64 * 40];
        for (i, pixel) in picture.iter_mut().enumerate() {
            *pixel = (20 + i % 64 + i / 64) as u8;
        }
        let sound = picture;
        for row in picture.chunks_exact_mut(64).skip(10).take(15) {
            row[20..50].fill(255);
        }
        let ground = Ground::of(&picture, 64);
        for (y, row) in sound.chunks_exact(64).enumerate() {
            for (level, &pixel) in ground.row(y, 0).zip(row) {
                assert!(level.abs_diff(pixel) <= 3, "{level} {pixel}");
            }
        }
        assert!(ground.level().abs_diff(71) <= 3);
    }

    #[test]
    fn the_steepest_slope_stays_a_level() {
        for (a, b) in [(0, 255), (255, 0)] {
            let mut picture = [a; 512 * 3];
            for row in picture.chunks_exact_mut(3).skip(256) {
                row.fill(b);
            }
            let ground = Ground::of(&picture, 3);
            assert!((0..512).all(|y| ground.row(y, 0).take(3).count() == 3));
        }
    }
}
