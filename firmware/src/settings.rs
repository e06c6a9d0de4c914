//! What a device keeps about itself: its key, whom it trusts, which model image runs.
//!
//! A small flash of its own holds them, each as one item of a log-structured map, so that a power
//! cut leaves the old value or the new one.

mod values;

use embassy_futures::block_on;
use embedded_storage::nor_flash::NorFlash;
use heapless::Vec;
use sequential_storage::map::{MapConfig, MapStorage};
use serde::{Deserialize, Serialize};

use crate::image::Slot;
use crate::image::signature::Claim;
use crate::key::{Key, Seed};
use crate::store::sectors::{Map, MapError, Sectors, WORD_LIMIT, each_item, places};
use crate::store::{LEDGER, Ledger};
use values::{
    ACTIVE, ANNOUNCED, BOUND, CENTER, CENTERED, DECIDING, FAILURES, KEY, KEY_AND_SEED, SESSIONS,
    STORE, TRUSTED, UPDATE, Values,
};
pub(crate) use values::{Announced, Center, Choices};

/// Room for the longest item, in whole words.
const ITEM: usize = (1 + CENTERED).next_multiple_of(WORD_LIMIT);
const _: () = assert!(LEDGER <= CENTERED);

/// Why the settings can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum SettingsError {
    /// The board has no flash for them.
    #[error("this board has no room for settings")]
    None,
    /// They can't be read. The device can't be changed: it may have had a key.
    #[error("the device's settings can't be read: recover it (`sudal recover`)")]
    Unreadable,
    /// The flash failed; the setting is the old or the new one.
    #[error("the flash of the settings failed")]
    Flash,
}

impl<E> From<MapError<E>> for SettingsError {
    fn from(_: MapError<E>) -> Self {
        Self::Unreadable
    }
}

/// The settings over a flash.
pub struct Settings<F: NorFlash> {
    map: Map<F>,
    fault: Option<SettingsError>,
    values: Values,
    item: [u8; ITEM],
}

impl<F: NorFlash> Settings<F> {
    /// Sectors that a flash must have: one to write, one to compact into. A third makes up for one that
    /// fails.
    pub const MIN_SECTORS: usize = 2;

    /// Opens the settings over the whole of `flash`. One without a byte stands for a board that
    /// can't keep any.
    pub fn open(flash: F) -> Self {
        let mut flash = Sectors::new(flash);
        let fault = match flash.count() {
            0 => Some(SettingsError::None),
            few if few < Self::MIN_SECTORS => Some(SettingsError::Unreadable),
            _ => flash.recover().err().map(|_| SettingsError::Unreadable),
        };
        // A flash that is too small is never touched, but the map wants two sectors at least.
        let sectors = flash.count().max(2);
        let range = 0..(sectors * Sectors::<F>::SIZE) as u32;
        let mut settings = Self {
            map: MapStorage::new(flash, MapConfig::new(range), places()),
            fault,
            values: Values::default(),
            item: [0; ITEM],
        };
        if fault.is_none() {
            settings.load();
        }
        settings
    }

    /// Why the settings can't be used, if so.
    #[must_use]
    pub fn fault(&self) -> Option<SettingsError> {
        self.fault
    }

    /// The device's key, and the seed that came with it.
    pub(crate) fn key(&self) -> Option<(Key, Seed)> {
        self.values.key
    }

    /// The public key whose images are taken.
    pub(crate) fn trusted(&self) -> Option<&[u8; 32]> {
        self.values.trusted.as_ref()
    }

    /// Wrong answers since the last right one.
    pub(crate) fn failures(&self) -> u8 {
        self.values.failures
    }

    /// The slot that should run.
    pub(crate) fn active(&self) -> Slot {
        self.values.active.unwrap_or(Slot::Factory)
    }

    /// The image that is on its way.
    pub(crate) fn announced(&self) -> Option<Announced> {
        self.values.announced
    }

    /// What the newest records of the store are.
    pub(crate) fn ledger(&self) -> &Ledger {
        &self.values.ledger
    }

    /// Gives the device its key.
    pub(crate) fn set_key(&mut self, key: Key, seed: Seed) -> Result<(), SettingsError> {
        let mut value = [0; KEY_AND_SEED];
        value[..key.len()].copy_from_slice(&key);
        value[key.len()..].copy_from_slice(&seed);
        self.put(KEY, &value)?;
        self.values.key = Some((key, seed));
        // Settings that counted sessions and hold no key have lost it.
        self.next_session().map(|_| ())
    }

    pub(crate) fn set_trusted(&mut self, key: [u8; 32]) -> Result<(), SettingsError> {
        self.put(TRUSTED, &key)?;
        self.values.trusted = Some(key);
        Ok(())
    }

    /// What a signed image has to say to be taken: its product, and at least this counter.
    pub(crate) fn bound(&self) -> Claim {
        self.values.bound
    }

    pub(crate) fn set_bound(&mut self, bound: Claim) -> Result<(), SettingsError> {
        self.put(BOUND, &bound.to_bytes())?;
        self.values.bound = bound;
        Ok(())
    }

    /// A number that was not given before.
    pub(crate) fn next_session(&mut self) -> Result<u32, SettingsError> {
        let next = self
            .values
            .sessions
            .checked_add(1)
            .ok_or(SettingsError::Flash)?;
        self.put(SESSIONS, &next.to_le_bytes())?;
        self.values.sessions = next;
        Ok(next)
    }

    pub(crate) fn set_failures(&mut self, failures: u8) -> Result<(), SettingsError> {
        self.put(FAILURES, &[failures])?;
        self.values.failures = failures;
        Ok(())
    }

    /// Chooses the slot that runs from the next start on: one item, the old or the new.
    pub(crate) fn set_active(&mut self, slot: Slot) -> Result<(), SettingsError> {
        self.put(ACTIVE, &[slot as u8])?;
        self.values.active = Some(slot);
        Ok(())
    }

    pub(crate) fn set_announced(
        &mut self,
        announced: Option<Announced>,
    ) -> Result<(), SettingsError> {
        let mut value = [0; ANNOUNCED];
        let len = if let Some(Announced { slot, len, digest }) = announced {
            value[0] = slot as u8;
            value[1..5].copy_from_slice(&len.to_le_bytes());
            value[5..].copy_from_slice(&digest);
            ANNOUNCED
        } else {
            0
        };
        self.put(UPDATE, &value[..len])?;
        self.values.announced = announced;
        Ok(())
    }

    pub(crate) fn set_ledger(&mut self, ledger: &Ledger) -> Result<(), SettingsError> {
        self.put(STORE, &ledger.to_bytes())?;
        self.values.ledger = *ledger;
        Ok(())
    }

    /// How is decided.
    pub(crate) fn choices(&self) -> Choices {
        self.values.choices
    }

    pub(crate) fn set_choices(&mut self, choices: Choices) -> Result<(), SettingsError> {
        self.put(DECIDING, &choices.to_bytes())?;
        self.values.choices = choices;
        Ok(())
    }

    /// What is subtracted from embeddings.
    pub(crate) fn center(&self) -> Option<&Center> {
        self.values.center.as_ref()
    }

    pub(crate) fn set_center(&mut self, center: Option<Center>) -> Result<(), SettingsError> {
        let mut value: Vec<u8, CENTERED> = Vec::new();
        if let Some(Center { model, shift }) = &center {
            // There is room for both.
            let _ = value.extend_from_slice(&model.to_le_bytes());
            let _ = value.extend_from_slice(bytemuck::cast_slice(shift));
        }
        self.put(CENTER, &value)?;
        self.values.center = center;
        Ok(())
    }

    /// Forgets everything, for a recovery.
    pub(crate) fn clear(&mut self) -> Result<(), SettingsError> {
        if self.fault == Some(SettingsError::None) {
            return Ok(());
        }
        let erased = block_on(self.map.erase_all()).map_err(|_| SettingsError::Flash);
        self.load();
        erased?;
        self.fault.map_or(Ok(()), Err)
    }

    /// Reads all items; what can't be read becomes the fault.
    fn load(&mut self) {
        let mut values = Values::default();
        let read = block_on(each_item(&mut self.map, &mut self.item, |key, value| {
            values.read(key, value).ok_or(SettingsError::Unreadable)
        }));
        let lost = values.key.is_none() && values.sessions > 0;
        let unreadable = lost.then_some(SettingsError::Unreadable);
        self.fault = read.err().or(unreadable);
        self.values = values;
    }

    fn put(&mut self, key: u8, value: &[u8]) -> Result<(), SettingsError> {
        self.fault.map_or(Ok(()), Err)?;
        let stored = block_on(self.map.store_item(&mut self.item, &key, &value));
        // What was written is read back.
        if stored.is_ok() && !self.map.flash().take_failed() {
            return Ok(());
        }
        // The flash decides what is true after a failure.
        self.load();
        Err(SettingsError::Flash)
    }
}
