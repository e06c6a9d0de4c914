//! What a check found.

use std::fmt;

/// What a check that failed found, and what to do.
pub(super) struct Fault {
    pub(super) found: String,
    pub(super) advice: String,
}

/// What a check found, or nothing to check.
pub(super) type Finding = Result<Option<String>, Fault>;

pub(super) fn fault(found: impl fmt::Display, advice: impl fmt::Display) -> Fault {
    Fault {
        found: found.to_string(),
        advice: advice.to_string(),
    }
}
