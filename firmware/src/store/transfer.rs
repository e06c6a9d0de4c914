//! Classes leave and enter the store as records, piece by piece, so that they fit packets.

use core::borrow::BorrowMut;

use embedded_storage::nor_flash::NorFlash;

use super::ledger::NUMBERED;
use super::{Known, Store, StoreError, record};

impl<F: NorFlash, K: BorrowMut<Known>> Store<F, K> {
    /// The [record] of a class.
    ///
    /// # Errors
    /// [`StoreError::NoSuchClass`].
    pub fn record(&mut self, id: u8) -> Result<&[u8], StoreError> {
        self.check()?;
        self.received = 0;
        let class = self
            .known
            .borrow()
            .class(id)
            .ok_or(StoreError::NoSuchClass)?;
        let room = &mut self.value[NUMBERED..];
        let len = record::write(class, room).ok_or(StoreError::Corrupt)?;
        Ok(&room[..len])
    }

    /// Takes a piece of a record, the first at offset 0 and each next one where the last ended;
    /// nothing is stored yet. Returns how many bytes were received.
    ///
    /// # Errors
    /// [`StoreError::OutOfOrder`], [`StoreError::Capacity`] for more bytes than a record of this build
    /// has, [`StoreError::Record`] for more than one of any build has.
    pub fn receive(&mut self, offset: u16, piece: &[u8]) -> Result<usize, StoreError> {
        self.check()?;
        let offset = usize::from(offset);
        if offset != 0 && offset != self.received {
            return Err(StoreError::OutOfOrder {
                expected: self.received as u16,
            });
        }
        let end = offset + piece.len();
        let room = self.value[NUMBERED..].get_mut(offset..end);
        let too_long = if record::is_of_some_build(end) {
            StoreError::Capacity
        } else {
            StoreError::Record
        };
        room.ok_or(too_long)?.copy_from_slice(piece);
        self.received = end;
        Ok(end)
    }

    /// Stores the class that was [received](Self::receive), in place of the one of its name, and
    /// returns its id. A power cut leaves either the old or the new one.
    ///
    /// # Errors
    /// [`StoreError::Record`], [`StoreError::Capacity`], [`StoreError::OtherModel`] if its model is not this one,
    /// [`StoreError::Embedding`] if its embeddings don't have `dim` values,
    /// [`StoreError::ClassesFull`], or that the flash failed.
    pub fn restore(&mut self, model: u64, dim: usize) -> Result<u8, StoreError> {
        self.check()?;
        let received = core::mem::take(&mut self.received);
        let bytes = &self.value[NUMBERED..NUMBERED + received];
        let mut class = record::read(0, bytes)?.ok_or(StoreError::Record)?;
        if class.model != model {
            return Err(StoreError::OtherModel);
        }
        if class.dim() != dim {
            return Err(StoreError::Embedding);
        }
        let id = self.known().id_for(&class.name, model, self.damage)?;
        class.id = id;
        self.put_class(class)?;
        Ok(id)
    }
}
