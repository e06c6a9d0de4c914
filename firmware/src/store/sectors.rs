//! Sectors that know whether their last erase was finished.
//!
//! An erase that the power cuts short leaves any contents, those of a sound sector among them. So
//! each sector starts with two words of its own: the first is programmed after an erase, the second
//! before the next. A sector that has the first and not the second holds data; any other is erased
//! again when the flash is switched on. A few wrong bits don't change what a mark says. What is left
//! of the sector looks like a flash with sectors that are two words shorter.
//!
//! A word whose programming was cut short may be unreadable (a flash with an error-correcting code
//! says so), or read as neither the old nor the new contents. The map marks its sectors in their
//! first and last word and looks at one byte of them: it is shown the whole word, as programmed if
//! any of it is, since a flash may take a word only once. Where a word can't be read while its
//! sector's mark can, zeros are read, which no check passes.
//!
//! The map takes the first item whose header reads as erased for the end of what a sector holds. No
//! item is erased throughout, so that where something is programmed behind it, this is damage: zeros
//! are read there too, and the map continues to what lies behind. A sector that the map begins to fill,
//! by programming its first mark, is erased if it turns out not to be.
//!
//! The flash is blocking and the map above wants an asynchronous one: every future is ready at once.

use embedded_storage::nor_flash::{NorFlash, NorFlashError, NorFlashErrorKind};
use embedded_storage_async::nor_flash as asynchronous;
use sequential_storage::cache::key_pointers::ArrayKeyPointers;
use sequential_storage::cache::{self, Cache};
use sequential_storage::map::MapStorage;

use crate::heads::IDS;

/// Largest word of a flash, in bytes.
pub(crate) const WORD_LIMIT: usize = 32;

/// Byte of a programmed mark: neither erased nor what a failing flash tends to read as.
const IN_USE: u8 = 0xa5;
const RETIRED: u8 = 0x00;
const ERASED: u8 = 0xff;

/// Bits of a mark that may be wrong.
const TOLERANCE: u32 = 2;
/// Bytes that are looked at at once for any that is programmed.
const GLANCE: usize = 8 * WORD_LIMIT;
/// Keys that a map has at most: those of the classes, of the head and of the ledger.
pub(crate) const KEYS: usize = IDS + 2;
/// How often a read is tried.
const READS: u32 = 3;

/// A map over a flash. But for the places of its items it reads every byte again: the flash is memory-mapped,
/// and nothing can be stale.
pub(crate) type Map<F> = MapStorage<u8, Sectors<F>, Places>;
/// Remembers where the newest item of each key is: one type for all maps, so that their code exists once.
pub(crate) type Places = Cache<cache::Uncached, cache::Uncached, ArrayKeyPointers<u8, KEYS>, u8>;

/// What knows of no item yet.
pub(crate) fn places() -> Places {
    Cache::new(cache::Uncached, cache::Uncached, ArrayKeyPointers::new())
}

/// What the map says when it fails.
pub(crate) type MapError<E> = sequential_storage::Error<SectorsError<E>>;

/// Shows each item of a map, oldest first, so that the newest of a key comes last; until one is
/// refused.
pub(crate) async fn each_item<F: NorFlash, E: From<MapError<F::Error>>>(
    map: &mut Map<F>,
    room: &mut [u8],
    mut show: impl FnMut(u8, &[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let mut items = map.fetch_all_items(room).await?;
    while let Some((key, value)) = items.next::<&[u8]>(room).await? {
        show(key, value)?;
    }
    Ok(())
}

/// A flash whose sectors are in use, every one.
pub(crate) struct Sectors<F> {
    flash: F,
    erases: u32,
    failed: bool,
}

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
        Self {
            flash,
            erases: 0,
            failed: false,
        }
    }

    /// Sectors that were erased since the flash was switched on, wrapping around.
    pub(crate) const fn erases(&self) -> u32 {
        self.erases
    }

    /// Whether something did not read back as it was written since this was asked last.
    pub(crate) fn take_failed(&mut self) -> bool {
        core::mem::take(&mut self.failed)
    }

    /// How many sectors there are.
    pub(crate) fn count(&self) -> usize {
        self.flash.capacity() / F::ERASE_SIZE
    }

    /// Finishes erases that were cut short, and marks the sectors of a flash that is new.
    ///
    /// A flash of which no sector can be read is left as it is.
    pub(crate) fn recover(&mut self) -> Result<(), F::Error> {
        let mut readable = self.count() == 0;
        for sector in 0..self.count() {
            match self.is_sound(sector) {
                Ok(_) => readable = true,
                Err(error) if sector + 1 == self.count() && !readable => return Err(error),
                Err(_) => {}
            }
        }
        for sector in 0..self.count() {
            if !self.is_sound(sector).unwrap_or(false) {
                self.erase_and_mark(sector)?;
            }
        }
        Ok(())
    }

    /// Whether a sector's last erase was finished and no further one begun.
    fn is_sound(&mut self, sector: usize) -> Result<bool, F::Error> {
        let in_use = self.is_mark(Self::start(sector), IN_USE)?;
        Ok(in_use && self.is_mark(Self::start(sector) + F::WRITE_SIZE as u32, ERASED)?)
    }

    /// Whether a word of the flash below has this byte throughout.
    fn is_mark(&mut self, address: u32, byte: u8) -> Result<bool, F::Error> {
        let mut word = [0; WORD_LIMIT];
        let word = &mut word[..F::WRITE_SIZE];
        self.try_read(address, word)?;
        let wrong = word.iter().map(|&read| (read ^ byte).count_ones());
        Ok(wrong.sum::<u32>() <= TOLERANCE)
    }

    fn try_read(&mut self, address: u32, bytes: &mut [u8]) -> Result<(), F::Error> {
        for _ in 1..READS {
            if self.flash.read(address, bytes).is_ok() {
                return Ok(());
            }
        }
        self.flash.read(address, bytes)
    }

    /// As [`try_read`](Self::try_read), with zeros for words that can't be read.
    fn read_around(&mut self, address: u32, bytes: &mut [u8]) -> Result<(), F::Error> {
        let Err(error) = self.try_read(address, bytes) else {
            return Ok(());
        };
        // Is it the word that fails, or the flash?
        let sector = address as usize / F::ERASE_SIZE;
        if !self.is_mark(Self::start(sector), IN_USE)? {
            return Err(error);
        }
        let mut address = address;
        let mut rest = bytes;
        while !rest.is_empty() {
            let in_word = F::WRITE_SIZE - address as usize % F::WRITE_SIZE;
            let (part, behind) = rest.split_at_mut(in_word.min(rest.len()));
            if self.try_read(address, part).is_err() {
                part.fill(0);
            }
            address += part.len() as u32;
            rest = behind;
        }
        Ok(())
    }

    /// As [`read_around`](Self::read_around), with zeros for what reads as erased in front of
    /// something programmed.
    fn read_item(&mut self, address: u32, bytes: &mut [u8]) -> Result<(), F::Error> {
        self.read_around(address, bytes)?;
        if is_erased(bytes) && self.is_programmed_from(address + bytes.len() as u32) {
            bytes.fill(0);
        }
        Ok(())
    }

    /// What lies so far from the start of a sector, its own marks not counted.
    pub(super) fn read_start(
        &mut self,
        sector: usize,
        offset: usize,
        bytes: &mut [u8],
    ) -> Result<(), F::Error> {
        let start = Self::start(sector) + (Self::MARKS + offset) as u32;
        self.read_item(start, bytes)
    }

    /// Whether anything is programmed from here to the mark at the end of the sector.
    fn is_programmed_from(&mut self, mut address: u32) -> bool {
        let sector = address as usize / F::ERASE_SIZE;
        let end = Self::start(sector) + (F::ERASE_SIZE - F::WRITE_SIZE) as u32;
        let mut bytes = [0; GLANCE];
        while address < end {
            let bytes = &mut bytes[..GLANCE.min((end - address) as usize)];
            if self.try_read(address, bytes).is_err() || !is_erased(bytes) {
                return true;
            }
            address += bytes.len() as u32;
        }
        false
    }

    /// Reads from a word in which the map marks its sectors: all zeros or all ones.
    fn read_mark(&mut self, address: u32, bytes: &mut [u8]) -> Result<(), F::Error> {
        let mut word = [0; WORD_LIMIT];
        let word = &mut word[..F::WRITE_SIZE];
        self.read_around(address - address % F::WRITE_SIZE as u32, word)?;
        let cleared: u32 = word.iter().map(|byte| byte.count_zeros()).sum();
        bytes.fill(if cleared < TOLERANCE { ERASED } else { 0 });
        Ok(())
    }

    fn renew(&mut self, sector: usize) -> Result<(), F::Error> {
        let retired = [RETIRED; WORD_LIMIT];
        // A mark that does not take must not keep the sector from being erased.
        let _ = self.flash.write(
            Self::start(sector) + F::WRITE_SIZE as u32,
            &retired[..F::WRITE_SIZE],
        );
        self.erase_and_mark(sector)
    }

    fn erase_and_mark(&mut self, sector: usize) -> Result<(), F::Error> {
        let start = Self::start(sector);
        let in_use = [IN_USE; WORD_LIMIT];
        self.erases = self.erases.wrapping_add(1);
        self.flash.erase(start, start + F::ERASE_SIZE as u32)?;
        self.flash.write(start, &in_use[..F::WRITE_SIZE])
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

/// All are looked at, as most are erased: so many at once, where the processor can.
fn is_erased(bytes: &[u8]) -> bool {
    bytes.iter().fold(ERASED, |all, byte| all & byte) == ERASED
}

impl<F: NorFlash> asynchronous::ErrorType for Sectors<F> {
    type Error = SectorsError<F::Error>;
}

impl<F: NorFlash> asynchronous::ReadNorFlash for Sectors<F> {
    const READ_SIZE: usize = F::READ_SIZE;

    async fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Self::Error> {
        let address = Self::place(offset, bytes.len())?;
        let within = offset as usize % Self::SIZE;
        let last = Self::SIZE - F::WRITE_SIZE;
        let read = if within < F::WRITE_SIZE || within >= last {
            self.read_mark(address, bytes)
        } else {
            self.read_item(address, bytes)
        };
        read.map_err(SectorsError::Flash)
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
        let within = offset as usize % Self::SIZE;
        let offset = Self::place(offset, bytes.len())?;
        if within == 0 && self.is_programmed_from(offset + bytes.len() as u32) {
            self.renew(offset as usize / F::ERASE_SIZE)
                .map_err(SectorsError::Flash)?;
        }
        self.flash
            .write(offset, bytes)
            .map_err(SectorsError::Flash)?;
        // No error: the map has to get to the end of what it does, or it would try the same place
        // again and again. Whoever uses it asks for failures afterwards.
        let mut word = [0; WORD_LIMIT];
        for (address, written) in (offset..).step_by(WORD_LIMIT).zip(bytes.chunks(WORD_LIMIT)) {
            let word = &mut word[..written.len()];
            self.failed |= self.try_read(address, word).is_err() || word != written;
        }
        Ok(())
    }
}
