//! Distances in two bytes.

use bytemuck::{Pod, Zeroable};

/// A distance between descriptors, in sixteenths of a step, or that none is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Pod, Zeroable)]
#[repr(transparent)]
pub(super) struct Length(pub(super) u16);

impl Length {
    /// Greater than any that is known.
    pub(super) const UNKNOWN: Self = Self(u16::MAX);
    /// In place of a flaw's: it was taught after good frames were watched.
    pub(super) const LATE: Self = Self(0);

    /// Of a square, cut to a sixteenth.
    #[inline(never)]
    pub(super) fn of(square: u32) -> Self {
        match square.checked_mul(256) {
            // At most 65,535 before, which `UNKNOWN` is told from.
            Some(square) => Self((square.isqrt() as u16).min(u16::MAX - 1)),
            None if square == u32::MAX => Self::UNKNOWN,
            None => Self(u16::MAX - 1),
        }
    }

    /// Its square in steps; `None` if it is not known.
    pub(super) fn square(self) -> Option<u32> {
        (self != Self::UNKNOWN).then(|| u32::from(self.0) * u32::from(self.0) / 256)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patches::MAX_CHANNELS;

    #[test]
    fn squares_come_back_nearly() {
        let greatest = MAX_CHANNELS as u32 * 255 * 255;
        for square in (0..greatest).step_by(997).chain([greatest]) {
            let back = Length::of(square).square().unwrap();
            assert!(
                back <= square && f64::from(square - back) <= f64::from(square).sqrt() / 8.0 + 1.0
            );
        }
        assert_eq!(Length::of(u32::MAX), Length::UNKNOWN);
        assert_eq!(Length::UNKNOWN.square(), None);
        assert!(Length::of(u32::MAX - 1).square().is_some());
    }
}
