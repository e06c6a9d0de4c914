//! One value of many kilobytes in flash: a power cut leaves the one before or the new one.
//!
//! The flash is two banks of whole sectors. A value is written to the bank that does not hold the
//! newest: the bank is erased, the value programmed and read back, and at last its header, which makes
//! it the newest. The value before stays in the other bank, so that the last write can be undone.

use core::ops::Range;

use embedded_storage::nor_flash::NorFlash;
use heapless::Vec;

use super::sectors::WORD_LIMIT;
use crate::checksum::{Checksum, crc};

/// First bytes of a bank that holds a value.
const MAGIC: [u8; 4] = *b"BANK";
/// Bytes of a header: whole words of every flash.
const HEADER: usize = WORD_LIMIT;
/// Number of a value that none was before.
const FIRST: u32 = 1;
/// Bytes that are programmed or read at once.
const PAGE: usize = 256;

/// Why a value was not kept; the one before still is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BanksError {
    /// A bank has no room for it.
    #[error("a value of {needed} bytes does not fit a bank of {room}")]
    Room {
        /// Bytes of the value.
        needed: usize,
        /// Bytes that a bank takes.
        room: usize,
    },
    /// The flash failed or refused.
    #[error("the flash failed")]
    Flash,
}

/// What is known of the value in a bank.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Header {
    /// Larger than that of the value before.
    number: u32,
    len: u32,
    checksum: u32,
}

impl Header {
    fn to_bytes(self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        let words = [self.number, self.len, self.checksum];
        bytes[..4].copy_from_slice(&MAGIC);
        for (place, word) in bytes[4..16].chunks_exact_mut(4).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        let own = crc(&bytes[..16]);
        bytes[16..20].copy_from_slice(&own.to_le_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8; HEADER]) -> Option<Self> {
        let word = |at: usize| {
            u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
        };
        let header = Self {
            number: word(4),
            len: word(8),
            checksum: word(12),
        };
        (header.to_bytes() == *bytes).then_some(header)
    }
}

/// A value that comes in pieces.
#[derive(Debug, Clone, Copy)]
struct Incoming {
    len: usize,
    received: usize,
}

/// Two banks of a flash.
pub struct Banks<F> {
    flash: F,
    incoming: Option<Incoming>,
    /// The banks that hold a value, the newest first.
    values: Vec<(usize, Header), 2>,
}

impl<F: NorFlash> Banks<F> {
    /// Bytes of a bank that a value does not have.
    pub const OVERHEAD: usize = HEADER;
    /// A piece has a multiple of n bytes, but for the last.
    pub const PIECE: usize = WORD_LIMIT;

    /// Looks at what a flash holds.
    pub fn open(mut flash: F) -> Self {
        let size = Self::size(&flash);
        let mut values: Vec<_, 2> = [0, 1]
            .into_iter()
            .filter_map(|bank| Some((bank, read_header(&mut flash, bank * size)?)))
            .filter(|(_, header)| header.len as usize <= size.saturating_sub(HEADER))
            .collect();
        values.sort_unstable_by_key(|&(_, header)| core::cmp::Reverse(header.number));
        values.retain(|&(bank, header)| {
            let start = bank * size + HEADER;
            read_checksum(&mut flash, start, header.len as usize) == Some(header.checksum)
        });
        Self {
            flash,
            incoming: None,
            values,
        }
    }

    /// Where in the flash the newest value lies.
    ///
    /// A bank whose erase was cut short may read otherwise each time: a value has to bring a check of
    /// its own, and to be [`reject`](Self::reject)ed if that does not hold for what was read.
    #[must_use]
    pub fn newest(&self) -> Option<Range<usize>> {
        let &(bank, header) = self.values.first()?;
        let start = bank * Self::size(&self.flash) + HEADER;
        Some(start..start + header.len as usize)
    }

    /// Whether what was there before the newest value is known: a value, or nothing before the first.
    #[must_use]
    pub fn can_undo(&self) -> bool {
        match self.values[..] {
            [] => false,
            [(_, only)] => only.number == FIRST,
            _ => true,
        }
    }

    /// Takes the value before for the newest, until one is written.
    pub fn reject(&mut self) {
        self.incoming = None;
        if !self.values.is_empty() {
            self.values.remove(0);
        }
    }

    /// The flash.
    pub fn flash(&self) -> &F {
        &self.flash
    }

    /// Bytes that a value may have.
    #[must_use]
    pub fn room(&self) -> usize {
        Self::size(&self.flash).saturating_sub(HEADER)
    }

    /// Keeps a value in place of the newest. `value` shows its pieces, the same each time.
    ///
    /// # Errors
    /// [`BanksError`]; the value is then the one before.
    pub fn write(&mut self, value: impl Fn(&mut dyn FnMut(&[u8]))) -> Result<(), BanksError> {
        let (mut len, mut sum) = (0, Checksum::new());
        value(&mut |piece| {
            len += piece.len();
            sum.add(piece);
        });
        let start = self.prepare(len)?;
        self.program(start, value)?;
        self.finish(len, sum.finish())
    }

    /// Makes room for a value of `len` bytes that comes in pieces, in place of the one before the newest.
    ///
    /// # Errors
    /// [`BanksError`]; the newest value is what it was.
    pub fn begin(&mut self, len: usize) -> Result<(), BanksError> {
        self.prepare(len)?;
        self.incoming = Some(Incoming { len, received: 0 });
        Ok(())
    }

    /// Bytes that came of a value that was [begun](Self::begin).
    #[must_use]
    pub fn received(&self) -> usize {
        self.incoming.map_or(0, |incoming| incoming.received)
    }

    /// Takes the next piece of it, of whole words of [`PIECE`](Self::PIECE) bytes but for the last.
    ///
    /// # Errors
    /// [`BanksError::Room`] for more than was said or a piece of another length, or that the flash failed.
    pub fn append(&mut self, piece: &[u8]) -> Result<(), BanksError> {
        let Incoming { len, received } = self.incoming.unwrap_or(Incoming {
            len: 0,
            received: 0,
        });
        let needed = received + piece.len();
        if needed > len || (needed < len && !piece.len().is_multiple_of(Self::PIECE)) {
            return Err(BanksError::Room { needed, room: len });
        }
        let received = needed;
        let start = self.idle().0 * Self::size(&self.flash) + HEADER + needed - piece.len();
        self.program(start, |show| show(piece))?;
        self.incoming = Some(Incoming { len, received });
        Ok(())
    }

    /// Where in the flash the value lies that came, once it is whole.
    #[must_use]
    pub fn whole(&self) -> Option<Range<usize>> {
        let Incoming { len, received } = self.incoming?;
        let start = self.idle().0 * Self::size(&self.flash) + HEADER;
        (received == len).then_some(start..start + len)
    }

    /// Makes the value that came the newest. Whether it is the right one has to be known before.
    ///
    /// # Errors
    /// That it is not whole, or that the flash failed; the newest value is what it was.
    pub fn accept(&mut self) -> Result<(), BanksError> {
        let range = self.whole().ok_or(BanksError::Flash)?;
        let checksum = read_checksum(&mut self.flash, range.start, range.len());
        self.finish(range.len(), checksum.ok_or(BanksError::Flash)?)
    }

    /// The bank that does not hold the newest value, and the number of the next.
    fn idle(&self) -> (usize, u32) {
        match self.values.first() {
            Some(&(bank, header)) => (1 - bank, header.number.wrapping_add(1)),
            None => (0, FIRST),
        }
    }

    /// Erases that bank for a value, and gives where it is to be programmed.
    fn prepare(&mut self, len: usize) -> Result<usize, BanksError> {
        if len > self.room() {
            return Err(BanksError::Room {
                needed: len,
                room: self.room(),
            });
        }
        self.incoming = None;
        let start = self.idle().0 * Self::size(&self.flash);
        self.values.truncate(1);
        self.erase(start, HEADER + len)?;
        Ok(start + HEADER)
    }

    /// Makes what was programmed the newest value.
    fn finish(&mut self, len: usize, checksum: u32) -> Result<(), BanksError> {
        let (bank, number) = self.idle();
        let header = Header {
            number,
            len: len as u32,
            checksum,
        };
        let start = bank * Self::size(&self.flash);
        if read_checksum(&mut self.flash, start + HEADER, len) != Some(header.checksum) {
            return Err(BanksError::Flash);
        }
        self.program(start, |show| show(&header.to_bytes()))?;
        if read_header(&mut self.flash, start) != Some(header) {
            return Err(BanksError::Flash);
        }
        self.incoming = None;
        // There is room: a bank has one value.
        let _ = self.values.insert(0, (bank, header));
        Ok(())
    }

    /// Forgets the newest value; the one before it, if it is still there, is the newest again.
    ///
    /// # Errors
    /// That the flash failed; the newest value is then there or gone.
    pub fn undo(&mut self) -> Result<(), BanksError> {
        self.incoming = None;
        if let Some(&(bank, _)) = self.values.first() {
            self.erase(bank * Self::size(&self.flash), HEADER)?;
            self.values.remove(0);
        }
        Ok(())
    }

    /// Forgets both values.
    ///
    /// # Errors
    /// That the flash failed; the newest value is then there or gone.
    pub fn clear(&mut self) -> Result<(), BanksError> {
        self.incoming = None;
        let size = Self::size(&self.flash);
        // The older one first: it must not become the newest.
        let last = self.values.first().map_or(0, |&(bank, _)| bank);
        for bank in [1 - last, last] {
            self.erase(bank * size, HEADER)?;
            self.values.retain(|&(kept, _)| kept != bank);
        }
        Ok(())
    }

    /// Bytes of a bank.
    fn size(flash: &F) -> usize {
        flash.capacity() / 2 / F::ERASE_SIZE * F::ERASE_SIZE
    }

    fn erase(&mut self, start: usize, len: usize) -> Result<(), BanksError> {
        if Self::size(&self.flash) == 0 {
            return Ok(());
        }
        let end = start + len.next_multiple_of(F::ERASE_SIZE);
        self.flash
            .erase(start as u32, end as u32)
            .map_err(|_| BanksError::Flash)
    }

    /// Programs pieces one behind the other, the last word filled up with zeros.
    fn program(
        &mut self,
        start: usize,
        value: impl Fn(&mut dyn FnMut(&[u8])),
    ) -> Result<(), BanksError> {
        let mut page: Vec<u8, PAGE> = Vec::new();
        let (mut at, mut done) = (start, Ok(()));
        let mut flush = |page: &mut Vec<u8, PAGE>| {
            let written = self.flash.write(at as u32, page);
            at += page.len();
            page.clear();
            done = done.and(written.map_err(|_| BanksError::Flash));
        };
        value(&mut |piece| {
            for &byte in piece {
                if page.is_full() {
                    flush(&mut page);
                }
                let _ = page.push(byte);
            }
        });
        let _ = page.resize(page.len().next_multiple_of(F::WRITE_SIZE), 0);
        flush(&mut page);
        done
    }
}

fn read_header<F: NorFlash>(flash: &mut F, start: usize) -> Option<Header> {
    let mut bytes = [0; HEADER];
    flash.read(start as u32, &mut bytes).ok()?;
    Header::from_bytes(&bytes)
}

fn read_checksum<F: NorFlash>(flash: &mut F, start: usize, len: usize) -> Option<u32> {
    let mut sum = Checksum::new();
    let mut page = [0; PAGE];
    for offset in (0..len).step_by(PAGE) {
        let page = &mut page[..PAGE.min(len - offset)];
        flash.read((start + offset) as u32, page).ok()?;
        sum.add(page);
    }
    Some(sum.finish())
}
