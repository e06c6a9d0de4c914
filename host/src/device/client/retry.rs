//! How long and how often a request is tried.

use std::time::{Duration, Instant};

/// How long and how often a client tries before it gives a request up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How long an attempt waits for an answer.
    pub each: Duration,
    /// Fewest attempts. There are more if they end sooner than `attempts * each`: answers to noise
    /// that was on the line before are soon there and say nothing about the request.
    pub attempts: u32,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            each: Duration::from_secs(5),
            attempts: 6,
        }
    }
}

/// For the first answer at a serial port, where anything may be plugged in: five seconds in all.
pub(super) const GREETING: RetryPolicy = RetryPolicy {
    each: Duration::from_secs(1),
    attempts: 5,
};

/// Whether anything came over a line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Heard(pub(super) bool);

/// Attempts in a row that came to nothing.
pub(super) struct Lost {
    count: u32,
    since: Instant,
}

impl Default for Lost {
    fn default() -> Self {
        Self {
            count: 0,
            since: Instant::now(),
        }
    }
}

impl Lost {
    /// Counts one more; whether it was the last.
    pub(super) fn give_up(&mut self, RetryPolicy { each, attempts }: RetryPolicy) -> bool {
        self.count += 1;
        self.count >= attempts && self.since.elapsed() >= attempts * each
    }
}
