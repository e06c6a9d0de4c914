//! What outlives a reset: a word or two of RAM that start-up leaves as they are.
//!
//! A failing program should not write to flash: it leaves its reason here, and the next start puts it
//! into the [`History`](super::History).

use super::checksummed::{self, SEALED};
use super::{Cause, Failure};

/// Failures in a row, with no request answered in between, that make a board stay off.
const MOST: u32 = 3;

/// The memory. The board places it where a reset changes nothing; any bytes are a value.
#[repr(C)]
pub struct Retained {
    /// [`RUNNING`] or [`FAILED`]; after a power-on anything else.
    state: u32,
    /// Failures since a request was answered.
    streak: u32,
    failure: [u8; SEALED],
}

const RUNNING: u32 = 0x5275_6e21;
const FAILED: u32 = 0x4661_696c;

impl Retained {
    /// Why the board was started, and the failure that came before. To be called once, at the start.
    pub fn take(&mut self) -> (Cause, Option<Failure>) {
        let failure = match self.state {
            FAILED => checksummed::open::<Failure>(&self.failure),
            RUNNING => None,
            _ => {
                self.streak = 0;
                self.state = RUNNING;
                return (Cause::PowerOn, None);
            }
        };
        self.state = RUNNING;
        let cause = failure
            .as_ref()
            .map_or(Cause::Reset, |failure| failure.cause);
        (cause, failure)
    }

    /// A request was answered.
    pub fn served(&mut self) {
        self.streak = 0;
    }

    /// Keeps a failure for the next start, if it is the first since this one.
    pub fn keep(&mut self, failure: impl FnOnce() -> Failure) {
        // What is kept first is the reason; what fails while it is being told is not.
        if self.state == FAILED {
            return;
        }
        self.state = FAILED;
        self.streak = self.streak.saturating_add(1);
        self.failure = checksummed::seal(&failure()).unwrap_or([0; SEALED]);
    }

    /// Keeps for the next start that the watchdog ended a request.
    pub fn keep_timeout(&mut self) {
        let message = format_args!("a request took too long");
        self.keep(|| Failure::new(Cause::Watchdog, None, message));
    }

    /// As [`take`](Self::take), where a watchdog that keeps nothing itself may have reset the board.
    pub fn take_after(&mut self, by_watchdog: bool) -> (Cause, Option<Failure>) {
        if by_watchdog {
            self.keep_timeout();
        }
        self.take()
    }

    /// Whether the board fails whenever it is started.
    #[must_use]
    pub fn is_hopeless(&self) -> bool {
        self.streak >= MOST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fail(retained: &mut Retained, cause: Cause) {
        retained.keep(|| Failure::new(cause, None, format_args!("on purpose")));
    }

    #[test]
    fn what_was_kept_is_told_once() {
        let mut retained = Retained {
            state: 0x1234,
            streak: 99,
            failure: [7; SEALED],
        };
        assert_eq!(retained.take(), (Cause::PowerOn, None));
        assert_eq!(retained.take(), (Cause::Reset, None));
        fail(&mut retained, Cause::Watchdog);
        fail(&mut retained, Cause::Panic);
        let (cause, failure) = retained.take();
        assert_eq!(cause, Cause::Watchdog);
        assert_eq!(failure.unwrap().message, "on purpose");
        assert_eq!(retained.take(), (Cause::Reset, None));
    }

    #[test]
    fn three_failures_without_an_answer_are_too_many() {
        let mut retained = Retained {
            state: RUNNING,
            streak: 0,
            failure: [0; SEALED],
        };
        for round in 0..5 {
            assert!(!retained.is_hopeless(), "round {round}");
            fail(&mut retained, Cause::Fault);
            retained.take();
            if round == 1 {
                retained.served();
            }
        }
        assert!(retained.is_hopeless());
    }
}
