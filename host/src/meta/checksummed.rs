//! Files with a mark and a checksum, replaced whole.

use std::io;
use std::path::Path;

use crate::atomic_file;

/// Writes `body` under `mark` so that the old file stays whole until the new one is.
pub(super) fn write(path: &Path, mark: &[u8; 8], body: &[u8]) -> io::Result<()> {
    let sum = checksum(body).to_le_bytes();
    atomic_file::replace(path, &[mark.as_slice(), &sum, body].concat())
}

/// The body of a file that begins with `mark`; else what does not fit.
pub(super) fn open<'a>(bytes: &'a [u8], mark: &[u8; 8]) -> Result<&'a [u8], &'static str> {
    let rest = bytes
        .strip_prefix(mark)
        .ok_or("it does not begin like one")?;
    let (sum, body) = rest.split_first_chunk().ok_or("it is cut short")?;
    if u32::from_le_bytes(*sum) != checksum(body) {
        return Err("its checksum is wrong, the file is damaged");
    }
    Ok(body)
}

fn checksum(body: &[u8]) -> u32 {
    crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(body)
}
