//! The teacher's embeddings of a run's pictures, cached beside the run: computing them takes minutes,
//! and a resumed run need not wait for it again.

use std::fs;
use std::io;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::checksummed;
use crate::data::Loaded;
use crate::measure::Embeddings;

/// Marks the format; changed with it.
const MARK: &[u8; 8] = b"sudaltc1";

/// Tells one teacher's file from another: the first bytes of its SHA-256.
pub fn checksum(teacher: &[u8]) -> u32 {
    let hash = Sha256::digest(teacher);
    u32::from_le_bytes([hash[0], hash[1], hash[2], hash[3]])
}

/// Which teacher looked at which pictures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TeacherCache([u8; 32]);

impl TeacherCache {
    /// By the [`checksum`] of the teacher's file and the bytes of the pictures.
    pub fn new(teacher: u32, data: &Loaded) -> Self {
        let mut hash = Sha256::new();
        hash.update(teacher.to_le_bytes());
        hash.update(data.fingerprint());
        Self(hash.finalize().into())
    }

    /// Writes the teacher's embeddings.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn write(&self, embeddings: &Embeddings, path: &Path) -> io::Result<()> {
        let values = embeddings
            .values()
            .iter()
            .flat_map(|value| value.to_le_bytes());
        let body: Vec<u8> = self.0.into_iter().chain(values).collect();
        checksummed::write(path, MARK, &body)
    }

    /// What was kept for `data`; nothing where the file is missing, damaged or of another teacher.
    pub fn read(&self, data: &Loaded, path: &Path) -> Option<Embeddings> {
        let bytes = fs::read(path).ok()?;
        let values = checksummed::open(&bytes, MARK)
            .ok()?
            .strip_prefix(&self.0)?;
        let (values, _) = values.as_chunks();
        let values: Vec<f32> = values
            .iter()
            .map(|&bytes| f32::from_le_bytes(bytes))
            .collect();
        let sizes = data.class_sizes();
        let pictures: usize = sizes.iter().sum();
        let dim = values.len().checked_div(pictures)?;
        (dim * pictures == values.len()).then(|| Embeddings::new(dim, &sizes, values))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::parts;

    #[test]
    fn a_cache_is_read_for_the_same_teacher_and_pictures_alone() {
        let load = |seed| {
            let parts = parts::dataset(seed, 3, 2, (16, 16));
            parts.load((16, 16), |_| {}).unwrap()
        };
        let (data, other) = (load(1), load(2));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.teacher");
        let cache = TeacherCache::new(1, &data);
        assert!(cache.read(&data, &path).is_none());
        let embeddings: Vec<f32> = (0..12).map(|i| i as f32 / 7.0).collect();
        let embeddings = Embeddings::new(2, &[2, 2, 2], embeddings);
        cache.write(&embeddings, &path).unwrap();
        let again = cache.read(&data, &path).unwrap();
        assert_eq!(again.values(), embeddings.values());
        assert_eq!(again.get(2, 1), embeddings.get(2, 1));
        for cache in [TeacherCache::new(2, &data), TeacherCache::new(1, &other)] {
            assert!(cache.read(&data, &path).is_none());
        }
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x20;
            fs::write(&path, damaged).unwrap();
            assert!(cache.read(&data, &path).is_none(), "byte {at}");
            fs::write(&path, &whole[..at]).unwrap();
            assert!(cache.read(&data, &path).is_none(), "{at} bytes");
        }
    }
}
