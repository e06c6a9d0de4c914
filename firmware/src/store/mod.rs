//! What the device was taught, kept in flash.
//!
//! Each class is one item of a log-structured map: its name, the model that it belongs to and the
//! int8 embeddings of its shots. A change writes the class anew as one item, so that a power cut
//! leaves either the old or the new class. Prototypes are derived in memory.

pub mod nor;
mod record;
mod sectors;

use embassy_futures::block_on;
use embedded_storage::nor_flash::NorFlash;
use heapless::{String, Vec};
use sequential_storage::cache::{self, Cache};
use sequential_storage::map::{MapConfig, MapStorage};
use serde::{Deserialize, Serialize};

use crate::heads::nearest::Prototype;
use record::{MAX_RECORD, Parsed, Record, TOMBSTONE};
use sectors::{Sectors, SectorsError, WORD_LIMIT};

/// Classes that the store holds, those of other models included.
pub const MAX_CLASSES: usize = 32;
/// Shots that a class holds.
pub const MAX_SHOTS: usize = 20;
/// Values that an embedding holds.
pub const MAX_DIM: usize = 128;
/// Bytes that a name holds, in UTF-8.
pub const MAX_NAME: usize = 32;

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

/// An enrolled class, with the sum of its shots.
#[derive(Debug, Clone)]
pub struct Class {
    /// Its id, from 0 to [`MAX_CLASSES`]` - 1`. Ids of removed classes are used again.
    pub id: u8,
    /// Its name, unique among the classes of one model.
    pub name: String<MAX_NAME>,
    /// Identity of the model whose embeddings it holds.
    pub model: u64,
    /// Number of shots, at least 1.
    pub shots: u8,
    sum: Vec<i16, MAX_DIM>,
}

impl Class {
    fn new(id: u8, record: &Record<'_>) -> Option<Self> {
        let mut sum: Vec<i16, MAX_DIM> = Vec::new();
        sum.resize(usize::from(record.dim), 0).ok()?;
        for shot in record.shots.chunks_exact(usize::from(record.dim)) {
            for (total, &value) in sum.iter_mut().zip(shot) {
                *total += i16::from(value as i8);
            }
        }
        Some(Self {
            id,
            name: String::try_from(record.name).ok()?,
            model: record.model,
            shots: record.count(),
            sum,
        })
    }

    /// The class's prototype.
    #[must_use]
    pub fn prototype(&self) -> Prototype<'_> {
        Prototype {
            sum: &self.sum,
            shots: self.shots,
        }
    }
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
    classes: Vec<Class, MAX_CLASSES>,
    item: [u8; ITEM],
    record: [u8; MAX_RECORD],
}

impl<F: NorFlash> Store<F> {
    /// Sectors that a flash must have for [`MAX_CLASSES`] full classes: one for each item that a
    /// sector can hold in the worst order, one being written, one spare, one to compact into.
    pub const MIN_SECTORS: usize = {
        let items = (F::ERASE_SIZE - 4 * WORD_LIMIT) / (ITEM + WORD_LIMIT);
        assert!(items > 0, "a sector has to hold the largest class");
        let in_worst_order = if items > 1 { items - 1 } else { 1 };
        MAX_CLASSES.div_ceil(in_worst_order) + 3
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
            classes: Vec::new(),
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
        &self.classes
    }

    /// The class with this id.
    #[must_use]
    pub fn class(&self, id: u8) -> Option<&Class> {
        self.classes.iter().find(|class| class.id == id)
    }

    /// Adds a shot to the class of this name and model, which is made if there is none.
    ///
    /// # Errors
    /// Any [`StoreError`]; the store is then unchanged.
    pub fn enroll(
        &mut self,
        name: &str,
        model: u64,
        embedding: &[i8],
    ) -> Result<&Class, StoreError> {
        self.check()?;
        check_name(name)?;
        if embedding.is_empty() || embedding.len() > MAX_DIM {
            return Err(StoreError::Embedding);
        }
        let known = self
            .classes
            .iter()
            .find(|class| class.model == model && class.name == name);
        let id = match known {
            Some(class) => {
                if class.sum.len() != embedding.len() {
                    return Err(StoreError::Embedding);
                }
                if usize::from(class.shots) == MAX_SHOTS {
                    return Err(StoreError::ShotsFull);
                }
                let id = class.id;
                self.rewrite(id, |record, buffer| record.write(embedding, buffer))?;
                id
            }
            None => {
                let id = self.free_id().ok_or(StoreError::ClassesFull)?;
                let record = Record {
                    model,
                    dim: embedding.len() as u8,
                    name,
                    shots: &[],
                };
                let len = record
                    .write(embedding, &mut self.record)
                    .ok_or(StoreError::Embedding)?;
                self.put(id, len)?;
                id
            }
        };
        self.class(id).ok_or(StoreError::Corrupt)
    }

    /// Gives a class another name.
    ///
    /// # Errors
    /// Any [`StoreError`]; the store is then unchanged.
    pub fn rename(&mut self, id: u8, name: &str) -> Result<(), StoreError> {
        self.check()?;
        check_name(name)?;
        let class = self.class(id).ok_or(StoreError::NoSuchClass)?;
        let model = class.model;
        if self
            .classes
            .iter()
            .any(|other| other.id != id && other.model == model && other.name == name)
        {
            return Err(StoreError::NameTaken);
        }
        self.rewrite(id, |record, buffer| {
            Record { name, ..record }.write(&[], buffer)
        })
    }

    /// Forgets a class.
    ///
    /// # Errors
    /// [`StoreError::NoSuchClass`], or that the flash failed; the store is then unchanged.
    pub fn remove(&mut self, id: u8) -> Result<(), StoreError> {
        self.check()?;
        self.class(id).ok_or(StoreError::NoSuchClass)?;
        self.record[..TOMBSTONE.len()].copy_from_slice(TOMBSTONE);
        self.put(id, TOMBSTONE.len())
    }

    /// Forgets every class, one after the other; a corrupt store is erased.
    ///
    /// # Errors
    /// That the flash failed. Each class is then either there or gone.
    pub fn reset(&mut self) -> Result<(), StoreError> {
        match self.fault {
            None => {}
            Some(StoreError::TooSmall) => return Err(StoreError::TooSmall),
            Some(_) => return self.format(),
        }
        while let Some(class) = self.classes.last() {
            self.remove(class.id)?;
        }
        Ok(())
    }

    /// Erases the flash. A power cut in the midst leaves whatever was not erased yet, so this is
    /// for a store that can't be read; [`reset`](Self::reset) is for one that can.
    fn format(&mut self) -> Result<(), StoreError> {
        self.classes.clear();
        block_on(self.map.erase_all()).map_err(|error| Self::translate(&error))?;
        self.fault = None;
        self.load();
        self.check()
    }

    fn check(&self) -> Result<(), StoreError> {
        self.fault.map_or(Ok(()), Err)
    }

    fn free_id(&self) -> Option<u8> {
        (0..MAX_CLASSES as u8).find(|&id| self.class(id).is_none())
    }

    /// Reads all classes from the flash; a failure becomes the fault.
    fn load(&mut self) {
        self.classes.clear();
        self.fault = block_on(self.read_all()).err();
    }

    async fn read_all(&mut self) -> Result<(), StoreError> {
        // Oldest first, so that the newest item of a class is the one that stays.
        let mut items = self
            .map
            .fetch_all_items(&mut self.item)
            .await
            .map_err(|error| Self::translate(&error))?;
        while let Some((id, bytes)) = items
            .next::<&[u8]>(&mut self.item)
            .await
            .map_err(|error| Self::translate(&error))?
        {
            if usize::from(id) >= MAX_CLASSES {
                return Err(StoreError::Format);
            }
            let class = match Record::parse(bytes) {
                Parsed::Removed => None,
                Parsed::Class(record) => Class::new(id, &record),
                Parsed::Malformed => return Err(StoreError::Format),
            };
            place(&mut self.classes, id, class);
        }
        Ok(())
    }

    /// Writes a class anew, as `change` makes it from the present record.
    fn rewrite(
        &mut self,
        id: u8,
        change: impl FnOnce(Record<'_>, &mut [u8]) -> Option<usize>,
    ) -> Result<(), StoreError> {
        let bytes = block_on(self.map.fetch_item::<&[u8]>(&mut self.item, &id))
            .map_err(|error| Self::translate(&error))?
            .ok_or(StoreError::Corrupt)?;
        let Parsed::Class(record) = Record::parse(bytes) else {
            return Err(StoreError::Corrupt);
        };
        let len = change(record, &mut self.record).ok_or(StoreError::ShotsFull)?;
        self.put(id, len)
    }

    /// Stores the first `len` bytes of the record buffer and follows in memory.
    fn put(&mut self, id: u8, len: usize) -> Result<(), StoreError> {
        let bytes = &self.record[..len];
        if let Err(error) = block_on(self.map.store_item(&mut self.item, &id, &bytes)) {
            let error = Self::translate(&error);
            // The flash decides what is true after a failure.
            self.load();
            return Err(error);
        }
        let class = match Record::parse(bytes) {
            Parsed::Class(record) => Class::new(id, &record),
            Parsed::Removed | Parsed::Malformed => None,
        };
        place(&mut self.classes, id, class);
        Ok(())
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

fn check_name(name: &str) -> Result<(), StoreError> {
    if (1..=MAX_NAME).contains(&name.len()) {
        Ok(())
    } else {
        Err(StoreError::Name)
    }
}

/// Puts the class in its place by id, or takes it out.
fn place(classes: &mut Vec<Class, MAX_CLASSES>, id: u8, class: Option<Class>) {
    match (classes.binary_search_by_key(&id, |class| class.id), class) {
        (Ok(position), Some(class)) => classes[position] = class,
        (Ok(position), None) => {
            classes.remove(position);
        }
        (Err(position), Some(class)) => {
            // Ids are below the capacity and each stands once, so there is room.
            let _ = classes.insert(position, class);
        }
        (Err(_), None) => {}
    }
}
