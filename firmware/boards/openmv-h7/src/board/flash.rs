//! The chip's flash: 16 sectors of 128 KiB, words of 32 bytes with an error-correcting code.
//!
//! | sectors | hold |
//! |---|---|
//! | 0, 1 | the program |
//! | 2, 3 | slot A: the model image that was flashed with the program, then every second update |
//! | 4, 5 | slot B: the other updates |
//! | 6, 7 | the record of starts |
//! | 8 to 11 | the classes |
//! | 12, 13 | what good frames taught, and what they taught before |
//! | 14, 15 | the settings |
//!
//! What is written while the board works lies in the second bank, from sector 8 on, but for updates and
//! the record of starts; the program, in the first, then continues meanwhile.

use core::arch::asm;
use core::cell::RefCell;
use core::ops::Range;

use cortex_m::peripheral::SCB;
use cortex_m::{asm, singleton};
use embassy_stm32::flash::{Blocking, Flash};
use embassy_stm32::{Peri, pac, peripherals};
use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash, check_erase, check_read,
    check_write,
};
use sudal_firmware::device::{Inspection, Mapped};
use sudal_firmware::settings::Settings;
use sudal_firmware::store::Store;

use super::{stop, watchdog};

const BASE: usize = 0x0800_0000;
const SECTOR: usize = 128 << 10;
const WORD: usize = 32;
const BANK: usize = 8 * SECTOR;

const SLOTS: [Range<usize>; 2] = [2..4, 4..6];
const HISTORY: Range<usize> = 6..8;
const STORE: Range<usize> = 8..12;
const INSPECTION: Range<usize> = 12..14;
const SETTINGS: Range<usize> = 14..16;

const _: () = assert!(STORE.end - STORE.start >= Store::<Region>::MIN_SECTORS);
const _: () = assert!(SETTINGS.end - SETTINGS.start >= Settings::<Region>::MIN_SECTORS);
const _: () = assert!((INSPECTION.end - INSPECTION.start) * SECTOR >= Inspection::<Region>::FLASH);

/// In the configuration and control register: faults of data accesses are ignored by code that runs
/// at the priority of a fault.
const IGNORE_BUS_FAULTS: u32 = 1 << 8;

/// Why the flash refused.
#[derive(Debug, Clone, Copy)]
pub(super) enum FlashError {
    /// Outside the region, or not on a word or sector boundary.
    Bounds,
    /// More bits are wrong than the code corrects: the word's programming was cut short.
    Unreadable,
    /// It could not be programmed or erased.
    Refused,
}

impl NorFlashError for FlashError {
    fn kind(&self) -> NorFlashErrorKind {
        match self {
            Self::Bounds => NorFlashErrorKind::OutOfBounds,
            Self::Unreadable | Self::Refused => NorFlashErrorKind::Other,
        }
    }
}

impl From<NorFlashErrorKind> for FlashError {
    fn from(_: NorFlashErrorKind) -> Self {
        Self::Bounds
    }
}

type Shared = RefCell<Flash<'static, Blocking>>;

/// Some sectors in a row, which nothing else uses.
pub(super) struct Region {
    flash: &'static Shared,
    sectors: Range<usize>,
}

/// The flashes of the classes, the settings, the two slots, the record of starts and the inspection.
pub(super) fn regions(flash: Peri<'static, peripherals::FLASH>) -> [Region; 6] {
    let flash = singleton!(: Shared = RefCell::new(Flash::new_blocking(flash)));
    let Some(flash) = flash else {
        stop::stop("the flash was taken twice");
    };
    let flash = &*flash;
    let region = |sectors| Region { flash, sectors };
    let [slot_a, slot_b] = SLOTS.map(|sectors| region(sectors).readable());
    [
        region(STORE),
        region(SETTINGS),
        slot_a,
        slot_b,
        region(HISTORY),
        region(INSPECTION).readable(),
    ]
}

/// # Safety
/// The sectors must be ones of this chip, and not change while the slice lives.
unsafe fn contents<'a>(sectors: Range<usize>) -> &'a [u8] {
    let start = (BASE + sectors.start * SECTOR) as *const u8;
    // SAFETY: by what the caller promises.
    unsafe { core::slice::from_raw_parts(start, sectors.len() * SECTOR) }
}

impl Region {
    /// Erases the region if it has a word that can't be read, since what is read in place must be.
    fn readable(mut self) -> Self {
        let end = self.capacity() as u32;
        let mut word = [0; WORD];
        if (0..end)
            .step_by(WORD)
            .any(|at| self.read(at, &mut word).is_err())
        {
            defmt::warn!("a slot or bank can't be read and is erased");
            if self.erase(0, end).is_err() {
                defmt::warn!("it can't be erased either");
            }
        }
        self
    }

    fn start(&self) -> usize {
        self.sectors.start * SECTOR
    }
}

impl ErrorType for Region {
    type Error = FlashError;
}

impl ReadNorFlash for Region {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), FlashError> {
        check_read(self, offset, bytes.len())?;
        let mut at = self.start() + offset as usize;
        let mut rest = bytes;
        while !rest.is_empty() {
            let word = read_word(at / WORD * WORD)?;
            let within = &word[at % WORD..];
            let count = within.len().min(rest.len());
            let (now, later) = rest.split_at_mut(count);
            now.copy_from_slice(&within[..count]);
            at += count;
            rest = later;
        }
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.sectors.len() * SECTOR
    }
}

impl NorFlash for Region {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = SECTOR;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), FlashError> {
        check_erase(self, from, to)?;
        for sector in (from..to).step_by(SECTOR) {
            // An erase takes up to some seconds.
            watchdog::pet();
            let start = self.start() as u32 + sector;
            let mut flash = self.flash.borrow_mut();
            flash
                .blocking_erase(start, start + SECTOR as u32)
                .map_err(|_| FlashError::Refused)?;
        }
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), FlashError> {
        check_write(self, offset, bytes.len())?;
        let start = self.start() as u32 + offset;
        let mut flash = self.flash.borrow_mut();
        flash
            .blocking_write(start, bytes)
            .map_err(|_| FlashError::Refused)
    }
}

impl<'m> Mapped<'m> for Region {
    fn contents(&self) -> &[u8] {
        // SAFETY: the sectors are the region's alone, and it changes them only when borrowed mutably.
        unsafe { contents(self.sectors.clone()) }
    }

    fn freeze(self) -> &'m [u8] {
        // SAFETY: whoever could change the sectors is given up.
        unsafe { contents(self.sectors) }
    }
}

/// Reads a word at a place in the flash; one whose code does not hold gives an error instead of the
/// fault that it raises.
fn read_word(at: usize) -> Result<[u8; WORD], FlashError> {
    let bank = pac::FLASH.bank(at / BANK);
    bank.ccr().write(|clear| clear.set_clr_dbeccerr(true));
    let address = (BASE + at) as *const u32;
    let mut word = [0; WORD];
    ignoring_bus_faults(|| {
        for (index, bytes) in word.chunks_exact_mut(4).enumerate() {
            // SAFETY: the callers checked that the place is in the flash, which is mapped.
            let part = unsafe { address.add(index).read_volatile() };
            bytes.copy_from_slice(&part.to_le_bytes());
        }
    });
    if bank.sr().read().dbeccerr() {
        bank.ccr().write(|clear| clear.set_clr_dbeccerr(true));
        return Err(FlashError::Unreadable);
    }
    Ok(word)
}

fn ignoring_bus_faults(action: impl FnOnce()) {
    // SAFETY: the register is the core's, which has no other user; interrupts are off between its two
    // changes, and the instructions change nothing but the mask of faults.
    unsafe {
        asm!("cpsid f", options(nomem, nostack, preserves_flags));
        (*SCB::PTR).ccr.modify(|ccr| ccr | IGNORE_BUS_FAULTS);
    }
    asm::dsb();
    action();
    asm::dsb();
    // SAFETY: as above.
    unsafe {
        (*SCB::PTR).ccr.modify(|ccr| ccr & !IGNORE_BUS_FAULTS);
        asm!("cpsie f", options(nomem, nostack, preserves_flags));
    }
}
