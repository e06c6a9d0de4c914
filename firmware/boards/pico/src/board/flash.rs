//! The flash at the chip's QSPI pins: 512 sectors of 4 KiB, read in place.
//!
//! | sectors | hold |
//! |---|---|
//! | 0 to 127 | the program |
//! | 128 to 191 | slot A: the model image that was flashed with the program, then every second update |
//! | 192 to 255 | slot B: the other updates |
//! | 256 to 319 | the classes |
//! | 320 to 383 | what good frames taught, and what they taught before |
//! | 384 to 387 | the settings |
//! | 388, 389 | the record of starts |
//!
//! While it is erased or programmed nothing can be read from it: what does so runs in RAM, and
//! interrupts wait.

use core::cell::RefCell;
use core::ops::Range;

use cortex_m::singleton;
use embassy_rp::Peri;
use embassy_rp::flash::{Blocking, Error, Flash};
use embassy_rp::peripherals::FLASH;
use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash, check_erase, check_read,
    check_write,
};
use sudal_firmware::device::Inspection;
use sudal_firmware::device::Mapped;
use sudal_firmware::settings::Settings;
use sudal_firmware::store::{Store, nor};

use super::{chip, stop, watchdog};

const BASE: usize = 0x1000_0000;
const SIZE: usize = 2 << 20;
const SECTOR: usize = 4096;

const SLOTS: [Range<usize>; 2] = [128..192, 192..256];
const STORE: Range<usize> = 256..320;
const INSPECTION: Range<usize> = 320..384;
const SETTINGS: Range<usize> = 384..388;
const HISTORY: Range<usize> = 388..390;

const _: () = assert!(STORE.end - STORE.start >= Store::<Region>::MIN_SECTORS);
const _: () = assert!(SETTINGS.end - SETTINGS.start >= Settings::<Region>::MIN_SECTORS);
const _: () = assert!((INSPECTION.end - INSPECTION.start) * SECTOR >= Inspection::<Region>::FLASH);

/// Why the flash refused.
#[derive(Debug, Clone, Copy)]
pub(super) enum FlashError {
    /// Outside the region, or not on a word or sector boundary.
    Bounds,
    /// It could not be programmed or erased.
    Refused,
}

impl NorFlashError for FlashError {
    fn kind(&self) -> NorFlashErrorKind {
        match self {
            Self::Bounds => NorFlashErrorKind::OutOfBounds,
            Self::Refused => NorFlashErrorKind::Other,
        }
    }
}

impl From<NorFlashErrorKind> for FlashError {
    fn from(_: NorFlashErrorKind) -> Self {
        Self::Bounds
    }
}

impl From<Error> for FlashError {
    fn from(_: Error) -> Self {
        Self::Refused
    }
}

type Shared = RefCell<Flash<'static, FLASH, Blocking, SIZE>>;

/// Some sectors in a row, which nothing else uses.
pub(super) struct Region {
    flash: &'static Shared,
    sectors: Range<usize>,
}

/// What the flash is divided into, and its serial number.
pub(super) struct Regions {
    pub(super) store: Region,
    pub(super) settings: Region,
    pub(super) slots: [Region; 2],
    pub(super) history: Region,
    pub(super) inspection: Region,
    pub(super) serial: &'static str,
}

/// Divides the flash.
pub(super) fn regions(flash: Peri<'static, FLASH>) -> Regions {
    let flash = singleton!(: Shared = RefCell::new(Flash::new_blocking(flash)));
    let digits = singleton!(: [u8; 16] = [b'0'; 16]);
    let (Some(flash), Some(digits)) = (flash, digits) else {
        stop::stop("the flash was taken twice");
    };
    let number = chip::number(flash.get_mut()).unwrap_or_else(|| {
        defmt::warn!("the board does not tell its number");
        [0; 8]
    });
    for (digit, place) in digits.iter_mut().enumerate() {
        let half = number[digit / 2] >> (4 * (1 - digit % 2)) & 0xf;
        *place = b"0123456789abcdef"[usize::from(half)];
    }
    let flash = &*flash;
    let region = |sectors| Region { flash, sectors };
    Regions {
        store: region(STORE),
        settings: region(SETTINGS),
        slots: SLOTS.map(region),
        history: region(HISTORY),
        inspection: region(INSPECTION),
        serial: core::str::from_utf8(digits).unwrap_or_default(),
    }
}

/// # Safety
/// The sectors must be ones of this chip, and not change while the slice lives.
unsafe fn contents<'a>(sectors: Range<usize>) -> &'a [u8] {
    let start = (BASE + sectors.start * SECTOR) as *const u8;
    // SAFETY: by what the caller promises.
    unsafe { core::slice::from_raw_parts(start, sectors.len() * SECTOR) }
}

impl Region {
    fn start(&self) -> u32 {
        (self.sectors.start * SECTOR) as u32
    }
}

impl ErrorType for Region {
    type Error = FlashError;
}

impl ReadNorFlash for Region {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), FlashError> {
        check_read(self, offset, bytes.len())?;
        let start = offset as usize;
        bytes.copy_from_slice(&self.contents()[start..start + bytes.len()]);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.sectors.len() * SECTOR
    }
}

impl NorFlash for Region {
    const WRITE_SIZE: usize = nor::WORD;
    const ERASE_SIZE: usize = SECTOR;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), FlashError> {
        check_erase(self, from, to)?;
        let mut flash = self.flash.borrow_mut();
        for sector in (from..to).step_by(SECTOR) {
            // An erase takes up to 0.4 seconds.
            watchdog::pet();
            let start = self.start() + sector;
            flash.blocking_erase(start, start + SECTOR as u32)?;
        }
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), FlashError> {
        check_write(self, offset, bytes.len())?;
        let mut flash = self.flash.borrow_mut();
        Ok(flash.blocking_write(self.start() + offset, bytes)?)
    }
}

impl Mapped<'static> for Region {
    fn contents(&self) -> &[u8] {
        // SAFETY: the sectors are the region's alone, and it changes them only when borrowed mutably.
        unsafe { contents(self.sectors.clone()) }
    }

    fn freeze(self) -> &'static [u8] {
        // SAFETY: whoever could change the sectors is given up.
        unsafe { contents(self.sectors) }
    }
}
