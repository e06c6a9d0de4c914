//! What the device was taught, kept in flash.
//!
//! Each class is one item of a log-structured map: its name, the model that it belongs to, the int8
//! embeddings of its shots and how the memory groups them. A change writes the class again as one
//! item, so that a power cut leaves either the old or the new class. What the heads read beyond the
//! shots is derived in RAM ([`Known`]). One more item holds the head that was chosen, and one what
//! the newest items are, so that a flash that loses one is found out ([`Store::damage`]); a copy of
//! it in another flash ([`Store::ledger`]) finds out a flash that lost all of the newest.
//!
//! It holds [`MAX_CLASSES`] classes of [`MAX_SHOTS`] shots of [`MAX_DIM`] values, of all models
//! together (a build [chooses](crate::heads) fewer), by default in [`Store::MIN_SECTORS`] sectors: 37 of 4 KiB with words of 4 bytes (the largest class
//! takes 2,844 bytes), 4 of 128 KiB with words of 32. What does not fit is refused, and nothing is
//! lost. Sectors are written in turn, so that all wear evenly.
//!
//! Every write is read back, and done again elsewhere if it did not take. When the flash was
//! compacted, what did not survive the move is written again.

pub mod banks;
mod error;
mod known;
mod ledger;
pub mod nor;
pub mod record;
mod scan;
pub(crate) mod sectors;
mod transfer;
mod write;

use core::borrow::BorrowMut;

use embassy_futures::block_on;
use embedded_storage::nor_flash::NorFlash;
use sequential_storage::map::{MapConfig, MapStorage};

pub use crate::heads::{Class, MAX_CLASSES, MAX_DIM, MAX_NAME, MAX_SHOTS};
pub use error::StoreError;
pub use known::{Enrolment, Known};
pub use ledger::{Damage, Ledger};

use crate::heads::{Answer, Head, IDS, Quantization, Role};
pub(crate) use ledger::LEDGER;
use ledger::NUMBERED;
use record::{MAX_RECORD, TOMBSTONE, Unread};
use sectors::{KEYS, Map, Sectors, WORD_LIMIT, each_item, places};

/// Key of the item that holds the head; classes have their id.
const HEAD: u8 = IDS as u8;
/// First byte of that item; the head's number follows.
const HEAD_VERSION: u8 = 1;
/// Key of the item that holds the ledger.
const LEDGER_KEY: u8 = HEAD + 1;

const _: () = assert!(LEDGER_KEY as usize + 1 == KEYS);

/// Bytes of the largest value: a number and a record.
const VALUE: usize = NUMBERED + MAX_RECORD;

/// Room for the largest item: the key and the value, in whole words.
const ITEM: usize = (1 + VALUE).next_multiple_of(WORD_LIMIT);

/// The store over a flash.
///
/// A store that can't be read stays usable enough to say so: every call but
/// [`reset`](Self::reset) then returns the [`fault`](Self::fault).
///
/// `K` is [`Known`] or a reference to one, for a board that keeps it apart from what is on its stack.
pub struct Store<F: NorFlash, K = Known> {
    map: Map<F>,
    fault: Option<StoreError>,
    /// The flash refused a write at every try: its free space is damaged, which only erasing mends.
    refused: bool,
    known: K,
    head: Head,
    ledger: Ledger,
    damage: Damage,
    /// Erases of the flash after which nothing was missing.
    mended: u32,
    /// Whether something did not read back as it was written since then.
    suspect: bool,
    item: [u8; ITEM],
    /// Room for a number, and for the record that is written or received.
    value: [u8; VALUE],
    /// Bytes of a record that were received.
    received: usize,
}

impl<F: NorFlash> Store<F> {
    /// Sectors that a flash must have for [`MAX_CLASSES`] full classes, the head and the ledger: one
    /// for each item that a sector can hold in the worst order, one being written, one spare, one to
    /// compact into.
    pub const MIN_SECTORS: usize = {
        let items = (F::ERASE_SIZE - 4 * WORD_LIMIT) / (ITEM + WORD_LIMIT);
        assert!(items > 0, "a sector has to hold the largest class");
        let in_worst_order = if items > 1 { items - 1 } else { 1 };
        (MAX_CLASSES + 2).div_ceil(in_worst_order) + 3
    };

    /// Opens the store over the whole of `flash`, repairing what a power cut left.
    pub fn open(flash: F) -> Self {
        Self::open_with(flash, &Ledger::new())
    }

    /// As [`open`](Self::open), with the [`ledger`](Self::ledger) that the store had after its last
    /// change, or before that.
    pub fn open_with(flash: F, ledger: &Ledger) -> Self {
        Self::open_in(flash, ledger, Known::new())
    }
}

impl<F: NorFlash, K: BorrowMut<Known>> Store<F, K> {
    /// As [`open_with`](Store::open_with), with room for the classes, which need not be empty.
    pub fn open_in(flash: F, ledger: &Ledger, mut known: K) -> Self {
        known.borrow_mut().clear();
        let mut flash = Sectors::new(flash);
        let fault = if flash.count() < Store::<F>::MIN_SECTORS {
            Some(StoreError::TooSmall)
        } else {
            flash.recover().err().map(|_| StoreError::Flash)
        };
        // A flash that is too small is never touched, but the map wants two sectors at least.
        let sectors = flash.count().max(2);
        let range = 0..(sectors * Sectors::<F>::SIZE) as u32;
        let mut store = Self {
            map: MapStorage::new(flash, MapConfig::new(range), places()),
            fault,
            refused: false,
            known,
            head: Head::default(),
            ledger: *ledger,
            damage: Damage::default(),
            mended: 0,
            suspect: false,
            item: [0; ITEM],
            value: [0; VALUE],
            received: 0,
        };
        if fault.is_none() {
            let ledger = store.load();
            if store.fault.is_none() && ledger != store.ledger {
                // A flash that can't be written is still read; the next change tells.
                let _ = store.write_ledger();
            }
        }
        store.mended = store.map.flash().erases();
        store
    }

    /// Why the store can't be used, if so.
    #[must_use]
    pub fn fault(&self) -> Option<StoreError> {
        self.fault
    }

    /// What the flash lost and the store could not mend, as far as it was seen when the store was
    /// opened.
    #[must_use]
    pub fn damage(&self) -> Damage {
        self.damage
    }

    /// What the newest records are, to be kept in another flash and given to
    /// [`open_with`](Self::open_with): so it is seen when this flash loses the newest of all without
    /// a trace.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// All classes, by id.
    #[must_use]
    pub fn classes(&self) -> &[Class] {
        self.known().classes()
    }

    /// The class with this id.
    #[must_use]
    pub fn class(&self, id: u8) -> Option<&Class> {
        self.known().class(id)
    }

    /// The classes and what the heads derive from them.
    #[must_use]
    pub fn known(&self) -> &Known {
        self.known.borrow()
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
        if head != self.head || self.damage.head {
            self.put(HEAD, &[HEAD_VERSION, head as u8])?;
            self.head = head;
            self.mend();
        }
        Ok(())
    }

    /// Does what the chosen head has to do once after the classes changed, see [`Known::adapt`].
    pub fn adapt(&mut self, model: u64, quantization: Quantization) {
        self.known
            .borrow_mut()
            .adapt(self.head, model, quantization);
    }

    /// Classifies a query by the chosen head among the classes of a model; `None` if there is none,
    /// or the head is the memory and holds none.
    pub fn classify(
        &mut self,
        query: &[i8],
        model: u64,
        quantization: Quantization,
    ) -> Option<Answer> {
        self.known
            .borrow_mut()
            .classify(self.head, query, model, quantization)
    }

    /// Adds a shot to the class of this name and model, which is made if there is none, and writes
    /// it to the memory.
    ///
    /// # Errors
    /// Any [`StoreError`]; the store is then unchanged, or after [`StoreError::Flash`] as the flash
    /// has it.
    pub fn enroll(
        &mut self,
        name: &str,
        model: u64,
        embedding: &[i8],
    ) -> Result<Enrolment, StoreError> {
        self.check()?;
        let (class, overwritten) = self
            .known()
            .with_shot(name, model, embedding, self.damage)?;
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
    /// As [`enroll`](Self::enroll).
    pub fn rename(&mut self, id: u8, name: &str) -> Result<(), StoreError> {
        self.check()?;
        self.put_class(self.known().renamed(id, name)?)
    }

    /// Gives a class another role.
    ///
    /// # Errors
    /// As [`rename`](Self::rename).
    pub fn set_role(&mut self, id: u8, role: Role) -> Result<(), StoreError> {
        self.check()?;
        self.put_class(self.known().with_role(id, role)?)
    }

    /// Forgets a class, or that one was lost.
    ///
    /// # Errors
    /// [`StoreError::NoSuchClass`], or that the flash failed; the class is then there or gone.
    pub fn remove(&mut self, id: u8) -> Result<(), StoreError> {
        self.check()?;
        if self.class(id).is_none() && !self.damage.class(id) {
            return Err(StoreError::NoSuchClass);
        }
        self.put(id, TOMBSTONE)?;
        self.known.borrow_mut().remove(id);
        self.mend();
        Ok(())
    }

    /// Forgets every class, one after the other, and what was lost, and keeps the head; a corrupt
    /// store is erased, and so is one that can't be written.
    ///
    /// # Errors
    /// That the flash failed. Each class is then either there or gone.
    pub fn reset(&mut self) -> Result<(), StoreError> {
        match self.fault {
            Some(StoreError::TooSmall) => return Err(StoreError::TooSmall),
            Some(_) => return self.format(),
            None => {}
        }
        let head = self.head;
        if self.refused || self.remove_all().is_err() {
            self.format()?;
        }
        self.set_head(head)
    }

    fn remove_all(&mut self) -> Result<(), StoreError> {
        for id in (0..HEAD).rev() {
            if self.class(id).is_some() || self.damage.class(id) {
                self.remove(id)?;
            }
        }
        Ok(())
    }

    /// Erases the flash. A power cut in the midst leaves whatever was not erased yet, so this is
    /// for a store that can't be read; [`reset`](Self::reset) is for one that can.
    fn format(&mut self) -> Result<(), StoreError> {
        self.known.borrow_mut().clear();
        block_on(self.map.erase_all())?;
        self.fault = None;
        self.refused = false;
        self.ledger = Ledger::new();
        self.load();
        self.check()
    }

    fn check(&self) -> Result<(), StoreError> {
        self.fault.map_or(Ok(()), Err)
    }

    /// Reads all items from the flash; a failure becomes the fault. Returns the ledger as the flash
    /// has it; what is known beyond that stays known.
    fn load(&mut self) -> Ledger {
        self.known.borrow_mut().clear();
        self.head = Head::default();
        self.damage = Damage::default();
        self.received = 0;
        let (mut found, mut ledger) = (Ledger::new(), Ledger::new());
        // Bit n: class n, as it is in the flash, is larger than this build has room for.
        let mut too_large = 0_u32;
        let Self {
            map,
            item,
            known,
            head,
            ..
        } = self;
        let known = known.borrow_mut();
        let read = each_item(map, item, |key, bytes| {
            if key == LEDGER_KEY {
                ledger.merge(&Ledger::read(bytes).ok_or(StoreError::Format)?);
                return Ok(());
            }
            let (number, bytes) = ledger::split(bytes);
            if key > HEAD {
                return Err(StoreError::Format);
            }
            if !found.enter(key, number) {
                return Ok(());
            }
            if key == HEAD {
                *head = read_head(bytes).ok_or(StoreError::Format)?;
            } else {
                let class = match record::read(key, bytes) {
                    Err(Unread::Malformed) => return Err(StoreError::Format),
                    other => other,
                };
                let bit = 1 << key;
                too_large = too_large & !bit | if class.is_err() { bit } else { 0 };
                known.place(key, class.unwrap_or(None));
            }
            Ok(())
        });
        let fault = block_on(read).err();
        self.fault = fault.or((too_large != 0).then_some(StoreError::Capacity));
        self.known.borrow_mut().follow();
        self.ledger.merge(&ledger);
        if self.fault.is_none() {
            self.ledger.settle(&found, &mut self.damage);
        }
        ledger
    }
}

fn read_head(bytes: &[u8]) -> Option<Head> {
    match *bytes {
        [HEAD_VERSION, number] => Head::ALL.into_iter().find(|&head| head as u8 == number),
        _ => None,
    }
}

/// Bytes of flash that a class takes, its item's key, number and header included.
#[must_use]
pub fn flash_bytes(class: &Class) -> usize {
    /// What the map puts before each item.
    const ITEM_HEADER: usize = 8;
    ITEM_HEADER + (1 + NUMBERED + record::length(class)).next_multiple_of(nor::WORD)
}

#[cfg(test)]
mod tests;
