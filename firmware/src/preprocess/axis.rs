/// One side of a picture on its way to another length.
#[derive(Clone, Copy)]
pub(super) struct Axis {
    from: u32,
    to: u32,
}

impl Axis {
    /// Both lengths are at least 1.
    pub(super) const fn new(from: u32, to: u32) -> Self {
        Self { from, to }
    }

    /// What the weights of each new pixel add up to.
    pub(super) fn whole(self) -> u64 {
        if self.to <= self.from {
            self.from.into()
        } else {
            2 * u64::from(self.to)
        }
    }

    /// The old pixels that new pixel `index` is made of, with their weights.
    pub(super) fn taps(self, index: u32) -> impl Iterator<Item = (u32, u64)> + Clone {
        let (from, to, index) = (u64::from(self.from), u64::from(self.to), u64::from(index));
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
            (first, first + u64::from(!at.is_multiple_of(2 * to)))
        };
        (first..=last).map(move |old| {
            let weight = if shrinks {
                ((old + 1) * to).min(end) - (old * to).max(start)
            } else {
                2 * to - (old * 2 * to).abs_diff(at)
            };
            (old as u32, weight)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_add_up_and_stay_inside() {
        for from in 1..40 {
            for to in 1..40 {
                let axis = Axis::new(from, to);
                for index in 0..to {
                    let sum: u64 = axis.taps(index).map(|(_, weight)| weight).sum();
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
