//! Pictures of one contrast, whatever the lamp and the exposure.

/// Least deviation that is told from none, in sixteenths of a level: what is fainter is noise.
const LEAST: u64 = 32;

/// What each level of a picture becomes, so that the picture has mean 128 and standard deviation
/// `deviation`, in levels; what then lies outside of 0..=255 becomes the nearest of them.
///
/// A picture with a deviation of less than 2 is brought to less than `deviation`. A `deviation` of 0
/// leaves every level as it is.
#[must_use]
#[inline(never)]
pub fn table(picture: &[u8], deviation: u32) -> [u8; 256] {
    table_of(picture.iter().copied(), deviation)
}

/// As [`table`], of a picture's levels.
pub fn table_of(picture: impl ExactSizeIterator<Item = u8>, deviation: u32) -> [u8; 256] {
    if deviation == 0 {
        return core::array::from_fn(|level| level as u8);
    }
    let count = (picture.len() as u64).max(1);
    let (mut sum, mut squares) = (0_u64, 0_u64);
    for level in picture {
        sum += u64::from(level);
        squares += u64::from(level) * u64::from(level);
    }
    // In 256ths, 256ths and 16ths.
    let mean = (sum * 256 + count / 2) / count;
    let variance = (squares * 256 / count).saturating_sub((mean * mean) >> 8);
    let own = variance.isqrt().max(LEAST) as i64;
    let (mean, wanted) = (mean as i64, i64::from(deviation));
    core::array::from_fn(|level| {
        let above = (level as i64 * 256 - mean) * wanted;
        // Rounded to the nearest: above 0 after the shift by 128 or below the range.
        let steps = 128 * own * 16 + above + own * 8;
        (steps.max(0) / (own * 16)).min(255) as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mean and standard deviation.
    fn moments(levels: &[u8]) -> (f64, f64) {
        let count = levels.len() as f64;
        let mean = levels.iter().map(|&l| f64::from(l)).sum::<f64>() / count;
        let squares = levels.iter().map(|&l| (f64::from(l) - mean).powi(2));
        (mean, (squares.sum::<f64>() / count).sqrt())
    }

    fn apply<const N: usize>(picture: [u8; N], deviation: u32) -> [u8; N] {
        let table = table(&picture, deviation);
        picture.map(|level| table[usize::from(level)])
    }

    /// A triangle wave.
    fn picture(low: usize, steps: usize) -> [u8; 4096] {
        core::array::from_fn(|i| (low + i % steps) as u8)
    }

    #[test]
    fn every_picture_gets_the_same_mean_and_deviation() {
        for (low, steps) in [(0, 20), (100, 20), (30, 120), (0, 256), (200, 50)] {
            let (mean, deviation) = moments(&apply(picture(low, steps), 44));
            assert!((mean - 128.0).abs() < 1.0, "{low} {steps}: mean {mean}");
            assert!((deviation - 44.0).abs() < 1.0, "{low} {steps}: {deviation}");
        }
    }

    #[test]
    fn a_brighter_or_starker_picture_becomes_the_same() {
        let plain = apply(picture(40, 50), 44);
        assert_eq!(apply(picture(140, 50), 44), plain);
        let starker = picture(40, 50).map(|level| 2 * level);
        let changed = apply(starker, 44)
            .iter()
            .zip(&plain)
            .filter(|(a, b)| a.abs_diff(**b) > 1)
            .count();
        assert_eq!(changed, 0);
    }

    #[test]
    fn what_is_all_but_even_stays_faint() {
        let (mean, deviation) = moments(&apply(picture(90, 2), 44));
        assert!((mean - 128.0).abs() < 1.0);
        assert!((10.0..12.0).contains(&deviation), "{deviation}");
        assert_eq!(apply([7; 100], 44), [128; 100]);
        assert_eq!(table(&[], 44)[0], 128);
    }

    #[test]
    fn a_contrast_of_0_changes_nothing() {
        let table = table(&picture(40, 50), 0);
        assert!(
            (0..=255)
                .zip(table)
                .all(|(level, becomes)| level == becomes)
        );
    }

    #[test]
    fn order_is_kept() {
        for deviation in [1, 44, 1000, u32::MAX] {
            assert!(table(&picture(3, 200), deviation).is_sorted());
        }
    }
}
