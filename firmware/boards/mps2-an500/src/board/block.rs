//! A way beside the UART for many bytes at once, which the emulator takes one by one: the host puts them
//! in a file, after their number in four bytes, and says so over the UART by zeros, of which no packets
//! have n in a row.

use core::ffi::CStr;

use sudal_firmware::store::nor::Medium;

use super::medium::HostFile;

const NAME: &CStr = c"block.bin";
/// Zeros that announce a block.
const ZEROS: u8 = 4;
/// Bytes that are read at once.
const PIECE: usize = 256;
/// A packet is smaller.
const LARGEST: usize = 16 << 10;

/// The file.
pub(super) struct Block {
    file: Option<HostFile>,
    zeros: u8,
}

impl Block {
    /// Opens the file, or makes it, from which the host knows that it is read.
    pub(super) fn open() -> Self {
        Self {
            file: HostFile::open(NAME, size_of::<u32>()),
            zeros: 0,
        }
    }

    /// Looks at bytes of the UART, up to a zero: shows the block that it announces, if it does, piece by piece.
    pub(super) fn push(&mut self, bytes: &[u8], mut show: impl FnMut(&[u8])) {
        self.zeros = match bytes {
            [0] => self.zeros + 1,
            [.., 0] => 1,
            _ => 0,
        };
        if self.zeros < ZEROS {
            return;
        }
        self.zeros = 0;
        let mut len = [0; size_of::<u32>()];
        let Some(file) = &mut self.file else { return };
        if file.read(0, &mut len).is_err() {
            return;
        }
        let len = (u32::from_le_bytes(len) as usize).min(LARGEST);
        let mut piece = [0; PIECE];
        for start in (0..len).step_by(PIECE) {
            let piece = &mut piece[..PIECE.min(len - start)];
            // What is missing makes a packet that is refused, and comes again.
            if file.read((size_of::<u32>() + start) as u32, piece).is_err() {
                return;
            }
            show(piece);
        }
    }
}
