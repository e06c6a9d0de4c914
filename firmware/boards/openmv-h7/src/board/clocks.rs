//! Clocks: a crystal of 12 MHz, the processor at 384 MHz, so that the timers' 192 MHz divide into the
//! 12 MHz of the sensor and the 1 MHz of the clock. USB has its own 48 MHz, trimmed to the host's.

use cortex_m::Peripherals as Core;
use embassy_stm32::rcc::{
    AHBPrescaler, APBPrescaler, Hse, HseMode, Hsi48Config, Pll, PllDiv, PllMul, PllPreDiv,
    PllSource, Sysclk, VoltageScale, mux,
};
use embassy_stm32::time::Hertz;
use embassy_stm32::{Config, Peripherals, pac};

/// Starts them, the cache of instructions and the memory that the camera writes to.
///
/// The cache of data stays off: the flash is read back behind every write, and DMA writes to memory.
pub(super) fn start() -> Peripherals {
    let mut config = Config::default();
    let rcc = &mut config.rcc;
    rcc.hse = Some(Hse {
        freq: Hertz::mhz(12),
        mode: HseMode::Oscillator,
    });
    rcc.pll1 = Some(Pll {
        source: PllSource::HSE,
        prediv: PllPreDiv::DIV3,
        mul: PllMul::MUL192,
        fracn: None,
        divp: Some(PllDiv::DIV2),
        divq: None,
        divr: None,
    });
    rcc.sys = Sysclk::PLL1_P;
    rcc.ahb_pre = AHBPrescaler::DIV2;
    rcc.apb1_pre = APBPrescaler::DIV2;
    rcc.apb2_pre = APBPrescaler::DIV2;
    rcc.apb3_pre = APBPrescaler::DIV2;
    rcc.apb4_pre = APBPrescaler::DIV2;
    rcc.voltage_scale = VoltageScale::Scale1;
    rcc.hsi48 = Some(Hsi48Config {
        sync_from_usb: true,
    });
    rcc.mux.usbsel = mux::Usbsel::HSI48;
    let peripherals = embassy_stm32::init(config);
    pac::RCC.ahb2enr().modify(|enable| {
        enable.set_sram1en(true);
        enable.set_sram2en(true);
    });
    if let Some(mut core) = Core::take() {
        core.SCB.enable_icache();
    }
    peripherals
}
