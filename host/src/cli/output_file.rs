//! Files that a command writes.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use sudal::atomic_file;

/// Makes sure, before the work begins, that a file can be written there; its folder is made.
pub(crate) fn ready(path: &Path) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    }
    atomic_file::check(path).with_context(|| format!("{} can't be written", path.display()))
}

/// The same for a file that must not be there yet.
pub(crate) fn vacant(path: &Path) -> anyhow::Result<()> {
    if path.exists() {
        bail!(
            "{} exists: give another --out, or remove it",
            path.display()
        );
    }
    ready(path)
}

/// The same for the two pictures of a chart.
pub(crate) fn ready_chart(path: &Path) -> anyhow::Result<()> {
    ready(&path.with_extension("png"))?;
    ready(&path.with_extension("svg"))
}

/// Writes a file whole, or leaves what is there.
pub(crate) fn write(path: &Path, contents: &[u8]) -> anyhow::Result<()> {
    atomic_file::replace(path, contents).with_context(|| format!("writing {}", path.display()))
}

/// A file that this program alone writes for as long as it takes; `FILE.lock` beside it says so.
pub(crate) struct Claim {
    lock: PathBuf,
    _held: File,
}

impl Claim {
    /// Refuses what another program claims.
    pub(crate) fn on(path: &Path) -> anyhow::Result<Self> {
        let lock = named(path, ".lock");
        loop {
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(true).truncate(false);
            let mut held = options
                .open(&lock)
                .with_context(|| format!("{} can't be written", lock.display()))?;
            match held.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    let mut holder = String::new();
                    // It may not be written yet.
                    let _ = held.read_to_string(&mut holder);
                    bail!(
                        "another program ({}) is at work on {}: let it end, or give another --out",
                        holder.trim(),
                        path.display()
                    );
                }
                Err(TryLockError::Error(error)) => {
                    return Err(error).with_context(|| format!("locking {}", lock.display()));
                }
            }
            // Whoever held it before may have removed it since it was opened.
            if !is_at(&held, &lock) {
                continue;
            }
            held.set_len(0)?;
            writeln!(held, "process {}", std::process::id())?;
            return Ok(Self { lock, _held: held });
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // Still locked; if it stays, nobody minds.
        let _ = fs::remove_file(&self.lock);
    }
}

#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let number = |there: fs::Metadata| (there.dev(), there.ino());
    let there = fs::metadata(path).map(number).ok();
    there.is_some() && there == file.metadata().map(number).ok()
}

#[cfg(not(unix))]
fn is_at(_file: &File, path: &Path) -> bool {
    path.exists()
}

/// `prefix` with `end` behind it, for commands that write several files.
pub(crate) fn named(prefix: &Path, end: &str) -> PathBuf {
    let mut path = prefix.as_os_str().to_owned();
    path.push(end);
    path.into()
}
