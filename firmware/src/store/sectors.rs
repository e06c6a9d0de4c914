//! Sectors that know whether their last erase was finished.
//!
//! An erase that the power cuts short leaves any contents, those of a sound sector among them. So
//! each sector starts with two words of its own: the first is programmed after an erase, the second
//! before the next. A sector that has the first and not the second holds data; any other is erased
//! again when the flash is switched on. What is left of the sector looks like a flash with sectors
//! that are two words shorter.
//!
//! The flash is blocking and the map above wants an asynchronous one: every future is ready at once.

use embedded_storage::nor_flash::{NorFlash, NorFlashError, NorFlashErrorKind};
use embedded_storage_async::nor_flash as asynchronous;

/// Largest word of a flash, in bytes.
pub(crate) const WORD_LIMIT: usize = 32;

/// Byte of a programmed mark: neither erased nor what a failing flash tends to read as.
const IN_USE: u8 = 0xa5;
const RETIRED: u8 = 0x00;
const ERASED: u8 = 0xff;

/// A flash whose sectors are in use, every one.
pub(crate) struct Sectors<F>(F);

/// Why it failed.
#[derive(Debug)]
pub(crate) enum SectorsError<E> {
    Flash(E),
    /// Not within one sector; the map never asks for that.
    Bounds,
}

impl<E: NorFlashError> NorFlashError for SectorsError<E> {
    fn kind(&self) -> NorFlashErrorKind {
        match self {
            Self::Flash(error) => error.kind(),
            Self::Bounds => NorFlashErrorKind::OutOfBounds,
        }
    }
}

impl<F: NorFlash> Sectors<F> {
    const MARKS: usize = 2 * F::WRITE_SIZE;
    /// Bytes of a sector that are left.
    pub(crate) const SIZE: usize = F::ERASE_SIZE - Self::MARKS;

    /// A flash whose sectors may be in any state.
    pub(crate) const fn new(flash: F) -> Self {
        Self(flash)
    }

    /// How many sectors there are.
    pub(crate) fn count(&self) -> usize {
        self.0.capacity() / F::ERASE_SIZE
    }

    /// Finishes erases that were cut short, and marks the sectors of a flash that is new.
    pub(crate) fn recover(&mut self) -> Result<(), F::Error> {
        for sector in 0..self.count() {
            let mut marks = [0; 2 * WORD_LIMIT];
            let marks = &mut marks[..Self::MARKS];
            self.0.read(Self::start(sector), marks)?;
            let (in_use, retired) = marks.split_at(F::WRITE_SIZE);
            let sound = in_use.iter().all(|&byte| byte == IN_USE)
                && retired.iter().all(|&byte| byte == ERASED);
            if !sound {
                self.erase_and_mark(sector)?;
            }
        }
        Ok(())
    }

    fn renew(&mut self, sector: usize) -> Result<(), F::Error> {
        let retired = [RETIRED; WORD_LIMIT];
        self.0.write(
            Self::start(sector) + F::WRITE_SIZE as u32,
            &retired[..F::WRITE_SIZE],
        )?;
        self.erase_and_mark(sector)
    }

    fn erase_and_mark(&mut self, sector: usize) -> Result<(), F::Error> {
        let start = Self::start(sector);
        let in_use = [IN_USE; WORD_LIMIT];
        self.0.erase(start, start + F::ERASE_SIZE as u32)?;
        self.0.write(start, &in_use[..F::WRITE_SIZE])
    }

    fn start(sector: usize) -> u32 {
        (sector * F::ERASE_SIZE) as u32
    }

    /// Where bytes lie in the flash below.
    fn place(offset: u32, len: usize) -> Result<u32, SectorsError<F::Error>> {
        let (sector, within) = (offset as usize / Self::SIZE, offset as usize % Self::SIZE);
        if within + len > Self::SIZE {
            return Err(SectorsError::Bounds);
        }
        Ok(Self::start(sector) + (Self::MARKS + within) as u32)
    }
}

impl<F: NorFlash> asynchronous::ErrorType for Sectors<F> {
    type Error = SectorsError<F::Error>;
}

impl<F: NorFlash> asynchronous::ReadNorFlash for Sectors<F> {
    const READ_SIZE: usize = F::READ_SIZE;

    async fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Self::Error> {
        let offset = Self::place(offset, bytes.len())?;
        self.0.read(offset, bytes).map_err(SectorsError::Flash)
    }

    fn capacity(&self) -> usize {
        self.count() * Self::SIZE
    }
}

impl<F: NorFlash> asynchronous::NorFlash for Sectors<F> {
    const WRITE_SIZE: usize = F::WRITE_SIZE;
    const ERASE_SIZE: usize = Self::SIZE;

    async fn erase(&mut self, from: u32, to: u32) -> Result<(), Self::Error> {
        for sector in from as usize / Self::SIZE..to as usize / Self::SIZE {
            self.renew(sector).map_err(SectorsError::Flash)?;
        }
        Ok(())
    }

    async fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Self::Error> {
        let offset = Self::place(offset, bytes.len())?;
        self.0.write(offset, bytes).map_err(SectorsError::Flash)
    }
}
