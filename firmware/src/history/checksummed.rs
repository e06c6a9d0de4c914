//! A value in a fixed number of bytes with a checksum, which tells it from anything else.

use serde::{Serialize, de::DeserializeOwned};

use crate::checksum::crc;

/// Bytes that a checksummed value takes.
pub(super) const SEALED: usize = 256;
const CHECK: usize = 4;

/// The value, filled up with ones, and the checksum; nothing if it is too long.
#[must_use]
pub(super) fn seal<T: Serialize>(value: &T) -> Option<[u8; SEALED]> {
    let mut bytes = [0xff; SEALED];
    let (body, check) = bytes.split_last_chunk_mut::<CHECK>()?;
    postcard::to_slice(value, body).ok()?;
    *check = crc(body).to_le_bytes();
    Some(bytes)
}

/// The value, if these are the bytes of one.
#[must_use]
pub(super) fn open<T: DeserializeOwned>(bytes: &[u8; SEALED]) -> Option<T> {
    let (body, check) = bytes.split_last_chunk::<CHECK>()?;
    if crc(body).to_le_bytes() != *check {
        return None;
    }
    let (value, _) = postcard::take_from_bytes(body).ok()?;
    Some(value)
}
