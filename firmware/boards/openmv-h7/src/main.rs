//! Firmware for the OpenMV Cam H7: an STM32H743VI with an OV7725.
//!
//! | device | used for |
//! |---|---|
//! | USB, a CDC serial port | commands: the protocol of [`sudal_firmware::protocol`] |
//! | RTT of a debug probe | `defmt` logs |
//! | DCMI and DMA 1, I2C 1, timer 1 | the camera: pixels, registers, clock |
//! | flash, 16 sectors of 128 KiB | program, two slots for model images, classes, what good frames taught, settings, record of starts |
//! | independent watchdog | restarts the board when a request hangs |
//! | P7, P8, P9 | trigger (to ground), OK, NG |
//! | P6 | the recovery pin, held to ground at a start |
//! | red lamp | lit: the board failed three times in a row and stays off |
//!
//! It was never run on the board: pins and clocks are from its published schematics, see `host/docs/boards.md`.

#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(target_os = "none")]
mod board;

#[cfg(not(target_os = "none"))]
fn main() {
    eprintln!("this program is for the target thumbv7em-none-eabihf: `sudal flash` builds it");
    std::process::exit(1);
}
