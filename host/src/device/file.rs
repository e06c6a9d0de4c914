//! The flashes of a board that lives in a folder, each in a file.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use sudal_firmware::device::Inspection;
use sudal_firmware::store::nor::{Medium, Nor, SECTOR};

use super::error::BoardError;
use super::held::keep_private;
use crate::atomic_file;

/// Bytes of the flash of the classes.
pub(super) const FLASH: usize = 64 * SECTOR;
/// Bytes of the flash of the settings.
pub(super) const SETTINGS: usize = 4 * SECTOR;
/// Bytes of the flash of the record of starts.
pub(super) const HISTORY: usize = 2 * SECTOR;
/// Bytes of the flash of what good frames teach.
pub(super) const INSPECTION: usize = Inspection::<Nor<'static, FileMedium>>::FLASH;
/// Files of the slots for updates.
pub(super) const SLOTS: [&str; 2] = ["slot-a.bin", "slot-b.bin"];

/// The flashes of a board.
#[derive(Debug)]
pub(super) struct Flashes {
    pub(super) classes: FileMedium,
    pub(super) settings: FileMedium,
    pub(super) slots: [FileMedium; 2],
    pub(super) history: FileMedium,
    pub(super) inspection: FileMedium,
}

impl Flashes {
    /// Opens those in a folder, or makes them, with slots of `slot` bytes.
    ///
    /// # Errors
    /// Which file can't be used.
    pub(super) fn open(dir: &Path, slot: usize) -> Result<Self, BoardError> {
        let in_folder = |name: &str, open: &dyn Fn(&Path) -> io::Result<FileMedium>| {
            let path = dir.join(name);
            open(&path).map_err(BoardError::io(path.display()))
        };
        let kept = |name, len| in_folder(name, &|path| FileMedium::open(path, len));
        let passing = |name, len| in_folder(name, &|path| FileMedium::open_padded(path, len));
        Ok(Self {
            classes: kept("nor.bin", FLASH)?,
            settings: kept("settings.bin", SETTINGS)?,
            slots: [passing(SLOTS[0], slot)?, passing(SLOTS[1], slot)?],
            history: passing("history.bin", HISTORY)?,
            inspection: kept("inspection.bin", INSPECTION)?,
        })
    }
}

/// A file that keeps the contents of a NOR flash, for its owner alone: a key may be among them.
#[derive(Debug)]
pub struct FileMedium(File);

impl FileMedium {
    /// Opens the file, or makes it with `len` erased bytes.
    ///
    /// # Errors
    /// When it can't be opened or made, or has another length and holds something.
    pub fn open(path: &Path, len: usize) -> io::Result<Self> {
        let mut medium = Self::open_or_create(path, len)?;
        let present = medium.0.metadata()?.len();
        // One that a full disk ended while it was made holds nothing yet.
        if present < len as u64 && medium.is_erased()? {
            medium.pad(len)?;
        } else if present != len as u64 {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!(
                    "it has {present} bytes instead of {len}: it was cut short, or is of another version of sudal; \
                     put a copy of it there, or move it away to begin with an erased one"
                ),
            ));
        }
        Ok(medium)
    }

    /// The same for what can be had again: of a file that is shorter the rest is erased, as a flash is
    /// that was never written to, and of one that is longer the rest is left alone.
    fn open_padded(path: &Path, len: usize) -> io::Result<Self> {
        let mut medium = Self::open_or_create(path, len)?;
        medium.pad(len)?;
        Ok(medium)
    }

    fn open_or_create(path: &Path, len: usize) -> io::Result<Self> {
        match atomic_file::create_secret(path, &vec![0xff; len]) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        // An earlier version made it for everybody to read.
        keep_private(&file)?;
        Ok(Self(file))
    }

    /// Whether no bit of it was ever written.
    fn is_erased(&mut self) -> io::Result<bool> {
        let mut bytes = Vec::new();
        self.0.rewind()?;
        self.0.read_to_end(&mut bytes)?;
        Ok(bytes.iter().all(|&byte| byte == 0xff))
    }

    /// Makes it `len` bytes long, if it is shorter.
    fn pad(&mut self, len: usize) -> io::Result<()> {
        let present = self.0.seek(SeekFrom::End(0))?;
        let missing = (len as u64).saturating_sub(present);
        if missing > 0 {
            self.0.write_all(&vec![0xff; missing as usize])?;
            self.0.sync_all()?;
        }
        Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const SLOT: usize = 2 * SECTOR;

    #[test]
    fn flashes_that_a_full_disk_left_half_made_are_completed() {
        let dir = tempfile::tempdir().unwrap();
        for (name, len) in [("nor.bin", 0), ("settings.bin", 100), ("slot-a.bin", 7)] {
            fs::write(dir.path().join(name), vec![0xff; len]).unwrap();
        }
        Flashes::open(dir.path(), SLOT).unwrap();
        for (name, len) in [
            ("nor.bin", FLASH),
            ("settings.bin", SETTINGS),
            ("slot-a.bin", SLOT),
            ("slot-b.bin", SLOT),
            ("history.bin", HISTORY),
            ("inspection.bin", INSPECTION),
        ] {
            let contents = fs::read(dir.path().join(name)).unwrap();
            assert!(contents == vec![0xff; len], "{name}");
        }
    }

    #[test]
    fn what_may_hold_a_key_is_its_owners_alone_also_where_an_earlier_version_made_it() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let mode = || {
            let settings = fs::metadata(dir.path().join("settings.bin")).unwrap();
            settings.permissions().mode() & 0o777
        };
        Flashes::open(dir.path(), SLOT).unwrap();
        assert_eq!(mode(), 0o600);
        let shared = fs::Permissions::from_mode(0o644);
        fs::set_permissions(dir.path().join("settings.bin"), shared).unwrap();
        Flashes::open(dir.path(), SLOT).unwrap();
        assert_eq!(mode(), 0o600);
    }

    #[test]
    fn a_slot_of_another_length_is_used_and_what_was_taught_is_never_changed() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        fs::write(path("slot-a.bin"), [1, 2, 3]).unwrap();
        fs::write(path("slot-b.bin"), vec![9; SLOT + 1]).unwrap();
        let mut flashes = Flashes::open(dir.path(), SLOT).unwrap();
        let mut bytes = [0; 5];
        flashes.slots[0].read(0, &mut bytes).unwrap();
        assert_eq!(bytes, [1, 2, 3, 0xff, 0xff]);
        flashes.slots[1].read(SLOT as u32 - 5, &mut bytes).unwrap();
        assert_eq!(bytes, [9; 5]);
        assert_eq!(fs::read(path("slot-b.bin")).unwrap(), vec![9; SLOT + 1]);
        for len in [FLASH - 1, FLASH + 1] {
            let taught = vec![0x5a; len];
            fs::write(path("nor.bin"), &taught).unwrap();
            let error = Flashes::open(dir.path(), SLOT).unwrap_err();
            let source = std::error::Error::source(&error).unwrap().to_string();
            assert!(source.contains("move it away"), "{error}: {source}");
            assert!(fs::read(path("nor.bin")).unwrap() == taught);
        }
    }
}
