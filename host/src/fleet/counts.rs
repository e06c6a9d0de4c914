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
    /// Their frames.
    #[serde(default)]
    pub frames: u64,
}

impl Counts {
    /// What a board counted in its shift.
    #[must_use]
    pub fn of(board: &Board) -> Self {
        Self::read(board, "Counters")
    }

    /// What it had counted when its last order was carried out.
    #[must_use]
    pub fn of_order(board: &Board) -> Self {
        Self::read(board, "Order")
    }

    fn read(board: &Board, of: &str) -> Self {
        let count = |name: &str| board.count(&format!("{of}/{name}"));
        Self {
            parts: count("Parts"),
            ok: count("OK"),
            unknown: count("Unknown"),
            frames: count("Frames"),
        }
    }

    /// What came after `earlier`; where counting began again since, all.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        let Some(parts) = self.parts.checked_sub(earlier.parts) else {
            return self;
        };
        // What is said of the part that was in view then may have changed since.
        let less = |now: u64, then: u64| now.saturating_sub(then).min(parts);
        Self {
            parts,
            ok: less(self.ok, earlier.ok),
            unknown: less(self.unknown, earlier.unknown),
            frames: self.frames.saturating_sub(earlier.frames),
        }
    }

    pub(super) fn percent(self, n: u64) -> f64 {
        n as f64 * 100.0 / self.parts.max(1) as f64
    }
}
