//! One program at a time: who uses a board's folder or port keeps others from it.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, FileTypeExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use super::error::BoardError;
use super::holder::{Holder, Purpose, named};

/// How long a command waits for another one to let go of a board.
pub const WAIT: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(30);
/// The file in a board's folder that the system locks. It stays; the lock goes with its process.
const FILE: &str = "lock";

/// Keeps other programs from a board until the last clone is dropped.
#[derive(Debug, Clone)]
pub struct Hold(#[expect(dead_code, reason = "dropping it is the use")] Arc<Locked>);

#[derive(Debug)]
struct Locked {
    file: File,
    /// Whether the file says who holds it.
    signed: bool,
}

impl Drop for Locked {
    fn drop(&mut self) {
        if self.signed {
            // The lock goes with the file, whatever is in it.
            let _ = self.file.set_len(0);
        }
    }
}

/// Where a board is: its folder, or its serial port.
#[derive(Debug)]
pub(super) struct Place {
    path: PathBuf,
    is_port: bool,
    held: Weak<Locked>,
}

impl Place {
    /// A folder, which is made for its owner alone if there is none.
    pub(super) fn folder(dir: &Path) -> Result<Self, BoardError> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(dir);
        made.map_err(BoardError::io(dir.display()))?;
        Ok(Self {
            path: dir.to_owned(),
            is_port: false,
            held: Weak::new(),
        })
    }

    /// A serial port.
    pub(super) fn port(path: PathBuf) -> Self {
        Self {
            path,
            is_port: true,
            held: Weak::new(),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Keeps other programs from the board. Whoever has a hold of this place gets another one of it
    /// at once; `waiting` is told for whom it waits.
    pub(super) fn hold(
        &mut self,
        purpose: Purpose,
        waiting: &mut dyn FnMut(&str),
    ) -> Result<Hold, BoardError> {
        if let Some(held) = self.held.upgrade() {
            return Ok(Hold(held));
        }
        let mut file = self.file()?;
        self.lock(&mut file, purpose, waiting)?;
        let held = Arc::new(Locked {
            file,
            signed: !self.is_port,
        });
        if held.signed {
            let this = serde_json::to_vec(&Holder::this(purpose)).unwrap_or_default();
            let signed = held.file.set_len(0);
            let signed = signed.and_then(|()| held.file.write_all_at(&this, 0));
            signed.map_err(BoardError::io(self.path.display()))?;
        }
        self.held = Arc::downgrade(&held);
        Ok(Hold(held))
    }

    /// The same as a command does, which says nothing while it waits.
    pub(super) fn keep(&mut self) -> Result<Hold, BoardError> {
        self.hold(Purpose::Command, &mut |_| ())
    }

    /// The file that is locked.
    fn file(&self) -> Result<File, BoardError> {
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        if self.is_port && is_socket(&self.path) {
            // It can't be opened as a file: one beside it is locked.
            let beside = self.path.with_added_extension("lock");
            let opened = options.create(true).truncate(false).open(&beside);
            return opened.map_err(BoardError::io(beside.display()));
        }
        if self.is_port {
            options.custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY);
            let opened = options.open(&self.path);
            return opened.map_err(|source| BoardError::port(&self.path, source));
        }
        let path = self.path.join(FILE);
        let opened = options.create(true).truncate(false).mode(0o600).open(&path);
        opened.map_err(BoardError::io(path.display()))
    }

    /// Who has signed the file, if somebody has.
    fn holder(&self, file: &mut File) -> Option<Holder> {
        let mut text = String::new();
        if !self.is_port {
            file.seek(SeekFrom::Start(0)).ok()?;
            file.read_to_string(&mut text).ok()?;
        }
        serde_json::from_str(&text).ok()
    }

    fn lock(
        &self,
        file: &mut File,
        purpose: Purpose,
        waiting: &mut dyn FnMut(&str),
    ) -> Result<(), BoardError> {
        let begun = Instant::now();
        let mut announced = false;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(()),
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => {
                    return Err(BoardError::io(self.path.display())(error));
                }
            }
            let holder = self.holder(file);
            let stays = holder.as_ref().is_some_and(|holder| holder.stays);
            if stays || purpose == Purpose::Service || begun.elapsed() >= WAIT {
                return Err(BoardError::Held {
                    place: self.path.clone(),
                    holder: holder.map(Box::new),
                });
            }
            if !announced && begun.elapsed() >= Duration::from_secs(1) {
                announced = true;
                waiting(&format!(
                    "waiting for {}, {} s at most",
                    named(holder.as_ref()),
                    WAIT.as_secs()
                ));
            }
            thread::sleep(PAUSE);
        }
    }
}

/// Whether a port is the socket of an emulated board.
pub(super) fn is_socket(port: &Path) -> bool {
    fs::metadata(port).is_ok_and(|data| data.file_type().is_socket())
}

/// A line that keeps other programs from its board as long as it is open.
pub(super) struct Kept<L> {
    pub(super) line: L,
    #[expect(dead_code, reason = "dropping it is the use")]
    pub(super) hold: Hold,
}

impl<L: Read> Read for Kept<L> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.line.read(bytes)
    }
}

impl<L: Write> Write for Kept<L> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.line.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.line.flush()
    }
}

/// Makes a file that may hold a secret its owner's alone, where it is not and may be made so.
pub(super) fn keep_private(file: &File) -> io::Result<()> {
    let mut permissions = file.metadata()?.permissions();
    if permissions.mode() & 0o077 != 0 {
        permissions.set_mode(permissions.mode() & !0o077);
        // It may be somebody else's, who chose that.
        let _ = file.set_permissions(permissions);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process;

    use super::*;

    fn silent(_: &str) {}

    #[test]
    fn a_folder_is_one_holders_and_the_next_ones_as_soon_as_it_lets_go() {
        let dir = tempfile::tempdir().unwrap();
        let mut first = Place::folder(dir.path()).unwrap();
        let mut second = Place::folder(dir.path()).unwrap();
        let hold = first.hold(Purpose::Service, &mut silent).unwrap();
        // Its owner may have as many as it needs.
        let again = first.hold(Purpose::Command, &mut silent).unwrap();
        drop(hold);
        for purpose in [Purpose::Command, Purpose::Service] {
            let begun = Instant::now();
            let error = second.hold(purpose, &mut silent).unwrap_err().to_string();
            for part in [
                &process::id().to_string(),
                "since 2",
                "use its page",
                &dir.path().display().to_string(),
            ] {
                assert!(error.contains(part), "{part}: {error}");
            }
            assert!(begun.elapsed() < WAIT / 2, "waited for what stays");
        }
        drop(again);
        drop(second.hold(Purpose::Service, &mut silent).unwrap());
        first.hold(Purpose::Service, &mut silent).unwrap();
    }

    #[test]
    fn a_command_waits_for_another_one_and_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let mut first = Place::folder(dir.path()).unwrap();
        let hold = first.hold(Purpose::Command, &mut silent).unwrap();
        let path = dir.path().to_owned();
        let waiting = thread::spawn(move || {
            let mut messages = Vec::new();
            let mut second = Place::folder(&path).unwrap();
            second
                .hold(Purpose::Command, &mut |text| messages.push(text.to_owned()))
                .unwrap();
            messages
        });
        thread::sleep(Duration::from_millis(1500));
        drop(hold);
        let messages = waiting.join().unwrap();
        assert_eq!(messages.len(), 1, "{messages:?}");
        assert!(
            messages[0].contains(&process::id().to_string()),
            "{messages:?}"
        );
    }

    #[test]
    fn what_a_killed_holder_left_in_the_file_holds_nobody_up() {
        let dir = tempfile::tempdir().unwrap();
        let left = serde_json::to_vec(&Holder::this(Purpose::Service)).unwrap();
        fs::write(dir.path().join(FILE), left).unwrap();
        let mut folder = Place::folder(dir.path()).unwrap();
        folder.hold(Purpose::Service, &mut silent).unwrap();
    }
}
