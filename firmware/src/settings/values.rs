//! The settings as values, and each as the bytes of an item.

use heapless::Vec;

use crate::decision::{Filter, Rate};
use crate::heads::{MAX_DIM, VALUES};
use crate::image::Slot;
use crate::image::signature::Claim;
use crate::key::{Key, Seed};
use crate::preprocess::align::{Align, Alignment};
use crate::preprocess::{Fit, Region};
use crate::store::Ledger;

/// Keys of the items. An empty item counts as none.
pub(super) const KEY: u8 = 0;
pub(super) const TRUSTED: u8 = 1;
pub(super) const SESSIONS: u8 = 2;
pub(super) const FAILURES: u8 = 3;
pub(super) const ACTIVE: u8 = 4;
pub(super) const UPDATE: u8 = 5;
pub(super) const STORE: u8 = 6;
pub(super) const DECIDING: u8 = 7;
pub(super) const CENTER: u8 = 8;
pub(super) const BOUND: u8 = 9;

/// Bytes of the key and its seed.
pub(super) const KEY_AND_SEED: usize = 32 + 16;
/// Bytes of the longest value: a model's identity and a shift.
pub(super) const CENTERED: usize = 8 + VALUES;
/// Bytes of how is decided: rate, filter, region, alignment, fit.
pub(super) const CHOICES: usize = UNALIGNED + 2 + 1;
/// The same before there were alignment and fit.
const UNALIGNED: usize = 2 + 2 + 4 * 2;
/// Stands for no fit.
const UNFITTED: u8 = 0xff;
/// Bytes of an announced update: slot, length, digest.
pub(super) const ANNOUNCED: usize = 1 + 4 + 32;

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
pub(super) struct Values {
    pub(super) key: Option<(Key, Seed)>,
    pub(super) trusted: Option<[u8; 32]>,
    pub(super) sessions: u32,
    pub(super) failures: u8,
    pub(super) active: Option<Slot>,
    pub(super) announced: Option<Announced>,
    pub(super) ledger: Ledger,
    pub(super) choices: Choices,
    pub(super) center: Option<Center>,
    pub(super) bound: Claim,
}

impl Values {
    /// Takes an item's value, `None` if it has no meaning here.
    pub(super) fn read(&mut self, key: u8, value: &[u8]) -> Option<()> {
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
    pub(super) fn to_bytes(self) -> [u8; CHOICES] {
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
