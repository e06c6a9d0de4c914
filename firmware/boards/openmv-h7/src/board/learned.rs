//! Room for what good frames taught, beside the camera's frame: the other memories have none left.

use core::mem::MaybeUninit;
use core::ptr::addr_of_mut;

use cortex_m::singleton;
use sudal_firmware::patches::Memory;

use super::stop;

// SAFETY: the section is in memory, which start-up leaves as it is.
#[unsafe(link_section = ".frame.learned")]
static mut MEMORY: MaybeUninit<Memory> = MaybeUninit::uninit();

/// The memory, once.
pub(super) fn memory() -> &'static mut Memory {
    if singleton!(: () = ()).is_none() {
        stop::stop("memory was taken twice");
    }
    let memory = addr_of_mut!(MEMORY);
    // SAFETY: it is used nowhere else, as whoever came before would have the unit above.
    unsafe { (*memory).write(Memory::new()) }
}
