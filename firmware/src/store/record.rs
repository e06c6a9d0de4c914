//! A class as bytes: in the flash, over the line and in a backup.
//!
//! | byte | |
//! |---|---|
//! | 0 | format: 0 for a removed class (nothing follows), 2 for this layout, 4 for one with a role |
//! | 1..9 | identity of the model that made the embeddings, little-endian |
//! | 9 | values per embedding |
//! | 10 | number of shots |
//! | 11 | bytes of the name |
//! | 12 | number of groups of the memory |
//! | 13.. | the name in UTF-8, then the embeddings, shot by shot, then the groups |
//!
//! A group takes eight bytes: its slot, its shots as 24 bits and when it was written in 32,
//! little-endian. Each shot is in one group.
//!
//! Format 4 has the number of the class's role in byte 13, and what follows one byte later. A class
//! without a role is written as format 2. There is no format 3, which would look like the number in
//! front of a record.
//!
//! Format 1 is the same without byte 12 and the groups. Such a class is read as one group of all
//! its shots, used least, in the slot of the class's own id.

use crate::heads::memory::{Group, SLOTS};
use crate::heads::{Class, IDS, MAX_CLASSES, MAX_DIM, MAX_NAME, MAX_SHOTS, Role, SHOTS, VALUES};

const REMOVED: u8 = 0;
const WITHOUT_GROUPS: u8 = 1;
const VERSION: u8 = 2;
const WITH_ROLE: u8 = 4;
const HEADER: usize = 13;
const GROUP: usize = 8;

const _: () = assert!(SHOTS <= 24 && IDS <= SLOTS);

/// Bytes of the largest record.
pub const MAX_RECORD: usize = largest(MAX_SHOTS, MAX_DIM);

const fn largest(shots: usize, dim: usize) -> usize {
    HEADER + 1 + MAX_NAME + shots * (dim + GROUP)
}

/// Whether a build with more room may have a record of n bytes.
pub(super) fn is_of_some_build(len: usize) -> bool {
    len <= largest(SHOTS, VALUES)
}

/// A record that marks a class as removed.
pub(super) const TOMBSTONE: &[u8] = &[REMOVED];

/// Why a record was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unread {
    /// It has an impossible field.
    #[error("this is not a class")]
    Malformed,
    /// It holds more shots or values than this build has room for, or its id is past the last.
    #[error("this class is larger than the device was built for")]
    TooLarge,
}

/// Bytes of a class's record.
pub(super) fn length(class: &Class) -> usize {
    let role = usize::from(class.role != Role::Plain);
    HEADER + role + class.name.len() + class.values().len() + class.groups().len() * GROUP
}

/// Reads the record of the class with this id; nothing if it was removed.
///
/// # Errors
/// [`Unread`].
pub fn read(id: u8, bytes: &[u8]) -> Result<Option<Class>, Unread> {
    match bytes.first() {
        Some(&REMOVED) => Ok(None),
        Some(&VERSION | &WITHOUT_GROUPS | &WITH_ROLE) if is_too_large(id, bytes) => {
            Err(Unread::TooLarge)
        }
        Some(&VERSION | &WITHOUT_GROUPS | &WITH_ROLE) => {
            read_class(id, bytes).map(Some).ok_or(Unread::Malformed)
        }
        _ => Err(Unread::Malformed),
    }
}

/// Whether a record is one of another build, which has room for more.
fn is_too_large(id: u8, bytes: &[u8]) -> bool {
    let number = |at: usize| bytes.get(at).map_or(0, |&byte| usize::from(byte));
    // More than this build holds, and no more than any does.
    let beyond = |count: usize, here: usize, most: usize| here < count && count <= most;
    beyond(usize::from(id) + 1, MAX_CLASSES, IDS)
        || beyond(number(9), MAX_DIM, VALUES)
        || beyond(number(10), MAX_SHOTS, SHOTS)
}

fn read_class(id: u8, bytes: &[u8]) -> Option<Class> {
    let (header, rest) = bytes.split_at_checked(HEADER - 1)?;
    let (grouped, rest) = match header[0] {
        WITHOUT_GROUPS => (None, rest),
        _ => rest
            .split_first()
            .map(|(&count, rest)| (Some(count), rest))?,
    };
    let (role, rest) = match header[0] {
        WITH_ROLE => rest
            .split_first()
            .map(|(&number, rest)| (read_role(number), rest))?,
        _ => (Some(Role::Plain), rest),
    };
    let model = u64::from_le_bytes(header[1..9].try_into().ok()?);
    let [dim, count, name] = [header[9], header[10], header[11]].map(usize::from);
    let (name, rest) = rest.split_at_checked(name)?;
    let (shots, groups) = rest.split_at_checked(count * dim)?;
    let name = core::str::from_utf8(name).ok()?;
    let sound =
        !name.is_empty() && count > 0 && groups.len() == usize::from(grouped.unwrap_or(0)) * GROUP;
    sound.then_some(())?;

    let mut class = Class::new(id, name, model, dim)?;
    class.role = role?;
    for shot in shots.chunks_exact(dim) {
        class.push(bytemuck::cast_slice(shot))?;
    }
    let all = (1 << count) - 1;
    if grouped.is_none() {
        let group = Group {
            slot: id,
            shots: all,
            stamp: 0,
        };
        class.groups.push(group).ok()?;
        return Some(class);
    }
    let mut seen = 0;
    for bytes in groups.chunks_exact(GROUP) {
        let group = read_group(bytes)?;
        let sound = usize::from(group.slot) < SLOTS && group.shots != 0 && seen & group.shots == 0;
        seen |= group.shots;
        sound.then_some(())?;
        class.groups.push(group).ok()?;
    }
    (seen == all).then_some(class)
}

/// A role that stands in a record: [`Role::Plain`] does not.
fn read_role(number: u8) -> Option<Role> {
    [Role::Good, Role::Defect]
        .into_iter()
        .find(|&role| role as u8 == number)
}

fn read_group(bytes: &[u8]) -> Option<Group> {
    let (shots, stamp) = bytes.split_first_chunk::<4>()?;
    let shots = u32::from_le_bytes(*shots);
    Some(Group {
        slot: shots as u8,
        shots: shots >> 8,
        stamp: u32::from_le_bytes(stamp.try_into().ok()?),
    })
}

/// Writes the record of a class and returns its length.
///
/// `None` when the buffer is too short, or a field does not fit.
#[must_use]
pub fn write(class: &Class, buffer: &mut [u8]) -> Option<usize> {
    let mut len = 0;
    let mut put = |bytes: &[u8]| {
        buffer
            .get_mut(len..len + bytes.len())?
            .copy_from_slice(bytes);
        len += bytes.len();
        Some(())
    };
    let with_role = class.role != Role::Plain;
    put(&[if with_role { WITH_ROLE } else { VERSION }])?;
    put(&class.model.to_le_bytes())?;
    put(&[
        class.dim().try_into().ok()?,
        class.shots(),
        class.name.len().try_into().ok()?,
        class.groups().len().try_into().ok()?,
    ])?;
    if with_role {
        put(&[class.role as u8])?;
    }
    put(class.name.as_bytes())?;
    put(bytemuck::cast_slice(class.values()))?;
    for group in class.groups() {
        put(&(group.shots << 8 | u32::from(group.slot)).to_le_bytes())?;
        put(&group.stamp.to_le_bytes())?;
    }
    Some(len)
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;

    fn class() -> Class {
        let mut class = Class::new(5, "gear", 0x1122_3344_5566_7788, 3).unwrap();
        for (shot, slot) in [([1, 2, -3], 9), ([4, -5, 6], 63)] {
            class.push(&shot).unwrap();
            let shots = 1 << (class.shots() - 1);
            let stamp = 0xa000_0000 + u32::from(slot);
            class.groups.push(Group { slot, shots, stamp }).unwrap();
        }
        class
    }

    #[test]
    fn reads_what_it_wrote() {
        let mut buffer = [0; MAX_RECORD];
        let len = write(&class(), &mut buffer).unwrap();
        assert_eq!(len, length(&class()));
        assert_eq!(read(5, &buffer[..len]), Ok(Some(class())));
        assert_eq!(read(5, TOMBSTONE), Ok(None));
    }

    #[test]
    fn the_largest_class_fits() {
        let name = "x".repeat(MAX_NAME);
        let mut class = Class::new(0, &name, 1, MAX_DIM).unwrap();
        class.role = Role::Defect;
        for number in 0..MAX_SHOTS {
            class.push(&[number as i8; MAX_DIM]).unwrap();
            let (slot, shots, stamp) = (number as u8, 1 << number, u32::MAX);
            class.groups.push(Group { slot, shots, stamp }).unwrap();
        }
        let mut buffer = [0; MAX_RECORD];
        assert_eq!(write(&class, &mut buffer), Some(MAX_RECORD));
        assert_eq!(read(0, &buffer), Ok(Some(class)));
    }

    #[test]
    fn a_class_without_groups_is_one_group() {
        let mut buffer = [0; MAX_RECORD];
        let len = write(&class(), &mut buffer).unwrap();
        // As format 1 had it.
        let mut old = buffer[..len - 2 * GROUP].to_vec();
        old.remove(12);
        old[0] = WITHOUT_GROUPS;
        let Ok(Some(read)) = read(5, &old) else {
            panic!("not a class");
        };
        let (slot, shots, stamp) = (5, 0b11, 0);
        assert_eq!(read.groups(), [Group { slot, shots, stamp }]);
        assert!(read.support().eq(class().support()));
    }

    #[test]
    fn a_role_is_kept_and_one_that_is_unknown_is_seen() {
        let mut buffer = [0; MAX_RECORD];
        let plain = write(&class(), &mut buffer).unwrap();
        for role in [Role::Good, Role::Defect] {
            let mut class = class();
            class.role = role;
            let len = write(&class, &mut buffer).unwrap();
            assert_eq!((len, len), (length(&class), plain + 1));
            assert_eq!(read(5, &buffer[..len]), Ok(Some(class)));
            for number in [0, 3, 255] {
                let mut damaged = buffer;
                damaged[13] = number;
                assert_eq!(read(5, &damaged[..len]), Err(Unread::Malformed), "{number}");
            }
        }
    }

    #[test]
    fn any_damage_to_the_length_or_the_groups_is_seen() {
        let mut buffer = [0; MAX_RECORD];
        let len = write(&class(), &mut buffer).unwrap();
        for cut in 1..len {
            assert_eq!(read(5, &buffer[..cut]), Err(Unread::Malformed), "{cut}");
        }
        assert_eq!(read(5, &buffer[..len + 1]), Err(Unread::Malformed));
        assert_eq!(read(5, &[]), Err(Unread::Malformed));
        assert_eq!(read(5, &[7; 40]), Err(Unread::Malformed));
        // A slot past the last, a shot in no group or in two.
        let first = len - 2 * GROUP;
        for (offset, value) in [(0, 64), (1, 0), (1, 2), (1, 3), (1, 5)] {
            let mut damaged = buffer;
            damaged[first + offset] = value;
            assert_eq!(
                read(5, &damaged[..len]),
                Err(Unread::Malformed),
                "{offset} {value}"
            );
        }
    }

    #[test]
    fn a_short_buffer_is_refused() {
        assert_eq!(write(&class(), &mut [0; 8]), None);
    }
}
