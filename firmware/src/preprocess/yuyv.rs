//! Red, green and blue of frames in YUYV, of which every two pixels share two differences to their brightness.

use core::ops::Range;

use super::luma::Shift;
use super::resize::{Room, Source};

/// Three bytes for each of a row's pixels, of a frame of an even width.
#[inline(always)]
pub(super) fn colors<'r>(
    source: &Source<'_>,
    row: u32,
    columns: Range<u32>,
    room: &'r mut Room,
) -> &'r [u8] {
    let first = source.first(row) + columns.start as usize;
    let end = first + columns.len();
    let (pairs, _) = source.frame.pixels.as_chunks::<4>();
    let pairs = pairs.get(first / 2..end.div_ceil(2)).unwrap_or(&[]);
    for (to, &[even, u, odd, v]) in room.as_chunks_mut::<6>().0.iter_mut().zip(pairs) {
        let shift = Shift::of(u, v);
        *to = [
            shift.level(even, 0),
            shift.level(even, 1),
            shift.level(even, 2),
            shift.level(odd, 0),
            shift.level(odd, 1),
            shift.level(odd, 2),
        ];
    }
    let start = 3 * (first % 2);
    room.get(start..start + 3 * columns.len()).unwrap_or(&[])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of BT.601, and not over a level off it.
    #[test]
    fn colours_are_those_of_the_standard() {
        for y in (0..=255).step_by(5) {
            for u in (0..=255).step_by(15) {
                for v in (0..=255).step_by(15) {
                    let [b, r] = [u, v].map(|difference| f64::from(difference) - 128.0);
                    let exact = [1.402 * r, -0.344_136 * b - 0.714_136 * r, 1.772 * b];
                    for (color, exact) in exact.into_iter().enumerate() {
                        let exact = (f64::from(y) + exact).clamp(0.0, 255.0);
                        let level = f64::from(Shift::of(u, v).level(y, color));
                        assert!((level - exact).abs() < 1.0, "{y} {u} {v}: {level}, {exact}");
                    }
                }
            }
        }
    }

    #[test]
    fn without_differences_all_three_are_the_brightness() {
        for y in 0..=255 {
            let grey = Shift::of(128, 128);
            assert_eq!([0, 1, 2].map(|color| grey.level(y, color)), [y; 3]);
        }
    }
}
