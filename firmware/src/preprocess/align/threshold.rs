//! The median and Otsu's threshold of a histogram.

/// The level that half of the counted pixels are not above, 0 where none were counted.
pub(super) fn median(levels: &[u32; 256]) -> u8 {
    let half = levels.iter().sum::<u32>() / 2;
    let mut seen = 0;
    for (level, &pixels) in (0..=u8::MAX).zip(levels) {
        seen += pixels;
        if seen > half {
            return level;
        }
    }
    0
}

/// Otsu's threshold: the level that parts the pixels in two, those up to it and those above, with the
/// greatest variance between the two. At most 2^18 pixels.
pub(super) fn otsu(levels: &[u32; 256]) -> u8 {
    let (mut all, mut sum) = (0_u64, 0_u64);
    for (level, &pixels) in (0..).zip(levels) {
        all += u64::from(pixels);
        sum += level * u64::from(pixels);
    }
    let (mut below, mut sum_below) = (0_u64, 0_u64);
    let (mut best, mut threshold) = (0, 0);
    for (level, &pixels) in (0..=u8::MAX).zip(levels) {
        below += u64::from(pixels);
        sum_below += u64::from(level) * u64::from(pixels);
        let above = all - below;
        if below == 0 || above == 0 {
            continue;
        }
        // In 64ths of a level; 34 and 28 bits.
        let apart = (64 * (sum - sum_below) / above).saturating_sub(64 * sum_below / below);
        let between = below * above * apart * apart;
        if between > best {
            (best, threshold) = (between, level);
        }
    }
    threshold
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_heaps_are_parted() {
        let mut levels = [0; 256];
        levels[10..20].fill(50);
        levels[100..140].fill(5);
        assert_eq!(median(&levels), 17);
        assert!((19..100).contains(&otsu(&levels)), "{}", otsu(&levels));
    }

    #[test]
    fn nothing_and_one_level_are_fine() {
        let mut levels = [0; 256];
        assert_eq!((median(&levels), otsu(&levels)), (0, 0));
        levels[255] = 1 << 18;
        assert_eq!((median(&levels), otsu(&levels)), (255, 0));
        levels[0] = 1 << 18;
        let _ = otsu(&levels);
    }
}
