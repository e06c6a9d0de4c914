//! What outlives a reset: a word or two of RAM that start-up leaves as they are.
//!
//! A failing program should not write to flash: it leaves its reason here, and the next start puts it
//! into the [`History`](sudal_firmware::device::History).

use core::cell::UnsafeCell;
use core::mem::MaybeUninit;

use sudal_firmware::device::sealed::{self, SEALED};
use sudal_firmware::device::{Cause, Failure};

/// Failures in a row, with no request answered in between, that make the board stay off.
const MOST: u32 = 3;

struct Retained {
    /// [`RUNNING`] or [`FAILED`]; after a power-on anything else.
    state: u32,
    /// Failures since a request was answered.
    streak: u32,
    failure: [u8; SEALED],
}

const RUNNING: u32 = 0x5275_6e21;
const FAILED: u32 = 0x4661_696c;

struct Shared(UnsafeCell<MaybeUninit<Retained>>);

// SAFETY: there is one core; the handlers of failures do not return to what they interrupt, so that
// nobody is in the midst of using it when they do.
unsafe impl Sync for Shared {}

// SAFETY: the section is of `cortex-m-rt`, for what start-up leaves as it is.
#[unsafe(link_section = ".uninit.RETAINED")]
static RETAINED: Shared = Shared(UnsafeCell::new(MaybeUninit::uninit()));

fn with<T>(action: impl FnOnce(&mut Retained) -> T) -> T {
    // SAFETY: any bytes are a `Retained`, and RAM always holds some; for the rest see `Shared`.
    action(unsafe { (*RETAINED.0.get()).assume_init_mut() })
}

/// Why the board was started, and the failure that came before. To be called once, at the start.
pub(super) fn take() -> (Cause, Option<Failure>) {
    with(|retained| {
        let failure = match retained.state {
            FAILED => sealed::open::<Failure>(&retained.failure),
            RUNNING => None,
            _ => {
                retained.streak = 0;
                retained.state = RUNNING;
                return (Cause::PowerOn, None);
            }
        };
        retained.state = RUNNING;
        let cause = failure
            .as_ref()
            .map_or(Cause::Reset, |failure| failure.cause);
        (cause, failure)
    })
}

/// A request was answered.
pub(super) fn served() {
    with(|retained| retained.streak = 0);
}

/// Keeps a failure for the next start, if it is the first since this one.
pub(super) fn keep(failure: impl FnOnce() -> Failure) {
    with(|retained| {
        // What is kept first is the reason; what fails while it is being told is not.
        if retained.state == FAILED {
            return;
        }
        retained.state = FAILED;
        retained.streak = retained.streak.saturating_add(1);
        retained.failure = sealed::seal(&failure()).unwrap_or([0; SEALED]);
    });
}

/// Whether the board fails whenever it is started.
pub(super) fn hopeless() -> bool {
    with(|retained| retained.streak >= MOST)
}
