//! The flash of 32 MB at XSPI2, by one line and commands with addresses of four bytes.
//!
//! OpenMV's loader and firmware have the first 4.5 MiB.
//!
//! | MiB | holds |
//! |---|---|
//! | 8 | the model image |
//! | 9 | the classes |
//! | 10 | the settings |
//! | 11 | the record of starts |

use core::cell::RefCell;

use cortex_m::singleton;
use embassy_stm32::Peri;
use embassy_stm32::mode::Blocking;
use embassy_stm32::peripherals::{PN1, PN2, PN3, PN4, PN5, PN6, PN8, PN9, PN10, PN11, XSPI2};
use embassy_stm32::xspi::{
    AddressSize, Config, DummyCycles, MemorySize, MemoryType, TransferConfig, Xspi, XspiError,
    XspiWidth,
};
use sudal_firmware::store::nor::{Medium, SECTOR};

use super::{stop, watchdog};

/// Some sectors in a row.
pub(super) struct Part {
    pub(super) start: usize,
    pub(super) len: usize,
}

/// At this megabyte.
const fn part(megabyte: usize, len: usize) -> Part {
    Part {
        start: megabyte << 20,
        len,
    }
}

pub(super) const IMAGE: Part = part(8, 256 << 10);
pub(super) const STORE: Part = part(9, 37 * SECTOR);
pub(super) const SETTINGS: Part = part(10, 4 * SECTOR);
pub(super) const HISTORY: Part = part(11, 2 * SECTOR);
/// None.
pub(super) const NOTHING: Part = part(0, 0);

const PAGE: usize = 256;

const READ: u32 = 0x0c;
const PROGRAM: u32 = 0x12;
const ERASE: u32 = 0x21;
const WRITE_ENABLE: u32 = 0x06;
const STATUS: u32 = 0x05;

type Bus = Xspi<'static, XSPI2, Blocking>;

/// The wires of the board.
#[expect(clippy::too_many_arguments, reason = "the wires of the board")]
pub(super) fn xspi(
    xspi: Peri<'static, XSPI2>,
    clock: Peri<'static, PN6>,
    d0: Peri<'static, PN2>,
    d1: Peri<'static, PN3>,
    d2: Peri<'static, PN4>,
    d3: Peri<'static, PN5>,
    d4: Peri<'static, PN8>,
    d5: Peri<'static, PN9>,
    d6: Peri<'static, PN10>,
    d7: Peri<'static, PN11>,
    select: Peri<'static, PN1>,
) -> Bus {
    let config = Config {
        memory_type: MemoryType::Macronix,
        device_size: MemorySize::_32MiB,
        sample_shifting: true,
        ..Config::default()
    };
    Xspi::new_blocking_xspi(xspi, clock, d0, d1, d2, d3, d4, d5, d6, d7, select, config)
}

/// The whole of it.
pub(super) struct External(RefCell<Bus>);

impl External {
    pub(super) fn start(bus: Bus) -> &'static Self {
        match singleton!(: External = External(RefCell::new(bus))) {
            Some(external) => external,
            None => stop::stop("the flash was taken twice"),
        }
    }

    pub(super) fn read(&self, start: usize, bytes: &mut [u8]) -> Result<(), XspiError> {
        if bytes.is_empty() {
            return Ok(());
        }
        let transfer = TransferConfig {
            dwidth: XspiWidth::SING,
            dummy: DummyCycles::_8,
            ..at(READ, start)
        };
        self.0.borrow_mut().blocking_read(bytes, transfer)
    }

    fn erase(&self, start: usize) -> Result<(), XspiError> {
        let mut bus = self.0.borrow_mut();
        bus.blocking_command(&command(WRITE_ENABLE))?;
        bus.blocking_command(&at(ERASE, start))?;
        finish(&mut bus)
    }

    /// Bytes of one page.
    fn program(&self, start: usize, bytes: &[u8]) -> Result<(), XspiError> {
        let mut bus = self.0.borrow_mut();
        bus.blocking_command(&command(WRITE_ENABLE))?;
        let transfer = TransferConfig {
            dwidth: XspiWidth::SING,
            ..at(PROGRAM, start)
        };
        bus.blocking_write(bytes, transfer)?;
        finish(&mut bus)
    }
}

fn command(instruction: u32) -> TransferConfig {
    TransferConfig {
        iwidth: XspiWidth::SING,
        instruction: Some(instruction),
        ..TransferConfig::default()
    }
}

fn at(instruction: u32, address: usize) -> TransferConfig {
    TransferConfig {
        adwidth: XspiWidth::SING,
        adsize: AddressSize::_32bit,
        address: Some(address as u32),
        ..command(instruction)
    }
}

/// Waits until an erase or a page is done; if that never is, the watchdog ends it.
fn finish(bus: &mut Bus) -> Result<(), XspiError> {
    watchdog::pet();
    let transfer = TransferConfig {
        dwidth: XspiWidth::SING,
        ..command(STATUS)
    };
    let mut status = [1_u8];
    while status[0] & 1 != 0 {
        bus.blocking_read(&mut status, transfer)?;
    }
    Ok(())
}

/// A part of it, which nothing else uses.
pub(super) struct Area {
    external: &'static External,
    start: usize,
}

impl Area {
    pub(super) const fn new(external: &'static External, start: usize) -> Self {
        Self { external, start }
    }
}

impl Medium for Area {
    type Error = XspiError;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), XspiError> {
        self.external.read(self.start + offset as usize, bytes)
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), XspiError> {
        let mut start = self.start + offset as usize;
        // Only an erase makes a sector of ones.
        if bytes.len() == SECTOR && start.is_multiple_of(SECTOR) && bytes.iter().all(|&b| b == 0xff)
        {
            return self.external.erase(start);
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            let (page, after) = rest.split_at(rest.len().min(PAGE - start % PAGE));
            self.external.program(start, page)?;
            start += page.len();
            rest = after;
        }
        Ok(())
    }
}
