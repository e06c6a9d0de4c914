//! The checksum of images, packets and what is kept in flash: the CRC-32 of zip files (ISO HDLC).

use crc::{CRC_32_ISO_HDLC, Crc, Table};

static TABLE: [u32; 256] = Crc::<u32, Table<1>>::new(&CRC_32_ISO_HDLC).table()[0];

/// The checksum of some bytes.
#[must_use]
pub fn crc(bytes: &[u8]) -> u32 {
    let mut sum = Checksum::new();
    sum.add(bytes);
    sum.finish()
}

/// The checksum of bytes that come in pieces.
pub(crate) struct Checksum(u32);

impl Checksum {
    pub(crate) const fn new() -> Self {
        Self(!0)
    }

    /// Adds bytes, four of which are read at once.
    #[inline(never)]
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        let next = |sum: u32| (sum >> 8) ^ TABLE[(sum & 0xff) as usize];
        let (words, rest) = bytes.as_chunks();
        let mut sum = self.0;
        for &word in words {
            sum = next(next(next(next(sum ^ u32::from_le_bytes(word)))));
        }
        for &byte in rest {
            sum = next(sum ^ u32::from(byte));
        }
        self.0 = sum;
    }

    pub(crate) const fn finish(self) -> u32 {
        !self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_that_of_zip_files_whatever_the_pieces() {
        assert_eq!(crc(b"123456789"), 0xcbf4_3926);
        let bytes: [u8; 64] = core::array::from_fn(|i| (i * i * 7) as u8);
        let whole = Crc::<u32>::new(&CRC_32_ISO_HDLC).checksum(&bytes);
        for (first, second) in [(0, 0), (1, 2), (3, 40), (4, 8), (7, 64), (64, 64)] {
            let mut sum = Checksum::new();
            sum.add(&bytes[..first]);
            sum.add(&bytes[first..second]);
            sum.add(&bytes[second..]);
            assert_eq!(sum.finish(), whole, "{first}, {second}");
        }
    }
}
