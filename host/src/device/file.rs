use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use sudal_firmware::store::nor::Medium;

use super::held::keep_private;

/// A file that keeps the contents of a NOR flash, for its owner alone: a key may be among them.
#[derive(Debug)]
pub struct FileMedium(File);

impl FileMedium {
    /// Opens the file, or makes it with `len` erased bytes.
    ///
    /// # Errors
    /// When it can't be opened or made, or has another length.
    pub fn open(path: &Path, len: usize) -> io::Result<Self> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)?;
        keep_private(&file)?;
        match file.metadata()?.len() {
            0 => file.write_all(&vec![0xff; len])?,
            present if present != len as u64 => {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!("{} has {present} bytes instead of {len}", path.display()),
                ));
            }
            _ => {}
        }
        Ok(Self(file))
    }
}

impl Medium for FileMedium {
    type Error = io::Error;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> io::Result<()> {
        self.0.seek(SeekFrom::Start(offset.into()))?;
        self.0.read_exact(bytes)
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> io::Result<()> {
        self.0.seek(SeekFrom::Start(offset.into()))?;
        self.0.write_all(bytes)
    }
}
