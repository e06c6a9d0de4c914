//! Failures on request, for tests: words on the line that no packet can hold, since a packet with
//! them would be noise.

use cortex_m::asm;
use cortex_m::peripheral::SCB;

/// Exceptions that lead nowhere: the watchdog's interrupt can't say that the board is stuck.
#[repr(align(128))]
struct Vectors([extern "C" fn() -> !; 16]);

static DEAF: Vectors = Vectors([spin; 16]);

extern "C" fn spin() -> ! {
    loop {
        asm::nop();
    }
}

/// Fails if these bytes of the line end with one of the words and a zero.
pub(super) fn look(bytes: &[u8]) {
    match bytes.strip_suffix(&[0]).and_then(<[u8]>::last_chunk) {
        Some(b"!panic") => panic!("provoked over the line"),
        Some(b"!fault") => asm::udf(),
        Some(b"!stuck") => spin(),
        Some(b"!deaf!") => {
            // SAFETY: a whole table, aligned as the processor wants it, that stays where it is.
            unsafe { (*SCB::PTR).vtor.write((&raw const DEAF.0) as u32) };
            spin()
        }
        _ => {}
    }
}
