//! What somebody may do.

use serde::{Deserialize, Serialize};

/// What somebody may do, and whoever may do more may do that, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Right {
    /// See pictures, verdicts, counters, the log and the report.
    Watch,
    /// Teach, correct and undo; begin shifts.
    Teach,
    /// Set what decisions are made by, forget all, and read who did what.
    Administer,
}
