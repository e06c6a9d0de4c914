//! What time it is. A test hands in a clock of its own.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Tells the time of day, which anybody may set, and a time that only ever grows.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Moment + Send + Sync>);

/// A moment by both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Time of day: microseconds since 1970 (UTC).
    pub wall: u64,
    /// Since some moment in the past, whatever the time of day is set to.
    pub steady: Duration,
}

impl Clock {
    /// One that is read by a function.
    pub fn new(read: impl Fn() -> Moment + Send + Sync + 'static) -> Self {
        Self(Arc::new(read))
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> Moment {
        (self.0)()
    }
}

/// This computer's.
impl Default for Clock {
    fn default() -> Self {
        let start = Instant::now();
        Self::new(move || {
            let since = SystemTime::now().duration_since(UNIX_EPOCH);
            Moment {
                wall: since.map_or(0, |since| since.as_micros() as u64),
                steady: start.elapsed(),
            }
        })
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Clock").field(&self.now()).finish()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::Mutex;

    use super::*;

    /// A clock, and what it tells.
    pub(in super::super) fn settable(wall: u64) -> (Clock, Arc<Mutex<Moment>>) {
        let steady = Duration::ZERO;
        let moment = Arc::new(Mutex::new(Moment { wall, steady }));
        let told = Arc::clone(&moment);
        (Clock::new(move || *told.lock().unwrap()), moment)
    }
}
