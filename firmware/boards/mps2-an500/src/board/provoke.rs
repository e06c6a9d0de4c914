//! Failures on request, for tests: words on the line that no packet can hold, since a packet with
//! them would be noise.

use cortex_m::asm;

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
            b"!stuck" => loop {
                asm::nop();
            },
            _ => {}
        }
    }
}
