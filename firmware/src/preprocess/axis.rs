//! Resizing along one axis.

/// Greatest length of a side, in pixels.
pub(super) const MAX_SIDE: u32 = 0x7fff;

/// One side of a picture on its way to another length.
#[derive(Clone, Copy)]
pub(super) struct Axis {
    from: u32,
    to: u32,
}

impl Axis {
    /// Both lengths are at least 1 and at most [`MAX_SIDE`], so that their products fit.
    pub(super) const fn new(from: u32, to: u32) -> Self {
        Self { from, to }
    }

    /// What the weights of each new pixel add up to.
    pub(super) fn whole(self) -> u32 {
        if self.to <= self.from {
            self.from
        } else {
            2 * self.to
        }
    }

    /// The old pixels that new pixel `index` is made of, with their weights.
    #[inline(always)]
    pub(super) fn taps(self, index: u32) -> impl Iterator<Item = (u32, u32)> + Clone {
        let Self { from, to } = self;
        let shrinks = to <= from;
        // In units of an old pixel's 1 / to, the new one covers start..end.
        let (start, end) = (index * from, (index + 1) * from);
        // The new centre lies so far behind the first old centre, in units of 1 / (2 to).
        let at = ((2 * index + 1) * from)
            .saturating_sub(to)
            .min((from - 1) * 2 * to);
        let (first, last) = if shrinks {
            (start / to, (end - 1) / to)
        } else {
            let first = at / (2 * to);
            (first, first + u32::from(at != first * 2 * to))
        };
        (first..last + 1).map(move |old| {
            let weight = if shrinks {
                ((old + 1) * to).min(end) - (old * to).max(start)
            } else {
                2 * to - (old * 2 * to).abs_diff(at)
            };
            (old, weight)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_sides_do_not_overflow() {
        for (from, to) in [
            (MAX_SIDE, 1),
            (1, MAX_SIDE),
            (MAX_SIDE, MAX_SIDE - 1),
            (MAX_SIDE - 1, MAX_SIDE),
        ] {
            let axis = Axis::new(from, to);
            for index in [0, to / 2, to - 1] {
                let sum: u32 = axis.taps(index).map(|(_, weight)| weight).sum();
                assert_eq!(sum, axis.whole(), "{from} to {to}, {index}");
            }
        }
    }

    #[test]
    fn weights_add_up_and_stay_inside() {
        for from in 1..40 {
            for to in 1..40 {
                let axis = Axis::new(from, to);
                for index in 0..to {
                    let sum: u32 = axis.taps(index).map(|(_, weight)| weight).sum();
                    assert_eq!(sum, axis.whole(), "{from} to {to}, {index}");
                    assert!(
                        axis.taps(index)
                            .all(|(old, weight)| old < from && weight > 0)
                    );
                }
            }
        }
    }
}
