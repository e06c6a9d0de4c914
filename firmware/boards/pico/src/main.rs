//! Firmware for the Raspberry Pi Pico, an RP2040 with 2 MB of flash, and, by the feature `rp2350` in place of
//! `rp2040`, for the Pico 2.
//!
//! | device | used for |
//! |---|---|
//! | USB, a CDC serial port | commands: the protocol of [`sudal_firmware::protocol`]; frames too, where there is no camera |
//! | I2C0 at GP4 and GP5, GP2, a clock at GP3 | the camera, an HM01B0 as on Arducam's Pico4ML: its registers, reset and clock |
//! | PIO0 and a DMA channel at GP6, GP14, GP15, GP16 | its pixels: data, clock, LVLD, FVLD |
//! | RTT of a debug probe | `defmt` logs |
//! | flash, 512 sectors of 4 KiB | program, two slots for model images, classes, what good frames taught, settings, record of starts |
//! | watchdog | restarts the board when a request hangs |
//! | GP20, GP18, GP19 | trigger (to ground), OK, NG |
//! | GP22 | the recovery pin, held to ground at a start |
//! | lamp at GP25 | lit: the board failed three times in a row and stays off |
//!
//! The RP2040 has room for fewer classes than the library takes by default: `sudal flash` builds it with
//! 16 classes of 10 shots, see [`sudal_firmware::heads`].

#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(target_os = "none")]
mod board;

#[cfg(not(target_os = "none"))]
fn main() {
    eprintln!(
        "this program is for thumbv6m-none-eabi or thumbv8m.main-none-eabihf: `sudal flash` builds it"
    );
    std::process::exit(1);
}
