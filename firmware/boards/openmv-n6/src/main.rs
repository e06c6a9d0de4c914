//! Firmware for the OpenMV N6: an STM32N657, a Cortex-M55 with Helium. **It was never run**: it builds, links
//! and fits.
//!
//! | device | used for |
//! |---|---|
//! | USART3 at P4 (sends) and P5, 921,600 baud | commands: the protocol of [`sudal_firmware::protocol`]; frames too |
//! | flash at XSPI2 | the model image, classes, settings, record of starts |
//! | watchdog | restarts the board when a request hangs |
//! | RTT of a debug probe | `defmt` logs |
//!
//! The camera (DCMIPP) and USB at high speed, for which `embassy-stm32` 0.6 has no drivers on this chip, and the
//! chip's NPU are not used. A debug probe loads the program to RAM, and it runs until the power is cut.

#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(target_os = "none")]
mod board;

#[cfg(not(target_os = "none"))]
fn main() {
    eprintln!("this program is for the target thumbv8m.main-none-eabihf and a Cortex-M55");
    std::process::exit(1);
}
