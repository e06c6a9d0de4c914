//! What a device keeps about itself: its key, whom it trusts, which model image runs.
//!
//! A small flash of its own holds them, each as one item of a log-structured map, so that a power
//! cut leaves the old value or the new one.

use embassy_futures::block_on;
use embedded_storage::nor_flash::NorFlash;
use heapless::Vec;
use sequential_storage::map::{MapConfig, MapStorage};
use serde::{Deserialize, Serialize};

use crate::decision::{Filter, Rate};
use crate::heads::{MAX_DIM, VALUES};
use crate::image::Slot;
use crate::image::signature::Claim;
use crate::key::{Key, Seed};
use crate::preprocess::align::{Align, Alignment};
use crate::preprocess::{Fit, Region};
use crate::store::sectors::{Map, MapError, Sectors, WORD_LIMIT, each_item, places};
use crate::store::{LEDGER, Ledger};

/// Keys of the items. An empty item counts as none.
const KEY: u8 = 0;
const TRUSTED: u8 = 1;
const SESSIONS: u8 = 2;
const FAILURES: u8 = 3;
const ACTIVE: u8 = 4;
const UPDATE: u8 = 5;
const STORE: u8 = 6;
const DECIDING: u8 = 7;
const CENTER: u8 = 8;
const BOUND: u8 = 9;

/// Bytes of the key and its seed.
const KEY_AND_SEED: usize = 32 + 16;
/// Bytes of the longest value: a model's identity and a shift.
const CENTERED: usize = 8 + VALUES;
/// Bytes of how is decided: rate, filter, region, alignment, fit.
const CHOICES: usize = UNALIGNED + 2 + 1;
/// The same before there were alignment and fit.
const UNALIGNED: usize = 2 + 2 + 4 * 2;
/// Stands for no fit.
const UNFITTED: u8 = 0xff;
/// Bytes of an announced update: slot, length, digest.
const ANNOUNCED: usize = 1 + 4 + 32;
/// Room for the longest item, in whole words.
const ITEM: usize = (1 + CENTERED).next_multiple_of(WORD_LIMIT);
const _: () = assert!(LEDGER <= CENTERED);

/// Why the settings can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
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

/// An image that was announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Announced {
    pub(crate) slot: Slot,
    pub(crate) len: u32,
    pub(crate) digest: [u8; 32],
}

/// How is decided.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Choices {
    pub(crate) rate: Rate,
    pub(crate) filter: Filter,
    pub(crate) region: Option<Region>,
    pub(crate) alignment: Alignment,
    /// None where nobody has chosen: what was taught says which.
    pub(crate) fit: Option<Fit>,
}

/// What is subtracted from the embeddings of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Center {
    pub(crate) model: u64,
    pub(crate) shift: Vec<i8, MAX_DIM>,
}

/// The settings as they are in flash.
#[derive(Debug, Clone, Default)]
struct Values {
    key: Option<(Key, Seed)>,
    trusted: Option<[u8; 32]>,
    sessions: u32,
    failures: u8,
    active: Option<Slot>,
    announced: Option<Announced>,
    ledger: Ledger,
    choices: Choices,
    center: Option<Center>,
    bound: Claim,
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

impl Values {
    /// Takes an item's value, `None` if it has no meaning here.
    fn read(&mut self, key: u8, value: &[u8]) -> Option<()> {
        match key {
            KEY => {
                let (key, seed) = value.split_first_chunk()?;
                self.key = Some((*key, seed.try_into().ok()?));
            }
            TRUSTED => self.trusted = Some(value.try_into().ok()?),
            SESSIONS => self.sessions = u32::from_le_bytes(value.try_into().ok()?),
            FAILURES => [self.failures] = value.try_into().ok()?,
            ACTIVE => self.active = Some(slot(value)?),
            STORE => self.ledger = Ledger::read(value)?,
            UPDATE if value.is_empty() => self.announced = None,
            UPDATE => {
                let (place, rest) = value.split_at_checked(1)?;
                let (len, digest) = rest.split_first_chunk()?;
                self.announced = Some(Announced {
                    slot: slot(place)?,
                    len: u32::from_le_bytes(*len),
                    digest: digest.try_into().ok()?,
                });
            }
            DECIDING => self.choices = Choices::read(value)?,
            CENTER if value.is_empty() => self.center = None,
            CENTER => {
                let (model, shift) = value.split_first_chunk()?;
                let model = u64::from_le_bytes(*model);
                (shift.len() <= VALUES).then_some(())?;
                // A longer one is of a model that this build can't run.
                let shift = Vec::from_slice(bytemuck::cast_slice(shift)).ok();
                self.center = shift.map(|shift| Center { model, shift });
            }
            BOUND => self.bound = Claim::read(value)?,
            _ => return None,
        }
        Some(())
    }
}

impl Choices {
    /// Rate, filter, region, alignment and fit, little-endian; a region without columns stands for none,
    /// as does a fit of 255.
    fn to_bytes(self) -> [u8; CHOICES] {
        let Region {
            left,
            top,
            width,
            height,
        } = self.region.unwrap_or(Region {
            left: 0,
            top: 0,
            width: 0,
            height: 0,
        });
        let mut bytes = [0; CHOICES];
        bytes[..2].copy_from_slice(&self.rate.parts().to_le_bytes());
        bytes[2] = self.filter.window;
        bytes[3] = self.filter.agree;
        for (place, side) in bytes[4..UNALIGNED]
            .chunks_exact_mut(2)
            .zip([left, top, width, height])
        {
            place.copy_from_slice(&side.to_le_bytes());
        }
        bytes[UNALIGNED] = self.alignment.align as u8;
        bytes[UNALIGNED + 1] = self.alignment.window;
        bytes[UNALIGNED + 2] = self.fit.map_or(UNFITTED, |fit| fit as u8);
        bytes
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (&[r0, r1, window, agree, l0, l1, t0, t1, w0, w1, h0, h1], rest) =
            bytes.split_first_chunk::<UNALIGNED>()?;
        let (alignment, fit) = seen(rest)?;
        let filter = Filter { window, agree };
        let region = Region {
            left: u16::from_le_bytes([l0, l1]),
            top: u16::from_le_bytes([t0, t1]),
            width: u16::from_le_bytes([w0, w1]),
            height: u16::from_le_bytes([h0, h1]),
        };
        filter.is_sound().then_some(Self {
            rate: Rate::new(u16::from_le_bytes([r0, r1]))?,
            filter,
            region: (region.width > 0).then_some(region),
            alignment,
            fit,
        })
    }
}

/// What follows the rest of how is decided: alignment and fit, neither or only the first of them from
/// before there were.
fn seen(bytes: &[u8]) -> Option<(Alignment, Option<Fit>)> {
    let (align, window, fit) = match *bytes {
        [] => return Some((Alignment::default(), None)),
        [align, window] => (align, window, UNFITTED),
        [align, window, fit] => (align, window, fit),
        _ => return None,
    };
    let fit = match fit {
        UNFITTED => None,
        fit => Some(Fit::ALL.into_iter().find(|&f| f as u8 == fit)?),
    };
    let align = Align::ALL.into_iter().find(|&a| a as u8 == align)?;
    let alignment = Alignment { align, window };
    alignment.is_sound().then_some((alignment, fit))
}

fn slot(value: &[u8]) -> Option<Slot> {
    [Slot::Factory, Slot::A, Slot::B]
        .into_iter()
        .find(|&slot| [slot as u8] == value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_of_before_there_were_alignment_and_fit_are_read() {
        let choices = Choices {
            alignment: Alignment {
                align: Align::Rotation,
                window: 60,
            },
            fit: Some(Fit::Squeeze),
            ..Choices::default()
        };
        let bytes = choices.to_bytes();
        assert_eq!(Choices::read(&bytes), Some(choices));
        for fit in [None, Some(Fit::Crop)] {
            let choices = Choices { fit, ..choices };
            assert_eq!(Choices::read(&choices.to_bytes()), Some(choices));
        }
        let before = Choices::read(&bytes[..UNALIGNED]);
        assert_eq!(before, Some(Choices::default()));
        let before = Choices::read(&bytes[..UNALIGNED + 2]);
        let unfitted = Choices {
            fit: None,
            ..choices
        };
        assert_eq!(before, Some(unfitted));
        let mut long = [0; CHOICES + 1];
        long[..CHOICES].copy_from_slice(&bytes);
        for bad in [&bytes[..UNALIGNED + 1], &long] {
            assert_eq!(Choices::read(bad), None);
        }
        for (place, byte) in [
            (UNALIGNED, 3),
            (UNALIGNED + 1, 9),
            (UNALIGNED + 1, 101),
            (UNALIGNED + 2, 2),
        ] {
            let mut bad = bytes;
            bad[place] = byte;
            assert_eq!(Choices::read(&bad), None);
        }
    }
}
