//! The users as their file has them now: who is added or removed while the page is served is so at
//! once.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use super::user_file::{User, UserError, UserFile};

/// How long it is taken for as it was.
const FRESH: Duration = Duration::from_secs(1);

/// A file of users that is looked after.
#[derive(Debug)]
pub(super) struct Users {
    path: PathBuf,
    read: Mutex<Read>,
}

#[derive(Debug)]
struct Read {
    file: UserFile,
    looked: Instant,
    /// What the file was when it was read.
    of: Option<(SystemTime, u64)>,
}

fn stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

impl Users {
    pub(super) fn open(path: &Path) -> Result<Self, UserError> {
        let of = stamp(path);
        Ok(Self {
            path: path.to_owned(),
            read: Mutex::new(Read {
                file: UserFile::read(path)?,
                looked: Instant::now(),
                of,
            }),
        })
    }

    /// Who is called so.
    pub(super) fn find(&self, name: &str) -> Option<User> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if read.looked.elapsed() >= FRESH {
            read.looked = Instant::now();
            let now = stamp(&self.path);
            if now != read.of {
                match UserFile::read(&self.path) {
                    Ok(file) => (read.file, read.of) = (file, now),
                    // Nobody is a user as long as nobody can tell who is.
                    Err(error) => {
                        eprintln!("{error}: nobody can sign in");
                        (read.file, read.of) = (UserFile::default(), now);
                    }
                }
            }
        }
        read.file.find(name).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::rights::Right;
    use super::*;

    #[test]
    fn who_is_removed_is_gone_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("users.json");
        assert!(Users::open(&path).is_err());
        let mut file = UserFile::default();
        file.add("kim", Right::Teach, "long enough", false).unwrap();
        file.write(&path).unwrap();
        let users = Users::open(&path).unwrap();
        assert!(users.find("kim").is_some() && users.find("lee").is_none());
        let old = || {
            let mut read = users.read.lock().unwrap();
            read.looked = Instant::now().checked_sub(FRESH).unwrap();
        };
        file.add("lee", Right::Watch, "long enough", false).unwrap();
        file.remove("kim").unwrap();
        file.write(&path).unwrap();
        old();
        assert!(users.find("kim").is_none() && users.find("lee").is_some());
        fs::write(&path, "nonsense").unwrap();
        old();
        assert!(users.find("lee").is_none());
    }
}
