//! The emulated board's line, and a way beside it for many bytes at once: the emulator takes those of the
//! line one by one, which costs it 50 microseconds each.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixStream;

/// The file in the board's folder; its firmware makes it if it reads it.
pub(super) const FILE: &str = "block.bin";

/// As in the board's own source: what announces a block, and the most that it holds.
const ANNOUNCED: [u8; 4] = [0; 4];
const LARGEST: usize = 16 << 10;
/// Fewer bytes go over the line.
const LEAST: usize = 64;

/// A line, and the file if many bytes are to go that way.
pub(super) struct Line {
    pub(super) line: UnixStream,
    pub(super) block: Option<File>,
}

impl Read for Line {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.line.read(bytes)
    }
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &self.block {
            Some(file) if (LEAST..=LARGEST).contains(&bytes.len()) => {
                let mut block = (bytes.len() as u32).to_le_bytes().to_vec();
                block.extend(bytes);
                file.write_all_at(&block, 0)?;
                self.line.write_all(&ANNOUNCED)?;
                Ok(bytes.len())
            }
            _ => self.line.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.line.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_bytes_go_into_the_file_and_few_over_the_line() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let (line, mut board) = UnixStream::pair().unwrap();
        let mut line = Line {
            line,
            block: Some(file.reopen().unwrap()),
        };
        let packet: Vec<u8> = (1..=100).collect();
        line.write_all(&packet).unwrap();
        line.write_all(&[7, 8, 9]).unwrap();
        let mut received = [0; 7];
        board.read_exact(&mut received).unwrap();
        assert_eq!(received, [0, 0, 0, 0, 7, 8, 9]);
        let block = std::fs::read(file.path()).unwrap();
        assert_eq!(block[..4], 100_u32.to_le_bytes());
        assert_eq!(block[4..], packet);
    }
}
