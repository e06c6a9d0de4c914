//! `defmt` over UART 1.

use core::cell::UnsafeCell;

use defmt::Encoder;
use embedded_io::Write;

use super::uart::LogUart;

#[defmt::global_logger]
struct Logger;

struct State {
    encoder: Encoder,
    uart: Option<LogUart>,
}

struct Shared(UnsafeCell<State>);

// SAFETY: the board has one core and takes no interrupt, and `Logger` is the only user.
unsafe impl Sync for Shared {}

static SHARED: Shared = Shared(UnsafeCell::new(State {
    encoder: Encoder::new(),
    uart: None,
}));

fn with(action: impl FnOnce(&mut Encoder, &mut dyn FnMut(&[u8]))) {
    // SAFETY: see `Shared`; no action calls back into the logger, so this is the only reference.
    let state = unsafe { &mut *SHARED.0.get() };
    let uart = state.uart.get_or_insert_with(LogUart::logs);
    action(&mut state.encoder, &mut |bytes| {
        let Ok(()) = uart.write_all(bytes);
    });
}

// SAFETY: `acquire` and `release` bracket a frame as the encoder wants it, and nothing can come
// between: there is neither a second core nor an interrupt handler.
unsafe impl defmt::Logger for Logger {
    fn acquire() {
        with(|encoder, write| encoder.start_frame(write));
    }

    unsafe fn flush() {}

    unsafe fn release() {
        with(|encoder, write| encoder.end_frame(write));
    }

    unsafe fn write(bytes: &[u8]) {
        with(|encoder, write| encoder.write(bytes, write));
    }
}
