//! Which interrupt serves what.

use embassy_stm32::bind_interrupts;
use embassy_stm32::peripherals::{DCMI, DMA1_CH1, USB_OTG_FS};

bind_interrupts!(pub(super) struct Interrupts {
    OTG_FS => embassy_stm32::usb::InterruptHandler<USB_OTG_FS>;
    DCMI => embassy_stm32::dcmi::InterruptHandler<DCMI>;
    DMA1_STREAM1 => embassy_stm32::dma::InterruptHandler<DMA1_CH1>;
});
