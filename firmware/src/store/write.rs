//! Writing an item and reading it back, and writing again what the flash lost.

use core::borrow::BorrowMut;

use embassy_futures::block_on;
use embedded_storage::nor_flash::NorFlash;

use super::ledger::{self, LEDGER, Ledger, NUMBERED};
use super::sectors::each_item;
use super::{Class, Known};
use super::{HEAD, HEAD_VERSION, LEDGER_KEY, Store, StoreError, TOMBSTONE, record, scan};

/// How often a write that did not take is tried, each time elsewhere.
const ATTEMPTS: u32 = 3;

impl<F: NorFlash, K: BorrowMut<Known>> Store<F, K> {
    /// Writes a class again and follows in RAM.
    pub(super) fn put_class(&mut self, class: Class) -> Result<(), StoreError> {
        let len =
            record::write(&class, &mut self.value[NUMBERED..]).ok_or(StoreError::Embedding)?;
        self.put_received(class.id, len)?;
        self.known.borrow_mut().put(class);
        self.mend();
        Ok(())
    }

    /// Writes again what was lost when the flash was compacted, as it can be where cells fail.
    pub(super) fn mend(&mut self) {
        if self.map.flash().erases() == self.mended {
            return;
        }
        let mut checked = self.mended;
        if !self.suspect && self.is_whole() {
            checked = self.map.flash().erases();
        }
        for _ in 0..=ledger::KEYS {
            let erases = self.map.flash().erases();
            if erases == checked {
                break;
            }
            // What can't be mended is damage, and seen as such when the store is opened.
            match self.first_lost() {
                Ok(None) => checked = erases,
                Ok(Some(key)) if self.rewrite(key).is_ok() => {}
                Ok(Some(_)) | Err(_) => break,
            }
        }
        self.mended = self.map.flash().erases();
        self.suspect = false;
    }

    fn rewrite(&mut self, key: u8) -> Result<(), StoreError> {
        match key {
            HEAD => self.put(HEAD, &[HEAD_VERSION, self.head as u8]),
            LEDGER_KEY => self.write_ledger(),
            id => match self.known.borrow().class(id) {
                Some(class) => {
                    let len = record::write(class, &mut self.value[NUMBERED..]);
                    self.put_received(id, len.ok_or(StoreError::Embedding)?)
                }
                None => self.put(id, TOMBSTONE),
            },
        }
    }

    /// Whether the newest item of each key is somewhere, by its number alone: each that was moved was
    /// read with its check, and read back. In doubt it is not.
    fn is_whole(&mut self) -> bool {
        let mut missing = self.ledger.written(self.damage) | 1 << LEDGER_KEY;
        let ledger = self.ledger.to_bytes();
        let scanned = scan::each_start(self.map.flash(), &mut self.item, |key, start| {
            let is_newest = if key == LEDGER_KEY {
                start.starts_with(&ledger)
            } else {
                self.ledger.is(key, ledger::split(start).0)
            };
            if is_newest {
                missing &= !(1_u64 << key);
            }
        });
        scanned && missing == 0
    }

    /// A key whose newest item can't be read, if there is one.
    fn first_lost(&mut self) -> Result<Option<u8>, StoreError> {
        let (mut found, mut ledger) = (Ledger::new(), Ledger::new());
        block_on(each_item(&mut self.map, &mut self.item, |key, bytes| {
            if key == LEDGER_KEY {
                ledger.merge(&Ledger::read(bytes).ok_or(StoreError::Format)?);
            } else {
                found.enter(key, ledger::split(bytes).0);
            }
            Ok::<_, StoreError>(())
        }))?;
        let lost = self.ledger.first_lost(&found, self.damage);
        Ok(lost.or((ledger != self.ledger).then_some(LEDGER_KEY)))
    }

    /// Stores a record.
    pub(super) fn put(&mut self, key: u8, record: &[u8]) -> Result<(), StoreError> {
        self.value[NUMBERED..NUMBERED + record.len()].copy_from_slice(record);
        self.put_received(key, record.len())
    }

    /// Stores the first `len` bytes of the room for a record, and that they are the newest.
    fn put_received(&mut self, key: u8, len: usize) -> Result<(), StoreError> {
        self.received = 0;
        let number = self.ledger.next();
        self.value[..NUMBERED].copy_from_slice(&ledger::prefix(number));
        self.write(key, NUMBERED + len)?;
        self.ledger.enter(key, number);
        self.damage.set(key.into(), false);
        self.write_ledger()
    }

    pub(super) fn write_ledger(&mut self) -> Result<(), StoreError> {
        self.value[..LEDGER].copy_from_slice(&self.ledger.to_bytes());
        self.write(LEDGER_KEY, LEDGER)
    }

    /// Writes the first `len` bytes of the value as an item, and reads them back.
    fn write(&mut self, key: u8, len: usize) -> Result<(), StoreError> {
        let mut outcome = Ok(());
        for _ in 0..ATTEMPTS {
            outcome = block_on(self.try_write(key, len));
            if outcome != Err(StoreError::Flash) {
                break;
            }
        }
        if outcome.is_err() {
            self.refused |= outcome == Err(StoreError::Flash);
            // The flash decides what is true after a failure.
            self.load();
        }
        outcome
    }

    async fn try_write(&mut self, key: u8, len: usize) -> Result<(), StoreError> {
        let value = &self.value[..len];
        self.map.store_item(&mut self.item, &key, &value).await?;
        if !self.map.flash().take_failed() {
            return Ok(());
        }
        self.suspect = true;
        // What did not take may have been something else that was moved.
        let read = self.map.fetch_item::<&[u8]>(&mut self.item, &key).await?;
        if read == Some(value) {
            Ok(())
        } else {
            Err(StoreError::Flash)
        }
    }
}
