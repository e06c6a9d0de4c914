//! The false-reject rate, which the thresholds are chosen by: of known pictures, or of good parts, where
//! each that is rejected is a false alarm.

use serde::{Deserialize, Serialize};

/// How many pictures of known classes may be rejected: the false-reject rate, in parts of 10,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Rate(u16);

impl Rate {
    /// 0.1 %, the least.
    pub const LEAST: Self = Self(10);
    /// 20 %, the greatest.
    pub const GREATEST: Self = Self(2000);

    /// A rate in parts of 10,000; `None` outside of 10..=2000.
    #[must_use]
    pub fn new(parts: u16) -> Option<Self> {
        let rate = Self(parts);
        (Self::LEAST..=Self::GREATEST)
            .contains(&rate)
            .then_some(rate)
    }

    /// In parts of 10,000.
    #[must_use]
    pub const fn parts(self) -> u16 {
        self.0
    }
}

/// 1 %.
impl Default for Rate {
    fn default() -> Self {
        Self(100)
    }
}
