//! USB.

use cortex_m::singleton;
use embassy_stm32::Peri;
use embassy_stm32::peripherals::{PA11, PA12, USB_OTG_FS};
use embassy_stm32::usb::{Config, Driver};
use embassy_usb::UsbDevice;

use super::interrupts::Interrupts;
use super::{line, stop};

type Bus = Driver<'static, USB_OTG_FS>;
pub(super) type Line = line::Line<Bus>;

/// The USB device, which has to be run, and its port.
pub(super) fn start(
    usb: Peri<'static, USB_OTG_FS>,
    plus: Peri<'static, PA12>,
    minus: Peri<'static, PA11>,
) -> (UsbDevice<'static, Bus>, Line) {
    let Some(out) = singleton!(: [u8; 256] = [0; 256]) else {
        stop::stop("USB was taken twice");
    };
    let driver = Driver::new_fs(usb, Interrupts, plus, minus, out, Config::default());
    line::start(driver, "sudal openmv-h7", embassy_stm32::uid::uid_hex())
}
