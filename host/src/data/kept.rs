//! Drawn pictures, kept in the user's cache: reading them takes a hundredth of the time of drawing them.

use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;
use std::{env, fs};

use sha2::{Digest, Sha256};

use crate::{atomic_file, cache};

/// Fewer bytes of pixels are drawn as quickly.
const LEAST: usize = 4 << 20;
/// Most that is kept of all pictures together; those that were written first go first.
const MOST: u64 = 512 << 20;

/// The file of some drawn pictures.
///
/// It holds for the program that wrote it alone: another one may draw them otherwise.
pub(super) struct Kept {
    path: PathBuf,
    mark: [u8; 32],
}

impl Kept {
    /// `key` says all that the pictures follow from, but for the program; `None` where so few bytes are not
    /// kept.
    pub(super) fn of(key: &str, bytes: usize) -> Option<Self> {
        (LEAST..MOST as usize)
            .contains(&bytes)
            .then(|| Self::in_folder(&cache::dir().join("pictures"), key))?
    }

    fn in_folder(folder: &Path, key: &str) -> Option<Self> {
        let program = env::current_exe().ok()?.metadata().ok()?;
        let built = program.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        let mut hash = Sha256::new();
        hash.update(key);
        let name: String = hash.clone().finalize()[..8]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        hash.update(program.len().to_le_bytes());
        hash.update(built.as_nanos().to_le_bytes());
        Some(Self {
            path: folder.join(name),
            mark: hash.finalize().into(),
        })
    }

    /// So many bytes of pixels; `None` if they are not there whole.
    pub(super) fn read(&self, bytes: usize) -> Option<Vec<u8>> {
        let mut file = fs::read(&self.path).ok()?;
        let start = self.mark.len() + size_of::<u32>();
        if file.len() < start {
            return None;
        }
        let pixels = file.split_off(start);
        let (mark, sum) = file.split_at(self.mark.len());
        let whole = mark == self.mark && sum == checksum(&pixels) && pixels.len() == bytes;
        whole.then_some(pixels)
    }

    /// Keeps pixels, if there is room; they are drawn again where not.
    pub(super) fn write(&self, pixels: &[u8]) {
        let Some(folder) = self.path.parent() else {
            return;
        };
        let bytes = [&self.mark, &checksum(pixels)[..], pixels].concat();
        let written =
            fs::create_dir_all(folder).and_then(|()| atomic_file::replace(&self.path, &bytes));
        if written.is_ok() {
            tidy(folder, MOST);
        }
    }
}

fn checksum(pixels: &[u8]) -> [u8; 4] {
    let sum = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(pixels);
    sum.to_le_bytes()
}

/// Removes what was written first, until at most so many bytes are left.
fn tidy(folder: &Path, most: u64) {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<_> = files
        .filter_map(|file| {
            let about = file.metadata().ok()?;
            Some((about.modified().ok()?, about.len(), file.path()))
        })
        .collect();
    files.sort();
    let mut all: u64 = files.iter().map(|(_, len, _)| len).sum();
    for (_, len, path) in files {
        if all <= most {
            break;
        }
        // Another run may have done so.
        let _ = fs::remove_file(path);
        all -= len;
    }
}

#[cfg(test)]
mod tests {
    use std::thread::sleep;
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_is_kept_is_read_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let kept = Kept::in_folder(folder.path(), "a").unwrap();
        assert_eq!(kept.read(3), None);
        kept.write(&[1, 2, 3]);
        assert_eq!(kept.read(3), Some(vec![1, 2, 3]));
        assert_eq!(kept.read(4), None);
        assert_eq!(Kept::in_folder(folder.path(), "b").unwrap().read(3), None);
        let other = Kept {
            mark: [0; 32],
            path: kept.path.clone(),
        };
        assert_eq!(other.read(3), None, "another program's");
        let mut bytes = fs::read(&kept.path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(&kept.path, &bytes).unwrap();
        assert_eq!(kept.read(3), None, "damaged");
        fs::write(&kept.path, &bytes[..20]).unwrap();
        assert_eq!(kept.read(3), None, "cut short");
    }

    #[test]
    fn the_oldest_go_first() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["old", "new"] {
            fs::write(folder.path().join(name), [0; 100]).unwrap();
            sleep(Duration::from_millis(20));
        }
        tidy(folder.path(), 200);
        assert!(folder.path().join("old").exists());
        tidy(folder.path(), 199);
        assert!(!folder.path().join("old").exists());
        assert!(folder.path().join("new").exists());
    }
}
