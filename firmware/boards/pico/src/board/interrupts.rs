//! Which interrupt serves what.

use embassy_rp::bind_interrupts;
use embassy_rp::peripherals::{DMA_CH0, PIO0, USB};

bind_interrupts!(pub(super) struct Interrupts {
    DMA_IRQ_0 => embassy_rp::dma::InterruptHandler<DMA_CH0>;
    PIO0_IRQ_0 => embassy_rp::pio::InterruptHandler<PIO0>;
    USBCTRL_IRQ => embassy_rp::usb::InterruptHandler<USB>;
});
