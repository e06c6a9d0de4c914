//! The shots of a class, one by one, in its [record](sudal_firmware::store::record).

use std::ops::Range;

use sha2::{Digest, Sha256};

/// Bytes before the name of each format: of a class without groups, with them, and with a role.
const HEADERS: [(u8, usize); 3] = [(1, 12), (2, 13), (4, 14)];
const MODEL: Range<usize> = 1..9;
const DIM: usize = 9;
const SHOTS: usize = 10;
const NAME: usize = 11;
const GROUPS: usize = 12;
const GROUP: usize = 8;

/// A class's record, taken apart.
#[derive(Debug)]
pub struct Shots<'r> {
    record: &'r [u8],
    /// Where the first shot begins.
    first: usize,
    dim: usize,
    count: usize,
}

impl<'r> Shots<'r> {
    /// Takes a record apart; none of bytes that are no record.
    #[must_use]
    pub fn of(record: &'r [u8]) -> Option<Self> {
        let format = *record.first()?;
        let (_, header) = HEADERS.into_iter().find(|(known, _)| *known == format)?;
        let number = |at: usize| record.get(at).map(|&byte| usize::from(byte));
        let (dim, count, name) = (number(DIM)?, number(SHOTS)?, number(NAME)?);
        let first = header + name;
        (dim > 0 && record.len() >= first + dim * count).then_some(Self {
            record,
            first,
            dim,
            count,
        })
    }

    /// What tells each shot from all others, whatever its class is called.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        let shots = &self.record[self.first..self.first + self.dim * self.count];
        let model = self.record.get(MODEL).unwrap_or_default();
        let key = |shot: &[u8]| {
            let digest = Sha256::new()
                .chain_update(model)
                .chain_update(shot)
                .finalize();
            digest
                .iter()
                .take(16)
                .map(|byte| format!("{byte:02x}"))
                .collect()
        };
        shots.chunks_exact(self.dim).map(key).collect()
    }

    /// The record without one shot; none if there is no such shot, or it is the only one.
    #[must_use]
    pub fn without(&self, place: usize) -> Option<Vec<u8>> {
        if place >= self.count || self.count < 2 {
            return None;
        }
        let mut record = self.record.to_vec();
        let shot = self.first + place * self.dim;
        record.drain(shot..shot + self.dim);
        record[SHOTS] -= 1;
        if record[0] == HEADERS[0].0 {
            return Some(record);
        }
        let groups = record.split_off(self.first + (self.count - 1) * self.dim);
        let mut left = 0;
        for bytes in groups.chunks_exact(GROUP) {
            let (group, stamp) = bytes.split_first_chunk::<4>()?;
            let group = u32::from_le_bytes(*group);
            let (slot, shots) = (group & 0xff, group >> 8);
            // Those behind it move up.
            let (before, behind) = (shots & ((1 << place) - 1), shots >> (place + 1));
            let shots = before | behind << place;
            if shots != 0 {
                record.extend((shots << 8 | slot).to_le_bytes());
                record.extend(stamp);
                left += 1;
            }
        }
        record[GROUPS] = left;
        Some(record)
    }
}

#[cfg(test)]
mod tests {
    use sudal_firmware::heads::Class;
    use sudal_firmware::store::record;

    use super::*;

    fn record_of(class: &Class) -> Vec<u8> {
        let mut bytes = vec![0; record::MAX_RECORD];
        let len = record::write(class, &mut bytes).unwrap();
        bytes.truncate(len);
        bytes
    }

    #[test]
    fn a_shot_is_taken_out_and_the_class_is_still_one() {
        let mut known = sudal_firmware::store::Known::new();
        let shots = [[1_i8, -2, 3], [40, 5, 6], [7, 80, 9], [-90, 1, 2]];
        for shot in &shots {
            known.enroll("너트", 0x5eed, shot).unwrap();
        }
        let mut class = known.classes()[0].clone();
        for role in [
            sudal_firmware::heads::Role::Plain,
            sudal_firmware::heads::Role::Defect,
        ] {
            class.role = role;
            let whole = record_of(&class);
            let keys = Shots::of(&whole).unwrap().keys();
            for place in 0..shots.len() {
                let less = Shots::of(&whole).unwrap().without(place).unwrap();
                let read = record::read(class.id, &less).unwrap().unwrap();
                assert_eq!((read.shots(), read.role), (3, role));
                let mut left: Vec<_> = shots.to_vec();
                left.remove(place);
                let support: Vec<_> = read.support().map(<[i8]>::to_vec).collect();
                assert_eq!(support, left);
                let mut expected = keys.clone();
                expected.remove(place);
                assert_eq!(Shots::of(&less).unwrap().keys(), expected);
            }
            assert!(Shots::of(&whole).unwrap().without(4).is_none());
        }
        assert!(Shots::of(b"").is_none() && Shots::of(&[2, 0, 0]).is_none());
    }

    #[test]
    fn the_only_shot_stays() {
        let mut known = sudal_firmware::store::Known::new();
        known.enroll("gear", 1, &[1, 2]).unwrap();
        let record = record_of(&known.classes()[0]);
        assert!(Shots::of(&record).unwrap().without(0).is_none());
    }
}
