//! A value in a fixed number of bytes with a checksum, which tells it from anything else.

use crc::{CRC_32_ISO_HDLC, Crc, Table};
use serde::{Serialize, de::DeserializeOwned};

/// Bytes of a slot.
pub const SLOT: usize = 256;
const CHECK: usize = 4;
const CRC: Crc<u32, Table<1>> = Crc::<u32, Table<1>>::new(&CRC_32_ISO_HDLC);

/// The value, filled up with ones, and the checksum; nothing if it is too long.
#[must_use]
pub fn encode<T: Serialize>(value: &T) -> Option<[u8; SLOT]> {
    let mut bytes = [0xff; SLOT];
    let (body, check) = bytes.split_last_chunk_mut::<CHECK>()?;
    postcard::to_slice(value, body).ok()?;
    *check = CRC.checksum(body).to_le_bytes();
    Some(bytes)
}

/// The value, if these are the bytes of one.
#[must_use]
pub fn decode<T: DeserializeOwned>(bytes: &[u8; SLOT]) -> Option<T> {
    let (body, check) = bytes.split_last_chunk::<CHECK>()?;
    if CRC.checksum(body).to_le_bytes() != *check {
        return None;
    }
    let (value, _) = postcard::take_from_bytes(body).ok()?;
    Some(value)
}
