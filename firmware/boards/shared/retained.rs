//! The [`Retained`] memory of this board.

use core::cell::UnsafeCell;
use core::mem::MaybeUninit;

use sudal_firmware::device::Retained;

struct Shared(UnsafeCell<MaybeUninit<Retained>>);

// SAFETY: there is one core; the handlers of failures do not return to what they interrupt, so that
// nobody is in the midst of using it when they do.
unsafe impl Sync for Shared {}

// SAFETY: the section is of `cortex-m-rt`, for what start-up leaves as it is.
#[unsafe(link_section = ".uninit.RETAINED")]
static RETAINED: Shared = Shared(UnsafeCell::new(MaybeUninit::uninit()));

/// Uses it. Not to be called by `action`.
pub(super) fn with<T>(action: impl FnOnce(&mut Retained) -> T) -> T {
    // SAFETY: any bytes are a `Retained`, and RAM always holds some; for the rest see `Shared`.
    action(unsafe { (*RETAINED.0.get()).assume_init_mut() })
}
