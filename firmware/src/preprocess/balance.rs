//! White balance: the colours of a picture brought to one mean, as if the world were grey (Buchsbaum 1980).

/// Parts of a gain.
const UNIT: u64 = 256;
/// Least and greatest gain, so that what is of one colour keeps most of it.
const GAINS: (u64, u64) = (UNIT / 2, 2 * UNIT);

/// What red, green and blue are multiplied with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Balance([u64; 3]);

impl Balance {
    /// That of a picture of red, green and blue, one behind the other.
    #[must_use]
    pub fn of(picture: &[u8]) -> Self {
        let mut sums = [0_u64; 3];
        for pixel in picture.as_chunks::<3>().0 {
            for (sum, &level) in sums.iter_mut().zip(pixel) {
                *sum += u64::from(level);
            }
        }
        let all: u64 = sums.iter().sum();
        // To the nearest of a third of all over the colour's own.
        Self(sums.map(|own| {
            let gain = (2 * UNIT * all + 3 * own).checked_div(6 * own);
            gain.unwrap_or(GAINS.1).clamp(GAINS.0, GAINS.1)
        }))
    }

    /// The levels of the balanced picture.
    pub fn levels(self, picture: &[u8]) -> impl ExactSizeIterator<Item = u8> {
        let levels = picture.iter().enumerate();
        levels.map(move |(place, &level)| self.level(place, level))
    }

    /// A level at a place of a picture's bytes, balanced.
    fn level(self, place: usize, level: u8) -> u8 {
        let product = u64::from(level) * self.0[place % 3];
        ((product + UNIT / 2) / UNIT).min(255) as u8
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec::Vec;

    use super::*;

    fn balanced(picture: &[u8]) -> Vec<u8> {
        Balance::of(picture).levels(picture).collect()
    }

    #[test]
    fn another_lamp_gives_the_same_picture() {
        let plain: Vec<u8> = (0..3 * 400).map(|i| (40 + i * 7 % 130) as u8).collect();
        let lamp = |[red, green, blue]: [u32; 3]| -> Vec<u8> {
            let light = [red, green, blue].into_iter().cycle();
            let levels = plain.iter().zip(light);
            levels
                .map(|(&level, light)| (u32::from(level) * light / 100) as u8)
                .collect()
        };
        let first = balanced(&plain);
        for light in [[100, 80, 60], [70, 100, 90], [60, 70, 100]] {
            let under = lamp(light);
            let all = |picture: &[u8]| picture.iter().map(|&level| f64::from(level)).sum::<f64>();
            let dimmer = all(&first) / all(&under);
            let most = balanced(&under)
                .iter()
                .zip(&first)
                .map(|(&level, &first)| (f64::from(level) * dimmer - f64::from(first)).abs())
                .fold(0.0, f64::max);
            assert!(most < 3.5, "{light:?}: {most}");
        }
    }

    #[test]
    fn grey_stays_and_one_colour_keeps_most_of_it() {
        let grey: Vec<u8> = (0..300).map(|i| (i / 3) as u8).collect();
        assert_eq!(balanced(&grey), grey);
        assert_eq!(balanced(&[200, 0, 0, 100, 0, 0]), [100, 0, 0, 50, 0, 0]);
        assert_eq!(balanced(&[0; 6]), [0; 6]);
        assert_eq!(balanced(&[]), []);
    }
}
