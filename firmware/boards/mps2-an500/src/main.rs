//! Firmware for QEMU's `mps2-an500`, a Cortex-M7 board.
//!
//! | device | used for |
//! |---|---|
//! | UART 0 | commands: the protocol of [`sudal_firmware::protocol`] |
//! | UART 1 | `defmt` logs |
//! | PSRAM | the model image, put there by the emulator and only read; above it the mirrors of the slots |
//! | file `nor.bin`, over semihosting | the NOR flash of the prototype store |
//! | file `history.bin`, over semihosting | the NOR flash of the record of starts |
//! | watchdog | restarts the board when a request hangs |
//! | files `settings.bin`, `slot-a.bin`, `slot-b.bin` | the NOR flashes of settings and updates |
//! | file `recovery` | the recovery pin: held while there is one |
//! | timer 0, dual timer | latency, time stamps |

#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(target_os = "none")]
mod board;

#[cfg(not(target_os = "none"))]
fn main() {
    eprintln!("this program is for the target thumbv7em-none-eabihf: `sudal flash` builds it");
    std::process::exit(1);
}
