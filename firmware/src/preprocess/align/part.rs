//! Finding a part in a picture.

use super::ground::Ground;
use super::moments::Moments;
use super::pose::{Align, Pose};
use super::threshold;

/// Longest and shortest side of a picture that a part is looked for in, in pixels.
const LONGEST: usize = 512;
const SHORTEST: usize = 3;
/// Levels that a part differs from what it lies on by, at least: less is noise.
const LEAST: u8 = 12;
/// A part has at least one of n of a picture's pixels: less is a speck.
const SMALLEST: usize = 64;
/// Something else has at least one of n: a part that fills the picture has no place in it.
const REST: usize = 5;
/// How often what is far from the middle is left out, the first time included, when nothing is.
const ROUNDS: usize = 3;
/// Square of how often farther than the root of the mean square distance from the middle the pixels of
/// a part are: the ends of a bar are 1.7 times as far.
const REACH: i64 = 4;
/// An axis is clear if the part spreads along it more than across it by one of n parts of both.
const CLEAR: i64 = 4;

/// A part that was found in a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    /// From the picture's middle to the part's, in 256ths of a pixel.
    pub(super) middle: (i32, i32),
    /// Its axis, of a length of [`Pose::UNIT`].
    pub(super) axis: (i32, i32),
    /// Level of what it lies on.
    pub(super) level: u8,
    /// Its pixels.
    pub(super) pixels: usize,
}

impl Part {
    /// Finds the part in a picture whose columns and rows are so far apart, in any unit.
    ///
    /// It is what differs from the picture's border, by the threshold that parts the differences best,
    /// and is not far off the rest of it. None where that is next to nothing or all but everything.
    pub(super) fn find(
        picture: &[u8],
        width: usize,
        pitch: (u32, u32),
        align: Align,
    ) -> Option<Self> {
        let height = picture.len().checked_div(width)?;
        if width.max(height) > LONGEST || width.min(height) < SHORTEST {
            return None;
        }
        let ground = Ground::of(picture, width);
        let threshold = threshold::otsu(&differences(picture, width, &ground)).max(LEAST);
        let mut near = None;
        let mut moments = Moments::default();
        for _ in 0..ROUNDS {
            moments = gather(picture, width, &ground, threshold, near);
            let (count, all) = (moments.count as usize, picture.len());
            if count < all / SMALLEST || count == 0 || count > all - all / REST {
                return None;
            }
            let before = near.replace((moments.middle(1), REACH * moments.mean_square()));
            if near == before {
                break;
            }
        }
        let axis = match align {
            Align::Off | Align::Position => None,
            Align::Rotation => axis(&moments, reduced(pitch)),
        };
        let (x, y) = moments.middle(128);
        Some(Self {
            middle: (x as i32, y as i32),
            axis: axis.unwrap_or((Pose::UNIT.into(), 0)),
            level: ground.level(),
            pixels: moments.count as usize,
        })
    }
}

/// How many pixels differ by each number of levels from the ground.
#[inline(never)]
fn differences(picture: &[u8], width: usize, ground: &Ground) -> [u32; 256] {
    let mut differences = [0; 256];
    for (y, row) in picture.chunks_exact(width).enumerate() {
        for (pixel, level) in row.iter().zip(ground.row(y, 0)) {
            differences[usize::from(pixel.abs_diff(level))] += 1;
        }
    }
    differences
}

/// The moments of the pixels that differ from the ground by more than `threshold`; of those only whose
/// square distance from a place is at most so much, in half pixels.
#[inline(never)]
fn gather(
    picture: &[u8],
    width: usize,
    ground: &Ground,
    threshold: u8,
    near: Option<((i64, i64), i64)>,
) -> Moments {
    let height = picture.len() / width;
    let place = |index: usize, side: usize| 2 * index as i32 + 1 - side as i32;
    let mut moments = Moments::default();
    for (y, row) in picture.chunks_exact(width).enumerate() {
        let (line, y) = (y, place(y, height));
        // The first column whose place is at least so far to the right.
        let column = |x: i64| ((x + width as i64) / 2).clamp(0, width as i64) as usize;
        let columns = match near {
            None => 0..width,
            Some(((middle_x, middle_y), square)) => {
                let across = i64::from(y) - middle_y;
                let Ok(left) = u64::try_from(square - across * across) else {
                    continue;
                };
                let half = left.isqrt() as i64;
                column(middle_x - half)..column(middle_x + half + 1)
            }
        };
        let levels = ground.row(line, columns.start);
        let first = columns.start;
        let pixels = row.get(columns).unwrap_or(&[]).iter().zip(levels);
        let columns = pixels
            .enumerate()
            .filter(|(_, (pixel, level))| pixel.abs_diff(*level) > threshold)
            .map(|(x, _)| place(first + x, width));
        moments.add_row(y, columns);
    }
    moments
}

/// The pitches in nearly the same ratio, the greater 256.
fn reduced((columns, rows): (u32, u32)) -> [u32; 2] {
    let most = u64::from(columns.max(rows).max(1));
    [columns, rows].map(|pitch| (u64::from(pitch) * 256).div_ceil(most) as u32)
}

/// The direction in which the pixels spread most, to the end that they reach farther to, of a length of
/// [`Pose::UNIT`]; none if they spread similarly in all.
fn axis(moments: &Moments, pitch: [u32; 2]) -> Option<(i32, i32)> {
    let [xx, xy, yy] = moments.spread(pitch);
    // The axis at twice its angle, as long as the spread along it is above that across it.
    let (cos, sin) = (xx - yy, 2 * xy);
    let length = (cos * cos + sin * sin).unsigned_abs().isqrt() as i64;
    if length == 0 || length * CLEAR < xx + yy {
        return None;
    }
    // Halfway between that and a direction at no angle, or at 180 degrees.
    let (x, y) = if cos >= 0 {
        (length + cos, sin)
    } else {
        (sin, length - cos)
    };
    let norm = (x * x + y * y).unsigned_abs().isqrt().max(1) as i64;
    let unit = i64::from(Pose::UNIT);
    let axis = ((x * unit / norm) as i32, (y * unit / norm) as i32);
    if moments.skew(pitch, axis) < 0 {
        Some((-axis.0, -axis.1))
    } else {
        Some(axis)
    }
}
