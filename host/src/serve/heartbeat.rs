//! Signs of life of a worker, told by the worker and judged by somebody else.

use std::time::{Duration, Instant};

/// What a worker does now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Activity {
    Connect,
    Picture,
    Ask,
    Log,
    Wait,
}

impl Activity {
    /// The longest that it may take.
    fn limit(self) -> Duration {
        Duration::from_secs(match self {
            // The emulated board is started, if need be.
            Self::Connect => 90,
            // A frame may be long for its line, and comes with several requests.
            Self::Ask => 30,
            Self::Picture | Self::Log | Self::Wait => 10,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Connect => "connecting to the board",
            Self::Picture => "reading a picture: is the disk, the share or the camera still there?",
            Self::Ask => "asking the device",
            Self::Log => "writing the log: is its disk still there?",
            Self::Wait => "waiting for the next frame",
        }
    }
}

/// When a worker was heard of last, and what it was about to do.
#[derive(Debug, Clone, Copy)]
pub(super) struct Heartbeat {
    at: Instant,
    activity: Activity,
}

impl Heartbeat {
    pub(super) fn new(at: Instant, activity: Activity) -> Self {
        Self { at, activity }
    }

    /// What a worker has been at for too long, if it has.
    pub(super) fn stalled(self, now: Instant) -> Option<Stalled> {
        let late = now.saturating_duration_since(self.at) > self.activity.limit();
        late.then_some(Stalled(self.activity))
    }
}

/// A worker that was not heard of for too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not heard of for {} s, since {}", .0.limit().as_secs(), .0.name())]
pub(super) struct Stalled(Activity);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_that_takes_too_long_is_told_with_what_it_is_at() {
        let at = Instant::now();
        let heartbeat = Heartbeat::new(at, Activity::Picture);
        assert_eq!(heartbeat.stalled(at + Duration::from_secs(10)), None);
        let stalled = heartbeat.stalled(at + Duration::from_secs(11)).unwrap();
        let told = stalled.to_string();
        assert!(
            told.starts_with("not heard of for 10 s, since reading a picture"),
            "{told}"
        );
        let asking = Heartbeat::new(at, Activity::Ask);
        assert_eq!(asking.stalled(at + Duration::from_secs(11)), None);
    }
}
