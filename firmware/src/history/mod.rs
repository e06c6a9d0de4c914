//! Why the device was started, and its last failure: a record in flash of its own.
//!
//! Each start writes the record again into the next of the places that two sectors hold; one sector
//! is erased only when the other holds the newest record, so that a power cut costs at most what
//! was just being written.

mod checksummed;
mod retained;

pub use retained::Retained;

use core::fmt::{self, Write};

use embedded_storage::nor_flash::NorFlash;
use heapless::String;
use serde::{Deserialize, Serialize};

use checksummed::SEALED;

/// Why a device was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Cause {
    /// The power came.
    PowerOn,
    /// It was reset from outside, or by a watchdog that found it unable to say where it was.
    Reset,
    /// The program panicked.
    Panic,
    /// The processor refused an instruction or an access.
    Fault,
    /// A request took longer than the watchdog allows.
    Watchdog,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PowerOn => "power-on",
            Self::Reset => "reset",
            Self::Panic => "panic",
            Self::Fault => "hard fault",
            Self::Watchdog => "watchdog",
        })
    }
}

/// A failure that ended in a restart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What happened.
    pub cause: Cause,
    /// Number of the start that it brought about.
    pub boot: u32,
    /// The end of the source file's path; empty if not known.
    pub file: String<48>,
    /// Line of that file.
    pub line: u32,
    /// The beginning of what there is to say.
    pub message: String<96>,
}

impl Failure {
    /// A failure of the present run; what is too long is cut.
    #[must_use]
    pub fn new(cause: Cause, place: Option<(&str, u32)>, message: fmt::Arguments<'_>) -> Self {
        let (path, line) = place.unwrap_or_default();
        let mut file = String::new();
        let mut start = path.len().saturating_sub(file.capacity());
        while !path.is_char_boundary(start) {
            start += 1;
        }
        let _ = file.push_str(&path[start..]);
        let mut text = Beginning(String::new());
        let _ = text.write_fmt(message);
        Self {
            cause,
            boot: 0,
            file,
            line,
            message: text.0,
        }
    }
}

/// Takes what fits.
struct Beginning<const N: usize>(String<N>);

impl<const N: usize> Write for Beginning<N> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.chars()
            .try_for_each(|char| self.0.push(char).map_err(|_| fmt::Error))
    }
}

/// How often the device was started and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Boots {
    /// Starts, this one included.
    pub count: u32,
    /// Why it was started this time.
    pub cause: Cause,
    /// The last failure that was not cleared.
    pub failure: Option<Failure>,
}

/// The record in flash.
pub struct History<F> {
    flash: F,
    entry: Entry,
    /// Where the next record goes, if it is free.
    next: usize,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    /// Larger than that of every older record.
    number: u32,
    boots: Boots,
}

impl<F: NorFlash> History<F> {
    /// Sectors of its flash.
    pub const SECTORS: usize = 2;
    const PER_SECTOR: usize = F::ERASE_SIZE / SEALED;
    const SLOTS: usize = Self::SECTORS * Self::PER_SECTOR;

    /// Counts a start. A flash that fails loses the record and nothing else.
    pub fn open(mut flash: F, cause: Cause, failure: Option<Failure>) -> Self {
        let mut newest: Option<(usize, Entry)> = None;
        for slot in 0..Self::SLOTS {
            let entry = read(&mut flash, slot)
                .as_ref()
                .and_then(checksummed::open::<Entry>);
            if let Some(entry) = entry
                && newest
                    .as_ref()
                    .is_none_or(|(_, old)| entry.number > old.number)
            {
                newest = Some((slot, entry));
            }
        }
        let (number, next, count, kept) = match newest {
            Some((slot, Entry { number, boots })) => (number, slot + 1, boots.count, boots.failure),
            None => (0, 0, 0, None),
        };
        let count = count.saturating_add(1);
        let failure = failure.map(|failure| Failure {
            boot: count,
            ..failure
        });
        let boots = Boots {
            count,
            cause,
            failure: failure.or(kept),
        };
        let mut history = Self {
            flash,
            entry: Entry { number, boots },
            next,
        };
        if history.write().is_err() {
            warning!("the record of starts can't be written");
        }
        history
    }

    /// The record.
    #[must_use]
    pub fn boots(&self) -> &Boots {
        &self.entry.boots
    }

    /// Forgets the last failure.
    ///
    /// # Errors
    /// When the flash fails; the failure is then forgotten until the next start.
    pub fn clear(&mut self) -> Result<(), F::Error> {
        self.entry.boots.failure = None;
        self.write()
    }

    /// Writes the record again: whether it reads back as it was written.
    ///
    /// # Errors
    /// When the flash fails.
    pub fn check(&mut self) -> Result<bool, F::Error> {
        self.write()?;
        let written = self.next.checked_sub(1);
        let read = written.and_then(|slot| read(&mut self.flash, slot));
        Ok(read.is_some() && read == checksummed::seal(&self.entry))
    }

    fn write(&mut self) -> Result<(), F::Error> {
        self.entry.number = self.entry.number.saturating_add(1);
        let Some(bytes) = checksummed::seal(&self.entry) else {
            return Ok(());
        };
        // One more than a sector has: its first slot can always be had.
        for _ in 0..=Self::PER_SECTOR {
            let slot = self.next % Self::SLOTS;
            self.next = slot + 1;
            let start = (slot * SEALED) as u32;
            if slot.is_multiple_of(Self::PER_SECTOR) {
                self.flash.erase(start, start + F::ERASE_SIZE as u32)?;
            } else if read(&mut self.flash, slot).is_none_or(|bytes| bytes != [0xff; SEALED]) {
                continue;
            }
            return self.flash.write(start, &bytes);
        }
        Ok(())
    }
}

fn read<F: NorFlash>(flash: &mut F, slot: usize) -> Option<[u8; SEALED]> {
    let mut bytes = [0; SEALED];
    flash.read((slot * SEALED) as u32, &mut bytes).ok()?;
    Some(bytes)
}
