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

/// The last bytes that came.
#[derive(Default)]
pub(super) struct Provoke([u8; 6]);

impl Provoke {
    /// Looks at a byte and fails if it ends one of the words.
    pub(super) fn push(&mut self, byte: u8) {
        self.0.rotate_left(1);
        self.0[5] = byte;
        match &self.0 {
            b"!panic" => panic!("provoked over the line"),
            b"!fault" => asm::udf(),
            b"!stuck" => spin(),
            b"!deaf!" => {
                // SAFETY: a whole table, aligned as the processor wants it, that stays where it is.
                unsafe { (*SCB::PTR).vtor.write((&raw const DEAF.0) as u32) };
                spin()
            }
            _ => {}
        }
    }
}
