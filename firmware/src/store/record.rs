//! What the flash holds of one class.
//!
//! | byte | |
//! |---|---|
//! | 0 | format: 0 for a removed class (nothing follows), 1 for this layout |
//! | 1..9 | identity of the model that made the embeddings, little-endian |
//! | 9 | values per embedding |
//! | 10 | number of shots |
//! | 11 | bytes of the name |
//! | 12.. | the name in UTF-8, then the embeddings, shot by shot |

use super::{MAX_DIM, MAX_NAME, MAX_SHOTS};

const REMOVED: u8 = 0;
const VERSION: u8 = 1;
const HEADER: usize = 12;

/// Bytes of the largest record.
pub(super) const MAX_RECORD: usize = HEADER + MAX_NAME + MAX_SHOTS * MAX_DIM;

/// A record that marks a class as removed.
pub(super) const TOMBSTONE: &[u8] = &[REMOVED];

/// A class as it stands in the flash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Record<'a> {
    pub(super) model: u64,
    pub(super) dim: u8,
    pub(super) name: &'a str,
    /// `shots * dim` values, as bytes.
    pub(super) shots: &'a [u8],
}

/// What a record turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parsed<'a> {
    Removed,
    Class(Record<'a>),
    Malformed,
}

impl<'a> Record<'a> {
    /// Reads a record; one with an impossible field is malformed as a whole.
    pub(super) fn parse(bytes: &'a [u8]) -> Parsed<'a> {
        match bytes.first() {
            Some(&REMOVED) => Parsed::Removed,
            Some(&VERSION) => Self::parse_class(bytes).map_or(Parsed::Malformed, Parsed::Class),
            _ => Parsed::Malformed,
        }
    }

    fn parse_class(bytes: &'a [u8]) -> Option<Self> {
        let (header, rest) = bytes.split_at_checked(HEADER)?;
        let model = u64::from_le_bytes(header[1..9].try_into().ok()?);
        let (dim, count, name_len) = (header[9], usize::from(header[10]), usize::from(header[11]));
        let (name, shots) = rest.split_at_checked(name_len)?;
        let sound = (1..=MAX_NAME).contains(&name_len)
            && (1..=MAX_SHOTS).contains(&count)
            && (1..=MAX_DIM).contains(&usize::from(dim))
            && shots.len() == count * usize::from(dim);
        let name = core::str::from_utf8(name).ok()?;
        sound.then_some(Self {
            model,
            dim,
            name,
            shots,
        })
    }

    /// Shots in the record.
    pub(super) fn count(&self) -> u8 {
        (self.shots.len() / usize::from(self.dim.max(1))) as u8
    }

    /// Writes the record with one more shot at its end, if there is one, and returns its length.
    ///
    /// `None` when the buffer is too short, or a field does not fit.
    pub(super) fn write(&self, extra: &[i8], buffer: &mut [u8]) -> Option<usize> {
        let count = (self.shots.len() + extra.len()).checked_div(usize::from(self.dim))?;
        let mut len = 0;
        let mut put = |bytes: &[u8]| {
            buffer
                .get_mut(len..len + bytes.len())?
                .copy_from_slice(bytes);
            len += bytes.len();
            Some(())
        };
        put(&[VERSION])?;
        put(&self.model.to_le_bytes())?;
        put(&[
            self.dim,
            count.try_into().ok()?,
            self.name.len().try_into().ok()?,
        ])?;
        put(self.name.as_bytes())?;
        put(self.shots)?;
        put(bytemuck::cast_slice(extra))?;
        Some(len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: Record<'_> = Record {
        model: 0x1122_3344_5566_7788,
        dim: 3,
        name: "gear",
        shots: &[1, 2, 3, 4, 5, 6],
    };

    #[test]
    fn reads_what_it_wrote() {
        let mut buffer = [0; MAX_RECORD];
        let len = RECORD.write(&[], &mut buffer).unwrap();
        assert_eq!(Record::parse(&buffer[..len]), Parsed::Class(RECORD));
        let len = RECORD.write(&[-1, -2, -3], &mut buffer).unwrap();
        let Parsed::Class(longer) = Record::parse(&buffer[..len]) else {
            panic!("not a class");
        };
        assert_eq!(longer.count(), 3);
        assert_eq!(longer.shots[6..], [0xff, 0xfe, 0xfd]);
    }

    #[test]
    fn any_damage_to_the_length_is_seen() {
        let mut buffer = [0; MAX_RECORD];
        let len = RECORD.write(&[], &mut buffer).unwrap();
        for cut in 1..len {
            assert_eq!(Record::parse(&buffer[..cut]), Parsed::Malformed, "{cut}");
        }
        assert_eq!(Record::parse(&buffer[..len + 1]), Parsed::Malformed);
        assert_eq!(Record::parse(&[]), Parsed::Malformed);
        assert_eq!(Record::parse(&[7; 40]), Parsed::Malformed);
        assert_eq!(Record::parse(TOMBSTONE), Parsed::Removed);
    }

    #[test]
    fn a_short_buffer_is_refused() {
        assert_eq!(RECORD.write(&[], &mut [0; 8]), None);
    }
}
