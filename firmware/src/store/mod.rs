//! What the device was taught, kept in flash.
//!
//! Each class is one item of a log-structured map: its name, the model that it belongs to, the int8
//! embeddings of its shots and how the memory groups them. A change writes the class anew as one
//! item, so that a power cut leaves either the old or the new class. What the heads read beyond the
//! shots is derived in RAM ([`Known`]). One more item holds the head that was chosen.

mod known;
pub mod nor;
mod record;
pub(crate) mod sectors;

use embassy_futures::block_on;
use embedded_storage::nor_flash::NorFlash;
use sequential_storage::cache::{self, Cache};
use sequential_storage::map::{MapConfig, MapStorage};
use serde::{Deserialize, Serialize};

pub use crate::heads::{Class, MAX_CLASSES, MAX_DIM, MAX_NAME, MAX_SHOTS};
pub use known::{Enrolment, Known};

use crate::heads::{Answer, Head, Quantization};
use record::{MAX_RECORD, TOMBSTONE};
use sectors::{Sectors, SectorsError, WORD_LIMIT};

/// Key of the item that holds the head; classes have their id.
const HEAD: u8 = MAX_CLASSES as u8;
/// First byte of that item; the head's number follows.
const HEAD_VERSION: u8 = 1;

/// Room for the largest item: the key and the record, in whole words.
const ITEM: usize = (1 + MAX_RECORD).next_multiple_of(WORD_LIMIT);

/// Why the store refused. In each case it still holds what it held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum StoreError {
    /// The contents can't be read or repaired; only a reset helps.
    #[error("the store is corrupt: reset it and enrol again")]
    Corrupt,
    /// The flash failed or refused.
    #[error("the flash failed")]
    Flash,
    /// There are [`MAX_CLASSES`] classes.
    #[error("the store is full: it holds {MAX_CLASSES} classes, remove one first")]
    ClassesFull,
    /// The class has [`MAX_SHOTS`] shots.
    #[error("the class is full: it holds {MAX_SHOTS} shots")]
    ShotsFull,
    /// The flash has no room left.
    #[error("the flash is full: remove a class first")]
    FlashFull,
    /// Empty, or longer than [`MAX_NAME`] bytes.
    #[error("a name has to have between 1 and {MAX_NAME} bytes")]
    Name,
    /// Another class of the same model has this name.
    #[error("another class has this name")]
    NameTaken,
    /// Fewer sectors than [`Store::MIN_SECTORS`].
    #[error("the flash is too small for the store")]
    TooSmall,
    /// Written by a firmware that is newer than this one.
    #[error(
        "the store has a format that this firmware does not know: update it, or reset the store"
    )]
    Format,
    /// No class has this id.
    #[error("no class has this id")]
    NoSuchClass,
    /// The embedding has no value, or more than [`MAX_DIM`], or another number than the class's
    /// shots.
    #[error("an embedding has to have between 1 and {MAX_DIM} values, the same for all shots")]
    Embedding,
}

/// Reads every byte anew: the flash is memory-mapped, and nothing can be stale.
type Uncached = Cache<cache::Uncached, cache::Uncached, cache::Uncached, u8>;

/// The store over a flash.
///
/// A store that can't be read stays usable enough to say so: every call but
/// [`reset`](Self::reset) then returns the [`fault`](Self::fault).
pub struct Store<F: NorFlash> {
    map: MapStorage<u8, Sectors<F>, Uncached>,
    fault: Option<StoreError>,
    known: Known,
    head: Head,
    item: [u8; ITEM],
    record: [u8; MAX_RECORD],
}

impl<F: NorFlash> Store<F> {
    /// Sectors that a flash must have for [`MAX_CLASSES`] full classes and the head: one for each
    /// item that a sector can hold in the worst order, one being written, one spare, one to compact
    /// into.
    pub const MIN_SECTORS: usize = {
        let items = (F::ERASE_SIZE - 4 * WORD_LIMIT) / (ITEM + WORD_LIMIT);
        assert!(items > 0, "a sector has to hold the largest class");
        let in_worst_order = if items > 1 { items - 1 } else { 1 };
        (MAX_CLASSES + 1).div_ceil(in_worst_order) + 3
    };

    /// Opens the store over the whole of `flash`, repairing what a power cut left.
    pub fn open(flash: F) -> Self {
        let mut flash = Sectors::new(flash);
        let fault = if flash.count() < Self::MIN_SECTORS {
            Some(StoreError::TooSmall)
        } else {
            flash.recover().err().map(|_| StoreError::Flash)
        };
        // A flash that is too small is never touched, but the map wants two sectors at least.
        let sectors = flash.count().max(2);
        let range = 0..(sectors * Sectors::<F>::SIZE) as u32;
        let mut store = Self {
            map: MapStorage::new(flash, MapConfig::new(range), Uncached::new_uncached()),
            fault,
            known: Known::new(),
            head: Head::default(),
            item: [0; ITEM],
            record: [0; MAX_RECORD],
        };
        if fault.is_none() {
            store.load();
        }
        store
    }

    /// Why the store can't be used, if so.
    #[must_use]
    pub fn fault(&self) -> Option<StoreError> {
        self.fault
    }

    /// All classes, by id.
    #[must_use]
    pub fn classes(&self) -> &[Class] {
        self.known.classes()
    }

    /// The class with this id.
    #[must_use]
    pub fn class(&self, id: u8) -> Option<&Class> {
        self.known.class(id)
    }

    /// The classes and what the heads derive from them.
    #[must_use]
    pub fn known(&self) -> &Known {
        &self.known
    }

    /// The head that was chosen.
    #[must_use]
    pub fn head(&self) -> Head {
        self.head
    }

    /// Chooses the head, until another one is chosen.
    ///
    /// # Errors
    /// That the flash failed; the head is then the old one or the new one.
    pub fn set_head(&mut self, head: Head) -> Result<(), StoreError> {
        self.check()?;
        if head != self.head {
            self.record[..2].copy_from_slice(&[HEAD_VERSION, head as u8]);
            self.put(HEAD, 2)?;
            self.head = head;
        }
        Ok(())
    }

    /// Does what the chosen head has to do once after the classes changed, see [`Known::adapt`].
    pub fn adapt(&mut self, model: u64, quantization: Quantization) {
        self.known.adapt(self.head, model, quantization);
    }

    /// Classifies a query by the chosen head among the classes of a model; `None` if there is none,
    /// or the head is the memory and holds none.
    pub fn classify(
        &mut self,
        query: &[i8],
        model: u64,
        quantization: Quantization,
    ) -> Option<Answer> {
        self.known.classify(self.head, query, model, quantization)
    }

    /// Adds a shot to the class of this name and model, which is made if there is none, and writes
    /// it to the memory.
    ///
    /// # Errors
    /// Any [`StoreError`]; the store is then unchanged.
    pub fn enroll(
        &mut self,
        name: &str,
        model: u64,
        embedding: &[i8],
    ) -> Result<Enrolment, StoreError> {
        self.check()?;
        let (class, overwritten) = self.known.with_shot(name, model, embedding)?;
        let enrolment = Enrolment {
            id: class.id,
            shots: class.shots(),
            overwritten,
        };
        self.put_class(class)?;
        Ok(enrolment)
    }

    /// Gives a class another name.
    ///
    /// # Errors
    /// Any [`StoreError`]; the store is then unchanged.
    pub fn rename(&mut self, id: u8, name: &str) -> Result<(), StoreError> {
        self.check()?;
        self.put_class(self.known.renamed(id, name)?)
    }

    /// Forgets a class.
    ///
    /// # Errors
    /// [`StoreError::NoSuchClass`], or that the flash failed; the store is then unchanged.
    pub fn remove(&mut self, id: u8) -> Result<(), StoreError> {
        self.check()?;
        self.class(id).ok_or(StoreError::NoSuchClass)?;
        self.record[..TOMBSTONE.len()].copy_from_slice(TOMBSTONE);
        self.put(id, TOMBSTONE.len())?;
        self.known.remove(id);
        Ok(())
    }

    /// Forgets every class, one after the other, and keeps the head; a corrupt store is erased.
    ///
    /// # Errors
    /// That the flash failed. Each class is then either there or gone.
    pub fn reset(&mut self) -> Result<(), StoreError> {
        match self.fault {
            None => {}
            Some(StoreError::TooSmall) => return Err(StoreError::TooSmall),
            Some(_) => return self.format(),
        }
        while let Some(class) = self.known.classes().last() {
            self.remove(class.id)?;
        }
        Ok(())
    }

    /// Erases the flash. A power cut in the midst leaves whatever was not erased yet, so this is
    /// for a store that can't be read; [`reset`](Self::reset) is for one that can.
    fn format(&mut self) -> Result<(), StoreError> {
        self.known.clear();
        block_on(self.map.erase_all()).map_err(|error| Self::translate(&error))?;
        self.fault = None;
        self.load();
        self.check()
    }

    fn check(&self) -> Result<(), StoreError> {
        self.fault.map_or(Ok(()), Err)
    }

    /// Reads all items from the flash; a failure becomes the fault.
    fn load(&mut self) {
        self.known.clear();
        self.head = Head::default();
        self.fault = block_on(self.read_all()).err();
        self.known.follow();
    }

    async fn read_all(&mut self) -> Result<(), StoreError> {
        // Oldest first, so that the newest item of a key is the one that stays.
        let mut items = self
            .map
            .fetch_all_items(&mut self.item)
            .await
            .map_err(|error| Self::translate(&error))?;
        while let Some((key, bytes)) = items
            .next::<&[u8]>(&mut self.item)
            .await
            .map_err(|error| Self::translate(&error))?
        {
            match key {
                HEAD => self.head = read_head(bytes).ok_or(StoreError::Format)?,
                id if id < HEAD => {
                    let class = record::read(id, bytes).map_err(|_| StoreError::Format)?;
                    self.known.place(id, class);
                }
                _ => return Err(StoreError::Format),
            }
        }
        Ok(())
    }

    /// Writes a class anew and follows in RAM.
    fn put_class(&mut self, class: Class) -> Result<(), StoreError> {
        let len = record::write(&class, &mut self.record).ok_or(StoreError::Embedding)?;
        self.put(class.id, len)?;
        self.known.put(class);
        Ok(())
    }

    /// Stores the first `len` bytes of the record buffer.
    fn put(&mut self, key: u8, len: usize) -> Result<(), StoreError> {
        let bytes = &self.record[..len];
        block_on(self.map.store_item(&mut self.item, &key, &bytes)).map_err(|error| {
            let error = Self::translate(&error);
            // The flash decides what is true after a failure.
            self.load();
            error
        })
    }

    fn translate(error: &sequential_storage::Error<SectorsError<F::Error>>) -> StoreError {
        use sequential_storage::Error;
        match error {
            Error::Storage { .. } => StoreError::Flash,
            Error::FullStorage | Error::ItemTooBig => StoreError::FlashFull,
            _ => StoreError::Corrupt,
        }
    }
}

fn read_head(bytes: &[u8]) -> Option<Head> {
    match *bytes {
        [HEAD_VERSION, number] => Head::ALL.into_iter().find(|&head| head as u8 == number),
        _ => None,
    }
}

/// Bytes of flash that a class takes, its item's key and header included.
#[must_use]
pub fn flash_bytes(class: &Class) -> usize {
    /// What the map puts before each item.
    const ITEM_HEADER: usize = 8;
    ITEM_HEADER + (1 + record::length(class)).next_multiple_of(nor::WORD)
}
