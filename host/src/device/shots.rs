//! The shots of a class, one by one, in its [record].

use sha2::{Digest, Sha256};
use sudal_firmware::heads::Class;
use sudal_firmware::store::record;

/// The shots of a class's record.
#[derive(Debug)]
pub struct Shots {
    class: Class,
}

impl Shots {
    /// Reads a record, as a device gives it; none of bytes that are no record.
    #[must_use]
    pub fn of(record: &[u8]) -> Option<Self> {
        // A record does not hold its class's id.
        let class = record::read(0, record).ok()??;
        Some(Self { class })
    }

    /// What tells each shot from all others, whatever its class is called.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        let key = |shot: &[i8]| {
            let digest = Sha256::new()
                .chain_update(self.class.model.to_le_bytes())
                .chain_update(bytemuck::cast_slice::<_, u8>(shot))
                .finalize();
            let digits = digest.iter().take(16).map(|byte| format!("{byte:02x}"));
            digits.collect()
        };
        self.class.support().map(key).collect()
    }

    /// The record without one shot; none if there is no such shot, or it is the only one.
    #[must_use]
    pub fn without(&self, place: usize) -> Option<Vec<u8>> {
        self.class.without_shot(place).as_ref().map(bytes_of)
    }
}

/// The record of a class that was read from one.
pub(super) fn bytes_of(class: &Class) -> Vec<u8> {
    let mut record = vec![0; record::MAX_RECORD];
    // So it fits one.
    let len = record::write(class, &mut record).unwrap_or(0);
    record.truncate(len);
    record
}

#[cfg(test)]
mod tests {
    use super::*;

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
            let whole = bytes_of(&class);
            let keys = Shots::of(&whole).unwrap().keys();
            for place in 0..shots.len() {
                let less = Shots::of(&whole).unwrap().without(place).unwrap();
                let read = record::read(class.id, &less).unwrap().unwrap();
                assert_eq!((read.shots(), read.role), (3, role));
                let mut left: Vec<_> = shots.to_vec();
                left.remove(place);
                let support: Vec<_> = read.support().map(<[i8]>::to_vec).collect();
                assert_eq!(support, left);
                // Each shot is in the group that it was in, those behind it one place before.
                let group_of = |class: &Class, shot: usize| {
                    let mut groups = class.groups().iter();
                    groups
                        .find(|group| group.shots >> shot & 1 == 1)
                        .map(|group| group.slot)
                };
                for shot in 0..left.len() {
                    let before = shot + usize::from(shot >= place);
                    assert_eq!(group_of(&read, shot), group_of(&class, before));
                }
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
        let record = bytes_of(&known.classes()[0]);
        assert!(Shots::of(&record).unwrap().without(0).is_none());
    }
}
