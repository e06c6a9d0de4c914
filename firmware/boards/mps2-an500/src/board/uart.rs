//! The CMSDK APB UART: one byte in each direction.

use core::convert::Infallible;

use cortex_m::asm;
use cortex_m::interrupt::InterruptNumber;
use cortex_m::peripheral::NVIC;
use embedded_io::{ErrorType, Read, Write};

use super::registers::Registers;

const DATA: usize = 0x0;
const STATE: usize = 0x4;
const TX_FULL: u32 = 1;
const RX_FULL: u32 = 2;
const CONTROL: usize = 0x8;
const TX_ENABLE: u32 = 1;
const RX_ENABLE: u32 = 2;
const RX_INTERRUPT: u32 = 8;
const INTERRUPT: usize = 0xc;
const DIVIDER: usize = 0x10;
/// The fastest that the device allows.
const SMALLEST_DIVIDER: u32 = 16;

/// Base address of the UART for commands.
const COMMANDS: usize = 0x4000_4000;
/// Base address of the UART for logs.
const LOGS: usize = 0x4000_5000;

/// Interrupt of a byte received by the UART for commands.
#[derive(Clone, Copy)]
struct Received;

// SAFETY: UART 0 signals a received byte by interrupt 0.
unsafe impl InterruptNumber for Received {
    fn number(self) -> u16 {
        0
    }
}

/// A UART that is switched on.
pub(super) struct Uart<const BASE: usize>(Registers<BASE>);

impl Uart<COMMANDS> {
    /// Switches on UART 0, which wakes the processor for each byte it receives.
    pub(super) fn commands() -> Self {
        let uart = Self(Registers);
        uart.0.write(DIVIDER, SMALLEST_DIVIDER);
        uart.0.write(CONTROL, TX_ENABLE | RX_ENABLE | RX_INTERRUPT);
        // The interrupt ends `wfi` and is never taken: there is no handler.
        cortex_m::interrupt::disable();
        // SAFETY: interrupts are off, so unmasking one breaks no critical section.
        unsafe { NVIC::unmask(Received) };
        uart
    }

    fn wait(&self) {
        while self.0.read(STATE) & RX_FULL == 0 {
            asm::wfi();
            self.0.write(INTERRUPT, RX_FULL);
            NVIC::unpend(Received);
        }
    }
}

impl Uart<LOGS> {
    /// Switches on UART 1 for output.
    pub(super) fn logs() -> Self {
        let uart = Self(Registers);
        uart.0.write(DIVIDER, SMALLEST_DIVIDER);
        uart.0.write(CONTROL, TX_ENABLE);
        uart
    }
}

impl<const BASE: usize> ErrorType for Uart<BASE> {
    type Error = Infallible;
}

impl<const BASE: usize> Write for Uart<BASE> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        for &byte in bytes {
            while self.0.read(STATE) & TX_FULL != 0 {}
            self.0.write(DATA, byte.into());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        while self.0.read(STATE) & TX_FULL != 0 {}
        Ok(())
    }
}

impl Read for Uart<COMMANDS> {
    /// Waits for the zero that ends a packet, or for as many bytes as there is room for.
    fn read(&mut self, bytes: &mut [u8]) -> Result<usize, Infallible> {
        let mut count = 0;
        for place in bytes {
            self.wait();
            *place = self.0.read(DATA) as u8;
            count += 1;
            if *place == 0 {
                break;
            }
        }
        Ok(count)
    }
}

/// The UART for logs.
pub(super) type LogUart = Uart<LOGS>;
