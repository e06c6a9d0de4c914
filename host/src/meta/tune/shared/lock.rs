//! The lock of a journal, as Optuna takes it: a file beside it that only one can create.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

/// A lock that nobody has touched for so long is that of a process that is gone.
const GRACE: Duration = Duration::from_secs(30);
const FIRST_WAIT: Duration = Duration::from_millis(1);
const LONGEST_WAIT: Duration = Duration::from_millis(200);

/// Held until it is dropped.
#[derive(Debug)]
pub(super) struct Lock(PathBuf);

impl Lock {
    /// Waits for the lock of the journal at `path`. A file that is created exclusively keeps out
    /// Optuna's locks of both kinds, symbolic links and files.
    pub(super) fn take(path: &Path) -> io::Result<Self> {
        Self::take_within(path, GRACE)
    }

    fn take_within(path: &Path, grace: Duration) -> io::Result<Self> {
        let file = beside(path, ".lock");
        let mut wait = FIRST_WAIT;
        let (mut seen, mut since) = (None, Instant::now());
        loop {
            match OpenOptions::new().write(true).create_new(true).open(&file) {
                Ok(_) => return Ok(Self(file)),
                Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
                Err(e) => return Err(e),
            }
            let now = touched(&file);
            if now != seen {
                (seen, since) = (now, Instant::now());
            } else if since.elapsed() > grace {
                // Whoever else gives up waiting renames it first, or does not find it.
                release(&file);
                (seen, since) = (None, Instant::now());
                continue;
            }
            sleep(wait);
            wait = (2 * wait).min(LONGEST_WAIT);
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        release(&self.0);
    }
}

/// When the lock was made, and what a link points to was changed.
fn touched(file: &Path) -> Option<(SystemTime, Option<SystemTime>)> {
    let own = fs::symlink_metadata(file).ok()?.modified().ok()?;
    let target = fs::metadata(file).and_then(|m| m.modified()).ok();
    Some((own, target))
}

/// By way of another name: of two that release a lock, one finds nothing and so removes no new lock.
fn release(file: &Path) {
    let aside = beside(file, &format!("{:032x}.rename", rand::random::<u128>()));
    if fs::rename(file, &aside).is_ok() {
        // Left behind, it is in nobody's way.
        let _ = fs::remove_file(aside);
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn one_holds_it_at_a_time_and_a_dead_one_is_waited_for_no_longer_than_its_grace() {
        let dir = tempfile::tempdir().unwrap();
        let journal = dir.path().join("journal");
        let held = Lock::take(&journal).unwrap();
        let other = journal.clone();
        let waits = thread::spawn(move || drop(Lock::take(&other).unwrap()));
        sleep(Duration::from_millis(50));
        assert!(!waits.is_finished());
        drop(held);
        waits.join().unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);

        std::mem::forget(Lock::take(&journal).unwrap());
        let grace = Duration::from_millis(100);
        let began = Instant::now();
        drop(Lock::take_within(&journal, grace).unwrap());
        assert!(began.elapsed() > grace);
    }
}
