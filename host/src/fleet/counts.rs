//! What boards count.

use serde::{Deserialize, Serialize};

use super::view::Board;

/// Parts that were counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// All of them.
    pub parts: u64,
    /// Those that passed.
    pub ok: u64,
    /// Those that were like nothing that was taught.
    pub unknown: u64,
}

impl Counts {
    /// What a board counted in its shift.
    #[must_use]
    pub fn of(board: &Board) -> Self {
        Self {
            parts: board.count("Counters/Parts"),
            ok: board.count("Counters/OK"),
            unknown: board.count("Counters/Unknown"),
        }
    }

    /// What came after `earlier`; where counting began again since, all.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        let less = |a: u64, b: u64| a.checked_sub(b);
        let parts = less(self.parts, earlier.parts);
        match (
            parts,
            less(self.ok, earlier.ok),
            less(self.unknown, earlier.unknown),
        ) {
            (Some(parts), Some(ok), Some(unknown)) => Self { parts, ok, unknown },
            // The last part may be said to be something else now.
            (Some(parts), ok, unknown) if parts > 0 => Self {
                parts,
                ok: ok.unwrap_or(0),
                unknown: unknown.unwrap_or(0),
            },
            (Some(_), ..) => Self::default(),
            (None, ..) => self,
        }
    }

    pub(super) fn percent(self, n: u64) -> f64 {
        n as f64 * 100.0 / self.parts.max(1) as f64
    }
}
