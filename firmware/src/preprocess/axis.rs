//! Resizing along one axis.

/// Greatest length of a side, in pixels.
pub(super) const MAX_SIDE: u32 = 0x7fff;

/// One side of a picture on its way to another length.
#[derive(Clone, Copy)]
pub(super) struct Axis {
    /// Old pixels.
    len: u32,
    /// Old and new length, without their common factor.
    from: u32,
    to: u32,
}

/// The old pixels that a new one is made of.
#[derive(Clone, Copy, Default)]
pub(super) struct Span {
    /// The first and the last of them.
    pub(super) first: u32,
    pub(super) last: u32,
    /// Weight of the first.
    pub(super) head: u32,
    /// Weight of the last, where that is another.
    pub(super) tail: u32,
}

impl Span {
    /// Weight of one of the old pixels.
    #[cfg(by_pixel)]
    pub(super) fn weight(self, old: u32, axis: Axis) -> u32 {
        match old {
            first if first == self.first => self.head,
            last if last == self.last => self.tail,
            _ => axis.middle(),
        }
    }
}

impl Axis {
    /// Both lengths are at least 1 and at most [`MAX_SIDE`], so that their products fit.
    pub(super) const fn new(from: u32, to: u32) -> Self {
        let (mut common, mut rest) = (from, to);
        while rest != 0 {
            (common, rest) = (rest, common % rest);
        }
        Self {
            len: from,
            from: from / common,
            to: to / common,
        }
    }

    /// What the weights of each new pixel add up to.
    pub(super) fn whole(self) -> u32 {
        if self.to <= self.from {
            self.from
        } else {
            2 * self.to
        }
    }

    /// Weight of each old pixel between the first and the last of a new one.
    pub(super) fn middle(self) -> u32 {
        self.to
    }

    /// The old pixels that new pixel `index` is made of.
    pub(super) fn span(self, index: u32) -> Span {
        let Self { len, from, to } = self;
        if to <= from {
            // In units of an old pixel's 1 / to, the new one covers start..end.
            let (start, end) = (index * from, (index + 1) * from);
            let (first, last) = (start / to, (end - 1) / to);
            return Span {
                first,
                last,
                head: end.min((first + 1) * to) - start,
                tail: if first == last { 0 } else { end - last * to },
            };
        }
        // The new centre lies so far behind the first old centre, in units of 1 / (2 to).
        let at = ((2 * index + 1) * from)
            .saturating_sub(to)
            .min((len - 1) * 2 * to);
        let first = at / (2 * to);
        let tail = at - first * 2 * to;
        Span {
            first,
            last: first + u32::from(tail != 0),
            head: 2 * to - tail,
            tail,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(axis: Axis, index: u32) {
        let span = axis.span(index);
        let between = (span.last - span.first).saturating_sub(1);
        let sum = span.head + between * axis.middle() + span.tail;
        assert_eq!(sum, axis.whole(), "{} to {}, {index}", axis.from, axis.to);
        assert!(span.head > 0 && (span.tail > 0) == (span.first < span.last));
        assert!(span.last < axis.len);
    }

    #[test]
    fn long_sides_do_not_overflow() {
        for (from, to) in [
            (MAX_SIDE, 1),
            (1, MAX_SIDE),
            (MAX_SIDE, MAX_SIDE - 1),
            (MAX_SIDE - 1, MAX_SIDE),
        ] {
            for index in [0, to / 2, to - 1] {
                check(Axis::new(from, to), index);
            }
        }
    }

    #[test]
    fn weights_add_up_and_stay_inside() {
        for from in 1..40 {
            for to in 1..40 {
                for index in 0..to {
                    check(Axis::new(from, to), index);
                }
            }
        }
    }
}
