//! The end of a program in which the library found itself wrong: a fault, which the program's own handler
//! of faults sees.

use core::panic::PanicInfo;

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {
        // SAFETY: an undefined instruction changes nothing but where the processor goes.
        unsafe { core::arch::asm!("udf #0") };
    }
}
