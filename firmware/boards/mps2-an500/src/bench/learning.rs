//! Learning and classifying alone: enrolment in RAM and every classifier head.
//!
//! As `inference`, this program links only if the optimised code can reach no panic.

#![no_std]
#![no_main]

use core::hint::black_box;
use core::panic::PanicInfo;

use cortex_m::singleton;
use cortex_m_rt::entry;
use sudal_firmware::heads::{Head, MAX_DIM, Quantization};
use sudal_firmware::store::Known;

#[entry]
fn main() -> ! {
    let quantization = Quantization {
        scale: black_box(0.01),
        zero_point: black_box(-3),
    };
    if let Some(known) = singleton!(: Known = Known::new()) {
        let embedding = black_box([0; MAX_DIM]);
        let embedding = embedding.get(..black_box(MAX_DIM)).unwrap_or(&[]);
        let _ = black_box(known.enroll(black_box("a"), black_box(1), embedding));
        for head in Head::ALL {
            let _ = black_box(known.classify(black_box(head), embedding, 1, quantization));
        }
    }
    loop {
        cortex_m::asm::wfi();
    }
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    unsafe extern "C" {
        safe fn a_panic_can_be_reached_from_learning() -> !;
    }
    a_panic_can_be_reached_from_learning()
}
