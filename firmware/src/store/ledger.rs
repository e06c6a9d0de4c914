//! What makes lost records seen.
//!
//! The map below passes over an item whose check is wrong, so that an older one of the same key
//! would come back, or none. So every record is numbered, and after each record another item is
//! written, the ledger: the number of the newest record of each key. A record that was written and
//! not yet entered has a greater number than any in the ledger; any other that is not the one in
//! the ledger stands for one that was lost.
//!
//! What takes away the newest records and the ledger with them leaves an older state in which
//! nothing is missing. So a copy of the ledger is kept in another flash, that of the settings, and
//! given to the store when it is opened.
//!
//! | byte | of a record |
//! |---|---|
//! | 0 | 3; another value is that of a record without number |
//! | 1..5 | the number, little-endian, from 1 |
//! | 5.. | the record: a class, a removed class or the head |
//!
//! | byte | of the ledger |
//! |---|---|
//! | 0 | format: 1 |
//! | 1.. | a number for each class and one for the head, 0 if none was written |

use serde::{Deserialize, Serialize};

use crate::heads::IDS;

/// What the store keeps records of: the classes and the head.
pub(super) const KEYS: usize = IDS + 1;
/// Bytes of a ledger.
pub(crate) const LEDGER: usize = 1 + 4 * KEYS;
/// Bytes in front of a record.
pub(super) const NUMBERED: usize = 5;

const NUMBER_FOLLOWS: u8 = 3;
const VERSION: u8 = 1;

const _: () = assert!(IDS <= u32::BITS as usize);

/// What the store lost to a failing flash.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Damage {
    /// Bit n: the newest state of class n. An older one may be there in its place. Gone when the
    /// class is removed or enrolled further.
    pub classes: u32,
    /// The choice of the head. Gone when a head is chosen.
    pub head: bool,
}

impl Damage {
    /// Whether the newest state of the class with this id was lost.
    #[must_use]
    pub fn class(&self, id: u8) -> bool {
        self.classes.checked_shr(id.into()).unwrap_or(0) & 1 == 1
    }

    /// Whether anything was.
    #[must_use]
    pub fn any(&self) -> bool {
        *self != Self::default()
    }

    fn key(&self, key: u8) -> bool {
        if usize::from(key) == IDS {
            self.head
        } else {
            self.class(key)
        }
    }

    pub(super) fn set(&mut self, key: usize, lost: bool) {
        if key == IDS {
            self.head = lost;
        } else {
            let bit = 1_u32.checked_shl(key as u32).unwrap_or(0);
            self.classes = (self.classes & !bit) | if lost { bit } else { 0 };
        }
    }
}

/// What the newest records are: a number for each class and one for the head, 0 for none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ledger([u32; KEYS]);

impl Default for Ledger {
    fn default() -> Self {
        Self::new()
    }
}

impl Ledger {
    /// The ledger of a store that was never written.
    #[must_use]
    pub const fn new() -> Self {
        Self([0; KEYS])
    }

    /// The number for the next record.
    pub(super) fn next(&self) -> u32 {
        self.last().saturating_add(1)
    }

    fn last(&self) -> u32 {
        self.0.iter().copied().max().unwrap_or(0)
    }

    /// Enters the number of a key's record; false if a newer one is there already.
    pub(super) fn enter(&mut self, key: u8, number: u32) -> bool {
        match self.0.get_mut(usize::from(key)) {
            Some(entry) if *entry <= number => {
                *entry = number;
                true
            }
            _ => false,
        }
    }

    /// Takes over what another ledger knows better.
    pub(super) fn merge(&mut self, other: &Self) {
        for (entry, &other) in self.0.iter_mut().zip(&other.0) {
            *entry = other.max(*entry);
        }
    }

    /// Compares what was found with what should be there, and enters what was written last.
    pub(super) fn settle(&mut self, found: &Self, damage: &mut Damage) {
        let last = self.last();
        for (key, (entry, &found)) in self.0.iter_mut().zip(&found.0).enumerate() {
            if found > last {
                *entry = found;
            }
            damage.set(key, *entry != found);
        }
    }

    /// The first key whose newest record is not the one that was found, but for those that are known
    /// to be lost.
    pub(super) fn first_lost(&self, found: &Self, known: Damage) -> Option<u8> {
        (0..KEYS as u8).find(|&key| {
            !known.key(key) && self.0.get(usize::from(key)) != found.0.get(usize::from(key))
        })
    }

    /// Whether this is the number of a key's newest record.
    pub(super) fn is(&self, key: u8, number: u32) -> bool {
        self.0.get(usize::from(key)) == Some(&number)
    }

    /// Bit n: key n has a record, and it is not known to be lost.
    pub(super) fn written(&self, lost: Damage) -> u64 {
        (0..KEYS as u8)
            .filter(|&key| !self.is(key, 0) && !lost.key(key))
            .fold(0, |bits, key| bits | 1 << key)
    }

    /// As it is written.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; LEDGER] {
        let mut bytes = [0; LEDGER];
        bytes[0] = VERSION;
        for (place, number) in bytes[1..].chunks_exact_mut(4).zip(self.0) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        bytes
    }

    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let (&version, numbers) = bytes.split_first()?;
        if version != VERSION || bytes.len() != LEDGER {
            return None;
        }
        let mut ledger = Self::new();
        for (entry, bytes) in ledger.0.iter_mut().zip(numbers.chunks_exact(4)) {
            *entry = u32::from_le_bytes(bytes.try_into().ok()?);
        }
        Some(ledger)
    }
}

/// What stands in front of a record with this number.
pub(super) fn prefix(number: u32) -> [u8; NUMBERED] {
    let [a, b, c, d] = number.to_le_bytes();
    [NUMBER_FOLLOWS, a, b, c, d]
}

/// A record and its number; 0 for one of a format that had none.
pub(super) fn split(bytes: &[u8]) -> (u32, &[u8]) {
    match bytes {
        [NUMBER_FOLLOWS, a, b, c, d, record @ ..] => (u32::from_le_bytes([*a, *b, *c, *d]), record),
        _ => (0, bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_wrote() {
        let mut ledger = Ledger::new();
        ledger.enter(0, 7);
        ledger.enter(IDS as u8, 0x0102_0304);
        let mut buffer = ledger.to_bytes();
        assert_eq!(Ledger::read(&buffer), Some(ledger));
        assert_eq!(Ledger::read(&buffer[..LEDGER - 1]), None);
        buffer[0] = 9;
        assert_eq!(Ledger::read(&buffer), None);
        let mut record = prefix(0x0506_0708).to_vec();
        record.push(42);
        assert_eq!(split(&record), (0x0506_0708, &[42][..]));
        assert_eq!(split(&[2, 1, 1, 1, 1, 1]), (0, &[2, 1, 1, 1, 1, 1][..]));
    }

    #[test]
    fn an_older_record_is_damage_and_a_newer_one_is_entered() {
        let mut ledger = Ledger::new();
        for (key, number) in [(0, 4), (1, 5), (2, 3)] {
            ledger.enter(key, number);
        }
        let mut found = ledger;
        found.0[1..4].copy_from_slice(&[2, 0, 6]);
        let mut damage = Damage::default();
        ledger.settle(&found, &mut damage);
        assert_eq!((damage.classes, damage.head), (0b110, false));
        assert_eq!(ledger.next(), 7);
        let settled = ledger;
        ledger.settle(&found, &mut damage);
        assert_eq!(ledger, settled);
        // Numbers of formats that had none say nothing.
        let mut damage = Damage::default();
        Ledger::new().settle(&Ledger::new(), &mut damage);
        assert!(!damage.any());
    }

    #[test]
    fn a_copy_knows_of_records_that_are_gone_with_their_ledger() {
        let mut copy = Ledger::new();
        for (key, number) in [(0, 4), (1, 5)] {
            assert!(copy.enter(key, number));
        }
        assert!(!copy.enter(1, 3));
        let (mut ledger, mut found) = (Ledger::new(), Ledger::new());
        ledger.enter(0, 4);
        ledger.enter(1, 2);
        found.merge(&ledger);
        ledger.merge(&copy);
        assert_eq!(ledger, copy);
        let mut damage = Damage::default();
        ledger.settle(&found, &mut damage);
        assert_eq!((damage.classes, ledger.next()), (0b10, 6));
    }
}
