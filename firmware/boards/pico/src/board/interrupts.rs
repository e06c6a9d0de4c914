//! Which interrupt serves what.

use embassy_rp::bind_interrupts;
use embassy_rp::peripherals::USB;

bind_interrupts!(pub(super) struct Interrupts {
    USBCTRL_IRQ => embassy_rp::usb::InterruptHandler<USB>;
});
