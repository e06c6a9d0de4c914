//! USB.

use embassy_rp::Peri;
use embassy_rp::peripherals::USB;
use embassy_rp::usb::Driver;
use embassy_usb::UsbDevice;

use super::interrupts::Interrupts;
use super::{chip, line};

type Bus = Driver<'static, USB>;
pub(super) type Line = line::Line<Bus>;

/// The USB device, which has to be run, and its port.
pub(super) fn start(
    usb: Peri<'static, USB>,
    serial: &'static str,
) -> (UsbDevice<'static, Bus>, Line) {
    line::start(Driver::new(usb, Interrupts), chip::PRODUCT, serial)
}
