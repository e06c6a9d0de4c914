//! Shifted copies of a picture, by which a shot is taught beside it.

/// Parts of a side that a shift is told in.
const PARTS: i32 = 32;

/// A copy of a picture that is shifted by whole pixels, so that nothing is blurred; what comes in from beyond an
/// edge repeats it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// To the right and down, in 32nds of the picture's sides.
    shift: [i8; 2],
}

const fn view(right: i8, down: i8) -> View {
    View {
        shift: [right, down],
    }
}

/// The views that a model may ask for: its first ones. All four of a kind are there before the next, so that
/// the mean of some lies where the picture does.
pub const VIEWS: [View; 8] = [
    view(2, 0),
    view(-2, 0),
    view(0, 2),
    view(0, -2),
    view(3, 3),
    view(-3, -3),
    view(3, -3),
    view(-3, 3),
];

impl View {
    /// Makes a picture of height x width x channels its view.
    pub fn shift<T: Copy>(&self, picture: &mut [T], [height, width, channels]: [usize; 3]) {
        let [right, down] = self.shift.map(i32::from);
        let (right, down) = (pixels(right, width), pixels(down, height));
        // What is read is written later, or is its own source.
        let place = |at: usize, shift: i32, side: usize| match shift > 0 {
            true => side - 1 - at,
            false => at,
        };
        let from = |at: usize, shift: i32, side: usize| {
            (at as i32 - shift).clamp(0, side as i32 - 1) as usize
        };
        for row in (0..height).map(|row| place(row, down, height)) {
            let source = from(row, down, height) * width;
            for column in (0..width).map(|column| place(column, right, width)) {
                let (to, from) = (row * width + column, source + from(column, right, width));
                for channel in 0..channels {
                    if let Some(&value) = picture.get(from * channels + channel)
                        && let Some(pixel) = picture.get_mut(to * channels + channel)
                    {
                        *pixel = value;
                    }
                }
            }
        }
    }
}

/// So many parts of a side, to the nearest pixel.
fn pixels(parts: i32, side: usize) -> i32 {
    (parts.abs() * side as i32 + PARTS / 2) / PARTS * parts.signum()
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec::Vec;

    use super::*;

    fn viewed(view: View, picture: &[u8], shape: [usize; 3]) -> Vec<u8> {
        let mut out = picture.to_vec();
        view.shift(&mut out, shape);
        out
    }

    #[test]
    fn a_picture_moves_by_whole_pixels_and_its_edge_is_repeated() {
        // Of 16 columns a pixel is two parts.
        let line: Vec<u8> = (1..=16).collect();
        let right = viewed(view(4, 0), &line, [1, 16, 1]);
        assert_eq!(right[..4], [1, 1, 1, 2]);
        assert_eq!(right[2..], line[..14]);
        let left = viewed(view(-4, 9), &line, [1, 16, 1]);
        assert_eq!(left[..14], line[2..]);
        assert_eq!(left[14..], [16, 16]);
        let down = viewed(view(0, 2), &line, [16, 1, 1]);
        assert_eq!((down[0], &down[1..]), (1, &line[..15]));
    }

    #[test]
    fn colours_stay_together() {
        let picture: Vec<u8> = (0..16 * 16 * 3).map(|i| (i % 251) as u8).collect();
        let moved = viewed(view(2, -4), &picture, [16, 16, 3]);
        let at = |picture: &[u8], row: usize, column: usize| {
            picture[(row * 16 + column) * 3..][..3].to_vec()
        };
        for (row, column) in [(0, 1), (7, 9), (13, 15)] {
            assert_eq!(at(&moved, row, column), at(&picture, row + 2, column - 1));
        }
    }

    /// Whatever the side, two opposite views lie as far from the picture.
    #[test]
    fn opposite_views_are_mirrors_of_each_other() {
        for side in [1, 9, 28, 32, 96] {
            let picture: Vec<u8> = (0..side * side).map(|i| (i * 7 % 256) as u8).collect();
            let turned = |picture: &[u8]| picture.iter().rev().copied().collect::<Vec<u8>>();
            for [one, other] in VIEWS.as_chunks::<2>().0 {
                let shape = [side, side, 1];
                let mirrored = turned(&viewed(*other, &turned(&picture), shape));
                assert_eq!(viewed(*one, &picture, shape), mirrored, "{side}");
            }
        }
    }
}
