//! Inference alone: reading a model image and running it.
//!
//! The panic handler calls a function that nowhere exists, so that this program links only if the
//! optimised code can reach no panic.

#![no_std]
#![no_main]

use core::hint::black_box;
use core::panic::PanicInfo;

use cortex_m::singleton;
use cortex_m_rt::entry;
use sudal_firmware::engine;
use sudal_firmware::image::Model;

use memory::ARENA;

mod memory {
    //! What the models need, from `build.rs`.
    #![allow(
        dead_code,
        reason = "there is no picture in addition to the image's own"
    )]
    include!(concat!(env!("OUT_DIR"), "/memory.rs"));
}

#[entry]
fn main() -> ! {
    // SAFETY: the board has 16 MiB of PSRAM at this address, which nothing writes to.
    let image = unsafe { core::slice::from_raw_parts(0x6000_0000 as *const u8, 16 << 20) };
    if let Some(arena) = singleton!(: [u64; ARENA / 8] = [0; ARENA / 8])
        && let Ok(model) = Model::parse(image)
        && let Some(golden) = model.golden()
    {
        let _ = black_box(engine::run(&model, golden.frame, arena));
    }
    loop {
        cortex_m::asm::wfi();
    }
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    unsafe extern "C" {
        safe fn a_panic_can_be_reached_from_inference() -> !;
    }
    a_panic_can_be_reached_from_inference()
}
